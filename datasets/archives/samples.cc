#include "datasets/archives/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"

namespace vise::datasets {
namespace {

// "a/0001" and "seg.png" of "a/0001.seg.png".
std::pair<std::string_view, std::string_view> key_and_field(std::string_view name) {
  const auto file = name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1;
  // WebDataset's rule: the key ends at the first dot of the file's name, all that follows is the field.
  const auto dot = std::min(name.find('.', file), name.size());
  return {name.substr(0, dot), name.substr(std::min(dot + 1, name.size()))};
}

bool is_field(std::string_view field) {
  const std::string low = lower(field);
  return low == "cls" || low == "txt" || low == "json";
}

}  // namespace

// Whether the archives hold samples rather than class folders: by the fields beside their images.
bool are_samples(const std::vector<PlacedArchive>& archives) {
  std::size_t images = 0, with_fields = 0;
  for (const PlacedArchive& archive : archives) {
    std::unordered_set<std::string_view> keys;
    for (const ArchiveText& text : archive.index.texts)
      if (const auto [key, field] = key_and_field(text.name); is_field(field)) keys.insert(key);
    images += archive.index.images.size();
    if (keys.empty()) continue;
    for (const ArchiveMember& image : archive.index.images)
      with_fields += keys.contains(key_and_field(image.name).first) ? 1 : 0;
  }
  // Most, not all: sets have single images without a label.
  return images > 0 && 2 * with_fields > images;
}

Samples::Samples(const PlacedArchive& archive, std::string image_field, std::vector<std::string> class_names)
    : archive_(archive), image_field_(lower(image_field)), class_names_(std::move(class_names)) {
  std::unordered_map<std::string_view, std::size_t> by_key;
  const auto sample_of = [&](std::string_view key) -> Sample& {
    const auto [place, is_new] = by_key.emplace(key, samples_.size());
    if (is_new) samples_.push_back({key, nullptr, {}});
    return samples_[place->second];
  };
  for (const ArchiveMember& image : archive_.index.images)
    take_image(sample_of(key_and_field(image.name).first), image);
  for (const ArchiveText& text : archive_.index.texts)
    if (const auto [key, field] = key_and_field(text.name); is_field(field))
      sample_of(key).fields.push_back({field, &text.text});
  std::sort(samples_.begin(), samples_.end(), [](const Sample& a, const Sample& b) { return a.key < b.key; });
  // Counted, since their labels are left out with them.
  without_image_ = std::erase_if(samples_, [](const Sample& sample) { return !sample.image; });
}

void Samples::take_image(Sample& sample, const ArchiveMember& member) const {
  // With a field named by the user only that image is the sample's; others, such as a mask, are passed over.
  if (!image_field_.empty() && lower(key_and_field(member.name).second) != image_field_) return;
  if (sample.image)
    throw Error(ErrorKind::usage,
                fmt::format("{}: the sample '{}' has two images, '{}' and '{}'", archive_.index.identity.path,
                            sample.key, sample.image->name, member.name),
                fmt::format("say which by its field: --path-column {}", key_and_field(sample.image->name).second));
  sample.image = &member;
}

bool Samples::has_field(std::string_view field) const {
  return std::any_of(samples_.begin(), samples_.end(), [&](const Sample& sample) {
    return std::any_of(sample.fields.begin(), sample.fields.end(),
                       [&](const Field& one) { return lower(one.name) == field; });
  });
}

std::string Samples::class_name(const std::string& cls, const Sample& sample) const {
  std::int64_t number = 0;
  if (class_names_.empty() || !parse_int(cls, number)) return cls;
  if (number < 0 || static_cast<std::size_t>(number) >= class_names_.size())
    throw Error(ErrorKind::input, fmt::format("{}: the sample '{}' is of class {}, but classnames.txt has {}",
                                              archive_.index.identity.path, sample.key, number, class_names_.size()));
  return class_names_[static_cast<std::size_t>(number)];
}

std::string Samples::line(const Sample& sample) const {
  Json row = Json::object();
  for (const Field& field : sample.fields) {
    const std::string name = lower(field.name);
    if (!is_utf8(*field.text))
      throw Error(ErrorKind::input,
                  fmt::format("{}: {}.{} is not UTF-8", archive_.index.identity.path, sample.key, field.name),
                  "a member that describes an image must be text: write it in UTF-8");
    if (name != "json") {
      const std::string text(trim(*field.text));
      row[name] = name == "cls" ? class_name(text, sample) : text;
      continue;
    }
    Json object =
        parse_json(*field.text, fmt::format("{}: {}.{}", archive_.index.identity.path, sample.key, field.name));
    // An array or a lone value becomes the column "json", so nothing of the file is lost.
    if (!object.is_object()) object = {{"json", object}};
    // A member of its own (.cls, .txt) wins over a key of the same name in the JSON.
    for (const auto& [key, value] : object.items())
      if (!row.contains(key)) row[key] = value;
  }
  // Last, so that no key of a stranger's JSON can name another image.
  row[kSamplePath] = archive_.id_of(sample.image->name);
  return row.dump() + '\n';
}

std::unique_ptr<RowReader> Samples::rows() const {
  std::string lines;
  for (const Sample& sample : samples_) lines += line(sample);
  return parse_rows(Path(archive_.index.identity.path) / "samples.jsonl", std::move(lines));
}

}  // namespace vise::datasets

#include "datasets/archive_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "datasets/archives/archive_images.h"
#include "datasets/archives/archive_names.h"
#include "datasets/archives/samples.h"
#include "datasets/class_folders.h"
#include "datasets/data_columns.h"
#include "datasets/manifest.h"
#include "datasets/manifest_part.h"

namespace vise::datasets {
namespace {

constexpr std::string_view kClassNames = "classnames.txt";

// One reading of a set of archives, whose steps are in read(): index each archive, decide which of the three ways it
// is, give each archive its place in the ids, and read tables, samples or folders.
class ArchiveData {
 public:
  ArchiveData(std::span<const Path> files, const Path& root, std::string name, Log& log, const DataColumns& columns)
      : files_(files), root_(root), name_(std::move(name)), log_(log), columns_(columns) {}

  Dataset read(const Path& cache) {
    std::size_t images = 0;
    for (const Path& file : files_) {
      archives_.emplace_back().index = archive_index(file, cache);
      if (archives_.back().index.images.empty()) bare_.push_back(archives_.size() - 1);
      images += archives_.back().index.images.size();
      tell_leftovers(archives_.back().index, file, log_);
      log_.progress("looking through: archives", archives_.size(), files_.size());
    }
    if (images == 0)
      throw Error(ErrorKind::input, fmt::format("{}: no image is in it", root_.string()),
                  "an image is told by its name: .jpg, .png, .webp, .gif, .bmp, .tif, .ppm ...");
    const bool samples = are_samples(archives_);
    // Places come before tables: the images of a table are looked for from its folder on, which begins with the prefix.
    // A table beside the images says more than the samples' fields, so it is asked for first.
    place(samples);
    if (const auto tables = metadata(); !tables.empty()) return read_tables(tables);
    return samples ? read_samples() : read_class_folders();
  }

 private:
  // The archive's folder below the root, "" at the root itself: "train/".
  std::string folder_of(std::size_t archive) const {
    const std::string folder = files_[archive].parent_path().lexically_relative(root_).string();
    return folder.empty() || folder.starts_with('.') ? std::string() : folder + '/';
  }

  // What an archive puts before the names of its members, with '/' at its end, or "".
  std::string place_name(std::size_t archive, bool whole_name) const {
    const std::string word = whole_name ? archive_stem(files_[archive]) : shard_word(files_[archive]);
    return folder_of(archive) + (word.empty() ? word : word + '/');
  }

  void place(bool samples) {
    // The names of the archives enter the ids only where they say something (train-0.tar,
    // test-0.tar), or where ids would be equal without them: an id should stay what it is
    // when a set is packed into more shards.
    if (archives_.size() == 1) return;
    std::set<std::string> places;
    for (std::size_t a = 0; a < archives_.size(); ++a) places.insert(place_name(a, false));
    // A sample's split is its archive's word; its id stays what it is however it is packed.
    if (places.size() > 1 && !samples)
      for (std::size_t a = 0; a < archives_.size(); ++a) set_prefix(a, place_name(a, false));
    if (!has_equal_ids()) return;
    for (std::size_t a = 0; a < archives_.size(); ++a) set_prefix(a, place_name(a, true));
  }

  // joy.zip with everything in joy/ is that folder, not one in it.
  void set_prefix(std::size_t archive, const std::string& prefix) {
    PlacedArchive& placed = archives_[archive];
    placed.prefix = prefix;
    placed.inside.clear();
    if (prefix.empty()) return;
    const std::string folder = prefix.substr(0, prefix.size() - 1);
    placed.inside = own_folder(placed.index, folder.substr(folder.rfind('/') + 1));
  }

  bool has_equal_ids() const {
    std::vector<std::string> ids;
    for (const PlacedArchive& archive : archives_)
      for (const ArchiveMember& image : archive.index.images) ids.push_back(archive.id_of(image.name));
    std::sort(ids.begin(), ids.end());
    return std::adjacent_find(ids.begin(), ids.end()) != ids.end();
  }

  // The topmost tables of an image folder; below train/ and test/ one each.
  std::vector<ManifestPart> metadata() const {
    std::vector<ManifestPart> parts;
    std::ptrdiff_t highest = 0;
    for (const PlacedArchive& archive : archives_)
      for (const ArchiveText& text : archive.index.texts) {
        const auto slash = text.name.rfind('/');
        const std::string file = text.name.substr(slash == std::string::npos ? 0 : slash + 1);
        if (file != "metadata.csv" && file != "metadata.jsonl") continue;
        const std::string folder = archive.prefix + text.name.substr(0, text.name.size() - file.size());
        const std::ptrdiff_t depth = std::count(folder.begin(), folder.end(), '/');
        if (!parts.empty() && depth > highest) continue;
        // A table in a deeper folder describes that folder alone.
        if (depth < highest) parts.clear();
        highest = depth;
        const Path table = Path(archive.index.identity.path) / text.name;
        parts.push_back({table, folder, part_of(folder), [table, &text] { return parse_rows(table, text.text); }});
      }
    if (parts.size() > 1) std::erase_if(parts, [](const ManifestPart& part) { return part.part == Part::unused; });
    return parts;
  }

  static std::optional<Part> part_of(std::string folder) {
    if (folder.ends_with('/')) folder.pop_back();
    return part_named(folder.substr(folder.rfind('/') + 1));
  }

  Dataset read_tables(const std::vector<ManifestPart>& tables) {
    Dataset dataset = read_manifest(tables, root_, name_, log_, columns_, container());
    add_labels_of_folders(dataset, log_);
    return dataset;
  }

  Dataset read_class_folders() {
    if (!columns_.path.empty() || !columns_.label.empty() || !columns_.split.empty())
      throw Error(
          ErrorKind::usage,
          fmt::format("{}: has neither metadata.csv nor samples of WebDataset, so no columns to name", root_.string()),
          "leave --path-column, --label-column and --split-column out");
    Dataset dataset;
    dataset.name = name_;
    dataset.root = root_;
    const auto images = container();
    dataset.ids = images->ids();
    dataset.container = images;
    add_class_folders(dataset, log_);
    remark_bare(dataset);
    return dataset;
  }

  // By the archive's own word or by its folder: train-000.tar, train/000.tar.
  std::optional<Part> part_of(std::size_t archive) const {
    const std::string word = shard_word(files_[archive]);
    if (const auto part = part_named(word)) return part;
    return part_of(folder_of(archive));
  }

  // Each archive's samples are the rows of one manifest: labels and kinds of targets are read by the same rules as a
  // table's.
  Dataset read_samples() {
    std::vector<std::unique_ptr<Samples>> samples;
    DataColumns columns = columns_;
    columns.path = kSamplePath;
    std::size_t without_image = 0;
    bool any_part = false;
    for (std::size_t a = 0; a < archives_.size(); ++a) {
      samples.push_back(std::make_unique<Samples>(archives_[a], columns_.path, class_names(a)));
      without_image += samples.back()->without_image();
      any_part = any_part || part_of(a);
      // `cls` is where WebDataset keeps a sample's class.
      if (columns_.label.empty() && samples.back()->has_field("cls")) columns.label = "cls";
    }
    std::vector<ManifestPart> parts;
    for (std::size_t a = 0; a < archives_.size(); ++a)
      // Where one archive is called by a split's name, those that aren't are unused: to guess their part could put test
      // images into train.
      parts.push_back({files_[a], "", any_part ? std::optional(part_of(a).value_or(Part::unused)) : std::nullopt,
                       [&one = *samples[a]] { return one.rows(); }});
    Dataset dataset = read_manifest(parts, root_, name_, log_, columns, container(true));
    if (without_image > 0) remark(fmt::format("{} samples have no image and are left out", without_image), dataset);
    for (std::size_t a = 0; a < archives_.size() && any_part; ++a)
      if (!part_of(a))
        remark(fmt::format("{} has no split's name, as others have, and is unused", files_[a].filename().string()),
               dataset);
    remark_bare(dataset);
    add_labels_of_folders(dataset, log_);
    return dataset;
  }

  // An archive may be a class or a part of the split, as a folder may.
  void remark_bare(Dataset& dataset) {
    for (const std::size_t archive : bare_)
      remark(fmt::format("no image is in the archive '{}', which is passed over", files_[archive].filename().string()),
             dataset);
  }

  void remark(const std::string& text, Dataset& dataset) {
    log_.warn(fmt::format("{}: {}", dataset.name, text));
    dataset.notes.push_back(text);
  }

  // A line a class, in the archive, beside it or in the folder above.
  std::vector<std::string> class_names(std::size_t archive) const {
    for (const ArchiveText& text : archives_[archive].index.texts)
      if (text.name == kClassNames) return lines_of(text.text);
    const Path folder = std::filesystem::absolute(files_[archive]).lexically_normal().parent_path();
    for (const Path& place : {folder, folder.parent_path()})
      if (std::error_code error; std::filesystem::exists(place / kClassNames, error))
        return lines_of(read_text_file(place / kClassNames, 64 << 20));
    return {};
  }

  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (const std::string& line : split(text, '\n')) lines.emplace_back(trim(line));
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
  }

  // Without the texts, which only labels need. Samples look at the images until their rows are read.
  std::shared_ptr<const ArchiveImages> container(bool of_samples = false) {
    std::vector<PlacedArchive> placed;
    for (PlacedArchive& archive : archives_) {
      PlacedArchive one;
      one.index.identity = archive.index.identity;
      one.index.form = archive.index.form;
      one.index.images = of_samples ? archive.index.images : std::move(archive.index.images);
      one.prefix = archive.prefix;
      one.inside = archive.inside;
      placed.push_back(std::move(one));
    }
    return std::make_shared<const ArchiveImages>(std::move(placed), root_.string());
  }

  std::span<const Path> files_;
  const Path& root_;
  std::string name_;
  Log& log_;
  const DataColumns& columns_;
  std::vector<PlacedArchive> archives_;
  std::vector<std::size_t> bare_;  // those without an image
};

}  // namespace

Dataset read_archives(std::span<const Path> files, const Path& root, std::string name, Log& log,
                      const DataColumns& columns, const Path& cache) {
  return ArchiveData(files, root, std::move(name), log, columns).read(cache);
}

}  // namespace vise::datasets

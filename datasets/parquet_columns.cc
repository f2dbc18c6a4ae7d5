#include "datasets/parquet_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "datasets/cells.h"
#include "datasets/data_columns.h"

namespace vise::datasets {
namespace {

using parquet::Column;
using parquet::Kind;

constexpr std::array<std::string_view, 4> kImageNames{"image", "img", "picture", "photo"};
constexpr std::array<std::string_view, 8> kLabelLists{"labels",  "label",  "classes",    "class",
                                                      "targets", "target", "categories", "category"};

// A class that is called as nothing is in tables ("None", "NA") is one all the same, since it has a number.
std::vector<std::string> class_names(const Json& names) {
  std::vector<std::string> classes;
  for (const Json& name : names) {
    if (!name.is_string()) return {};
    std::string text(trim(name.get<std::string>()));
    if (text.empty()) text = fmt::format("{}", classes.size());
    classes.push_back(is_missing(text) ? fmt::format("class {}", text) : text);
  }
  return classes;
}

// A feature is {"_type": ...}, a list of one feature, or a structure of features by name.
void walk(const Json& feature, const std::string& name, int depth, HubFeatures& features) {
  // The metadata are a stranger's JSON.
  if (depth > 8) return;
  if (feature.is_array() && feature.size() == 1) return walk(feature[0], name, depth + 1, features);
  if (!feature.is_object()) return;
  const auto type = feature.find("_type");
  if (type == feature.end() || !type->is_string()) {
    for (const auto& [key, inner] : feature.items())
      walk(inner, name.empty() ? key : fmt::format("{}:{}", name, key), depth + 1, features);
    return;
  }
  // What the datasets library writes into the file's metadata under "huggingface".
  if (*type == "Image") features.images.insert(name);
  if (const auto inner = feature.find("feature"); inner != feature.end()) walk(*inner, name, depth + 1, features);
  if (*type != "ClassLabel") return;
  const auto names = feature.find("names");
  if (names == feature.end() || !names->is_array()) return;
  if (auto classes = class_names(*names); !classes.empty()) features.classes.emplace(name, std::move(classes));
}

template <std::size_t N>
std::size_t place_in(const std::array<std::string_view, N>& names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), lower(name)) - names.begin());
}

// A column of bytes as an image: "image" for the field `bytes` of the structure `image`.
struct Candidate {
  std::size_t column;
  std::string name;
  bool is_structure;
};

// Flat columns of byte arrays. Decimals and numbers of a fixed length are bytes as well, but no image.
std::vector<Candidate> candidates(const std::vector<Column>& columns) {
  std::vector<Candidate> found;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Column& column = columns[c];
    if (column.kind != Kind::bytes || column.is_list || column.physical != parquet::Physical::bytes) continue;
    if (column.parent.empty()) found.push_back({c, column.name, false});
    if (!column.parent.empty() && column.field == "bytes") found.push_back({c, column.parent, true});
  }
  return found;
}

// What was asked for; else what the metadata call an image; else a structure; else bytes; of several the one with a
// usual name.
std::optional<Candidate> image_of(const std::vector<Candidate>& all, const HubFeatures& features,
                                  const std::string& name, const std::string& asked) {
  const auto keep = [&](auto is_kept) {
    std::vector<Candidate> kept;
    std::copy_if(all.begin(), all.end(), std::back_inserter(kept), is_kept);
    return kept;
  };
  // A user's word wins over all of these, and a name that isn't there is no guess for another.
  if (!asked.empty()) {
    const auto kept = keep([&](const Candidate& c) { return c.name == asked; });
    return kept.empty() ? std::nullopt : std::optional(kept.front());
  }
  auto kept = keep([&](const Candidate& c) { return features.images.contains(c.name); });
  if (kept.empty()) kept = keep([](const Candidate& c) { return c.is_structure; });
  if (kept.empty()) kept = all;
  if (kept.empty()) return std::nullopt;
  if (kept.size() == 1) return kept.front();
  for (const std::string_view usual : kImageNames)
    for (const Candidate& candidate : kept)
      if (lower(candidate.name) == usual) return candidate;
  std::vector<std::string> names;
  for (const Candidate& candidate : kept) names.push_back(candidate.name);
  throw Error(ErrorKind::input, fmt::format("{}: several columns hold bytes: {}", name, join(names, ", ")),
              fmt::format("say which is the image: --path-column {}", names.front()));
}

// The list that becomes the target "labels": the one that was asked for, else the first with a usual name.
std::optional<std::size_t> labels_list(const std::vector<Column>& columns, const std::string& asked) {
  std::optional<std::size_t> found;
  std::size_t best = kLabelLists.size();
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (!columns[c].is_list || columns[c].kind == Kind::unread) continue;
    if (!asked.empty() && columns[c].name == asked) return c;
    const std::size_t place = place_in(kLabelLists, columns[c].name);
    if (place < best && (asked.empty() || columns[c].name == "labels")) best = place, found = c;
  }
  return found;
}

// Why a column's cells are no texts of a table; "" where they are. `is_wanted`: somebody asked for it, or it is the
// list of labels.
std::string why_unread(const Column& column, bool has_classes, bool is_wanted) {
  if (column.kind == Kind::unread) return column.reason;
  if (column.is_list && column.kind == Kind::real) return "a list of numbers";
  if (column.is_list && column.kind == Kind::integer && !has_classes && !is_wanted) return "a list of numbers";
  if (column.kind == Kind::bytes && !is_wanted) return "bytes";
  return {};
}

}  // namespace

// Nothing where the file isn't from the hub's library. JSON that can't be parsed is an error: the names of the classes
// may be in it.
HubFeatures hub_features(std::string_view metadata, const std::string& name_for_messages) {
  HubFeatures features;
  if (metadata.empty()) return features;
  const Json json = parse_json(metadata, fmt::format("{}: the metadata 'huggingface'", name_for_messages));
  const Json::json_pointer place("/info/features");
  if (json.contains(place)) walk(json.at(place), "", 0, features);
  return features;
}

ParquetColumns parquet_columns(const parquet::File& file, const std::string& name, const DataColumns& asked) {
  const std::vector<Column>& columns = file.columns();
  const HubFeatures features = hub_features(file.text("huggingface"), name);
  ParquetColumns found;
  if (const auto image = image_of(candidates(columns), features, name, asked.path)) {
    found.image = image->column;
    found.image_name = image->name;
  }
  const auto labels = labels_list(columns, asked.label);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (c == found.image) continue;
    const Column& column = columns[c];
    const auto classes = features.classes.find(column.name);
    const bool has_classes = classes != features.classes.end() && column.kind == Kind::integer;
    const bool is_asked = column.name == asked.label || column.name == asked.split || column.name == asked.path;
    const std::string reason = why_unread(column, has_classes, is_asked || c == labels);
    if (!reason.empty() && is_asked)
      throw Error(ErrorKind::input,
                  fmt::format("{}: the column '{}' is {}, which is not read", name, column.name, reason),
                  "name another column, or write this one as text or numbers");
    if (!reason.empty()) {
      found.unread.push_back(fmt::format("{} ({})", column.name, reason));
      continue;
    }
    found.texts.push_back(
        {c, c == labels ? "labels" : column.name, has_classes ? classes->second : std::vector<std::string>()});
  }
  return found;
}

}  // namespace vise::datasets

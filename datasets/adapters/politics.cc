// Politics (Thomas, Kovashka, "Predicting the Politics of an Image Using Webly Supervised Data", NeurIPS 2019).
//
// Source page: https://people.cs.pitt.edu/~chris/politics (123 GB). Licence: not stated. Tree:
// imgs/(LEFT|RIGHT)/(ISSUE)/ (MEDIA SOURCE)/..., over a million images. The label is that of the outlet, not of the
// image: the outlet's look *is* the label, so a split grouped by source is the honest one. Metric: accuracy.
//
// Read from a manifest politics.csv in its root (path, label left|right, and if known split, group), else from the
// tree: label and the attributes topic and source by folder, source also as group. The official split is in
// train_test_paths.pickle: a dict of two lists of paths, train_imgs and test_imgs (in another copy train and test),
// relative or with the authors' own folders in front; what counts is the part from left/ or right/ on. Images that
// neither list has are unused. Nothing of a pickle is executed (base/pickle.h).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/pickle.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"
#include "datasets/manifest.h"
#include "datasets/manifest_part.h"
#include "datasets/tree.h"

namespace vise::datasets {
namespace {

const DatasetInfo kPolitics{
    .name = "politics",
    .title = "Politics (Thomas & Kovashka, NeurIPS 2019)",
    .folders = {"politics", "Politics", "politics_dataset", "Politics_Dataset"},
    .tree =
        "politics/\n"
        "  politics.csv                               path,label[,split,group]; label: left or right\n"
        "or, as distributed,\n"
        "politics/\n"
        "  imgs/(LEFT|RIGHT)/<issue>/<media source>/.../<file>.jpg\n"
        "  train_test_paths.pickle                    the official split",
    .page = "https://people.cs.pitt.edu/~chris/politics",
    .licence = "not stated: ask its authors",
    .citation =
        "C. Thomas, A. Kovashka. Predicting the Politics of an Image Using Webly Supervised Data. NeurIPS 2019."};

const std::vector<std::string> kSides{"left", "right"};

// LEFT and Left are left; another word is Error{input}.
Targets sides_of(const Targets& label, const std::string& table) {
  std::vector<std::string> words;
  for (const int k : label.classes())
    words.push_back(k < 0 ? std::string() : lower(label.names()[static_cast<std::size_t>(k)]));
  try {
    return Targets::from_labels(words, kSides);
  } catch (const Error& error) {
    throw Error(ErrorKind::input, fmt::format("{}: {}", table, error.message()), "a label is left or right");
  }
}

// Whatever columns the table has besides: read_manifest() reads split and group.
Dataset read_table(const DatasetRequest& request, const Path& table) {
  const ManifestPart part{table, "", std::nullopt};
  Dataset dataset =
      read_manifest(std::span(&part, 1), request.root, kPolitics.name, request.log, {}, request.container());
  const auto label = dataset.targets.find("label");
  if (label == dataset.targets.end() || label->second.kind() != TargetKind::classes)
    throw Error(ErrorKind::input, fmt::format("{}: has no column 'label'", table.string()), "a label is left or right");
  label->second = sides_of(label->second, table.string());
  return dataset;
}

// "left/abortion/cnn/1.jpg" of ".../imgs/LEFT/abortion/cnn/1.jpg", or "" where no folder is a side.
std::string from_side_on(std::string_view path) {
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string folder = lower(path.substr(at, end - at));
    if (end < path.size() && (folder == kSides[0] || folder == kSides[1]))
      return folder + std::string(path.substr(end));
    at = end + 1;
  }
  return {};
}

// Paths by what they are from the side on: a million of them in a few tens of bytes each.
class PathIndex {
 public:
  explicit PathIndex(std::span<const std::string> ids) {
    for (std::uint32_t i = 0; i < ids.size(); ++i) places_.emplace_back(key_of(ids[i]), i);
    std::sort(places_.begin(), places_.end());
  }
  // The item, or SIZE_MAX.
  std::size_t find(std::string_view path) const {
    // Two paths of one 64-bit key would be taken for one. Of a million paths that happens
    // with a chance of 3 in 100 million.
    const std::uint64_t key = key_of(path);
    const auto found = std::lower_bound(places_.begin(), places_.end(), std::pair(key, std::uint32_t{0}));
    return found != places_.end() && found->first == key ? found->second : SIZE_MAX;
  }

 private:
  static std::uint64_t key_of(std::string_view path) { return checksum64(as_byte_view(from_side_on(path))); }
  std::vector<std::pair<std::uint64_t, std::uint32_t>> places_;
};

// The lists of the pickle as parts of the items; `missing` counts paths that no image has.
// PickleWorld answers for globals, and a plain one knows none, so a pickle that would call a function is refused.
class SplitPickle {
 public:
  explicit SplitPickle(const Path& path) : path_(path), file_(path), heap_(kLimits) {
    PickleWorld plain;  // knows no globals: dicts, lists, texts and numbers alone
    try {
      root_ = run_pickle(file_.bytes(), heap_, plain).value;
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("{}: {}", path.string(), error.message()), error.hint());
    }
    if (root_.kind != PickleKind::dict)
      throw Error(ErrorKind::input, fmt::format("{}: is a {}, not a dict", path.string(), kind_name(root_.kind)));
  }

  // `keys` are the names that copies of the file give to one list.
  void assign(Part part, const std::vector<std::string>& keys, const PathIndex& index, std::vector<Part>& parts) {
    for (const PickleValue& value : list(keys)) {
      if (value.kind != PickleKind::text && value.kind != PickleKind::bytes)
        throw Error(ErrorKind::input, fmt::format("{}: a {} stands among the paths of {}", path_.string(),
                                                  kind_name(value.kind), keys.front()));
      const std::string_view name = heap_.text_of(value);
      const std::size_t item = index.find(name);
      if (item == SIZE_MAX) {
        ++missing;
        if (example.empty()) example = name;
      } else if (parts[item] != Part::unused && parts[item] != part) {
        throw Error(ErrorKind::input, fmt::format("{}: '{}' is in train and in test", path_.string(), name));
      } else {
        parts[item] = part;
      }
    }
  }

  std::size_t missing = 0;
  std::string example;

 private:
  const std::vector<PickleValue>& list(const std::vector<std::string>& keys) const {
    for (const std::string& key : keys)
      if (const PickleValue* found = heap_.find(root_, key); found && found->kind == PickleKind::list)
        return heap_.items_of(*found);
    throw Error(ErrorKind::input, fmt::format("{}: has no list '{}'", path_.string(), join(keys, "' or '")));
  }

  // Paths of some millions of images, in two lists.
  static constexpr PickleLimits kLimits{
      .values = 8'000'000, .items = 8'000'000, .dict_items = 1000, .memo = 8'000'000, .opcodes = 50'000'000};
  Path path_;
  MappedFile file_;
  PickleHeap heap_;
  PickleValue root_;
};

void read_split(const Path& pickle, Log& log, Dataset& dataset) {
  const PathIndex index(dataset.ids);
  std::vector<Part> parts(dataset.size(), Part::unused);
  SplitPickle split(pickle);
  split.assign(Part::train, {"train_imgs", "train"}, index, parts);
  split.assign(Part::test, {"test_imgs", "test"}, index, parts);
  // Missing paths are no error: who has a part of the images can still use the part of the split that concerns them.
  if (split.missing > 0) {
    dataset.notes.push_back(fmt::format("{} paths of the official split are not there and left out, for example {}",
                                        split.missing, split.example));
    log.warn(fmt::format("{}: {}", dataset.name, dataset.notes.back()));
  }
  dataset.official = Split(std::move(parts), "official");
  if (dataset.official->count(Part::train) == 0 && dataset.official->count(Part::test) == 0)
    throw Error(ErrorKind::input, fmt::format("{}: none of its paths is an image here", pickle.string()));
}

// The outlet's look is the label: a table must say how many outlets a split has on both sides.
void note_sources(Dataset& dataset) {
  if (!dataset.official || !dataset.attributes.contains("group")) return;
  std::map<std::string, std::set<Part>> parts_of;
  for (std::size_t i = 0; i < dataset.size(); ++i)
    if (dataset.official->part(i) != Part::unused)
      parts_of[dataset.attributes.at("group")[i]].insert(dataset.official->part(i));
  std::size_t both = 0;
  for (const auto& [source, parts] : parts_of) both += parts.contains(Part::train) && parts.contains(Part::test);
  dataset.notes.push_back(
      fmt::format("the official split has {} of {} media sources in both train and test", both, parts_of.size()));
}

Dataset read_tree(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kPolitics.name);
  dataset.ids = request.list("imgs").images;
  std::vector<std::string> labels;
  for (const std::string& id : dataset.ids) {
    // imgs/<side>/<issue>/<source>/.../<file>; an image higher up has no source, or no topic either.
    const std::vector<std::string> folders = split(id, '/');
    labels.push_back(folders.size() > 2 ? lower(folders[1]) : std::string());
    dataset.attributes["topic"].push_back(folders.size() > 3 ? folders[2] : std::string());
    dataset.attributes["source"].push_back(folders.size() > 4 ? folders[3] : std::string());
  }
  if (dataset.ids.empty())
    throw Error(ErrorKind::missing, fmt::format("{}: no image is in it", (request.root / "imgs").string()));
  // The source is the group, too: a split drawn by groups then has no outlet in both train and test.
  dataset.attributes["group"] = dataset.attributes["source"];
  dataset.targets.emplace("label", Targets::from_labels(labels, kSides));
  const Path pickle = request.root / "train_test_paths.pickle";
  if (std::filesystem::exists(pickle)) read_split(pickle, request.log, dataset);
  return dataset;
}

Dataset read_politics(const DatasetRequest& request) {
  const Path table = request.root / "politics.csv";
  const bool has_table = std::filesystem::exists(table);
  if (has_table || request.has_folder("imgs")) {
    Dataset dataset = has_table ? read_table(request, table) : read_tree(request);
    note_sources(dataset);
    return dataset;
  }
  throw Error(ErrorKind::missing, fmt::format("{}: has neither politics.csv nor imgs/", request.root.string()));
}

}  // namespace

void add_politics(DatasetRegistry& registry) { registry.add(kPolitics, read_politics); }

}  // namespace vise::datasets

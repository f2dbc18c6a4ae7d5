// Politics (Thomas, Kovashka, "Predicting the Politics of an Image Using Webly Supervised Data", NeurIPS 2019).
//
// Source page: https://people.cs.pitt.edu/~chris/politics (123 GB). Licence: not stated. Tree:
// imgs/(LEFT|RIGHT)/(ISSUE)/ (MEDIA SOURCE)/..., over a million images. The label is that of the outlet, not of the
// image: the outlet's look *is* the label, so a split grouped by source is the honest one. Metric: accuracy.
//
// Read from a manifest politics.csv in its root (path, label left|right, and if known split, group), else from the
// tree: label and the attributes topic and source by folder, source also as group.
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/manifest.h"
#include "datasets/tree.h"

namespace vise {
namespace {

const DatasetInfo kInfo{
    .name = "politics",
    .title = "Politics (Thomas & Kovashka, NeurIPS 2019)",
    .folders = {"politics", "Politics", "politics_dataset", "Politics_Dataset"},
    .tree =
        "politics/\n"
        "  politics.csv                               path,label[,split,group]; label: left or right\n"
        "or, as distributed,\n"
        "politics/\n"
        "  imgs/(LEFT|RIGHT)/<issue>/<media source>/.../<file>.jpg",
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

Dataset read_table(const DatasetRequest& request, const Path& table) {
  const ManifestPart part{table, "", std::nullopt};
  Dataset dataset = read_manifest(std::span(&part, 1), request.root, kInfo.name, request.log);
  const auto label = dataset.targets.find("label");
  if (label == dataset.targets.end() || label->second.kind() != TargetKind::classes)
    throw Error(ErrorKind::input, fmt::format("{}: has no column 'label'", table.string()), "a label is left or right");
  label->second = sides_of(label->second, table.string());
  return dataset;
}

Dataset read_tree(const DatasetRequest& request) {
  Dataset dataset;
  dataset.name = kInfo.name;
  dataset.root = request.root;
  dataset.ids = list_images(request.root, "imgs").images;
  std::vector<std::string> labels;
  for (const std::string& id : dataset.ids) {
    const std::vector<std::string> folders = split(id, '/');
    labels.push_back(folders.size() > 2 ? lower(folders[1]) : std::string());
    dataset.attributes["topic"].push_back(folders.size() > 3 ? folders[2] : std::string());
    dataset.attributes["source"].push_back(folders.size() > 4 ? folders[3] : std::string());
  }
  if (dataset.ids.empty())
    throw Error(ErrorKind::missing, fmt::format("{}: no image is in it", (request.root / "imgs").string()));
  dataset.attributes["group"] = dataset.attributes["source"];
  dataset.targets.emplace("label", Targets::from_labels(labels, kSides));
  return dataset;
}

Dataset read(const DatasetRequest& request) {
  const Path table = request.root / "politics.csv";
  if (std::filesystem::exists(table)) return read_table(request, table);
  if (std::filesystem::is_directory(request.root / "imgs")) return read_tree(request);
  throw Error(ErrorKind::missing, fmt::format("{}: has neither politics.csv nor imgs/", request.root.string()));
}

}  // namespace

void add_politics(DatasetRegistry& registry) { registry.add(kInfo, read); }

}  // namespace vise

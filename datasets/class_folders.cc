#include "datasets/class_folders.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "datasets/folder_layout.h"

namespace vise::datasets {
namespace {

void add_remarks(const FolderLayout& layout, Dataset& dataset, Log& log) {
  for (const std::string& remark : layout.remarks) {
    log.warn(fmt::format("{}: {}", dataset.name, remark));
    dataset.notes.push_back(remark);
  }
}

// The layout speaks of folders within the data set; a reader must also learn which data set.
FolderLayout layout_of(const Dataset& dataset, std::span<const std::string> bare = {}) {
  try {
    return folder_layout(dataset.ids, bare);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", dataset.root.string(), error.message()), error.hint());
  }
}

}  // namespace

void add_class_folders(Dataset& dataset, Log& log, std::span<const std::string> bare) {
  FolderLayout layout = layout_of(dataset, bare);
  dataset.official = std::move(layout.official);
  Targets targets = Targets::from_labels(layout.labels);
  // Without folders there are no labels, and no target: such a set serves for extracting features.
  if (targets.width() > 0) dataset.targets.emplace("label", std::move(targets));
  add_remarks(layout, dataset, log);
}

// Metadata that say nothing to be predicted: the folders do, and that is said.
void add_labels_of_folders(Dataset& dataset, Log& log) {
  for (const char* const name : {"label", "labels", "votes"})
    if (dataset.targets.contains(name)) return;
  FolderLayout layout = layout_of(dataset);
  Targets targets = Targets::from_labels(layout.labels);
  // One folder's name is no label.
  if (targets.width() < 2) return;
  // A split that a table states stays; folders are asked only where it states none.
  if (!dataset.official) dataset.official = std::move(layout.official);
  std::vector<std::string> names = targets.names();
  if (names.size() > 5) names.resize(5);
  layout.remarks.insert(layout.remarks.begin(),
                        fmt::format("the labels are the names of folders ({}{}): the metadata have none",
                                    join(names, ", "), targets.width() > names.size() ? ", ..." : ""));
  dataset.targets.emplace("label", std::move(targets));
  add_remarks(layout, dataset, log);
}

}  // namespace vise::datasets

#include "datasets/adapters/adapters.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "datasets/tree.h"

namespace vise {
namespace {

std::string class_of(const std::string& id, const std::string& folder, const ClassTree& tree) {
  std::string name = lower(folder);
  if (const auto alias = tree.aliases.find(name); alias != tree.aliases.end()) name = alias->second;
  if (std::find(tree.classes.begin(), tree.classes.end(), name) == tree.classes.end())
    throw Error(ErrorKind::input, fmt::format("{}: the folder '{}' is not a class", id, folder),
                suggest(name, tree.classes));
  return name;
}

}  // namespace

Dataset read_class_tree(const DatasetRequest& request, const std::string& name, const ClassTree& tree) {
  const Path top = tree.images.empty() ? request.root : request.root / tree.images;
  if (!std::filesystem::is_directory(top))
    throw Error(ErrorKind::missing, fmt::format("{}: there is no such folder", top.string()));
  ImageTree found = list_images(request.root, tree.images);
  if (found.images.empty()) throw Error(ErrorKind::missing, fmt::format("{}: no image is in it", top.string()));
  if (!found.others.empty()) request.log.info(fmt::format("{}: left out {}", name, describe_others(found)));
  Dataset dataset;
  dataset.name = name;
  dataset.root = request.root;
  dataset.ids = std::move(found.images);
  std::vector<std::string> labels;
  const std::size_t depth = tree.images.empty() ? 0 : 1;
  for (const std::string& id : dataset.ids) {
    const std::vector<std::string> folders = split(id, '/');
    if (folders.size() < depth + 2)
      throw Error(ErrorKind::missing, fmt::format("{}: the image lies in no class folder", id));
    labels.push_back(class_of(id, folders[depth], tree));
    if (!tree.second.empty())
      dataset.attributes[tree.second].push_back(folders.size() > depth + 2 ? folders[depth + 1] : std::string());
  }
  dataset.targets.emplace("label", Targets::from_labels(labels, tree.classes));
  return dataset;
}

void expect_count(Dataset& dataset, Log& log, const std::string& what, std::size_t found, std::size_t known) {
  if (found == known) return;
  dataset.notes.push_back(fmt::format("{} {} here, {} as distributed", found, what, known));
  log.warn(fmt::format("{}: {}", dataset.name, dataset.notes.back()));
}

}  // namespace vise

#include "datasets/adapters/adapters.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "datasets/dataset_registry.h"
#include "datasets/sampling.h"
#include "datasets/tree.h"

namespace vise::datasets {
namespace {

// The class that a folder names, by its lower-case name or an alias. A folder that names none is an error: left out,
// its images would be missing and nobody would notice.
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
  if (!request.has_folder(tree.images))
    throw Error(ErrorKind::missing, fmt::format("{}: there is no such folder", top.string()));
  ImageTree found = request.list(tree.images);
  if (found.images.empty()) throw Error(ErrorKind::missing, fmt::format("{}: no image is in it", top.string()));
  // Named, since a folder of .txt files beside the images may be what the reader expected to be used.
  if (!found.others.empty()) request.log.info(fmt::format("{}: left out {}", name, describe_others(found)));
  Dataset dataset;
  dataset.name = name;
  dataset.root = request.root;
  dataset.container = request.container();
  dataset.ids = std::move(found.images);
  std::vector<std::string> labels;
  // Where the images have a folder of their own, ids begin with it, and the class is the second folder.
  const std::size_t depth = tree.images.empty() ? 0 : 1;
  for (const std::string& id : dataset.ids) {
    const std::vector<std::string> folders = split(id, '/');
    if (folders.size() < depth + 2)
      throw Error(ErrorKind::missing, fmt::format("{}: the image lies in no class folder", id));
    labels.push_back(class_of(id, folders[depth], tree));
    if (!tree.second.empty())
      // An image that is directly in its class's folder has no second level.
      dataset.attributes[tree.second].push_back(folders.size() > depth + 2 ? folders[depth + 1] : std::string());
  }
  dataset.targets.emplace("label", Targets::from_labels(labels, tree.classes));
  return dataset;
}

Dataset new_dataset(const DatasetRequest& request, const std::string& name) {
  Dataset dataset;
  dataset.name = name;
  dataset.root = request.root;
  dataset.container = request.container();
  return dataset;
}

std::vector<std::vector<std::string>> blank_separated(const Path& path, std::size_t at_least) {
  std::vector<std::vector<std::string>> rows;
  std::size_t line_number = 0;
  for (const std::string& line : split(read_text_file(path), '\n')) {
    ++line_number;
    std::vector<std::string> words;
    for (std::string_view rest = trim(line); !rest.empty(); rest = trim(rest)) {
      const auto end = std::min(rest.find_first_of(" \t"), rest.size());
      words.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end);
    }
    if (words.empty()) continue;
    if (words.size() < at_least)
      throw Error(ErrorKind::input, fmt::format("{}: line {}: {} words, but {} are needed", path.string(), line_number,
                                                words.size(), at_least));
    rows.push_back(std::move(words));
  }
  return rows;
}

void drop_missing(Dataset& dataset, Log& log, const std::string& below) {
  // One walk of the folder is faster than a stat for each listed image. (An archive knows its members, so each is
  // looked up there instead.)
  const std::vector<std::string> there =
      dataset.container ? std::vector<std::string>() : list_images(dataset.root, below).images;
  const auto is_there = [&](std::size_t item) {
    return dataset.container ? dataset.has_image(item)
                             : std::binary_search(there.begin(), there.end(), dataset.ids[item]);
  };
  std::vector<std::uint32_t> kept;
  std::string example;
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    if (is_there(i))
      kept.push_back(static_cast<std::uint32_t>(i));
    else if (example.empty())
      example = dataset.ids[i];
  }
  if (kept.size() == dataset.size()) return;
  // Not one image: folder and table don't belong together. An empty data set would hide that.
  if (kept.empty())
    throw Error(ErrorKind::missing, fmt::format("{}: none of the {} listed images is there, for example {}",
                                                dataset.root.string(), dataset.size(), example));
  const std::string note = fmt::format("{} of {} listed images are not there and left out, for example {}",
                                       dataset.size() - kept.size(), dataset.size(), example);
  dataset = subset(dataset, kept);
  dataset.notes.push_back(note);
  log.warn(fmt::format("{}: {}", dataset.name, note));
}

void drop_placeholders(Dataset& dataset, Log& log) {
  // Hosts answer for a deleted picture with one and the same image. Ten equal files are no duplicates
  // that a person made; only files of a size that occurs as often are read for it.
  constexpr std::size_t kMany = 10;
  std::map<std::uint64_t, std::vector<std::size_t>> by_size;
  for (std::size_t i = 0; i < dataset.size(); ++i) by_size[dataset.identity(i).size].push_back(i);
  std::map<ContentHash, std::vector<std::size_t>> by_content;
  for (const auto& [size, items] : by_size)
    if (items.size() >= kMany)
      for (const std::size_t i : items) by_content[content_hash(dataset.read(i))].push_back(i);
  std::vector<bool> dropped(dataset.size(), false);
  std::size_t count = 0;
  std::string example;
  for (const auto& [hash, items] : by_content) {
    if (items.size() < kMany) continue;
    for (const std::size_t i : items) dropped[i] = true;
    count += items.size();
    example = dataset.ids[items.front()];
  }
  if (count == 0) return;
  std::vector<std::uint32_t> kept;
  for (std::size_t i = 0; i < dataset.size(); ++i)
    if (!dropped[i]) kept.push_back(static_cast<std::uint32_t>(i));
  dataset = subset(dataset, kept);
  dataset.notes.push_back(fmt::format("{} placeholder images left out, for example {}", count, example));
  log.warn(fmt::format("{}: {}", dataset.name, dataset.notes.back()));
}

// read_manifest() makes values of a column only if all its cells are numbers, so another kind means that the file isn't
// the published one.
std::span<const double> numbers_of(const Dataset& dataset, const std::string& column, const Path& table) {
  const auto found = dataset.targets.find(column);
  if (found == dataset.targets.end() || found->second.kind() != TargetKind::values)
    throw Error(ErrorKind::input, fmt::format("{}: has no column '{}' of numbers", table.string(), column));
  return found->second.rows();
}

std::string existing_folder(const DatasetRequest& request, const std::vector<std::string>& folders) {
  for (const std::string& folder : folders)
    if (request.has_folder(folder)) return folder;
  throw Error(ErrorKind::missing, fmt::format("{}: has no folder {}", request.root.string(), join(folders, " or ")));
}

void expect_count(Dataset& dataset, Log& log, const std::string& what, std::size_t found, std::size_t known) {
  // A warning only: releases differ by a few files, and mirrors lose some. The note is
  // printed with the result.
  if (found == known) return;
  dataset.notes.push_back(fmt::format("{} {}, where {} are known", found, what, known));
  log.warn(fmt::format("{}: {}", dataset.name, dataset.notes.back()));
}

}  // namespace vise::datasets

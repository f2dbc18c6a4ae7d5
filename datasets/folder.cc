#include "datasets/folder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "datasets/archive_data.h"
#include "datasets/class_folders.h"
#include "datasets/data_columns.h"
#include "datasets/data_folder.h"
#include "datasets/manifest.h"
#include "datasets/manifest_part.h"
#include "datasets/tree.h"

namespace vise::datasets {
namespace {

// The name of the folder itself, also of "." and of "faces/".
std::string own_name(const Path& folder) {
  const Path normal = std::filesystem::absolute(folder).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).filename().string();
}

std::optional<Path> metadata_in(const Path& folder) {
  for (const char* name : {"metadata.csv", "metadata.jsonl", "metadata.parquet"})
    if (std::filesystem::exists(folder / name)) return folder / name;
  return std::nullopt;
}

// The tables of an image folder as hubs have it: one at the top, or one in each folder, of which those that are called
// train, val and test are parts of the split.
std::vector<ManifestPart> metadata_tables(const Path& folder) {
  if (const auto table = metadata_in(folder)) return {{*table, "", std::nullopt}};
  std::vector<ManifestPart> parts, of_classes;
  bool every_folder = true;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || is_junk_name(name)) continue;
    const auto part = part_named(name);
    const auto table = metadata_in(entry.path());
    every_folder = every_folder && table;
    if (!table || part == Part::unused) continue;
    (part ? parts : of_classes).push_back({*table, name + '/', part});
  }
  // Tables in class folders count only where every folder has one: else the images of the others would be lost.
  std::vector<ManifestPart>& tables = parts.empty() && every_folder ? of_classes : parts;
  std::sort(tables.begin(), tables.end(), [](const auto& a, const auto& b) { return a.prefix < b.prefix; });
  return std::move(tables);
}

}  // namespace

Dataset read_folder(const Path& folder, Log& log, const DataColumns& columns, const Path& cache) {
  if (!std::filesystem::is_directory(folder))
    throw Error(ErrorKind::missing, fmt::format("{}: there is no such folder", folder.string()));
  // A table says more than folders do, so it comes first.
  const auto tables = metadata_tables(folder);
  if (!tables.empty()) {
    Dataset dataset = read_manifest(tables, folder, own_name(folder), log, columns, container_of(folder, cache));
    add_labels_of_folders(dataset, log);
    return dataset;
  }
  ImageTree tree = list_images(folder);
  // No image as a file, but archives: the archives are the data set.
  if (tree.images.empty())
    if (const auto archives = archives_among(folder, tree.others); !archives.empty())
      return read_archives(archives, folder, own_name(folder), log, columns, cache);
  if (!columns.path.empty() || !columns.label.empty() || !columns.split.empty())
    throw Error(ErrorKind::usage, fmt::format("{}: has no metadata.csv, so no columns to name", folder.string()),
                "leave --path-column, --label-column and --split-column out, or name the table itself");
  if (tree.images.empty())
    throw Error(ErrorKind::input,
                fmt::format("{}: no image is in it{}", folder.string(),
                            tree.others.empty() ? "" : fmt::format(" ({})", describe_others(tree))),
                "give a folder of class folders (<class>/<image>), or a .csv, .tsv or .jsonl manifest");
  if (!tree.others.empty()) log.info(fmt::format("{}: left out {}", folder.string(), describe_others(tree)));
  Dataset dataset;
  dataset.name = own_name(folder);
  dataset.root = folder;
  dataset.ids = std::move(tree.images);
  add_class_folders(dataset, log, tree.bare);
  return dataset;
}

}  // namespace vise::datasets

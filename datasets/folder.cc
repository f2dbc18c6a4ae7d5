#include "datasets/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "datasets/manifest.h"
#include "datasets/rows.h"
#include "datasets/tree.h"

namespace vise {
namespace {

std::string own_name(const Path& folder) {
  const Path normal = std::filesystem::absolute(folder).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).filename().string();
}

std::optional<Part> part_named(const std::string& folder) {
  try {
    return folder.empty() || folder == "unused" ? std::nullopt : std::optional(parse_part(folder));
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<Path> metadata_in(const Path& folder) {
  for (const char* name : {"metadata.csv", "metadata.jsonl"})
    if (std::filesystem::exists(folder / name)) return folder / name;
  return std::nullopt;
}

// The tables of an image folder as hubs have it: one at the top, or one in each of train/, val/, test/.
std::vector<ManifestPart> metadata_tables(const Path& folder) {
  if (const auto table = metadata_in(folder)) return {{*table, "", std::nullopt}};
  std::vector<ManifestPart> parts;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const auto part = part_named(name);
    if (!part || !entry.is_directory()) continue;
    if (const auto table = metadata_in(entry.path())) parts.push_back({*table, name + '/', part});
  }
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.prefix < b.prefix; });
  return parts;
}

// How much of every id is folders that all ids share: the end of "images/" in "images/joy/1.jpg".
std::size_t shared_prefix(const std::vector<std::string>& sorted) {
  const std::string &first = sorted.front(), &last = sorted.back();
  const auto same = std::mismatch(first.begin(), first.end(), last.begin(), last.end()).first - first.begin();
  const auto slash = std::string_view(first).substr(0, static_cast<std::size_t>(same)).rfind('/');
  return slash == std::string_view::npos ? 0 : slash + 1;
}

// The folder at `begin`, or "" where a file is there.
std::string folder_at(const std::string& id, std::size_t begin) {
  const auto slash = id.find('/', begin);
  return slash == std::string::npos ? std::string() : id.substr(begin, slash - begin);
}

// Train, val and test by the folder at `prefix`, where each image lies in such a folder and there are at least two.
std::optional<Split> folder_split(const std::vector<std::string>& ids, std::size_t prefix) {
  std::vector<Part> parts;
  std::set<std::string> seen;
  for (const std::string& id : ids) {
    const std::string folder = folder_at(id, prefix);
    const auto part = part_named(folder);
    if (!part) return std::nullopt;
    seen.insert(folder);
    parts.push_back(*part);
  }
  if (seen.size() < 2) return std::nullopt;
  return Split(std::move(parts), "official (folders)");
}

void add_class_folders(Dataset& dataset) {
  const std::size_t prefix = shared_prefix(dataset.ids);
  dataset.official = folder_split(dataset.ids, prefix);
  std::vector<std::string> labels;
  for (const std::string& id : dataset.ids)
    labels.push_back(folder_at(id, dataset.official ? id.find('/', prefix) + 1 : prefix));
  Targets targets = Targets::from_labels(labels);
  if (targets.width() > 0) dataset.targets.emplace("label", std::move(targets));
}

}  // namespace

Dataset read_folder(const Path& folder, Log& log) {
  if (!std::filesystem::is_directory(folder))
    throw Error(ErrorKind::missing, fmt::format("{}: there is no such folder", folder.string()));
  const auto tables = metadata_tables(folder);
  if (!tables.empty()) return read_manifest(tables, folder, own_name(folder), log);
  ImageTree tree = list_images(folder);
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
  add_class_folders(dataset);
  return dataset;
}

Dataset open_data_path(const Path& path, Log& log) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    throw Error(ErrorKind::missing, fmt::format("{}: there is no such file or folder", path.string()),
                "--data wants a folder of class folders, or a .csv, .tsv or .jsonl manifest");
  if (!RowReader::can_open(path) && !std::filesystem::is_directory(path))
    throw Error(ErrorKind::usage, fmt::format("{}: is neither a folder nor a manifest", path.string()),
                "known: a folder of class folders, .csv, .tsv, .jsonl, .ndjson");
  Dataset dataset = std::filesystem::is_directory(path) ? read_folder(path, log) : read_manifest(path, log);
  dataset.check();
  return dataset;
}

}  // namespace vise

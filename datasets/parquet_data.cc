#include "datasets/parquet_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "datasets/archives/archive.h"
#include "datasets/data_columns.h"
#include "datasets/manifest.h"
#include "datasets/manifest_part.h"
#include "datasets/parquet_columns.h"
#include "datasets/parquet_images.h"
#include "datasets/parquet_rows.h"
#include "datasets/tree.h"

namespace vise::datasets {
namespace {

bool is_parquet(const Path& file) { return lower(file.extension().string()) == ".parquet"; }

Path normal(const Path& path) {
  const Path absolute = std::filesystem::absolute(path).lexically_normal();
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

// Relative to the root, with '/'.
std::string id_of(const Path& file, const Path& root) {
  return normal(file).lexically_relative(normal(root)).generic_string();
}

struct Listing {
  std::vector<Path> files, folders;  // Parquet files; folders
  std::string image;                 // one that is there, or an archive of images
};

// `until_image`: a folder of a class has many files, and the first tells what it is.
Listing list(const Path& folder, bool until_image) {
  Listing listing;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (is_junk_name(name)) continue;
    if (entry.is_directory(ignored)) {
      listing.folders.push_back(entry.path());
    } else if (is_parquet(entry.path())) {
      listing.files.push_back(entry.path());
    } else if (has_image_extension(name) || is_archive_name(name)) {
      listing.image = name;
      if (until_image) break;
    }
  }
  std::sort(listing.files.begin(), listing.files.end());
  std::sort(listing.folders.begin(), listing.folders.end());
  return listing;
}

// Parquet files below a folder, as the hub lays sets out: data/*.parquet, or CONFIG/SPLIT/*.parquet.
std::vector<Path> files_below(const Path& folder, int depth) {
  constexpr int kMaxDepth = 3;
  const Listing listing = list(folder, depth > 0);
  if (!listing.files.empty() && !listing.image.empty())
    throw Error(ErrorKind::input,
                fmt::format("{}: images ({}) lie beside Parquet files ({})", folder.string(), listing.image,
                            listing.files.front().filename().string()),
                "name the file that is meant, or move the others away");
  // A folder that has files itself isn't searched further: what is below it is something else.
  if (!listing.files.empty() || !listing.image.empty() || depth == kMaxDepth) return listing.files;
  std::vector<Path> files;
  std::vector<std::string> names;
  bool all_are_parts = true;
  for (const Path& inner : listing.folders) {
    const std::vector<Path> found = files_below(inner, depth + 1);
    if (found.empty()) continue;
    names.push_back(inner.filename().string());
    const std::string_view name = names.back();
    all_are_parts = all_are_parts && part_named(name.starts_with("partial-") ? name.substr(8) : name);
    files.insert(files.end(), found.begin(), found.end());
  }
  if (names.size() > 1 && !all_are_parts)
    throw Error(
        ErrorKind::input,
        fmt::format("{}: Parquet files lie in {}: which is meant isn't said", folder.string(), join(names, ", ")),
        fmt::format("name one of them: --data {}", (folder / names.front()).string()));
  return files;
}

// A file as the data set sees it.
struct Shard {
  Path path;
  std::string id;
  FileIdentity identity;
  parquet::File file;
  ParquetColumns columns;
};

// Only the footer is read.
Shard open_shard(const Path& path, const Path& root, const DataColumns& asked) {
  FileIdentity identity = FileIdentity::of(path);
  parquet::File file = parquet::File::open(path);
  ParquetColumns columns = parquet_columns(file, path.string(), asked);
  return {path, id_of(path, root), std::move(identity), std::move(file), std::move(columns)};
}

// Numbers mean the same classes in all files, and the image is one column.
void check_alike(const Shard& first, const Shard& other) {
  const auto differ = [&](const std::string& what) {
    throw Error(ErrorKind::input, fmt::format("{}: {} in {}", other.path.string(), what, first.path.string()),
                "files of one data set are alike: name those that are, --data 'DIR/{train,test}-*.parquet'");
  };
  if (first.columns.image_name != other.columns.image_name)
    differ(fmt::format("its images are in the column '{}', those of '{}'", other.columns.image_name,
                       first.columns.image_name));
  for (const auto& text : other.columns.texts)
    for (const auto& known : first.columns.texts)
      if (text.name == known.name && text.classes != known.classes)
        differ(fmt::format("the classes of the column '{}' are others than", text.name));
}

// The same with an open file only while a pass reads it: there may be thousands.
ManifestPart part_of(const Shard& shard, std::optional<Part> part, const DataColumns& asked) {
  std::string prefix = shard.columns.image ? shard.id + '/' : Path(shard.id).parent_path().generic_string();
  if (!shard.columns.image && !prefix.empty()) prefix += '/';
  return {shard.path, std::move(prefix), part, [path = shard.path, asked] {
            parquet::File file = parquet::File::open(path);
            ParquetColumns columns = parquet_columns(file, path.string(), asked);
            return parquet_rows(std::move(file), path.string(), std::move(columns));
          }};
}

// What read_manifest() is to ask for: the column that has the ids, and no label column where the labels are lists,
// which it knows as "labels".
DataColumns asked_of_table(const Shard& shard, DataColumns asked) {
  if (shard.columns.image) asked.path = shard.columns.image_name;
  const auto label = shard.file.find(asked.label);
  if (label && shard.file.columns()[*label].is_list) asked.label.clear();
  return asked;
}

// A folder with a table of its own is an image folder, which folder.h reads.
std::vector<Path> files_in(const Path& folder) {
  std::error_code ignored;
  for (const char* const metadata : {"metadata.csv", "metadata.jsonl", "metadata.parquet"})
    if (std::filesystem::exists(folder / metadata, ignored)) return {};
  return files_below(folder, 0);
}

// `files` are below `root`; there is at least one.
Dataset read_parquet(const std::vector<Path>& files, const Path& root, std::string name, Log& log,
                     const DataColumns& columns) {
  std::vector<std::string> ids, remarks;
  for (const Path& file : files) ids.push_back(id_of(file, root));
  const auto file_parts = parts_of_files(ids, remarks);
  std::vector<ManifestPart> parts;
  std::vector<ParquetImages::Shard> images;
  std::optional<Shard> first;
  for (std::size_t f = 0; f < files.size(); ++f) {
    // Each file is opened and closed again; its footer tells its rows and columns.
    Shard shard = open_shard(files[f], root, columns);
    parts.push_back(part_of(shard, file_parts[f], columns));
    if (shard.columns.image)
      images.push_back({shard.id, shard.file.columns()[*shard.columns.image].name, shard.file.rows(), shard.identity});
    if (first) {
      check_alike(*first, shard);
    } else {
      first = std::move(shard);
    }
  }
  if (!first->columns.unread.empty())
    log.info(fmt::format("{}: columns that are not read: {}", name, join(first->columns.unread, ", ")));
  std::shared_ptr<const ImageContainer> container;
  if (first->columns.image) container = std::make_shared<const ParquetImages>(root, std::move(images));
  for (const std::string& remark : remarks) log.warn(fmt::format("{}: {}", name, remark));
  Dataset dataset =
      read_manifest(parts, root, std::move(name), log, asked_of_table(*first, columns), std::move(container));
  dataset.notes.insert(dataset.notes.end(), remarks.begin(), remarks.end());
  // read_manifest() took the parts from the files: the origin says names of files.
  if (dataset.official && dataset.official->origin() == "official (folders)")
    dataset.official = dataset.official->with_origin("official (names of files)");
  return dataset;
}

// The deepest folder that all of them are in.
Path root_of(const std::vector<Path>& files) {
  Path root = files.front().has_parent_path() ? files.front().parent_path() : Path(".");
  for (const Path& file : files)
    while (id_of(file, root).starts_with("..")) root = normal(root).parent_path();
  return root;
}

}  // namespace

std::optional<Dataset> open_parquet(const Path& path, const std::vector<Path>& files, Log& log,
                                    const DataColumns& columns) {
  if (files.size() == 1 && std::filesystem::is_directory(files.front())) {
    const std::vector<Path> found = files_in(path);
    if (found.empty()) return std::nullopt;
    return read_parquet(found, path, normal(path).filename().string(), log, columns);
  }
  if (!std::all_of(files.begin(), files.end(), is_parquet)) return std::nullopt;
  const Path root = root_of(files);
  std::string name = normal(root).filename().string();
  if (files.size() == 1) name = fmt::format("{}{}{}", name, name.empty() ? "" : "/", files.front().stem().string());
  return read_parquet(files, root, std::move(name), log, columns);
}

}  // namespace vise::datasets

#include "datasets/open_data.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "datasets/archive_data.h"
#include "datasets/archives/archive.h"
#include "datasets/data_columns.h"
#include "datasets/data_files.h"
#include "datasets/dataset.h"
#include "datasets/folder.h"
#include "datasets/label_check.h"
#include "datasets/manifest.h"
#include "datasets/open_rows.h"
#include "datasets/parquet_data.h"
#include "datasets/tree.h"

namespace vise::datasets {
namespace {

// One archive is the data set's root, so that messages name a member as photos.zip/joy/1.jpg.
Path root_of(const Path& word, const std::vector<Path>& files) {
  if (files.size() == 1) return files.front();
  return word.has_parent_path() ? word.parent_path() : Path(".");
}

// A single archive is called as itself, several as the folder that they are in.
std::string name_of(const Path& word, const std::vector<Path>& files) {
  if (files.size() == 1) return archive_stem(files.front());
  return std::filesystem::absolute(word).lexically_normal().parent_path().filename().string();
}

// For what people have and is not read.
std::string hint_for(const Path& path) {
  const std::string ending = lower(path.extension().string());
  if (ending == ".json")
    return "write an object a line and call it .jsonl: jq -c '.[]' FILE.json > FILE.jsonl, for a list of objects";
  if (ending == ".xlsx" || ending == ".xls" || ending == ".ods") return "save the sheet as CSV";
  if (ending == ".txt" || ending == ".lst" || ending == ".list" || ending == ".dat")
    return "with a line of columns' names, and cells divided by commas or tabs, call it .csv or .tsv";
  if (has_image_extension(path.string())) return "--data wants the folder of images, or a table that names them";
  return "known: a folder of class folders, .csv, .tsv, .jsonl, .ndjson, .parquet, .zip, .tar, .tar.gz, .tar.zst";
}

// Each form asks for its files by their endings: of a pattern's files, of one file, or of all right in a folder.
Dataset read_data(const Path& path, Log& log, const DataColumns& columns, const Path& cache) {
  const std::vector<Path> files = data_files(path);
  std::error_code ignored;
  if (!std::filesystem::exists(files.front(), ignored))
    throw Error(
        ErrorKind::missing, fmt::format("{}: there is no such file or folder", path.string()),
        "--data wants a folder of class folders, a .csv, .tsv, .jsonl or .parquet table, or archives (.zip, .tar, "
        ".tar.gz, .tar.zst)");
  // Before folders: a folder of Parquet files is a folder too.
  if (auto dataset = open_parquet(path, files, log, columns)) return std::move(*dataset);
  if (files.size() == 1 && std::filesystem::is_directory(path)) return read_folder(path, log, columns, cache);
  if (files.size() == 1 && is_table(path)) return read_manifest(path, log, columns, cache);
  if (std::ranges::all_of(files, [](const Path& file) { return is_archive_name(file.string()); }))
    return read_archives(files, root_of(path, files), name_of(path, files), log, columns, cache);
  if (const std::string hint = unread_archive_hint(path.string()); !hint.empty())
    throw Error(ErrorKind::input, fmt::format("{}: is an archive of a kind that is not read", path.string()), hint);
  throw Error(ErrorKind::usage, fmt::format("{}: is neither a folder nor a manifest nor an archive", path.string()),
              hint_for(path));
}

}  // namespace

Dataset open_data_path(const Path& path, Log& log, const DataColumns& columns, const Path& cache) {
  Dataset dataset = read_data(path, log, columns, cache);
  // The user's word on what the labels are: --label-kind, or `kind` in a task's columns.
  if (const auto label = dataset.targets.find("label"); !columns.kind.empty() && label != dataset.targets.end())
    label->second = labels_as(label->second, columns.kind);
  dataset.check();
  return dataset;
}

}  // namespace vise::datasets

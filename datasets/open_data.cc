// What `--data PATH` names, by what is there: the one place that knows every form of data.
#include <fmt/format.h>

#include "base/error.h"
#include "datasets/data_files.h"
#include "datasets/dataset.h"
#include "datasets/folder.h"
#include "datasets/label_check.h"
#include "datasets/manifest.h"
#include "datasets/rows.h"

namespace vise {
namespace {

// Each form asks for its files by their endings: of a pattern's files, of one file, or of all right in a folder.
Dataset read_data(const Path& path, Log& log, const DataColumns& columns, const Path& /*cache*/) {
  const std::vector<Path> files = data_files(path);
  std::error_code ignored;
  if (!std::filesystem::exists(files.front(), ignored))
    throw Error(ErrorKind::missing, fmt::format("{}: there is no such file or folder", path.string()),
                "--data wants a folder of class folders, or a .csv, .tsv or .jsonl manifest");
  if (files.size() == 1 && std::filesystem::is_directory(path)) return read_folder(path, log, columns);
  if (files.size() == 1 && RowReader::can_open(path)) return read_manifest(path, log, columns);
  throw Error(ErrorKind::usage, fmt::format("{}: is neither a folder nor a manifest", path.string()),
              "known: a folder of class folders, .csv, .tsv, .jsonl, .ndjson");
}

}  // namespace

Dataset open_data_path(const Path& path, Log& log, const DataColumns& columns, const Path& cache) {
  Dataset dataset = read_data(path, log, columns, cache);
  if (const auto label = dataset.targets.find("label"); !columns.kind.empty() && label != dataset.targets.end())
    label->second = labels_as(label->second, columns.kind);
  dataset.check();
  return dataset;
}

}  // namespace vise

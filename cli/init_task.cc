// `vise-eval init-task`: a task file for a folder or a manifest, to be edited.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/data.h"
#include "datasets/archives/archive.h"
#include "datasets/data_columns.h"
#include "datasets/data_files.h"
#include "datasets/open_data.h"
#include "experiments/init_task.h"

namespace vise::cli {
namespace {

// "photos/" and photos.tar.gz are photos; shards of one pattern are called as their folder is.
std::string name_of(const Path& data) {
  const Path path = datasets::is_file_pattern(data) ? std::filesystem::absolute(data).parent_path() : data;
  const Path name = path.has_filename() ? path : path.parent_path();
  return datasets::is_archive_name(name.string()) ? datasets::archive_stem(name) : name.stem().string();
}

void init_task_verb(const std::string& data, const std::string& out, const datasets::DataColumns& columns,
                    Session& session) {
  const Path file = out.empty() ? Path(name_of(data) + ".yaml") : Path(out);
  // A task file is edited by hand: it is never overwritten.
  if (std::filesystem::exists(file))
    throw Error(ErrorKind::input, fmt::format("{} is there already", file.string()),
                "move it away, or name another file with --out");
  const datasets::Dataset dataset =
      datasets::open_data_path(data, session.console, columns, session.places.cache_dir());
  write_file_atomically(file, experiments::task_yaml(dataset, data, file, columns));
  session.console.end_progress();
  fmt::print("{}\n", file.string());
  session.console.info(fmt::format("edit it, then: vise-eval run --task {}", file.string()));
}

}  // namespace

void add_init_task(Verbs& verbs) {
  auto data = std::make_shared<std::string>();
  auto out = std::make_shared<std::string>();
  auto columns = std::make_shared<datasets::DataColumns>();
  Session& session = verbs.session;
  CLI::App* verb = verbs.add("init-task", "write a commented task file from what is found in a folder or manifest",
                             "  vise-eval init-task photos/\n  vise-eval init-task votes.csv --out tasks/votes.yaml",
                             [=, &session] { init_task_verb(*data, *out, *columns, session); });
  verb->add_option("data", *data, "a folder of class folders, a table (CSV, JSONL, Parquet), or archives")
      ->required()
      ->type_name("PATH");
  verb->add_option("--out", *out, "the file to write [<name>.yaml]")->type_name("FILE");
  add_column_options(verb, *columns);
  verb->add_flag("--quiet", session.console.quiet, "no progress, warnings only");
}

}  // namespace vise::cli

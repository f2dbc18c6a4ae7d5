// `vise-eval init-task`: a task file for a folder or a manifest, to be edited.
#include <fmt/format.h>

#include "base/error.h"
#include "cli/data.h"
#include "experiments/init_task.h"

namespace vise::cli {
namespace {

void init_task_verb(const std::string& data, const std::string& out, const DataColumns& columns, Session& session) {
  const Path name = Path(data).has_filename() ? Path(data) : Path(data).parent_path();  // "photos/" is photos
  const Path file = out.empty() ? Path(name.stem().string() + ".yaml") : Path(out);
  if (std::filesystem::exists(file))
    throw Error(ErrorKind::input, fmt::format("{} is there already", file.string()),
                "move it away, or name another file with --out");
  const Dataset dataset = open_data_path(data, session.console, columns);
  write_file_atomically(file, task_yaml(dataset, data, file, columns));
  session.console.end_progress();
  fmt::print("{}\n", file.string());
  session.console.info(fmt::format("edit it, then: vise-eval run --task {}", file.string()));
}

}  // namespace

void add_init_task(Verbs& verbs) {
  auto data = std::make_shared<std::string>();
  auto out = std::make_shared<std::string>();
  auto columns = std::make_shared<DataColumns>();
  Session& session = verbs.session;
  CLI::App* verb = verbs.add("init-task", "write a commented task file from what is found in a folder or manifest",
                             "  vise-eval init-task photos/\n  vise-eval init-task votes.csv --out tasks/votes.yaml",
                             [=, &session] { init_task_verb(*data, *out, *columns, session); });
  verb->add_option("data", *data, "a folder of class folders, or a CSV/JSONL manifest")->required()->type_name("PATH");
  verb->add_option("--out", *out, "the file to write [<name>.yaml]")->type_name("FILE");
  add_column_options(verb, *columns);
  verb->add_flag("--quiet", session.console.quiet, "no progress, warnings only");
}

}  // namespace vise::cli

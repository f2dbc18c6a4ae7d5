// `vise-eval init-task`: a task file for a folder or a manifest, to be edited.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "cli/data.h"
#include "datasets/archives/archive.h"
#include "datasets/data_columns.h"
#include "datasets/data_files.h"
#include "datasets/open_data.h"
#include "experiments/init_task.h"
#include "extract/features/backbone.h"

namespace vise::cli {
namespace {

// "photos/" and photos.tar.gz are photos; shards of one pattern are called as their folder is.
std::string name_of(const Path& data) {
  const Path path = datasets::is_file_pattern(data) ? std::filesystem::absolute(data).parent_path() : data;
  const Path name = path.has_filename() ? path : path.parent_path();
  return datasets::is_archive_name(name.string()) ? datasets::archive_stem(name) : name.stem().string();
}

// Of VisE's comparison those whose weights are here; without any, the first of the registry that are.
std::vector<std::string> weights_here(const features::WeightsSearch& search) {
  constexpr std::size_t kMost = 3;
  constexpr std::array<std::string_view, 3> kUsual{"vise-250m", "vise-1.2m", "imagenet-v1"};
  std::vector<std::string> usual, others;
  for (const features::Backbone& backbone : features::registry_backbones()) {
    if (backbone.files.empty() || features::weights_status(backbone, search).file.empty()) continue;
    const bool is_usual = std::ranges::find(kUsual, backbone.name) != kUsual.end();
    if (is_usual || others.size() < kMost) (is_usual ? usual : others).push_back(backbone.name);
  }
  return usual.empty() ? others : usual;
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
  const std::vector<std::string> weights = weights_here(session.places.weights_search());
  write_file_atomically(file, experiments::task_yaml(dataset, data, file, weights, columns));
  session.console.end_progress();
  fmt::print("{}\n", file.string());
  session.console.info(fmt::format(
      "it compares {}; edit backbones, target and split, then: vise-eval run --task {}",
      weights.empty() ? "what needs no weights (none were found here)" : join(weights, ", "), file.string()));
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

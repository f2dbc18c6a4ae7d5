// `vise-eval probe`: a probe on features that somebody else extracted.
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "cli/probe_fit.h"
#include "cli/session.h"
#include "experiments/runner.h"
#include "experiments/seal.h"
#include "reports/report.h"

namespace vise::cli {
namespace {

using Intervals = std::map<std::string, reports::Interval>;

// A folder for scores that nobody keeps: the intervals come from them.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "vise-eval-XXXXXX").string();
    // mkdtemp() makes a name that nobody else has, readable by this user alone.
    if (!::mkdtemp(name.data())) throw Error(ErrorKind::system, fmt::format("{}: can't be made", name));
    path_ = name;
  }
  ~ScratchFolder() {
    // A destructor must not throw: a folder that can't be removed stays.
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const Path& path() const { return path_; }

 private:
  Path path_;
};

// By metric, of those that can be resampled.
// The report does it, so that these are the intervals of every table.
Intervals intervals_of(const experiments::Result& result, const Path& folder, const Context& context) {
  Intervals intervals;
  if (result.scores_file.empty()) return intervals;
  // A table of one row: nothing is compared.
  const reports::Report report = reports::make_report({{folder, {result}}}, {}, context);
  const reports::TableSection& section = report.table.sections.front();
  for (std::size_t m = 0; m < section.metrics.size(); ++m)
    if (const auto& interval = section.rows.front().metrics[m].interval)
      intervals.emplace(section.metrics[m], *interval);
  return intervals;
}

// For people; `--json` prints the whole result.
void print(const experiments::Result& result, const Intervals& intervals) {
  fmt::print("{}: train {}, val {}, test {} ({})\n", result.cell.probe, result.sizes.train, result.sizes.val,
             result.sizes.test, result.split_origin);
  fmt::print("chosen       {} by {} on {}{}\n", chosen_text(result.selection.chosen), result.selection.metric,
             result.selection.selected_on, result.selection.on_edge ? " (on the edge of its grid)" : "");
  // A probe without an objective, or a solver that gives no gradient, leaves its line out.
  const probes::Convergence& c = result.convergence;
  if (std::isfinite(c.objective) && !c.objective_text.empty())
    fmt::print("objective    {:.10g}: {}{}\n", c.objective, c.objective_text, c.converged ? "" : " (NOT converged)");
  if (std::isfinite(c.gradient_norm) && c.iterations > 0)
    fmt::print("gradient     {:.2g} after {} iterations\n", c.gradient_norm, c.iterations);
  for (const auto& [name, value] : result.metrics) {
    const auto interval = intervals.find(name);
    fmt::print("{:<20} {}{}\n", name, value ? fmt::format("{:.4f}", *value) : "undefined",
               interval == intervals.end()
                   ? ""
                   : fmt::format(" [{:.4f}, {:.4f}]", interval->second.low, interval->second.high));
  }
  if (!intervals.empty()) fmt::print("[low, high]: 95 % interval over test rows, by the bootstrap\n");
  for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
}

void probe_verb(const ProbeRun& options, Session& session) {
  const ProbeData data = read_probe_data(options.files);
  const Context context = session.context();
  std::optional<ScratchFolder> scratch;
  ProbeRun run = options;
  // Intervals are computed from saved scores, so without --out they are saved in a folder that goes away.
  if (run.out.empty()) run.out = scratch.emplace().path().string();
  const experiments::Result result = probe_features(run, data, context);
  const Intervals intervals = intervals_of(result, run.out, context);
  session.console.end_progress();
  if (!scratch) {
    keep_result(run, data, result);
    // Tables of earlier results in the folder are no longer all of it: the seal leaves them to `report`.
    experiments::write_seal(run.out, experiments::seal_of(run.out, Json()));
  }
  if (!session.json) return print(result, intervals);
  Json json = experiments::to_json(result);
  // The scores are gone when the command ends.
  if (scratch) json["scores_file"] = "";
  json["intervals"] = Json::object();
  for (const auto& [metric, interval] : intervals) json["intervals"][metric] = {interval.low, interval.high};
  fmt::print("{}\n", json.dump());
}

}  // namespace

void add_probe(Verbs& verbs) {
  auto options = std::make_shared<ProbeRun>();
  Session& session = verbs.session;
  CLI::App* verb =
      verbs.add("probe", "fit and test a probe on .npy features of any origin",
                "  vise-eval probe --features X.npy --labels y.npy\n"
                "  vise-eval probe --features X.npy --labels labels.csv --split labels.csv --probe liblinear,solver=1\n"
                "  vise-eval probe --features Xtrain.npy --labels ytrain.npy --test Xtest.npy ytest.npy --out run",
                [options, &session] { probe_verb(*options, session); });
  ProbeFiles& files = options->files;
  verb->add_option("--features", files.features, "N x D numbers")->type_name("X.npy")->required();
  verb->add_option("--labels", files.labels, "N (or N x K) numbers, or a CSV with the columns of --column")
      ->type_name("FILE")
      ->required();
  verb->add_option("--target", files.target, "classes, multi-label, distribution or values [classes]")
      ->type_name("{classes,multi-label,distribution,values}");
  verb->add_option("--column", files.column, "of a CSV of labels; several joined by commas [label]")->type_name("NAME");
  verb->add_option("--split", files.split,
                   "a CSV with a column 'split', or 0/1/2 for train/val/test [drawn, see --shares]")
      ->type_name("FILE");
  verb->add_option("--val", files.val, "features and labels of val, in files of their own")
      ->type_name("X.npy FILE")
      ->expected(2);
  verb->add_option("--test", files.test, "the same of test")->type_name("X.npy FILE")->expected(2);
  verb->add_option("--shares", files.shares, "of a drawn split's train, val and test [0.6 0.2 0.2]")
      ->type_name("TRAIN VAL TEST");
  verb->add_option("--groups", files.groups, "numbers, or a CSV with a column 'group': groups stay together")
      ->type_name("FILE");
  verb->add_option("--folds", options->folds, "of the cross-validation that chooses where there is no val; 0: none [5]")
      ->type_name("K")
      ->check(CLI::Range(0, 1000));
  verb->add_option("--nested", options->nested, "test every row once, by nested cross-validation over K outer folds")
      ->type_name("K")
      ->check(CLI::Range(2, 1000));
  verb->add_option("--probe", options->probe, "a probe with its options [logreg]")->type_name("P[,KEY=VALUE]");
  verb->add_option("--name", options->name, "of the row in tables [the file's; x/features of x/features.npy]")
      ->type_name("NAME");
  verb->add_option("--out", options->out, "folder for results.jsonl and scores/")
      ->check(why_no_folder)
      ->type_name("DIR");
  verb->add_option("--seed", files.seed, "of the drawn split, the folds and the probe [0]")->type_name("N");
  verb->add_option("--threads", session.threads, "cores to use [all]")->type_name("N")->check(CLI::Range(1, 4096));
  verbs.add_json_option(verb);
}

}  // namespace vise::cli

// `vise-eval probe`: a probe on features that somebody else extracted.
#include <fmt/format.h>

#include <cmath>

#include "base/csv.h"
#include "base/error.h"
#include "base/npy.h"
#include "base/text.h"
#include "cli/session.h"
#include "datasets/split.h"
#include "experiments/result.h"
#include "experiments/runner.h"
#include "probes/evaluate.h"

namespace vise::cli {
namespace {

struct ProbeVerbOptions {
  std::string features, labels, split, probe = "logreg";
  std::uint64_t seed = 0;
};

// Labels as text: integers of an .npy, or a CSV's column `label` (its only column where it has just one).
std::vector<std::string> read_labels(const Path& path) {
  std::vector<std::string> labels;
  if (path.extension() == ".npy") {
    for (const double value : NpyArray::open(path).to_doubles()) {
      if (value != std::floor(value))
        throw Error(ErrorKind::input, fmt::format("{}: {} is no class number", path.string(), value));
      labels.push_back(number(value));
    }
    return labels;
  }
  const CsvTable table = CsvTable::parse(read_text_file(path), path.string());
  const std::size_t column = table.header().size() == 1 ? 0 : table.column("label");
  for (std::size_t row = 0; row < table.rows(); ++row) labels.push_back(table.cell(row, column));
  return labels;
}

Targets make_targets(const std::vector<std::string>& labels) {
  std::vector<std::string> order = labels;
  std::sort(order.begin(), order.end(), [](const std::string& a, const std::string& b) {
    double x = 0, y = 0;  // class numbers in their own order, names bytewise
    return parse_double(a, x) && parse_double(b, y) ? x < y : a < b;
  });
  order.erase(std::unique(order.begin(), order.end()), order.end());
  return Targets::from_labels(labels, order);
}

// A CSV with a column `split`, an .npy of 0 (train), 1 (val), 2 (test), or drawn: stratified 60/20/20.
Split read_split(const ProbeVerbOptions& options, const Targets& targets) {
  if (options.split.empty()) return Split::stratified(targets.strata(), {0.6, 0.2, 0.2}, "probe/split", options.seed);
  std::vector<Part> parts;
  if (Path(options.split).extension() == ".npy") {
    for (const double value : NpyArray::open(options.split).to_doubles()) {
      if (value != 0 && value != 1 && value != 2)
        throw Error(ErrorKind::input, fmt::format("{}: {}: 0, 1 or 2 is needed", options.split, value));
      parts.push_back(static_cast<Part>(static_cast<int>(value)));
    }
  } else {
    const CsvTable table = CsvTable::parse(read_text_file(options.split), options.split);
    const std::size_t column = table.column("split");
    for (std::size_t row = 0; row < table.rows(); ++row) parts.push_back(parse_part(table.cell(row, column)));
  }
  return Split(std::move(parts), Path(options.split).filename().string());
}

void check_sizes(std::uint64_t rows, std::size_t found, const std::string& file) {
  if (rows != found)
    throw Error(ErrorKind::input, fmt::format("{}: {} rows, but there are {} rows of features", file, found, rows));
}

Result fit_and_test(const ProbeVerbOptions& options, Session& session) {
  const NpyArray array = NpyArray::open(options.features);
  if (array.shape().size() != 2)
    throw Error(ErrorKind::input, fmt::format("{}: N x D features are needed", options.features));
  const std::span<const float> values = array.as<float>();
  const Targets targets = make_targets(read_labels(options.labels));
  check_sizes(array.shape()[0], targets.size(), options.labels);
  const Split split = read_split(options, targets);
  check_sizes(array.shape()[0], split.size(), options.split);
  auto [name, probe_options] = parse_probe(options.probe);
  probe_options.seed = options.seed;
  const auto probe = ProbeRegistry::instance().make(name, probe_options);

  const auto train = split.items(Part::train), val = split.items(Part::val), test = split.items(Part::test);
  const std::size_t dim = array.shape()[1];
  const Targets train_targets = targets.select(train), val_targets = targets.select(val);
  const TrainView train_view{FeatureRows(values.data(), dim, train), train_targets, {}};
  const ValView val_view{FeatureRows(values.data(), dim, val), val_targets};
  const Stopwatch watch;
  const Fitted fitted = probe->fit(train_view, val.empty() ? nullptr : &val_view, session.context());
  Result result;
  result.cell.task = Path(options.features).filename().string();
  result.cell.probe = name;
  result.seconds["fit"] = watch.seconds();
  result.sizes = {train.size(), val.size(), test.size(), split.count(Part::unused)};
  result.split_origin = split.origin();
  result.class_names = targets.names();
  result.target_kind = target_kind_name(targets.kind());
  result.primary_metric = primary_metric(targets.kind());
  if (!test.empty())
    result.metrics = evaluate(fitted.model->predict(FeatureRows(values.data(), dim, test)), targets.select(test),
                              fitted.calibration);
  result.selection = fitted.selection;
  result.convergence = fitted.convergence;
  result.probe_settings = probe->describe();
  result.notes = fitted.notes;
  return result;
}

void print(const Result& result) {
  fmt::print("{}: train {}, val {}, test {} ({})\n", result.cell.probe, result.sizes.train, result.sizes.val,
             result.sizes.test, result.split_origin);
  std::string chosen;
  for (const auto& [name, value] : result.selection.chosen)
    chosen += fmt::format("{}{} = {}", chosen.empty() ? "" : ", ", name, number(value));
  fmt::print("chosen       {} on {}{}\n", chosen.empty() ? "nothing" : chosen, result.selection.selected_on,
             result.selection.on_edge ? " (on the edge of its grid)" : "");
  fmt::print("objective    {:.10g}, gradient {:.2g}, {} iterations{}\n", result.convergence.objective,
             result.convergence.gradient_norm, result.convergence.iterations,
             result.convergence.converged ? "" : ", NOT converged");
  for (const auto& [name, value] : result.metrics)
    fmt::print("{:<20} {}\n", name, value ? fmt::format("{:.4f}", *value) : "undefined");
  for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
}

void probe_verb(const ProbeVerbOptions& options, Session& session) {
  const Result result = fit_and_test(options, session);
  session.console.end_progress();
  if (session.json)
    fmt::print("{}\n", to_json(result).dump());
  else
    print(result);
}

}  // namespace

void add_probe(Verbs& verbs) {
  auto options = std::make_shared<ProbeVerbOptions>();
  Session& session = verbs.session;
  CLI::App* verb =
      verbs.add("probe", "fit and test a probe on .npy features of any origin",
                "  vise-eval probe --features X.npy --labels y.npy\n"
                "  vise-eval probe --features X.npy --labels labels.csv --split labels.csv --probe liblinear,solver=1",
                [options, &session] { probe_verb(*options, session); });
  verb->add_option("--features", options->features, "N x D float32")->type_name("X.npy")->required();
  verb->add_option("--labels", options->labels, "N class numbers, or a CSV with a column 'label'")
      ->type_name("FILE")
      ->required();
  verb->add_option("--split", options->split,
                   "a CSV with a column 'split', or 0/1/2 for train/val/test [drawn 60/20/20]")
      ->type_name("FILE");
  verb->add_option("--probe", options->probe, "a probe with its options [logreg]")->type_name("P[,KEY=VALUE]");
  verb->add_option("--seed", options->seed, "of the drawn split and the probe [0]")->type_name("N");
  verb->add_option("--threads", session.places.threads, "cores to use [all]")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
  verbs.add_json_option(verb);
}

}  // namespace vise::cli

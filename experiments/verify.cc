#include "experiments/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "base/text.h"
#include "experiments/cell_key.h"
#include "experiments/explain.h"
#include "experiments/results_file.h"
#include "experiments/scores_file.h"
#include "experiments/seal.h"
#include "experiments/split_file.h"
#include "experiments/study.h"
#include "experiments/task_run.h"
#include "probes/evaluate.h"

namespace vise::experiments {
namespace {

// The way through this file: Verifier::run() checks the seal, then of each result the key, the metrics and the split
// files, then refits a sample of cells; what differs is a sentence, what couldn't be checked a note.

// What evaluate() may round otherwise on another processor.
constexpr double kRounding = 1e-9;
// Scores of the same fit on another kind of processor, relative to the largest.
constexpr double kOtherMachine = 1e-4;

// Undefined agrees with undefined alone.
bool same(const std::optional<double>& a, const std::optional<double>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return std::fabs(*a - *b) <= kRounding * std::max(1.0, std::fabs(*a));
}

std::string value_text(const std::optional<double>& value) { return value ? number(*value) : "undefined"; }

// Every metric of one that the other lacks or has otherwise.
std::vector<std::string> metric_differences(const probes::Metrics& recorded, const probes::Metrics& recomputed) {
  std::vector<std::string> differences;
  for (const auto& [name, value] : recorded) {
    const auto found = recomputed.find(name);
    if (found == recomputed.end())
      differences.push_back(
          fmt::format("{} is recorded as {} but isn't a metric of these scores", name, value_text(value)));
    else if (!same(value, found->second))
      differences.push_back(
          fmt::format("{} is recorded as {}, recomputed {}", name, value_text(value), value_text(found->second)));
  }
  for (const auto& [name, value] : recomputed)
    if (!recorded.contains(name) && name != "f1_macro_seen")  // not yet a metric in 0.1
      differences.push_back(fmt::format("{} = {} isn't recorded", name, value_text(value)));
  return differences;
}

// Of two JSON values: the first place where they differ by more than rounding, or nothing.
std::optional<std::string> first_difference(const Json& recorded, const Json& again, const std::string& place) {
  if (recorded.is_number() && again.is_number()) {
    const double x = recorded.get<double>(), y = again.get<double>();
    if (std::fabs(x - y) <= kOtherMachine * std::max({1.0, std::fabs(x), std::fabs(y)})) return std::nullopt;
  } else if (recorded.is_structured() && recorded.type() == again.type() && recorded.size() == again.size()) {
    for (auto it = recorded.begin(); it != recorded.end(); ++it) {
      const std::string name = recorded.is_object() ? it.key() : std::to_string(it - recorded.begin());
      if (recorded.is_object() && !again.contains(name)) return fmt::format("{}.{} isn't there", place, name);
      const Json& other =
          recorded.is_object() ? again.at(name) : again.at(static_cast<std::size_t>(it - recorded.begin()));
      if (const auto found = first_difference(*it, other, fmt::format("{}.{}", place, name))) return found;
    }
    return std::nullopt;
  } else if (recorded == again) {
    return std::nullopt;
  }
  return fmt::format("{} is recorded as {}, and is {}", place, recorded.dump(), again.dump());
}

// What a result says of how it came about, beside its metrics. Timings, dates and iterations are the machine's own; the
// parameters' hash may have been lost since.
std::vector<std::string> statement_differences(const Result& recorded, const Result& again) {
  std::vector<std::string> differences;
  const Json x = to_json(recorded), y = to_json(again);
  for (const char* field : {"primary_metric", "class_names", "target_kind", "split", "selection", "calibration",
                            "probe_settings", "features", "version"}) {
    if (const auto found = first_difference(x.at(field), y.at(field), field)) differences.push_back(*found);
  }
  const std::string &was = recorded.parameters, &is = again.parameters;
  if (!was.empty() && !is.empty() && was != is)
    differences.push_back(fmt::format("the network's parameters are recorded as {}..., and are {}...", was.substr(0, 8),
                                      is.substr(0, 8)));
  if (recorded.convergence.converged != again.convergence.converged ||
      recorded.convergence.objective_text != again.convergence.objective_text)
    differences.push_back("its convergence is recorded otherwise");
  return differences;
}

class Verifier {
 public:
  Verifier(Path folder, const VerifyOptions& options, const Context& context)
      : folder_(std::move(folder)), options_(options), context_(context) {}

  // Where results.jsonl can't even be read, a broken seal says what happened before that is the end.
  Verification run() {
    check_seal();
    try {
      results_ = read_results(folder_ / "results.jsonl");
    } catch (const Error& e) {
      if (out_.differences.empty() || e.kind() == ErrorKind::interrupted) throw;
      out_.differences.push_back(e.message());
      return std::move(out_);
    }
    for (const Result& result : results_) {
      context_.throw_if_stopped();
      // Scores are kept of what was fitted alone.
      if (!result.ok() && !result.scores_file.empty())
        differ(result, fmt::format("it is recorded as failed, but {} holds its scores", result.scores_file));
      if (!result.ok()) continue;
      ++out_.results;
      if (const std::string key = key_of(result); !key.empty() && key != result.key)
        differ(result, "its key isn't that of its task, data, features, probe and version: one of them was edited");
      // From the scores that were kept, by the same functions and without features: this
      // part needs no data and takes seconds.
      guarded(result, [&] { check_metrics(result); });
      guarded(result, [&] { check_split(result, false); });
      if (!result.sample_hash.empty()) guarded(result, [&] { check_split(result, true); });
      context_.log.progress("recomputing metrics", out_.results, results_.size());
    }
    if (options_.refit > 0) refit_sample();
    if (std::error_code error; !std::filesystem::exists(folder_ / "seal.json", error))
      note("it has no seal: an earlier program made it, or the run didn't reach its end");
    if (out_.refitted < open_cells_)
      note(fmt::format("{} of {} cells that could be fitted again were (--refit N)", out_.refitted, open_cells_));
    return std::move(out_);
  }

 private:
  // An intact seal's digest is shown, to be compared with the one that was published.
  void check_seal() {
    out_.differences = seal_differences(folder_);
    if (const auto seal = out_.differences.empty() ? read_seal(folder_) : std::nullopt) out_.seal = seal->digest;
  }

  // Names the cell in words and by its key, which is also the name of its files.
  void differ(const Result& result, const std::string& what) {
    out_.differences.push_back(fmt::format("{} ({}): {}", cell_words(result.cell), result.key, what));
  }

  // A file that is damaged or gone is a difference, not the end.
  template <typename Check>
  void guarded(const Result& result, const Check& check) {
    try {
      check();
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::interrupted) throw;
      differ(result, e.message());
    }
  }

  void check_metrics(const Result& result) {
    if (result.scores_file.empty()) return note(fmt::format("{}: no scores were kept", cell_words(result.cell)));
    const SavedScores saved = read_scores(folder_, result);
    const probes::Metrics recomputed = probes::evaluate(saved.scores, saved.targets, result.calibration);
    out_.metrics += recomputed.size();
    for (const std::string& difference : metric_differences(result.metrics, recomputed)) differ(result, difference);
    if (saved.ids.size() != result.sizes.test)
      differ(result,
             fmt::format("{} test images are recorded, the scores hold {}", result.sizes.test, saved.ids.size()));
    test_ids_[result.key] = {saved.ids.begin(), saved.ids.end()};
  }

  // Reads and counts each split file once, however many results it is of.
  const SavedSplit& split_at(const Path& file) {
    const auto known = splits_.find(file);
    if (known != splits_.end()) return known->second;
    ++out_.splits;
    return splits_.emplace(file, read_split(folder_ / file)).first->second;
  }

  // The file's own hash, then whether the scores are of its test images.
  void check_split(const Result& result, bool of_subset) {
    const Path file = split_file(result, of_subset);
    if (!std::filesystem::exists(folder_ / file) && result.cell.layer == kGivenLayer)
      return note(fmt::format("{}: no split was kept", cell_words(result.cell)));
    const SavedSplit& saved = split_at(file);
    const std::string& recorded = of_subset ? result.sample_hash : result.split_hash;
    if (const std::string hash = saved.split.hash(saved.ids); hash != recorded)
      return differ(result, fmt::format("{} has the hash {}..., the result {}...", file.string(), hash.substr(0, 8),
                                        recorded.substr(0, 8)));
    std::set<std::string> test;
    for (const std::uint32_t item : saved.split.items(datasets::Part::test)) test.insert(saved.ids[item]);
    if (const auto scored = test_ids_.find(result.key); scored != test_ids_.end() && scored->second != test)
      differ(result, fmt::format("the scored images are not the test images of {}", file.string()));
    if (of_subset) check_subset(result, saved);
  }

  // Nothing of val or test may have got into a subset.
  void check_subset(const Result& result, const SavedSplit& subset) {
    const SavedSplit& whole = split_at(split_file(result, false));
    for (std::size_t i = 0; i < subset.ids.size(); ++i)
      if (subset.split.part(i) == datasets::Part::train && whole.split.part(i) != datasets::Part::train)
        return differ(result, fmt::format("'{}' is fitted on, but belongs to {}", subset.ids[i],
                                          datasets::part_name(whole.split.part(i))));
  }

  void note(const std::string& text) {
    if (std::ranges::find(out_.notes, text) == out_.notes.end()) out_.notes.push_back(text);
  }

  // The plan as it was run, with what only this machine knows: where data, weights and the cache are.
  RunRequest planned_request() const {
    RunRequest request = read_study(folder_ / "plan.yaml");
    request.data_roots.insert(request.data_roots.begin(), options_.data_roots.begin(), options_.data_roots.end());
    std::vector<Path> weights = options_.extract.weights.folders;
    weights.insert(weights.end(), request.extract.weights.folders.begin(), request.extract.weights.folders.end());
    const features::BadImagePolicy bad_images = request.extract.on_bad_image;
    const std::uint64_t max_pixels = request.extract.max_pixels;
    request.extract = options_.extract;
    request.extract.on_bad_image = bad_images;
    request.extract.max_pixels = max_pixels;
    request.keeps_draws_of = folder_;
    request.extract.weights.folders = std::move(weights);
    // Verifying downloads nothing.
    request.extract.weights.offline = true;
    return resolved(request);
  }

  // A task whose data aren't here is a note: verification goes on with the others.
  void refit_sample() {
    if (!std::filesystem::exists(folder_ / "plan.yaml")) return note("no cell was fitted again: there is no plan.yaml");
    std::optional<RunRequest> planned;
    try {
      planned = planned_request();
    } catch (const Error& e) {
      out_.differences.push_back(fmt::format("plan.yaml can't be used: {}", e.message()));
      return;
    }
    const RunRequest& request = *planned;
    for (const Task& task : request.tasks) {
      try {
        refit_task(request, task);
      } catch (const Error& e) {
        if (e.kind() == ErrorKind::interrupted) throw;
        note(fmt::format("no cell of {} was fitted again: {}", task.name, e.message()));
      }
    }
  }

  void refit_task(const RunRequest& request, const Task& asked) {
    Task task = asked;
    drop_cold_backbones(request, task);
    if (task.rows.empty())
      return note(fmt::format("no cell of {} was fitted again: its features are not in the cache", task.name));
    TaskRun run(request, task, context_);
    run.extract();
    std::vector<std::pair<PlannedCell, const Result*>> cells;
    for (const PlannedCell& cell : run.plan())
      for (const Result& result : results_)
        if (result.key == cell.key && result.ok()) cells.emplace_back(cell, &result);
    if (cells.empty())
      return note(fmt::format(
          "no cell of {} was fitted again: no result is of the data, weights and version that are here", task.name));
    // A fixed sample: whoever verifies the same folder refits the same cells.
    RandomStream(fmt::format("verify/{}", task.name), 0).shuffle(std::span(cells));
    open_cells_ += cells.size();
    // At least one cell a task, so that every task's features and split are tried.
    cells.resize(std::min(cells.size(), std::max<std::size_t>(1, options_.refit / request.tasks.size())));
    for (const auto& [cell, result] : cells) compare(*result, run.fit(cell, context_));
  }

  // Only features that are in the cache: verifying must not take as long as the run.
  void drop_cold_backbones(const RunRequest& request, Task& task) {
    TaskRun probe(request, task, context_);
    for (const features::FeatureStatus& status : probe.look(true)) {
      if (status.problem.empty() && status.missing == 0) continue;
      note(fmt::format(
          "{}: the features of {} are not in the cache {}; none of its cells was fitted again (--cache names "
          "another)",
          probe.task().name, status.backbone, options_.extract.cache.string()));
      std::erase_if(task.rows, [&](const features::Backbone& row) { return row.name == status.backbone; });
    }
  }

  // Three grades: equal bits, equal within what another processor may round, and different.
  void compare(const Result& recorded, const FittedCell& again) {
    ++out_.refitted;
    if (!again.scores) return differ(recorded, fmt::format("fitting it again fails: {}", again.result.error));
    guarded(recorded, [&] {
      const SavedScores saved = read_scores(folder_, recorded);
      const std::vector<double>&x = saved.scores.values, &y = again.scores->scores.values;
      if (saved.ids != again.scores->ids || x.size() != y.size())
        return differ(recorded, "fitted again it has other test images");
      double most = 0, largest = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        most = std::max(most, std::fabs(x[i] - y[i]));
        largest = std::max(largest, std::fabs(x[i]));
      }
      out_.identical += x == y;
      for (const std::string& difference : statement_differences(recorded, again.result))
        differ(recorded, fmt::format("fitted again: {}", difference));
      const auto metrics = metric_differences(recorded.metrics, again.result.metrics);
      for (const std::string& difference : metrics) differ(recorded, fmt::format("fitted again: {}", difference));
      const std::string words = fmt::format("fitted again its scores differ by up to {:.2g}", most);
      if (most > kOtherMachine * std::max(1.0, largest))
        differ(recorded, words);
      else if (x != y && metrics.empty())
        note(fmt::format("{}: {}; every metric is the same", cell_words(recorded.cell), words));
    });
  }

  const Path folder_;
  const VerifyOptions& options_;
  const Context& context_;
  std::vector<Result> results_;
  std::size_t open_cells_ = 0;  // that could be fitted again
  Verification out_;
  std::map<Path, SavedSplit> splits_;
  std::map<std::string, std::set<std::string>> test_ids_;  // by key
};

}  // namespace

Verification verify(const Path& run_folder, const VerifyOptions& options, const Context& context) {
  const bool is_folder = std::filesystem::is_directory(run_folder);
  const Path folder = is_folder ? run_folder : run_folder.parent_path();
  if (!std::filesystem::exists(folder / "results.jsonl"))
    throw Error(ErrorKind::missing, fmt::format("{}: there are no results here", run_folder.string()),
                "name a run's folder, the one that holds results.jsonl");
  return Verifier(folder, options, context).run();
}

}  // namespace vise::experiments

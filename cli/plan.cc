#include "cli/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "cli/lines.h"
#include "cli/precision.h"
#include "experiments/look_ahead.h"
#include "extract/networks/bf16.h"
#include "reports/compare.h"
#include "reports/statistics/detectable.h"
#include "reports/table.h"

namespace vise::cli {
namespace {

// In the words of the plan: its scores are there, it must be fitted, or something it needs is missing.
std::string_view state_name(experiments::CellState state) {
  return state == experiments::CellState::known ? "known" : state == experiments::CellState::open ? "to fit" : "fails";
}

// Which share of the test images only one of two models gets right isn't known before they are fitted: a range that
// tables of frozen representations mostly have.
constexpr double kDiscordant[] = {0.1, 0.2, 0.3};

// A difference of accuracies for each of kDiscordant, before Holm's adjustment; nothing where no difference would do.
using Detectable = std::vector<std::optional<double>>;

// One task's images for a task, several for the mean over tasks.
Detectable detectable(const std::vector<std::uint64_t>& images) {
  Detectable differences;
  for (const double rate : kDiscordant)
    differences.push_back(
        reports::detectable_mean_difference(images, rate, reports::CompareOptions{}.alpha, reports::kPower));
  return differences;
}

// Of the mean over tasks; empty for one, and where a task has several splits, which share images.
Detectable over_tasks(const experiments::LookAhead& ahead) {
  std::vector<std::uint64_t> images;
  for (const experiments::PlannedTest& test : ahead.tests) {
    // Splits that share images aren't independent, so the variance of their mean isn't the sum of theirs.
    if (!test.of_classes || test.is_one_of_many) return {};
    images.push_back(test.images);
  }
  return images.size() < 2 ? Detectable() : detectable(images);
}

// A rate at which no difference would be found is null.
Json detectable_json(const Detectable& differences) {
  Json list = Json::array();
  for (std::size_t i = 0; i < differences.size(); ++i)
    list.push_back({{"discordant", kDiscordant[i]}, {"difference", differences[i] ? Json(*differences[i]) : Json()}});
  return list;
}

Json tests_json(const experiments::LookAhead& ahead) {
  Json tests = Json::array();
  for (const experiments::PlannedTest& test : ahead.tests)
    tests.push_back({{"task", test.task},
                     {"target", test.target},
                     {"images", test.images},
                     {"detectable", test.of_classes ? detectable_json(detectable({test.images})) : Json()}});
  return tests;
}

// Percentage points, in the order of kDiscordant: "30.1, 40.2, none points".
std::string points_text(const Detectable& differences) {
  if (std::ranges::none_of(differences, [](const auto& d) { return d.has_value(); }))
    return "too few, no difference would be found";
  std::vector<std::string> texts;
  for (const auto& d : differences) texts.push_back(d ? fmt::format("{:.1f}", 100 * *d) : "none");
  return join(texts, ", ") + " points";
}

// A line a task, below one that says what the numbers are.
void print_tests(const experiments::LookAhead& ahead) {
  if (std::ranges::none_of(ahead.tests, &experiments::PlannedTest::of_classes)) return;
  std::vector<std::string> rates;
  for (const double rate : kDiscordant) rates.push_back(number(100 * rate));
  fmt::print(
      "smallest difference of two accuracies that is found 4 times of 5 (McNemar, p < {}, one comparison), if {} % of "
      "the test images are right by one of the two alone:\n",
      number(reports::CompareOptions{}.alpha), join(rates, ", "));
  for (const experiments::PlannedTest& test : ahead.tests)
    if (test.of_classes)
      fmt::print("  {}: {}, {} test images: {}\n", test.task, test.target, test.images,
                 points_text(detectable({test.images})));
  if (const Detectable mean = over_tasks(ahead); !mean.empty())
    fmt::print("  the mean over these {} tasks, if no test image is in two of them: {}\n", ahead.tests.size(),
               points_text(mean));
}

// Everything that print_ahead() says, by its name.
Json ahead_json(const experiments::LookAhead& ahead) {
  const auto optional = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
  Json cells = Json::array(), features = Json::array(), tasks = Json::array();
  for (const experiments::CellAhead& cell : ahead.cells)
    (cells.emplace_back(experiments::to_json(cell.cell)))["state"] = state_name(cell.state);
  for (const experiments::PlannedFeatures& f : ahead.features)
    features.push_back({{"task", f.task},
                        {"backbone", f.status.backbone},
                        {"layer", f.status.tap.layer},
                        {"pool", f.status.tap.pool},
                        {"known", f.status.known},
                        {"missing", f.status.missing},
                        {"unread", f.status.unread},
                        {"fetched_from", f.status.fetched_from},
                        {"problem", f.status.problem}});
  for (const experiments::FailingTask& task : ahead.failing_tasks)
    tasks.push_back({{"task", task.name}, {"problem", task.why}, {"hint", task.hint}});
  Json weights = Json::array();
  for (const experiments::WeightsAhead& w : ahead.weights)
    weights.push_back({{"backbone", w.backbone},
                       {"licence", w.licence},
                       {"file", w.status.file.string()},
                       {"fetched_from", w.status.fetched_from},
                       {"problem", w.status.problem},
                       {"hint", w.status.hint}});
  return {{"cells", cells},
          {"features", features},
          {"weights", weights},
          {"tests", tests_json(ahead)},
          {"detectable_over_tasks", detectable_json(over_tasks(ahead))},
          {"failing_tasks", tasks},
          {"extract_seconds", optional(ahead.extract_seconds)},
          {"bf16_gain", ahead.could_be_bf16 ? Json(networks::bf16_gain()) : Json()},
          {"bf16_extract_seconds", optional(ahead.bf16_extract_seconds)},
          {"fit_seconds", optional(ahead.fit_seconds)}};
}

std::string time_text(const std::optional<double>& seconds) {
  return seconds ? fmt::format("about {}", duration_text(*seconds)) : "not measured yet";
}

// Text in several lines, moved below its entry.
std::string indented(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 7) text.insert(at + 1, "      ");
  return text;
}

// What is here and what isn't, of a run that lacks something: data with page, licence and tree, weights with where they
// are or would come from.
void print_checklist(const experiments::LookAhead& ahead) {
  for (const experiments::FailingTask& task : ahead.failing_tasks) {
    fmt::print("[ ] {}: {}\n", task.name, task.why);
    if (!task.hint.empty()) fmt::print("      {}\n", indented(task.hint));
  }
  if (ahead.failing_tasks.empty() && !ahead.lacks_something()) return;
  for (const auto& [backbone, licence, status] : ahead.weights)
    if (!status.file.empty())
      fmt::print("[x] {}: {}\n", backbone, status.file.string());
    else if (!status.fetched_from.empty())
      fmt::print("[x] {}: will be fetched from {} (licence: {})\n", backbone, status.fetched_from, licence);
    else
      fmt::print("[ ] {}\n{}", status.problem,
                 status.hint.empty() ? "" : fmt::format("      {}\n", indented(status.hint)));
}

// A line a task and backbone, then the sums.
void print_ahead(const experiments::LookAhead& ahead) {
  print_checklist(ahead);
  for (const experiments::PlannedFeatures& f : ahead.features) {
    const std::size_t to_do = f.status.missing + f.status.unread;
    fmt::print(
        "{}: {} {}/{}: {}\n", f.task, f.status.backbone, f.status.tap.layer, f.status.tap.pool,
        !f.status.problem.empty() ? fmt::format("fails: {}", f.status.problem)
        : !f.status.fetched_from.empty()
            ? fmt::format("{} images to compute, after its weights are fetched from {}", to_do, f.status.fetched_from)
        : to_do == 0 ? fmt::format("features of all {} images are cached", f.status.known)
                     : fmt::format("{} images cached, {} to compute{}", f.status.known, to_do,
                                   f.status.unread > 0 ? " at most (their files are new here)" : ""));
  }
  // Cells are what the table will have: a task, a backbone, a probe, a seed and a subset each.
  fmt::print("{} cell(s): {} known, {} to fit, {} fail\n", ahead.cells.size(), ahead.known, ahead.open, ahead.failing);
  fmt::print("extraction: {}; probes: {}\n", ahead.images == 0 ? "nothing to do" : time_text(ahead.extract_seconds),
             ahead.open == 0 ? "nothing to do" : time_text(ahead.fit_seconds));
  if (ahead.could_be_bf16)
    fmt::print(
        "fastest precision: {}{}\n", fastest_precision_text(),
        ahead.bf16_extract_seconds ? fmt::format("; extraction then: {}", time_text(ahead.bf16_extract_seconds)) : "");
  print_tests(ahead);
}

}  // namespace

// Exit code 3 where data or weights are missing, so that a script can ask before a night's run; anything else that
// would fail is in the table itself.
void print_plan(const experiments::RunRequest& request, Session& session) {
  const experiments::LookAhead ahead = experiments::look_ahead(request, session.context());
  session.console.end_progress();
  if (session.json)
    fmt::print("{}\n", ahead_json(ahead).dump());
  else
    print_ahead(ahead);
  if (!ahead.lacks_something()) return;
  fmt::print(stderr, "vise-eval: data or weights are missing{}\n", session.json ? "" : ": those marked [ ]");
  session.exit_code = exit_code_of(ErrorKind::missing);
}

}  // namespace vise::cli

#include "experiments/label_question.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "datasets/label_check.h"

namespace vise::experiments {
namespace {

// "another column (mood, weather)": what else the data could be asked for.
std::string other_targets(const Task& task, const datasets::Dataset& dataset) {
  std::vector<std::string> names;
  for (const auto& [name, column] : dataset.targets)
    if (name != task.target) names.push_back(name);
  return names.empty() ? std::string() : fmt::format("; another of its labels by --target: {}", join(names, ", "));
}

}  // namespace

void ask_about_labels(const Task& task, datasets::Dataset& dataset, Log& log) {
  // Results are JSON, which is UTF-8: said before hours of extraction, not when the first of them is written.
  for (const std::string& name : dataset.target(task.target).names())
    if (!is_utf8(name))
      throw Error(ErrorKind::input, fmt::format("{}: the label '{}' is not UTF-8", dataset.name, latin1_to_utf8(name)),
                  "save the table as UTF-8 (iconv -f latin1 -t utf-8 old.csv > new.csv), or rename the class's folder");
  // A known data set's adapter has said what the labels are.
  if (!task.dataset.empty()) return;
  const datasets::Targets& targets = dataset.target(task.target);
  const bool answered = !task.columns.kind.empty();
  if (const auto doubt = datasets::doubt_about(targets); doubt && !answered)
    throw Error(
        ErrorKind::usage, fmt::format("{}: the labels '{}' {}", dataset.name, task.target, *doubt),
        fmt::format("say --label-column NAME if the labels are another column's, --label-kind values if they are "
                    "numbers to be predicted, --label-kind classes if they are classes all the same{}",
                    other_targets(task, dataset)));
  // Whoever says that they are classes has not said that all are spelt right.
  if (const auto typos = datasets::remark_on_typos(targets)) {
    dataset.notes.push_back(fmt::format("'{}': {}", task.target, *typos));
    log.warn(fmt::format("{}: {}", dataset.name, dataset.notes.back()));
  }
  if (answered) return;
  if (const auto remark = datasets::remark_on(targets))
    dataset.notes.push_back(fmt::format("'{}': {}", task.target, *remark));
  if (datasets::class_codes(targets) && targets.width() > 2)
    dataset.notes.push_back(
        fmt::format("the numbers {} to {} of '{}' are taken for classes (--label-kind values predicts "
                    "them as numbers)",
                    targets.names().front(), targets.names().back(), task.target));
}

}  // namespace vise::experiments

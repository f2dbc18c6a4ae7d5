#include "experiments/task_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "datasets/dataset_registry.h"
#include "datasets/groups.h"
#include "datasets/open_data.h"
#include "datasets/sampling.h"
#include "experiments/earlier_draws.h"
#include "experiments/label_question.h"
#include "experiments/split_rule.h"

namespace vise::experiments {
namespace {

// After a condition a part may have lost all its images, which resolve_split() couldn't see.
void check_parts(const datasets::Split& split, const std::string& what) {
  for (const datasets::Part part : {datasets::Part::train, datasets::Part::val, datasets::Part::test})
    if (split.count(part) == 0)
      throw Error(ErrorKind::input, fmt::format("{}: no {} images are left", what, datasets::part_name(part)),
                  "a probe needs train, val and test; widen the condition");
}

// The parts of some items, in the items' order.
datasets::Split chosen(const datasets::Split& split, const std::vector<std::uint32_t>& items) {
  std::vector<datasets::Part> parts;
  for (const std::uint32_t item : items) parts.push_back(split.part(item));
  return {std::move(parts), split.origin()};
}

// The raw bytes of the values: two processors with the same byte order have the same hash.
std::string hash_of(const datasets::Targets& targets) {
  Sha256 hash;
  // Names too: the same numbers under other class names are other targets.
  for (const std::string& name : targets.names()) hash.update(name + "\n");
  const auto add = [&](auto values) { hash.update(std::as_bytes(values)); };
  if (targets.kind() == datasets::TargetKind::classes)
    add(targets.classes());
  else if (targets.kind() == datasets::TargetKind::multi_label)
    add(targets.multi_label());
  else
    add(targets.rows());
  return hash.hex();
}

// The target's name where the task doesn't give one; an error with the choice where several would do.
std::string target_to_predict(const datasets::Dataset& dataset) {
  if (auto usual = usual_target(dataset)) return *usual;
  if (dataset.targets.empty())
    throw Error(ErrorKind::input, fmt::format("{}: no labels were found", dataset.name),
                "name its column (--label-column), put images into a folder for each class, or write a table: "
                "docs/formats/manifest.md");
  std::vector<std::string> names;
  for (const auto& [name, column] : dataset.targets) names.push_back(name);
  throw Error(ErrorKind::usage, fmt::format("{}: which of its labels is to be predicted is not said", dataset.name),
              fmt::format("--target {}", join(names, ", or --target ")));
}

}  // namespace

datasets::Dataset open_dataset(const Task& task, const RunRequest& request, Log& log) {
  if (task.dataset.empty()) return datasets::open_data_path(task.data, log, task.columns, request.extract.cache);
  return datasets::DatasetRegistry::instance().open(task.dataset, request.data_roots, request.extract.cache, log);
}

// The order matters: labels are questioned before a split is made of them, the split is drawn
// of all items, and only then a condition takes items away.
TaskRun::TaskRun(const RunRequest& request, Task task, const Context& context)
    : request_(request), context_(context), task_(std::move(task)), draws_({}, 0) {
  dataset_ = open_dataset(task_, request_, context_.log);
  if (task_.name.empty()) task_.name = name_of_split(dataset_.name, task_.split);
  if (task_.target.empty()) task_.target = target_to_predict(dataset_);
  keep_earlier_draws(request_.keeps_draws_of, task_);
  ask_about_labels(task_, dataset_, context_.log);
  note_ties();
  split_ = resolve_split(task_, dataset_);
  // The condition comes after the split: an item has the same part in every run of this task.
  if (!task_.condition.empty()) {
    const std::vector<std::uint32_t> items = datasets::where(dataset_, task_.condition);
    split_ = chosen(split_, items);
    dataset_ = datasets::subset(dataset_, items);
    check_parts(split_, fmt::format("{} where {}", dataset_.name, task_.condition));
  }
  dataset_.unused.resize(dataset_.size());
  // Unused items are not read at all: a condition or an agreement may leave a tenth of a large set.
  for (std::size_t item = 0; item < dataset_.size(); ++item)
    dataset_.unused[item] = split_.part(item) == datasets::Part::unused;
  draws_ = draws_of(task_, dataset_);
  note_straddling_groups();
  targets_ = dataset_.target(task_.target);
  if (task_.probes.empty()) task_.probes = {default_probe(targets_.kind())};
  for (const std::string& text : task_.probes) probes_.push_back(probes::parse_probe(text));
  targets_hash_ = hash_of(targets_);
  for (const features::Backbone& row : task_.rows)
    rows_.push_back(
        {{row, request_.engine, request_.precision, wanted_taps(), request_.views, request_.storage, request_.device},
         {},
         {},
         {}});
}

void TaskRun::note_ties() {
  if (task_.target != "label") return;
  const std::string note = datasets::note_on_ties(dataset_);
  if (note.empty()) return;
  dataset_.notes.push_back(note);
  context_.log.info(fmt::format("{}: {}", dataset_.name, note));
}

// A group of which the probe saw a part is recognised, not judged.
void TaskRun::note_straddling_groups() {
  const auto group = dataset_.attributes.find("group");
  if (!task_.dataset.empty() || group == dataset_.attributes.end()) return;
  const datasets::GroupCount count = datasets::straddling_groups(group->second, split_);
  if (count.straddling == 0) return;
  notes_.push_back(
      fmt::format("{} of {} groups (column 'group') stand in several parts of the split: what is "
                  "recognised may be the group.",
                  count.straddling, count.groups));
  context_.log.warn(fmt::format("{}: {}", task_.name, notes_.back()));
}

// Groups go with the items, so that cross-validation keeps them whole as the split does.
std::vector<int> TaskRun::folds_within(std::span<const std::uint32_t> train, std::uint64_t seed) const {
  std::vector<std::string> groups;
  if (const auto all = groups_of(task_, dataset_); !all.empty())
    for (const std::uint32_t item : train) groups.push_back(all[item]);
  return draws_.inner_folds(train, targets_.select(train).strata(), groups, seed);
}

std::size_t TaskRun::fit_rows() const {
  return split_.count(datasets::Part::train) + split_.count(datasets::Part::val);
}

std::size_t TaskRun::test_images() const { return split_.count(datasets::Part::test); }

// On one line, as footnotes are, with the hint in brackets.
std::string TaskRun::words_of(const Error& e) {
  std::string words = e.message() + (e.hint().empty() ? "" : fmt::format(" ({})", e.hint()));
  std::ranges::replace(words, '\n', ' ');
  words.erase(std::unique(words.begin(), words.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
              words.end());
  return words;
}

// Logistic regression takes classes, labels and votes; numbers need a regression.
std::string default_probe(datasets::TargetKind kind) {
  return kind == datasets::TargetKind::values ? "ridge" : "logreg";
}

}  // namespace vise::experiments

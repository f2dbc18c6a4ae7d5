// One task of a run: its data set, split and subsets, the features of every backbone, and its cells.
//
//   TaskRun task(request, task, context);      // opens the data set, resolves the split
//   task.extract();                            // features; backbones that fail are kept with their reason
//   for (const PlannedCell& cell : task.plan()) task.fit_and_keep(std::array{&cell}, out, context);
//
// Rows of features are joined to items by number, items to splits by number: all three share the data set's order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "datasets/dataset.h"
#include "experiments/draws.h"
#include "experiments/finetune.h"
#include "experiments/run_request.h"
#include "experiments/scores_file.h"
#include "extract/features/feature_status.h"
#include "probes/parse_probe.h"

namespace vise::experiments {

// The task's split, or one with train thinned.
struct SubsetSplit {
  TrainSubset subset;
  std::uint64_t seed = 0;
  datasets::Split split;
  std::string hash;       // of `split`
  std::string data_hash;  // of ids, contents and parts; empty until the contents are known
};

// A cell with everything that decides its numbers, before it is fitted.
struct PlannedCell {
  Cell cell;
  const probes::ProbeChoice* probe = nullptr;
  const features::Features* features = nullptr;  // null: not extracted, or `failure` says why there are none
  const SubsetSplit* split = nullptr;
  std::string failure;
  std::string key;  // empty in a dry run where it can't be known yet
  // Of everything that decides its fit, the seed only where it does: cells of one fit_key differ in their seed's name
  // alone. Empty where `key` is, or stands for a failure.
  std::string fit_key;
};

// A result with its test scores and the model; without them where it failed.
struct FittedCell {
  Result result;
  std::optional<SavedScores> scores;
  std::unique_ptr<probes::ProbeModel> model = {};
};

// The task's data: in the registry below the request's roots, or the user's own. Error as the readers throw it.
datasets::Dataset open_dataset(const Task& task, const RunRequest& request, Log& log);

// The probe of a task that names none.
std::string default_probe(datasets::TargetKind kind);

class TaskRun {
 public:
  // `request` is resolved() and outlives this, as does `context`. Error{missing|input|usage} for the data.
  TaskRun(const RunRequest& request, Task task, const Context& context);
  TaskRun(const TaskRun&) = delete;
  TaskRun& operator=(const TaskRun&) = delete;

  // Error where no backbone has features, or for the data's own defects.
  void extract();
  // Only these items' rows, which are kept (request.extract) and not looked at: a shard's part of extract().
  void extract_part(std::span<const std::uint32_t> items);
  // Of these items: rows of all backbones and taps that request.extract.cache lacks, as far as is known without
  // reading an image.
  std::size_t count_missing(std::span<const std::uint32_t> items) const;
  // What extract() would have to do; `read_unknown` as feature_status() has it. After it plan() gives the cells of a
  // dry run.
  const std::vector<features::FeatureStatus>& look(bool read_unknown = false);

  std::vector<PlannedCell> plan() const;
  // Never throws but for a stop: a failure is the cell's result. Safe from several threads.
  FittedCell fit(const PlannedCell& planned, const Context& context) const;
  // One result a cell, in order, with the scores and a linear model's weights written below `out`. The cells are one,
  // or several of one fit_key, which are fitted once: the first has its seconds, the others took none.
  std::vector<Result> fit_and_keep(std::span<const PlannedCell* const> cells, const Path& out,
                                   const Context& context) const;

  // splits/<task>.csv, and one for each subset and seed, below `out`; skipped/<task>.csv where images couldn't be read:
  // each with the part it would have been in.
  void write_splits(const Path& out) const;

  const Task& task() const { return task_; }
  const datasets::Dataset& dataset() const { return dataset_; }
  const datasets::Targets& targets() const { return targets_; }
  std::size_t fit_rows() const;  // of the largest cell: train + val
  std::size_t test_images() const;

 private:
  // A backbone of the table, in the request's order.
  struct Row {
    features::FeatureRequest request;
    std::vector<features::Features> features;     // by tap; empty: not extracted, or failed
    std::vector<features::FeatureStatus> status;  // by tap, after look()
    std::string failure;
  };
  // An error on one line, as footnotes have it.
  static std::string words_of(const Error& error);
  std::vector<features::FeatureTap> wanted_taps() const;
  std::vector<features::FeatureRequest> feature_requests() const;  // of the rows that didn't fail
  std::vector<Row*> with_features();
  void extract_rows(const std::vector<Row*>& rows);
  void find_failing(const Error& error);
  datasets::Split thinned(const TrainSubset& subset, std::uint64_t seed) const;
  std::vector<int> folds_within(std::span<const std::uint32_t> train, std::uint64_t seed) const;
  void note_ties();
  void note_straddling_groups();
  // What is printed below a row of random weights: which architecture's floor it is.
  std::optional<std::string> random_note(const features::Features& features) const;
  void draw_subsets();
  void hash_data(std::span<const ContentHash> contents);
  void leave_out_unreadable();
  void plan_row(const Row& row, const features::FeatureTap& tap, const features::Features* features,
                const features::FeatureKey* key, std::vector<PlannedCell>& cells) const;
  // `planned.key` and `fit_key`; both stay empty where the data aren't known yet.
  void set_keys(PlannedCell& planned, const features::FeatureKey* features) const;
  const SubsetSplit& split_for(const TrainSubset& subset, std::uint64_t seed) const;
  Result describe(const PlannedCell& planned) const;
  // A probe on the cell's features, and test scored with it; the same for one that learns from the images themselves.
  FittedAndTested fit_features(const PlannedCell& planned, const probes::Probe& probe, const Context& context) const;
  FittedAndTested fit_images(const PlannedCell& planned, probes::FinetuneSettings settings) const;
  void fit_into(FittedCell& cell, const PlannedCell& planned, const Context& context) const;

  const RunRequest& request_;
  const Context& context_;
  Task task_;
  datasets::Dataset dataset_;
  Draws draws_;
  datasets::Split split_;
  datasets::Targets targets_;
  std::string targets_hash_, split_hash_;
  std::vector<SubsetSplit> splits_;  // the first is the whole one
  std::vector<Row> rows_;
  std::vector<probes::ProbeChoice> probes_;
  std::vector<features::FeatureStatus> status_;
  std::vector<std::string> notes_;
  std::string skipped_csv_;  // empty where every image was read
};

// Where the split of a cell is stored below the run's folder: "splits/emotion.csv", with the target, condition and
// subset in its name where they are not the usual ones. `of_subset`: the split as thinned for the cell.
Path split_file(const Cell& cell, bool of_subset);

// The same of a result: `probe`'s splits are named by their hash too, since one folder may hold several of one name.
Path split_file(const Result& result, bool of_subset);

// The cells of a task whose data can't be had, each failed with `reason`.
std::vector<Result> failed_task(const RunRequest& request, const Task& task, const std::string& reason);

}  // namespace vise::experiments

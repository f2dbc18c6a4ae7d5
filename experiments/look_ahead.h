// What a run would do, without doing it: `run --dry-run`.
//
//   const LookAhead ahead = look_ahead(request, context);
//   ahead.cells.size(); ahead.known; ahead.seconds;
//
// Data sets are opened and split, stores and earlier results are read; no image is opened, nothing is fetched, fitted
// or written. Of data that aren't there, page, licence and tree are printed; of weights, where they are or would come
// from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/result.h"
#include "experiments/run_request.h"
#include "extract/features/feature_status.h"

namespace vise::experiments {

struct PlannedFeatures {
  std::string task;
  features::FeatureStatus status;
};

// What a task's models will be judged on.
struct PlannedTest {
  std::string task, target;
  bool of_classes = false;      // accuracies can be compared
  bool is_one_of_many = false;  // a fold, or one of several drawn splits
  std::size_t images = 0;
};

enum class CellState { known, open, fails };

struct CellAhead {
  Cell cell;
  CellState state = CellState::open;  // known: its result would be taken; fails: its features or data can't be had
};

// A task whose data can't be had, and what to do about it.
struct FailingTask {
  std::string name, why, hint;
};

// Of each backbone of weights once, whatever tasks ask for it.
struct WeightsAhead {
  std::string backbone, licence;
  features::WeightsStatus status;
};

struct LookAhead {
  std::vector<FailingTask> failing_tasks;
  std::vector<WeightsAhead> weights;
  std::vector<PlannedFeatures> features;
  std::vector<PlannedTest> tests;  // a task that can be had each
  std::vector<CellAhead> cells;
  std::size_t known = 0, open = 0, failing = 0;
  std::size_t images = 0;  // forward passes to come, an image and network each
  // From rates measured earlier in this cache and this run's folder; nothing where some rate isn't known.
  std::optional<double> extract_seconds, fit_seconds;
  // Whether networks that fp32 will compute could be computed in bf16; and, where this CPU has it, the extraction's
  // seconds then: from rates of bf16 where they are known, else fp32's by bf16_gain().
  bool could_be_bf16 = false;
  std::optional<double> bf16_extract_seconds;

  bool lacks_something() const;  // data or weights that can't be had
};

// Error as run() for what would end it.
LookAhead look_ahead(const RunRequest& request, const Context& context);

}  // namespace vise::experiments

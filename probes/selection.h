// The one rule of selection: every candidate is fitted on train and scored on val, or on the held-out rows of every
// fold; the best (mean) score wins; ties go to the candidate that comes first, so grids begin with the strongest
// regularisation; the winner is refitted on train + val.
//
//   const Pool pool = make_pool(train, val);
//   Selector selector(pool, "accuracy", candidates);
//   for (fold) for (candidate) selector.record(candidate, fold, scores_of_held_out_rows);   // any order, any thread
//   Selection selection = selector.choose();
//
// With one candidate, or neither val nor folds, there is nothing to choose: there are no folds and the fallback is
// taken.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "datasets/targets.h"
#include "probes/probe.h"
#include "probes/treatment.h"
#include "probes/views.h"

namespace vise::probes {

// Which rows of the pool to fit on, and which to score.
struct Fold {
  std::vector<std::uint32_t> fit, score;
};

// Train's rows, then val's; rows whose target isn't known are left out. Borrows the features from the views, or owns
// them where they had to be treated.
struct Pool {
  std::size_t dim = 0;
  std::vector<const float*> rows;
  std::size_t tokens = 0;                    // 0: pooled rows; else `halves` has them, and `rows` is empty
  std::vector<const std::uint16_t*> halves;  // T x C each
  datasets::Targets targets;
  std::size_t train_rows = 0;
  bool has_val = false;
  std::vector<Fold> folds;  // one for val; else one a fold; else none
  std::string selected_on;  // "val (60 rows)", "5-fold cross-validation on train", "nothing to choose"
  std::shared_ptr<const Treatment> treatment;
  std::shared_ptr<const std::vector<float>> treated;  // what `rows` points to, unless the treatment is none

  std::size_t size() const { return rows.size() + halves.size(); }
  std::vector<const float*> rows_of(std::span<const std::uint32_t> chosen) const;
  std::vector<const std::uint16_t*> halves_of(std::span<const std::uint32_t> chosen) const;
  Scores predict(const ProbeModel& model, std::span<const std::uint32_t> chosen) const;
};

// Error{input} where no row of train has a known target, widths or class names of train and val differ, a feature isn't
// finite, or there are fewer than two classes (or shares of a distribution). Rows of tokens take no treatment.
Pool make_pool(const TrainView& train, const ValView* val, Treatment treatment = {});
// `a` then `b`, which must be of one kind with the same names.
datasets::Targets concatenate(const datasets::Targets& a, const datasets::Targets& b);

using Parameters = std::map<std::string, double>;

// One parameter's values as candidates, in the order given.
std::vector<Parameters> candidates_of(const std::string& parameter, const std::vector<double>& values);

class Selector {
 public:
  // `metric` as in selection_score(). `pool` must outlive the selector.
  Selector(const Pool& pool, std::string metric, std::vector<Parameters> candidates);

  // False: there is nothing to choose, and no fold needs to be run.
  bool needed() const { return candidates_.size() > 1 && !pool_.folds.empty(); }
  // The held-out scores of a candidate, rows in the order of pool.folds[fold].score. Thread-safe.
  void record(std::size_t candidate, std::size_t fold, const Scores& scores);
  // After the last record(); `fallback` is the candidate taken where nothing is to choose.
  std::size_t best(std::size_t fallback = 0) const;
  // The best of those recorded so far: not every candidate need be.
  std::size_t best_recorded() const;
  bool recorded(std::size_t candidate) const;
  Selection selection(std::size_t chosen) const;

 private:
  double score(std::size_t candidate) const;
  bool on_edge(std::size_t chosen) const;

  const Pool& pool_;
  std::string metric_;
  std::vector<Parameters> candidates_;
  std::vector<datasets::Targets> held_out_;  // a fold
  std::vector<std::vector<double>> scores_;  // candidate, fold; NaN until recorded
  std::mutex mutex_;
};

}  // namespace vise::probes

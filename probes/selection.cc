#include "probes/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/error.h"
#include "probes/evaluate.h"

namespace vise::probes {
namespace {

// A feature that isn't finite would spread through a product to every weight. The row is named, so that its image can
// be found.
void check_finite(const float* row, std::size_t dim, std::size_t i, const char* part) {
  // A sum is finite only if every term is.
  double sum = 0;
  for (std::size_t d = 0; d < dim; ++d) sum += std::abs(static_cast<double>(row[d]));
  if (std::isfinite(sum)) return;
  throw Error(ErrorKind::input, fmt::format("features of {} row {} are not all finite", part, i),
              "extract again, or look at the image and the backbone that made this row");
}

void check_finite(const std::uint16_t* row, std::size_t dim, std::size_t i, const char* part) {
  constexpr std::uint16_t kExponent = 0x7c00;  // all ones: infinity or no number
  if (std::none_of(row, row + dim, [](std::uint16_t half) { return (half & kExponent) == kExponent; })) return;
  throw Error(ErrorKind::input, fmt::format("tokens of {} row {} are not all finite", part, i),
              "extract again, or look at the image and the backbone that made this row");
}

// The rows of `view` with a known target go into the pool; their places in the view are returned.
// `part` names train or val in errors.
std::vector<std::uint32_t> add_rows(const FeatureRows& features, const datasets::Targets& targets, const char* part,
                                    Pool& pool) {
  if (features.size() != targets.size()) {
    throw Error(ErrorKind::input,
                fmt::format("{}: {} feature rows for {} targets", part, features.size(), targets.size()));
  }
  std::vector<std::uint32_t> kept;
  for (std::size_t i = 0; i < features.size(); ++i) {
    // Unknown targets are left out here, once, so that no probe has to think of them.
    if (!targets.known(i)) continue;
    kept.push_back(static_cast<std::uint32_t>(i));
    if (features.tokens() > 0) {
      check_finite(features.halves(i), features.dim(), i, part);
      pool.halves.push_back(features.halves(i));
    } else {
      check_finite(features.row(i), features.dim(), i, part);
      pool.rows.push_back(features.row(i));
    }
  }
  return kept;
}

// One fold: fit on train, score on val.
void add_val_fold(Pool& pool) {
  Fold fold;
  for (std::uint32_t i = 0; i < pool.size(); ++i) (i < pool.train_rows ? fold.fit : fold.score).push_back(i);
  pool.selected_on = fmt::format("val ({} rows)", fold.score.size());
  pool.folds.push_back(std::move(fold));
}

void add_cross_validation(Pool& pool, const std::vector<int>& folds) {
  // A fold number below 0 holds a row out of every score: it is always fitted.
  const std::set<int> names(folds.begin(), folds.end());
  for (const int name : names) {
    if (name < 0) continue;
    Fold fold;
    for (std::uint32_t i = 0; i < folds.size(); ++i) (folds[i] == name ? fold.score : fold.fit).push_back(i);
    pool.folds.push_back(std::move(fold));
  }
  pool.selected_on = fmt::format("{}-fold cross-validation on train", pool.folds.size());
}

// From here on all rows are the treated ones; predictions go through treated_model().
void treat(Pool& pool, Treatment treatment) {
  if (!treatment.none()) {
    // Learned on train alone: val would otherwise take part in what it is to judge.
    treatment.learn(std::span(pool.rows).first(pool.train_rows), pool.dim);
    const std::size_t dim = treatment.dim_out();
    auto values = std::make_shared<std::vector<float>>(pool.size() * dim);
    for (std::size_t i = 0; i < pool.size(); ++i) {
      treatment.apply(pool.rows[i], std::span(*values).subspan(i * dim, dim));
      pool.rows[i] = values->data() + i * dim;
    }
    pool.dim = dim;
    pool.treated = std::move(values);
  }
  pool.treatment = std::make_shared<const Treatment>(std::move(treatment));
}

template <typename T>
std::vector<T> joined(std::span<const T> a, std::span<const T> b) {
  std::vector<T> out(a.begin(), a.end());
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

}  // namespace

// Class names must agree and not only their number: class 2 of one may be class 3 of the other.
datasets::Targets concatenate(const datasets::Targets& a, const datasets::Targets& b) {
  if (a.kind() != b.kind() || a.names() != b.names()) {
    throw Error(ErrorKind::input, "train and val have different classes or kinds of target");
  }
  switch (a.kind()) {
    case datasets::TargetKind::classes:
      return datasets::Targets::from_classes(joined(a.classes(), b.classes()), a.names());
    case datasets::TargetKind::multi_label:
      return datasets::Targets::from_multi_label(joined(a.multi_label(), b.multi_label()), a.names());
    case datasets::TargetKind::distribution:
      return datasets::Targets::from_distribution(joined(a.rows(), b.rows()), a.names());
    case datasets::TargetKind::values:
      break;
  }
  return datasets::Targets::from_values(joined(a.rows(), b.rows()), a.names());
}

std::vector<const float*> Pool::rows_of(std::span<const std::uint32_t> chosen) const {
  std::vector<const float*> pointers;
  for (const std::uint32_t row : chosen) pointers.push_back(rows[row]);
  return pointers;
}

std::vector<const std::uint16_t*> Pool::halves_of(std::span<const std::uint32_t> chosen) const {
  std::vector<const std::uint16_t*> pointers;
  for (const std::uint32_t row : chosen) pointers.push_back(halves[row]);
  return pointers;
}

Scores Pool::predict(const ProbeModel& model, std::span<const std::uint32_t> chosen) const {
  if (tokens > 0) {
    const std::vector<const std::uint16_t*> pointers = halves_of(chosen);
    return model.predict(FeatureRows(pointers, dim, tokens));
  }
  const std::vector<const float*> pointers = rows_of(chosen);
  return model.predict(FeatureRows(pointers, dim));
}

Pool make_pool(const TrainView& train, const ValView* val, Treatment treatment) {
  Pool pool;
  pool.dim = train.features.dim();
  pool.tokens = train.features.tokens();
  const auto kept = add_rows(train.features, train.targets, "train", pool);
  if (kept.empty()) throw Error(ErrorKind::input, "no row of train has a known target");
  const bool shares = train.targets.kind() == datasets::TargetKind::classes ||
                      train.targets.kind() == datasets::TargetKind::distribution;
  if (shares && train.targets.width() < 2) {
    throw Error(ErrorKind::input, fmt::format("a probe needs two classes; train has {}", train.targets.width()));
  }
  pool.targets = train.targets.select(kept);
  pool.train_rows = kept.size();
  pool.selected_on = "nothing to choose";
  if (val) {
    if (val->features.dim() != pool.dim) {
      throw Error(ErrorKind::input,
                  fmt::format("features of val are {} wide, of train {}", val->features.dim(), pool.dim));
    }
    const auto kept_val = add_rows(val->features, val->targets, "val", pool);
    pool.targets = concatenate(pool.targets, val->targets.select(kept_val));
    pool.has_val = !kept_val.empty();
    if (pool.has_val) add_val_fold(pool);
  }
  // Folds only where there is no val: one rule of selection at a time, and val is the
  // published one where a data set has it.
  if (!pool.has_val && !train.folds.empty()) {
    std::vector<int> folds;
    for (const std::uint32_t i : kept) folds.push_back(train.folds[i]);
    add_cross_validation(pool, folds);
  }
  treat(pool, std::move(treatment));
  return pool;
}

std::vector<Parameters> candidates_of(const std::string& parameter, const std::vector<double>& values) {
  std::vector<Parameters> candidates;
  for (const double value : values) candidates.push_back({{parameter, value}});
  return candidates;
}

Selector::Selector(const Pool& pool, std::string metric, std::vector<Parameters> candidates)
    : pool_(pool), metric_(std::move(metric)), candidates_(std::move(candidates)) {
  check_selection_metric(metric_, pool.targets.kind());
  for (const Fold& fold : pool.folds) held_out_.push_back(pool.targets.select(fold.score));
  scores_.assign(candidates_.size(), std::vector<double>(pool.folds.size(), std::nan("")));
}

// Thread-safe: the metric is computed outside the lock, which guards one number.
void Selector::record(std::size_t candidate, std::size_t fold, const Scores& scores) {
  const double value = selection_score(scores, held_out_[fold], metric_);
  const std::lock_guard lock(mutex_);
  // NaN marks a candidate that is not recorded yet, so an undefined score must be something else: the worst.
  scores_[candidate][fold] = std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
}

// Undefined in any fold is minus infinity in the mean.
double Selector::score(std::size_t candidate) const {
  double sum = 0;
  for (const double value : scores_[candidate]) sum += value;
  return sum / static_cast<double>(scores_[candidate].size());
}

std::size_t Selector::best(std::size_t fallback) const {
  if (!needed()) return candidates_.size() > 1 ? fallback : 0;
  return best_recorded();
}

bool Selector::recorded(std::size_t candidate) const {
  const std::vector<double>& scores = scores_[candidate];
  return std::none_of(scores.begin(), scores.end(), [](double v) { return std::isnan(v); });
}

// The first of equal candidates wins, and candidates begin with the strongest regularisation.
std::size_t Selector::best_recorded() const {
  // Means of the same numbers in another order differ in the last bits: that is a tie.
  constexpr double kTie = 1e-12;
  std::size_t best = candidates_.size();
  for (std::size_t c = 0; c < candidates_.size(); ++c) {
    if (recorded(c) && (best == candidates_.size() || score(c) > score(best) + kTie)) best = c;
  }
  return best;
}

// Of any of the candidate's parameters.
bool Selector::on_edge(std::size_t chosen) const {
  for (const auto& [name, value] : candidates_[chosen]) {
    double low = value, high = value;
    for (const Parameters& other : candidates_) {
      low = std::min(low, other.at(name));
      high = std::max(high, other.at(name));
    }
    // The best value at a grid's edge says that the true optimum may be outside; results carry it.
    if (low < high && (value == low || value == high)) return true;
  }
  return false;
}

// Candidates that were not fitted (coarse to fine) are not in the curve.
Selection Selector::selection(std::size_t chosen) const {
  Selection selection;
  selection.metric = metric_;
  selection.chosen = candidates_[chosen];
  selection.selected_on = "nothing to choose";
  selection.refit_on_val = pool_.has_val;
  if (!needed()) return selection;
  selection.selected_on = pool_.selected_on;
  selection.on_edge = on_edge(chosen);
  for (std::size_t c = 0; c < candidates_.size(); ++c) {
    if (!recorded(c)) continue;
    selection.curve.push_back({candidates_[c], score(c)});
    selection.fold_scores.insert(selection.fold_scores.end(), scores_[c].begin(), scores_[c].end());
  }
  return selection;
}

}  // namespace vise::probes

#include "probes/nested.h"

#include <algorithm>
#include <numeric>

#include "datasets/split.h"

namespace vise::probes {
namespace {

// The groups of some rows; none where there are none.
std::vector<std::string> groups_of(std::span<const std::string> groups, std::span<const std::uint32_t> rows) {
  std::vector<std::string> chosen;
  for (const std::uint32_t row : rows) {
    if (!groups.empty()) chosen.push_back(groups[row]);
  }
  return chosen;
}

std::vector<const float*> pick(std::span<const float* const> rows, std::span<const std::uint32_t> chosen) {
  std::vector<const float*> pointers;
  for (const std::uint32_t row : chosen) pointers.push_back(rows[row]);
  return pointers;
}

}  // namespace

std::vector<NestedFold> nested_cross_validation(const Probe& probe, std::span<const float* const> rows, std::size_t dim,
                                                const datasets::Targets& targets, std::span<const std::string> groups,
                                                const NestedPlan& plan, const Context& context) {
  const std::vector<int> outer =
      datasets::make_folds(targets.strata(), groups, plan.outer, "probe/nested/outer", plan.seed);
  std::vector<NestedFold> folds(static_cast<std::size_t>(plan.outer));
  for (std::size_t f = 0; f < folds.size(); ++f) {
    context.throw_if_stopped();
    context.log.progress("outer folds", f, folds.size());
    NestedFold& fold = folds[f];
    std::vector<std::uint32_t> fit;
    for (std::uint32_t row = 0; row < outer.size(); ++row) {
      // Rows without a known target are in no fold: they neither fit nor score.
      if (outer[row] >= 0) (outer[row] == static_cast<int>(f) ? fold.rows : fit).push_back(row);
    }
    const datasets::Targets fit_targets = targets.select(fit);
    const std::vector<int> inner =
        // The inner folds are made of the outer training rows alone, so the choice of a candidate
        // never sees the rows that judge it (Varma & Simon 2006).
        datasets::make_folds(fit_targets.strata(), groups_of(groups, fit), plan.inner, "probe/nested/inner",
                             plan.seed + f);
    const std::vector<const float*> fit_rows = pick(rows, fit), held_out = pick(rows, fold.rows);
    fold.fitted = probe.fit({FeatureRows(fit_rows, dim), fit_targets, inner}, nullptr, context);
    fold.scores = fold.fitted.model->predict(FeatureRows(held_out, dim));
  }
  return folds;
}

// Every row is scored by the model that did not see it, and all of them make one set of scores.
Scores pooled(std::span<const NestedFold> folds, std::vector<std::uint32_t>& rows) {
  rows.clear();
  for (const NestedFold& fold : folds) rows.insert(rows.end(), fold.rows.begin(), fold.rows.end());
  std::sort(rows.begin(), rows.end());
  Scores scores{rows.size(), folds.front().scores.columns, {}};
  scores.values.resize(scores.rows * scores.columns);
  for (const NestedFold& fold : folds) {
    for (std::size_t i = 0; i < fold.rows.size(); ++i) {
      const auto place =
          static_cast<std::size_t>(std::lower_bound(rows.begin(), rows.end(), fold.rows[i]) - rows.begin());
      std::copy_n(&fold.scores.values[i * scores.columns], scores.columns, &scores.values[place * scores.columns]);
    }
  }
  return scores;
}

}  // namespace vise::probes

// The part of SectionEvidence that resamples: intervals of every metric, and what tests of the primary one need.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/threads.h"
#include "reports/evidence.h"
#include "reports/statistics/bootstrap.h"
#include "reports/statistics/intervals.h"
#include "reports/statistics/seed_means.h"

namespace vise {
namespace {

// Models whose replicates of every metric are in memory at once: 16 x 12 metrics x 10,000 doubles are 15 MB.
constexpr std::size_t kModelsAtOnce = 16;

// Of one row: [metric][seed][resample], and [metric][seed] of the items themselves.
struct Replicates {
  std::vector<std::vector<std::vector<double>>> resampled;
  std::vector<std::vector<double>> values;

  Replicates(std::size_t metrics, std::size_t seeds, std::size_t resamples)
      : resampled(metrics, std::vector(seeds, std::vector<double>(resamples))),
        values(metrics, std::vector<double>(seeds)) {}
};

void evaluate_block(const RowEvidence& row, std::span<const std::string_view> metrics,
                    std::span<const std::uint16_t> counts, std::size_t first, std::size_t lanes,
                    Replicates& replicates) {
  std::vector<double> values(metrics.size() * kLanes);
  for (std::size_t s = 0; s < row.seeds.size(); ++s) {
    row.seeds[s].evaluate_lanes(metrics, counts, values);
    for (std::size_t m = 0; m < metrics.size(); ++m)
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(m * kLanes), lanes,
                  replicates.resampled[m][s].begin() + static_cast<std::ptrdiff_t>(first));
  }
}

void evaluate_items(const RowEvidence& row, std::span<const std::string_view> metrics, std::size_t items,
                    Replicates& replicates) {
  const std::vector<std::uint16_t> once(items * kLanes, 1);
  std::vector<double> values(metrics.size() * kLanes);
  for (std::size_t s = 0; s < row.seeds.size(); ++s) {
    row.seeds[s].evaluate_lanes(metrics, once, values);
    for (std::size_t m = 0; m < metrics.size(); ++m) replicates.values[m][s] = values[m * kLanes];
  }
}

// a minus b, resample by resample.
std::vector<double> seed_differences(const ResampledSeeds& a, const ResampledSeeds& b, std::uint64_t seed) {
  if (a.replicates.size() == b.replicates.size()) {  // paired by seed as well
    ResampledSeeds change = a;
    for (std::size_t s = 0; s < change.values.size(); ++s) {
      change.values[s] -= b.values[s];
      for (std::size_t r = 0; r < change.replicates[s].size(); ++r) change.replicates[s][r] -= b.replicates[s][r];
    }
    return seed_mean_replicates(change.values, change.replicates, a.stream, seed);
  }
  std::vector<double> deltas = seed_mean_replicates(a.values, a.replicates, a.stream, seed);
  const std::vector<double> others = seed_mean_replicates(b.values, b.replicates, b.stream, seed);
  for (std::size_t r = 0; r < deltas.size(); ++r) deltas[r] -= others[r];
  return deltas;
}

// Without resamples that a fold leaves undefined.
std::vector<double> mean_over_folds(const std::vector<std::vector<double>>& of_folds) {
  std::vector<double> means(of_folds.front().size());
  for (std::size_t r = 0; r < means.size(); ++r) {
    for (const std::vector<double>& fold : of_folds) means[r] += fold[r];
    means[r] /= static_cast<double>(of_folds.size());
  }
  std::erase_if(means, [](double v) { return std::isnan(v); });
  return means;
}

bool has_width(const Interval& interval) { return interval.high - interval.low > 1e-12; }

// Of a metric with these values by seed and resampled means. A model that is right on all or on no test image of each
// class, as a floor is, has the same accuracy in every resample within classes: the bootstrap knows no interval then,
// and accuracy, being a proportion, has Clopper and Pearson's.
std::optional<Interval> interval_over_items(std::string_view metric, std::span<const double> values,
                                            std::vector<double> means, std::size_t items, double level) {
  const auto interval = percentile_interval(std::move(means), level);
  if (!interval || has_width(*interval)) return interval;
  if (metric != "accuracy" || std::ranges::any_of(values, [&](double v) { return v != values.front(); })) return {};
  const double right = std::round(values.front() * static_cast<double>(items));
  return clopper_pearson_interval(static_cast<std::uint64_t>(right), items, level);
}

}  // namespace

void SectionEvidence::resample(const TableSection& section, const CompareOptions& options, const Context& context) {
  stream_ = "reports/seeds/" + section.split_hash;
  seed_ = options.seed;
  for (std::size_t first = 0, end = 0; first < rows_.size(); first = end) {
    std::size_t models = 0;
    for (end = first; end < rows_.size() && (end == first || models + rows_[end].seeds.size() <= kModelsAtOnce); ++end)
      models += rows_[end].seeds.size();
    resample_rows(section, std::span(rows_).subspan(first, end - first), options, context);
  }
}

void SectionEvidence::resample_rows(const TableSection& section, std::span<RowEvidence> rows,
                                    const CompareOptions& options, const Context& context) {
  const auto wanted = static_cast<std::size_t>(std::max(0, options.resamples));
  const std::vector<std::string_view> names(metrics_.begin(), metrics_.end());
  std::vector<Replicates> replicates;
  for (const RowEvidence& row : rows) {
    replicates.emplace_back(names.size(), row.seeds.size(), wanted);
    evaluate_items(row, names, y_.size(), replicates.back());
  }
  const Resampler resampler(y_, "reports/bootstrap/" + section.split_hash, options.seed);
  parallel_for(context.threads, (wanted + kLanes - 1) / kLanes, [&](std::size_t block) {
    context.throw_if_stopped();
    std::vector<std::uint16_t> counts(y_.size() * kLanes);
    resampler.block(block, counts);
    const std::size_t first = block * kLanes, lanes = std::min(wanted - first, kLanes);
    for (std::size_t r = 0; r < rows.size(); ++r) evaluate_block(rows[r], names, counts, first, lanes, replicates[r]);
  });
  parallel_for(context.threads, rows.size(), [&](std::size_t r) {
    for (std::size_t m = 0; m < names.size() && !rows[r].seeds.empty(); ++m) {
      auto& [resampled, values] = replicates[r];
      std::vector<double> means = seed_mean_replicates(values[m], resampled[m], stream_, seed_);
      std::erase_if(means, [](double v) { return std::isnan(v); });
      rows[r].intervals[metrics_[m]] = interval_over_items(names[m], values[m], std::move(means), y_.size(), level_);
      if (names[m] != section.primary_metric) continue;
      rows[r].primary = {{stream_, std::move(values[m]), std::move(resampled[m])}};
    }
  });
}

std::vector<double> SectionEvidence::resampled_differences(const RowEvidence& a, const RowEvidence& b) const {
  std::vector<std::vector<double>> of_folds;
  for (std::size_t f = 0; f < a.primary.size(); ++f)
    of_folds.push_back(seed_differences(a.primary[f], b.primary[f], seed_));
  return mean_over_folds(of_folds);
}

// A fold's images are its own, and so are its resamples: the mean of the folds' r-th resamples is one of their mean.
SectionEvidence::SectionEvidence(ComparisonTable& table, TableSection& mean, std::span<const SectionEvidence> all,
                                 const CompareOptions& options)
    : rows_(mean.rows.size()), level_(options.level), seed_(options.seed) {
  std::unordered_set<std::string_view> seen;
  for (const std::size_t s : mean.folds)
    for (const std::string& id : all[s].ids_) {
      if (seen.insert(id).second) continue;
      mean.notes.push_back(
          add_footnote(table, "The splits share test images: their mean has no interval and no test."));
      return;
    }
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    std::vector<std::vector<double>> of_folds;
    for (std::size_t f = 0; f < mean.folds.size(); ++f) {
      const RowEvidence& row = all[mean.folds[f]].rows_[mean.rows[r].fold_rows[f]];
      if (row.primary.empty()) break;
      const ResampledSeeds& seeds = rows_[r].primary.emplace_back(row.primary.front());
      of_folds.push_back(seed_mean_replicates(seeds.values, seeds.replicates, seeds.stream, seed_));
    }
    if (of_folds.size() < mean.folds.size())
      rows_[r].primary.clear();
    else if (const auto interval = percentile_interval(mean_over_folds(of_folds), level_);
             interval && has_width(*interval))
      rows_[r].intervals[mean.primary_metric] = interval;
  }
}

void SectionEvidence::add_intervals(TableSection& section) const {
  for (std::size_t r = 0; r < rows_.size(); ++r)
    for (std::size_t m = 0; m < section.metrics.size(); ++m)
      if (const auto found = rows_[r].intervals.find(section.metrics[m]); found != rows_[r].intervals.end())
        section.rows[r].metrics[m].interval = found->second;
}

}  // namespace vise

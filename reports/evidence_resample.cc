// The part of SectionEvidence that resamples: intervals of every metric, and what tests of the primary one need.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/threads.h"
#include "reports/compare.h"
#include "reports/evidence.h"
#include "reports/folds.h"
#include "reports/metric_names.h"
#include "reports/statistics/bootstrap.h"
#include "reports/statistics/corrected_t.h"
#include "reports/statistics/intervals.h"
#include "reports/statistics/seed_means.h"

namespace vise::reports {
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

// Writes resamples first to first + lanes of every metric and seed. The last block has fewer lanes than kLanes, whose
// rest nobody reads.
void evaluate_block(const RowEvidence& row, std::span<const std::string_view> metrics,
                    std::span<const std::uint16_t> counts, std::size_t first, std::size_t lanes,
                    Replicates& replicates) {
  std::vector<double> values(metrics.size() * probes::kLanes);
  for (std::size_t s = 0; s < row.seeds.size(); ++s) {
    row.seeds[s].metrics.evaluate(metrics, counts, values);
    for (std::size_t m = 0; m < metrics.size(); ++m)
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(m * probes::kLanes), lanes,
                  replicates.resampled[m][s].begin() + static_cast<std::ptrdiff_t>(first));
  }
}

// The metrics of the items themselves, which is a resample with every count 1: no counts say that.
void evaluate_items(const RowEvidence& row, std::span<const std::string_view> metrics, Replicates& replicates) {
  std::vector<double> values(metrics.size());
  for (std::size_t s = 0; s < row.seeds.size(); ++s) {
    row.seeds[s].metrics.evaluate(metrics, {}, values);
    for (std::size_t m = 0; m < metrics.size(); ++m) replicates.values[m][s] = values[m];
  }
}

// An interval of no width is an artefact of equal resamples, not certainty. The bound absorbs the rounding of sums.
bool has_width(const Interval& interval) { return interval.high - interval.low > 1e-12; }

// Shares stay between 0 and 1.
Interval within_range(std::string_view metric, Interval interval) {
  if (!metric_name(metric).percent) return interval;
  return {std::max(0.0, interval.low), std::min(1.0, interval.high)};
}

// Of one model the percentiles of its resamples; of several what images and seeds leave open together.
std::optional<Interval> interval_of(std::string_view metric, const SeedMean& mean, double level) {
  if (mean.df > 0) {
    const auto interval = test_seed_mean(mean, level).interval;
    return interval ? std::optional(within_range(metric, *interval)) : std::nullopt;
  }
  std::vector<double> defined = mean.replicates;
  std::erase_if(defined, [](double v) { return std::isnan(v); });
  return percentile_interval(std::move(defined), level);
}

// Of a metric of a row's models. One that is right on all or on no test image of each class, as a floor is, has the
// same accuracy in every resample within classes: the bootstrap knows no interval then, and accuracy, being a
// proportion, has Clopper and Pearson's.
std::optional<Interval> interval_over_items(std::string_view metric, const ResampledSeeds& seeds, std::size_t items,
                                            double level) {
  const auto interval = interval_of(metric, seed_mean(seeds), level);
  if (interval && has_width(*interval)) return interval;
  const std::vector<double>& values = seeds.values;
  if (metric != "accuracy" || std::ranges::any_of(values, [&](double v) { return v != values.front(); })) return {};
  const double right = std::round(values.front() * static_cast<double>(items));
  return clopper_pearson_interval(static_cast<std::uint64_t>(right), items, level);
}

}  // namespace

// Some rows at a time, each with all of its seeds: a row's mean needs them together, and memory stays bounded
// whatever the table's size.
void SectionEvidence::resample(const TableSection& section, const CompareOptions& options, const Context& context) {
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
    evaluate_items(row, names, replicates.back());
  }
  // Named after the split: rows of one split meet the same resamples, whichever run they are
  // from, so that differences are paired resample by resample.
  const Resampler resampler(y_, "reports/bootstrap/" + section.split_hash, options.seed);
  // Blocks run in parallel; each writes to its own resamples of `replicates`, so no lock is needed and the result
  // doesn't depend on the threads.
  parallel_for(context.threads, (wanted + probes::kLanes - 1) / probes::kLanes, [&](std::size_t block) {
    context.throw_if_stopped();
    std::vector<std::uint16_t> counts(y_.size() * probes::kLanes);
    // A block's counts serve every row and metric before the next block is drawn: counts
    // are the only thing that a resample is.
    resampler.block(block, counts);
    const std::size_t first = block * probes::kLanes, lanes = std::min(wanted - first, probes::kLanes);
    for (std::size_t r = 0; r < rows.size(); ++r) evaluate_block(rows[r], names, counts, first, lanes, replicates[r]);
  });
  // From here on a row's replicates of metrics other than the primary one are dropped: only their intervals are kept.
  parallel_for(context.threads, rows.size(), [&](std::size_t r) {
    for (std::size_t m = 0; m < names.size() && !rows[r].seeds.empty(); ++m) {
      auto& [resampled, values] = replicates[r];
      ResampledSeeds seeds{std::move(values[m]), std::move(resampled[m])};
      rows[r].intervals[metrics_[m]] = interval_over_items(names[m], seeds, y_.size(), level_);
      if (names[m] == section.primary_metric) rows[r].primary = {std::move(seeds)};
    }
  });
}

// Every metric of the mean, from its values on the splits.
void SectionEvidence::evaluate_draws(const TableSection& mean, const ComparisonTable& table) {
  const TableSection& first = table.sections[mean.folds.front()];
  // Nadeau & Bengio 2003: splits drawn from one pool share training images, so that their spread
  // understates the variance; the correction is by test to training size.
  test_to_train_ = static_cast<double>(first.sizes.test) / static_cast<double>(first.sizes.train + first.sizes.val);
  for (std::size_t r = 0; r < rows_.size(); ++r)
    for (std::size_t m = 0; m < mean.metrics.size() && !mean.rows[r].failed; ++m) {
      std::vector<double> values;
      for (std::size_t f = 0; f < mean.folds.size(); ++f) {
        const TableSection& split = table.sections[mean.folds[f]];
        const auto at = std::ranges::find(split.metrics, mean.metrics[m]);
        if (at == split.metrics.end()) break;
        const auto& value =
            split.rows[mean.rows[r].fold_rows[f]].metrics[static_cast<std::size_t>(at - split.metrics.begin())].value;
        if (value) values.push_back(*value);
      }
      if (values.size() < mean.folds.size()) continue;
      if (const auto interval = corrected_t(values, test_to_train_, level_).interval)
        rows_[r].intervals[mean.metrics[m]] = within_range(mean.metrics[m], *interval);
      if (mean.metrics[m] == mean.primary_metric) rows_[r].draws = std::move(values);
    }
}

// Of a mean over folds: nothing is resampled again, as each fold's own resamples are kept for its primary metric.
SectionEvidence::SectionEvidence(ComparisonTable& table, TableSection& mean, std::span<const SectionEvidence> all,
                                 const CompareOptions& options)
    : rows_(mean.rows.size()), level_(options.level) {
  if (is_drawn_several_times(table.sections[mean.folds.front()])) {
    evaluate_draws(mean, table);
    return;
  }
  // Folds have disjoint test sets, so their errors are independent; splits that share
  // test images are not folds.
  std::unordered_set<std::string_view> seen;
  for (const std::size_t s : mean.folds)
    for (const std::string& id : all[s].ids_) {
      if (seen.insert(id).second) continue;
      mean.notes.push_back(
          add_footnote(table, "The splits share test images: their mean has no interval and no test."));
      return;
    }
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    std::vector<SeedMean> of_folds;
    for (std::size_t f = 0; f < mean.folds.size(); ++f) {
      const RowEvidence& row = all[mean.folds[f]].rows_[mean.rows[r].fold_rows[f]];
      if (row.primary.empty()) break;
      of_folds.push_back(seed_mean(rows_[r].primary.emplace_back(row.primary.front())));
    }
    if (of_folds.size() < mean.folds.size())
      rows_[r].primary.clear();
    else if (const auto interval = interval_of(mean.primary_metric, mean_of(of_folds), level_);
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

}  // namespace vise::reports

// The part of SectionEvidence that resamples: intervals of every metric, and what tests of the primary one need.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "reports/evidence.h"
#include "reports/statistics/bootstrap.h"
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
      rows[r].intervals[metrics_[m]] = percentile_interval(std::move(means), level_);
      if (names[m] != section.primary_metric) continue;
      rows[r].values = std::move(values[m]);
      rows[r].replicates = std::move(resampled[m]);
    }
  });
}

std::vector<double> SectionEvidence::resampled_differences(const RowEvidence& a, const RowEvidence& b) const {
  std::vector<double> deltas;
  if (a.replicates.size() == b.replicates.size()) {  // paired by seed as well
    std::vector<double> values = a.values;
    std::vector<std::vector<double>> replicates = a.replicates;
    for (std::size_t s = 0; s < values.size(); ++s) {
      values[s] -= b.values[s];
      for (std::size_t r = 0; r < replicates[s].size(); ++r) replicates[s][r] -= b.replicates[s][r];
    }
    deltas = seed_mean_replicates(values, replicates, stream_, seed_);
  } else {
    deltas = seed_mean_replicates(a.values, a.replicates, stream_, seed_);
    const std::vector<double> others = seed_mean_replicates(b.values, b.replicates, stream_, seed_);
    for (std::size_t r = 0; r < deltas.size(); ++r) deltas[r] -= others[r];
  }
  std::erase_if(deltas, [](double d) { return std::isnan(d); });
  return deltas;
}

void SectionEvidence::add_intervals(TableSection& section) const {
  for (std::size_t r = 0; r < rows_.size(); ++r)
    for (std::size_t m = 0; m < section.metrics.size(); ++m)
      if (const auto found = rows_[r].intervals.find(section.metrics[m]); found != rows_[r].intervals.end())
        section.rows[r].metrics[m].interval = found->second;
}

}  // namespace vise

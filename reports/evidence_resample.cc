// The part of SectionEvidence that resamples: intervals of every metric, and the primary one's replicates for tests.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/threads.h"
#include "reports/evidence.h"
#include "reports/statistics/bootstrap.h"
#include "reports/statistics/seed_draws.h"

namespace vise {
namespace {

// Rows whose replicates of every metric are in memory at once: 16 rows x 12 metrics x 10,000 doubles are 15 MB.
constexpr std::size_t kRowsAtOnce = 16;

// [metric][resample] of one row, mean over its seeds as drawn.
using Replicates = std::vector<std::vector<double>>;

// Resamples of one block, added to a row's replicates.
void add_block(const RowEvidence& row, std::span<const std::string_view> metrics, std::span<const std::uint16_t> counts,
               std::span<const double> seed_weights, std::size_t first, std::size_t lanes, Replicates& replicates) {
  std::vector<double> values(metrics.size() * kLanes);
  for (std::size_t s = 0; s < row.seeds.size(); ++s) {
    row.seeds[s].evaluate_lanes(metrics, counts, values);
    for (std::size_t m = 0; m < metrics.size(); ++m)
      for (std::size_t lane = 0; lane < lanes; ++lane)
        if (const double weight = seed_weights[lane * row.seeds.size() + s]; weight > 0)
          replicates[m][first + lane] += weight * values[m * kLanes + lane];
  }
}

}  // namespace

void SectionEvidence::resample(const TableSection& section, const CompareOptions& options, const Context& context) {
  for (std::size_t first = 0; first < rows_.size(); first += kRowsAtOnce)
    resample_rows(section, std::span(rows_).subspan(first, std::min(kRowsAtOnce, rows_.size() - first)), options,
                  context);
}

void SectionEvidence::resample_rows(const TableSection& section, std::span<RowEvidence> rows,
                                    const CompareOptions& options, const Context& context) {
  const auto wanted = static_cast<std::size_t>(std::max(0, options.resamples));
  const std::vector<std::string_view> names(metrics_.begin(), metrics_.end());
  std::vector<Replicates> replicates(rows.size());
  std::map<std::size_t, SeedDraws> draws;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (rows[r].seeds.empty()) continue;
    replicates[r].assign(names.size(), std::vector<double>(wanted));
    draws.try_emplace(rows[r].seeds.size(), rows[r].seeds.size(), "reports/seeds/" + section.split_hash, options.seed);
  }
  if (draws.empty()) return;
  const Resampler resampler(y_, "reports/bootstrap/" + section.split_hash, options.seed);
  parallel_for(context.threads, (wanted + kLanes - 1) / kLanes, [&](std::size_t block) {
    context.throw_if_stopped();
    std::vector<std::uint16_t> counts(y_.size() * kLanes);
    resampler.block(block, counts);
    std::map<std::size_t, std::vector<double>> weights;
    for (const auto& [seeds, of_seeds] : draws)
      of_seeds.block(block, weights.try_emplace(seeds, kLanes * seeds).first->second);
    const std::size_t first = block * kLanes, lanes = std::min(wanted - first, kLanes);
    for (std::size_t r = 0; r < rows.size(); ++r)
      if (!rows[r].seeds.empty())
        add_block(rows[r], names, counts, weights.at(rows[r].seeds.size()), first, lanes, replicates[r]);
  });
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t m = 0; m < replicates[r].size(); ++m) {
      std::vector<double> values =
          metrics_[m] == section.primary_metric ? replicates[r][m] : std::move(replicates[r][m]);
      std::erase_if(values, [](double v) { return std::isnan(v); });
      rows[r].intervals[metrics_[m]] = percentile_interval(std::move(values), level_);
      if (metrics_[m] == section.primary_metric) rows[r].replicates = std::move(replicates[r][m]);
    }
  }
}

void SectionEvidence::add_intervals(TableSection& section) const {
  for (std::size_t r = 0; r < rows_.size(); ++r)
    for (std::size_t m = 0; m < section.metrics.size(); ++m)
      if (const auto found = rows_[r].intervals.find(section.metrics[m]); found != rows_[r].intervals.end())
        section.rows[r].metrics[m].interval = found->second;
}

}  // namespace vise

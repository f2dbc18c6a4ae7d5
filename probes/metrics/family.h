// Metrics that share what they prepare, below WeightedMetrics. Private to the metrics' sources.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/targets.h"
#include "probes/metrics/lanes.h"
#include "probes/metrics/metrics.h"
#include "probes/probe.h"

namespace vise::probes {

class MetricFamily {
 public:
  struct Wanted {
    std::string_view name;
    double* values;  // a lane each, NaN at first
  };

  virtual ~MetricFamily() = default;
  virtual std::vector<std::string> names() const = 0;
  // `counts` is rows x lanes, lanes being 1 or kLanes. Names of other families are left alone.
  virtual void evaluate(std::span<const Wanted> wanted, const std::uint16_t* counts, std::size_t lanes) const = 0;
};

using Families = std::vector<std::shared_ptr<const MetricFamily>>;

namespace metrics {

inline constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

template <std::size_t Lanes>
using Sums = std::array<double, Lanes>;
template <std::size_t Lanes>
using Counts = std::array<std::int32_t, Lanes>;

template <std::size_t Lanes>
void add(Counts<Lanes>& sums, const std::uint16_t* counts) {
  for (std::size_t r = 0; r < Lanes; ++r) sums[r] += counts[r];
}

// How many rows count in each lane.
template <std::size_t Lanes>
Counts<Lanes> total(const std::uint16_t* counts, std::size_t rows) {
  Counts<Lanes> sums{};
  for (std::size_t i = 0; i < rows; ++i) add<Lanes>(sums, counts + i * Lanes);
  return sums;
}

// A family whose evaluate<Lanes>() is a template: the same source is compiled for one lane and for kLanes.
template <typename Metrics>
class InLanes final : public MetricFamily {
 public:
  explicit InLanes(Metrics metrics) : metrics_(std::move(metrics)) {}
  std::vector<std::string> names() const override { return metrics_.names(); }
  void evaluate(std::span<const Wanted> wanted, const std::uint16_t* counts, std::size_t lanes) const override {
    if (lanes == 1) return metrics_.template evaluate<1>(wanted, counts);
    metrics_.template evaluate<kLanes>(wanted, counts);
  }

 private:
  Metrics metrics_;
};

template <typename Metrics>
std::shared_ptr<const MetricFamily> in_lanes(Metrics metrics) {
  return std::make_shared<InLanes<Metrics>>(std::move(metrics));
}

// Means over rows of a number a row, and calibration errors, which are sums over rows too.
class RowMeans {
 public:
  explicit RowMeans(std::size_t rows) : rows_(rows) {}
  // `terms` is rows x width; a row's number is their sum. Of one lane the terms are added one by one, of many each
  // row's sum: the recorded numbers are of the first kind.
  void add(std::string name, std::vector<double> terms);
  // The expected calibration error of the predicted class's probability (metrics.h).
  void add_calibration_error(std::string name, const ConstRef<double>& prob, std::span<const int> truth);

  std::vector<std::string> names() const;
  template <std::size_t Lanes>
  void evaluate(std::span<const MetricFamily::Wanted> wanted, const std::uint16_t* counts) const;

 private:
  struct Mean {
    std::string name;
    std::vector<double> terms, totals;
  };
  struct Binned {
    std::string name;
    std::vector<std::uint8_t> bin, right;
    std::vector<double> confidence;
  };
  template <std::size_t Lanes>
  void add_row(std::size_t row, const std::uint16_t* counts, std::span<const Mean* const> means,
               std::span<Sums<Lanes>> sums) const;
  template <std::size_t Lanes>
  Sums<Lanes> error_of(const Binned& binned, const std::uint16_t* counts) const;

  std::size_t rows_;
  std::vector<Mean> means_;
  std::vector<Binned> binned_;
};

// Rows by falling score; equal scores form a group.
struct Ranking {
  std::vector<std::uint32_t> order;
  std::vector<std::uint8_t> ends_group;   // 1: the next row has another score, or there is none
  std::vector<std::uint8_t> is_positive;  // of order[i]
};

// truth[i]: 1 positive, 0 negative, -1 unknown and left out. The spans are equally long.
Ranking rank_rows(std::span<const double> scores, std::span<const std::int8_t> truth);

// One against the rest, a ranking a column: positive are the rows of class `first` + column.
std::vector<Ranking> rank_classes(const ConstRef<double>& scores, std::span<const int> truth, int first);

// Of every row once.
struct RankingReport {
  MeanOverClasses auc, map;
  std::vector<std::optional<double>> average_precision;
};
RankingReport ranking_report(std::span<const Ranking> rankings, std::size_t rows);

// Each source's families. `all_seen`: every class has a row.
std::shared_ptr<const MetricFamily> decisions(std::span<const int> truth, std::vector<int> predicted,
                                              std::size_t classes, bool all_seen);
std::shared_ptr<const MetricFamily> row_means(RowMeans means);
// The means over the rankings under these names.
std::shared_ptr<const MetricFamily> rankings(std::vector<Ranking> rankings, std::string auc, std::string precision);
void add_scored_classes(const datasets::Targets& targets, const ConstRef<double>& logits,
                        const Calibration& calibration, Families& families);
void add_labels(const datasets::Targets& targets, const ConstRef<double>& scores, double threshold, Families& families);
void add_distributions(const datasets::Targets& targets, const ConstRef<double>& prob, Families& families);
void add_values(const datasets::Targets& targets, std::span<const double> predicted, Families& families);

}  // namespace metrics
}  // namespace vise::probes

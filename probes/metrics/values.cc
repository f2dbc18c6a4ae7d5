#include <algorithm>
#include <cmath>
#include <numeric>

#include "probes/metrics/check.h"
#include "probes/metrics/family.h"
#include "probes/metrics/metrics.h"

namespace vise::probes {
namespace {

using metrics::Sums;

// What the metrics of truths x and predictions y follow from, in each lane.
template <std::size_t Lanes>
struct Moments {
  probes::metrics::Sums<Lanes> n{}, x{}, y{};          // rows, means
  probes::metrics::Sums<Lanes> xx{}, yy{}, xy{};       // central sums of products
  probes::metrics::Sums<Lanes> absolute{}, squared{};  // sums of x - y
  probes::metrics::Sums<Lanes> low_x, high_x, low_y, high_y;

  bool flat_x(std::size_t r) const { return !(low_x[r] < high_x[r]); }
  bool flat_y(std::size_t r) const { return !(low_y[r] < high_y[r]); }

  double r2(std::size_t r) const { return flat_x(r) ? probes::metrics::kUndefined : 1 - squared[r] / xx[r]; }
  double correlation(std::size_t r) const {
    if (flat_x(r) || flat_y(r)) return probes::metrics::kUndefined;
    return std::clamp(xy[r] / (std::sqrt(xx[r]) * std::sqrt(yy[r])), -1.0, 1.0);
  }
  // Lin's. Two equal constants have none.
  double concordance(std::size_t r) const {
    if (flat_x(r) && flat_y(r) && low_x[r] == low_y[r]) return probes::metrics::kUndefined;
    if (flat_x(r) || flat_y(r)) return 0;
    // Lin 1989: 2 cov / (var x + var y + (mean x - mean y)^2), with variances over n.
    const double gap = x[r] - y[r];
    return 2 * (xy[r] / n[r]) / (xx[r] / n[r] + yy[r] / n[r] + gap * gap);
  }
  double mae(std::size_t r) const { return absolute[r] / n[r]; }
  double rmse(std::size_t r) const { return std::sqrt(squared[r] / n[r]); }
};

// Whether a lane is constant is a question of its smallest and largest value: rounding would blur a variance of 0.
template <std::size_t Lanes>
void add_extremes(Moments<Lanes>& m, const std::uint16_t* counts, double x, double y) {
  for (std::size_t r = 0; r < Lanes; ++r) {
    if (counts[r] == 0) continue;
    m.low_x[r] = std::min(m.low_x[r], x), m.high_x[r] = std::max(m.high_x[r], x);
    m.low_y[r] = std::min(m.low_y[r], y), m.high_y[r] = std::max(m.high_y[r], y);
  }
}

// Three passes: sums and extremes, corrected means, central moments.
template <std::size_t Lanes>
Moments<Lanes> moments(std::span<const double> x, std::span<const double> y, const std::uint16_t* counts) {
  Moments<Lanes> m;
  m.low_x.fill(HUGE_VAL), m.low_y.fill(HUGE_VAL), m.high_x.fill(-HUGE_VAL), m.high_y.fill(-HUGE_VAL);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::uint16_t* const own = counts + i * Lanes;
    add_extremes<Lanes>(m, own, x[i], y[i]);
    for (std::size_t r = 0; r < Lanes; ++r) m.n[r] += own[r], m.x[r] += own[r] * x[i], m.y[r] += own[r] * y[i];
  }
  for (std::size_t r = 0; r < Lanes; ++r) m.x[r] /= m.n[r], m.y[r] /= m.n[r];
  // A second pass takes out what rounding left in the means.
  probes::metrics::Sums<Lanes> dx{}, dy{};
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t r = 0; r < Lanes; ++r) {
      dx[r] += counts[i * Lanes + r] * (x[i] - m.x[r]);
      dy[r] += counts[i * Lanes + r] * (y[i] - m.y[r]);
    }
  for (std::size_t r = 0; r < Lanes; ++r) m.x[r] += dx[r] / m.n[r], m.y[r] += dy[r] / m.n[r];
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double off = x[i] - y[i];
    for (std::size_t r = 0; r < Lanes; ++r) {
      const double weight = counts[i * Lanes + r], of_x = x[i] - m.x[r], of_y = y[i] - m.y[r];
      // Central moments about the means, in a pass after them: sums of squares less
      // squared sums would cancel.
      m.xx[r] += weight * (of_x * of_x);
      m.yy[r] += weight * (of_y * of_y);
      m.xy[r] += weight * (of_x * of_y);
      m.absolute[r] += weight * std::abs(off);
      m.squared[r] += weight * (off * off);
    }
  }
  return m;
}

// Each row's place among the distinct values, ascending from 0.
std::vector<std::uint32_t> places_of(std::span<const double> values) {
  std::vector<double> distinct(values.begin(), values.end());
  std::ranges::sort(distinct);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<std::uint32_t> places;
  for (const double v : values)
    places.push_back(static_cast<std::uint32_t>(std::ranges::lower_bound(distinct, v) - distinct.begin()));
  return places;
}

// Each row's rank from 1, rows of one place sharing their mean rank.
std::vector<double> average_ranks(const std::vector<std::uint32_t>& places, const std::vector<std::uint16_t>& counts) {
  std::vector<double> at(places.size()), ranks(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) at[places[i]] += counts[i];
  double before = 0;
  for (double& count : at) {
    const double own = count;
    // Of `own` equal values behind `before` others the ranks are before + 1 ... before
    // + own; their mean is this.
    count = before + (own + 1) / 2;
    before += own;
  }
  for (std::size_t i = 0; i < places.size(); ++i) ranks[i] = at[places[i]];
  return ranks;
}

// One value's truths and predictions.
struct ValueColumn {
  std::string name;
  std::vector<double> truth, predicted;
  std::vector<std::uint32_t> truth_place, predicted_place;

  // Ranks change with a resample, so each lane ranks anew, from places that were sorted once.
  template <std::size_t Lanes>
  probes::metrics::Sums<Lanes> spearman(const std::uint16_t* counts) const {
    probes::metrics::Sums<Lanes> values;
    std::vector<std::uint16_t> own(truth.size());
    for (std::size_t r = 0; r < Lanes; ++r) {
      for (std::size_t i = 0; i < own.size(); ++i) own[i] = counts[i * Lanes + r];
      values[r] =
          moments<1>(average_ranks(truth_place, own), average_ranks(predicted_place, own), own.data()).correlation(0);
    }
    return values;
  }
};

constexpr std::string_view kValueNames[] = {"r2", "pearson", "spearman", "ccc", "mae", "rmse"};

// One value has r2 ...; several have their means, and "r2:NAME" ... for each.
struct Values {
  std::vector<ValueColumn> columns;

  std::vector<std::string> names() const {
    std::vector<std::string> all(std::begin(kValueNames), std::end(kValueNames));
    for (const ValueColumn& column : columns)
      for (std::size_t m = 0; m < std::size(kValueNames) && columns.size() > 1; ++m)
        all.push_back(std::string(kValueNames[m]) + ":" + column.name);
    return all;
  }

  // Values may be asked for by name, as a mean, or both; each column's moments are computed once.
  template <std::size_t Lanes>
  void evaluate(std::span<const MetricFamily::Wanted> wanted, const std::uint16_t* counts) const {
    for (const auto& [name, values] : wanted)
      if (std::ranges::find(kValueNames, name) != std::end(kValueNames)) std::fill_n(values, Lanes, 0.0);
    std::array<probes::metrics::Sums<Lanes>, std::size(kValueNames)> defined{};  // columns
    for (const ValueColumn& column : columns) {
      const Moments<Lanes> m = moments<Lanes>(column.truth, column.predicted, counts);
      for (std::size_t at = 0; at < std::size(kValueNames); ++at) {
        const auto own = std::ranges::find(wanted, std::string(kValueNames[at]) + ":" + column.name, name_of),
                   mean = std::ranges::find(wanted, kValueNames[at], name_of);
        if (own == wanted.end() && mean == wanted.end()) continue;
        const probes::metrics::Sums<Lanes> values = values_of<Lanes>(kValueNames[at], column, m, counts);
        if (own != wanted.end()) std::ranges::copy(values, own->values);
        if (mean == wanted.end()) continue;
        // A mean over the columns that have the metric in this lane.
        for (std::size_t r = 0; r < Lanes; ++r)
          if (!std::isnan(values[r])) mean->values[r] += values[r], ++defined[at][r];
      }
    }
    for (std::size_t at = 0; at < std::size(kValueNames); ++at)
      if (const auto mean = std::ranges::find(wanted, kValueNames[at], name_of); mean != wanted.end())
        for (std::size_t r = 0; r < Lanes; ++r) mean->values[r] /= defined[at][r];  // 0 / 0 where no column has it
  }

 private:
  static std::string_view name_of(const MetricFamily::Wanted& wanted) { return wanted.name; }

  template <std::size_t Lanes>
  static probes::metrics::Sums<Lanes> values_of(std::string_view name, const ValueColumn& column,
                                                const Moments<Lanes>& m, const std::uint16_t* counts) {
    if (name == "spearman") return column.spearman<Lanes>(counts);
    probes::metrics::Sums<Lanes> values;
    for (std::size_t r = 0; r < Lanes; ++r)
      values[r] = name == "r2"        ? m.r2(r)
                  : name == "pearson" ? m.correlation(r)
                  : name == "ccc"     ? m.concordance(r)
                  : name == "mae"     ? m.mae(r)
                                      : m.rmse(r);
    return values;
  }
};

// Sorted once here for all resamples.
ValueColumn value_column(std::string name, std::vector<double> truth, std::vector<double> predicted) {
  std::vector<std::uint32_t> truth_place = places_of(truth), predicted_place = places_of(predicted);
  return {std::move(name), std::move(truth), std::move(predicted), std::move(truth_place), std::move(predicted_place)};
}

}  // namespace

// One value, by the same code with every row once.
ValueReport value_report(std::span<const double> truth, std::span<const double> predicted) {
  metrics::expect_length(truth.size(), predicted.size(), truth.size());
  metrics::expect_finite(view(truth, 1));
  metrics::expect_finite(view(predicted, 1));
  const std::vector<std::uint16_t> once(truth.size(), 1);
  const auto defined = [](double v) { return v == v ? std::optional(v) : std::nullopt; };
  const Moments<1> m = moments<1>(truth, predicted, once.data());
  const ValueColumn column = value_column({}, {truth.begin(), truth.end()}, {predicted.begin(), predicted.end()});
  return {defined(m.r2(0)),
          defined(m.correlation(0)),
          defined(column.spearman<1>(once.data())[0]),
          defined(m.concordance(0)),
          m.mae(0),
          m.rmse(0)};
}

void metrics::add_values(const datasets::Targets& targets, std::span<const double> predicted, Families& families) {
  const std::size_t width = targets.width();
  probes::metrics::expect_length(targets.size() * width, predicted.size(), targets.size() * width);
  probes::metrics::expect_finite(view(targets.rows(), width));
  probes::metrics::expect_finite(view(predicted, width));
  Values values;
  for (std::size_t t = 0; t < width; ++t) {
    std::vector<double> of_truth, of_predicted;
    for (std::size_t j = t; j < predicted.size(); j += width) {
      of_truth.push_back(targets.rows()[j]);
      of_predicted.push_back(predicted[j]);
    }
    values.columns.push_back(value_column(targets.names()[t], std::move(of_truth), std::move(of_predicted)));
  }
  families.push_back(probes::metrics::in_lanes(std::move(values)));
}

}  // namespace vise::probes

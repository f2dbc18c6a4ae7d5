#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "probes/metrics.h"
#include "probes/metrics_check.h"

namespace vise {
namespace {

struct Counts {
  double hits = 0, predicted = 0, positive = 0;
  double precision() const { return predicted == 0 ? 0 : hits / predicted; }
  double recall() const { return positive == 0 ? 0 : hits / positive; }
  double f1(double empty = 0) const { return predicted + positive == 0 ? empty : 2 * hits / (predicted + positive); }
  void add(bool is, bool said) {
    hits += is && said;
    predicted += said;
    positive += is;
  }
};

void expect_label_matrix(std::span<const std::int8_t> truth, std::span<const double> scores, std::size_t labels) {
  metrics::expect_length(truth.size(), scores.size(), truth.size());
  metrics::expect_finite(scores, labels);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] < -1 || truth[i] > 1) {
      throw Error(ErrorKind::input,
                  fmt::format("row {}: a label is 1, 0 or -1 (unknown), not {}", i / labels, int{truth[i]}));
    }
  }
}

std::vector<Counts> count_by_label(std::span<const std::int8_t> truth, std::span<const double> scores,
                                   std::size_t labels, double threshold) {
  std::vector<Counts> counts(labels);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] >= 0) counts[i % labels].add(truth[i] == 1, scores[i] > threshold);
  }
  return counts;
}

void report_rows(std::span<const std::int8_t> truth, std::span<const double> scores, std::size_t labels,
                 double threshold, LabelReport& report) {
  const std::size_t rows = truth.size() / labels;
  double exact = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    Counts counts;
    bool right = true;
    for (std::size_t j = i * labels; j < (i + 1) * labels; ++j) {
      if (truth[j] < 0) continue;
      const bool said = scores[j] > threshold;
      counts.add(truth[j] == 1, said);
      right = right && said == (truth[j] == 1);
    }
    report.f1_samples += counts.f1(0);
    report.f1_samples_empty_right += counts.f1(1);
    exact += right;
  }
  const auto n = static_cast<double>(rows);
  report.f1_samples /= n;
  report.f1_samples_empty_right /= n;
  report.exact_match = exact / n;
}

void report_rankings(std::span<const std::int8_t> truth, std::span<const double> scores, std::size_t labels,
                     LabelReport& report) {
  std::vector<std::optional<double>> areas;
  for (std::size_t k = 0; k < labels; ++k) {
    std::vector<double> column;
    std::vector<std::uint8_t> positive;
    for (std::size_t j = k; j < truth.size(); j += labels) {
      if (truth[j] < 0) continue;
      column.push_back(scores[j]);
      positive.push_back(truth[j] == 1);
    }
    report.average_precision.push_back(column.empty() ? std::nullopt : average_precision(column, positive));
    areas.push_back(column.empty() ? std::nullopt : auc(column, positive));
  }
  report.map = mean_defined(report.average_precision);
  report.auc = mean_defined(areas);
}

// A copy whose rows sum to one.
std::vector<double> normalised(std::span<const double> rows, std::size_t classes) {
  std::vector<double> out(rows.begin(), rows.end());
  for (std::size_t begin = 0; begin < out.size(); begin += classes) {
    double sum = 0;
    for (std::size_t k = begin; k < begin + classes; ++k) {
      if (out[k] < 0)
        throw Error(ErrorKind::input, fmt::format("row {}: a distribution holds {}", begin / classes, out[k]));
      sum += out[k];
    }
    if (sum == 0) throw Error(ErrorKind::input, fmt::format("row {}: a distribution of zeros", begin / classes));
    for (std::size_t k = begin; k < begin + classes; ++k) out[k] /= sum;
  }
  return out;
}

double xlogy(double x, double y) { return x == 0 ? 0 : x * std::log(y); }

// Adds one row's terms.
void add_row(std::span<const double> p, std::span<const double> q, DistributionReport& report) {
  constexpr double kFloor = 1e-12;
  double floored = 0;
  for (const double v : q) floored += std::max(v, kFloor);
  for (std::size_t k = 0; k < p.size(); ++k) {
    const double safe = std::max(q[k], kFloor) / floored;
    const double middle = (p[k] + q[k]) / 2;
    report.kl += xlogy(p[k], p[k] / safe);
    report.cross_entropy -= xlogy(p[k], safe);
    report.js += (xlogy(p[k], p[k] / middle) + xlogy(q[k], q[k] / middle)) / 2;
  }
  const auto predicted = static_cast<std::size_t>(std::max_element(q.begin(), q.end()) - q.begin());
  const auto majority = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
  report.accuracy_within_votes += p[predicted] > 0;
  report.majority_accuracy += predicted == majority;
  report.vote_share += p[predicted];
  report.vote_share_ceiling += p[majority];
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

bool constant(std::span<const double> values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *low == *high;
}

struct Moments {
  double x = 0, y = 0, xx = 0, yy = 0, xy = 0;  // means, then central sums of products
};

Moments moments(std::span<const double> x, std::span<const double> y) {
  Moments m{mean(x), mean(y)};
  // A second pass takes out what rounding left in the means.
  double dx = 0, dy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    dx += x[i] - m.x;
    dy += y[i] - m.y;
  }
  m.x += dx / static_cast<double>(x.size());
  m.y += dy / static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    m.xx += (x[i] - m.x) * (x[i] - m.x);
    m.yy += (y[i] - m.y) * (y[i] - m.y);
    m.xy += (x[i] - m.x) * (y[i] - m.y);
  }
  return m;
}

std::optional<double> correlation(std::span<const double> x, std::span<const double> y) {
  if (constant(x) || constant(y)) return std::nullopt;
  const Moments m = moments(x, y);
  return std::clamp(m.xy / (std::sqrt(m.xx) * std::sqrt(m.yy)), -1.0, 1.0);
}

// Ranks from 1; equal values share their mean rank.
std::vector<double> average_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    for (end = begin; end < order.size() && values[order[end]] == values[order[begin]];) ++end;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = (static_cast<double>(begin + end) + 1) / 2;
  }
  return ranks;
}

std::optional<double> concordance(std::span<const double> x, std::span<const double> y, const Moments& m) {
  const bool flat_x = constant(x), flat_y = constant(y);
  if (flat_x && flat_y && x[0] == y[0]) return std::nullopt;
  if (flat_x || flat_y) return 0.0;
  const auto n = static_cast<double>(x.size());
  return 2 * (m.xy / n) / (m.xx / n + m.yy / n + (m.x - m.y) * (m.x - m.y));
}

}  // namespace

double label_f1_macro(std::span<const std::int8_t> truth, std::span<const double> scores, std::size_t labels,
                      double threshold) {
  expect_label_matrix(truth, scores, labels);
  double sum = 0;
  for (const Counts& counts : count_by_label(truth, scores, labels, threshold)) sum += counts.f1();
  return sum / static_cast<double>(labels);
}

LabelReport label_report(std::span<const std::int8_t> truth, std::span<const double> scores, std::size_t labels,
                         double threshold) {
  expect_label_matrix(truth, scores, labels);
  LabelReport report;
  Counts pooled;
  for (const Counts& counts : count_by_label(truth, scores, labels, threshold)) {
    report.precision.push_back(counts.precision());
    report.recall.push_back(counts.recall());
    report.f1.push_back(counts.f1());
    report.f1_macro += counts.f1() / static_cast<double>(labels);
    pooled.hits += counts.hits;
    pooled.predicted += counts.predicted;
    pooled.positive += counts.positive;
  }
  report.f1_micro = pooled.f1();
  report_rows(truth, scores, labels, threshold, report);
  report_rankings(truth, scores, labels, report);
  return report;
}

DistributionReport distribution_report(std::span<const double> truth, std::span<const double> prob,
                                       std::size_t classes) {
  metrics::expect_length(truth.size(), prob.size(), truth.size());
  metrics::expect_finite(truth, classes);
  metrics::expect_finite(prob, classes);
  const std::vector<double> p = normalised(truth, classes), q = normalised(prob, classes);
  DistributionReport report;
  for (std::size_t begin = 0; begin < p.size(); begin += classes) {
    add_row(std::span(p).subspan(begin, classes), std::span(q).subspan(begin, classes), report);
  }
  const auto n = static_cast<double>(p.size() / classes);
  for (double* const value : {&report.kl, &report.cross_entropy, &report.js, &report.accuracy_within_votes,
                              &report.majority_accuracy, &report.vote_share, &report.vote_share_ceiling}) {
    *value /= n;
  }
  return report;
}

ValueReport value_report(std::span<const double> truth, std::span<const double> predicted) {
  metrics::expect_length(truth.size(), predicted.size(), truth.size());
  metrics::expect_finite(truth, 1);
  metrics::expect_finite(predicted, 1);
  const Moments m = moments(truth, predicted);
  double absolute = 0, squared = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double off = truth[i] - predicted[i];
    absolute += std::abs(off);
    squared += off * off;
  }
  const auto n = static_cast<double>(truth.size());
  ValueReport report;
  report.mae = absolute / n;
  report.rmse = std::sqrt(squared / n);
  if (!constant(truth)) report.r2 = 1 - squared / m.xx;
  report.pearson = correlation(truth, predicted);
  report.spearman = correlation(average_ranks(truth), average_ranks(predicted));
  report.ccc = concordance(truth, predicted, m);
  return report;
}

}  // namespace vise

#include <algorithm>
#include <numeric>

#include "probes/metrics.h"
#include "probes/metrics_check.h"

namespace vise {
namespace {

// Row numbers by falling score; equal scores by row.
std::vector<std::size_t> falling(std::span<const double> score) {
  std::vector<std::size_t> order(score.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return score[a] > score[b]; });
  return order;
}

// Calls group(positives, size) for every run of equal scores, falling.
template <typename Group>
void for_each_tie(std::span<const double> score, std::span<const std::uint8_t> positive, const Group& group) {
  const std::vector<std::size_t> order = falling(score);
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    std::size_t hits = 0;
    for (end = begin; end < order.size() && score[order[end]] == score[order[begin]]; ++end)
      hits += positive[order[end]];
    group(static_cast<double>(hits), static_cast<double>(end - begin));
  }
}

void expect_ranking(std::span<const double> score, std::span<const std::uint8_t> positive) {
  metrics::expect_length(score.size(), positive.size(), score.size());
  metrics::expect_finite(score, 1);
}

template <typename Metric>
MeanOverClasses one_vs_rest(std::span<const double> scores, std::size_t classes, std::span<const int> truth,
                            const Metric& metric) {
  metrics::expect_scores(scores, classes, truth);
  std::vector<std::optional<double>> values;
  std::vector<double> column(truth.size());
  std::vector<std::uint8_t> positive(truth.size());
  for (std::size_t k = 0; k < classes; ++k) {
    for (std::size_t i = 0; i < truth.size(); ++i) {
      column[i] = scores[i * classes + k];
      positive[i] = static_cast<std::size_t>(truth[i]) == k;
    }
    values.push_back(metric(column, positive));
  }
  return mean_defined(values);
}

}  // namespace

std::optional<double> auc(std::span<const double> score, std::span<const std::uint8_t> positive) {
  expect_ranking(score, positive);
  double above = 0, twice_area = 0;  // negatives are counted against the positives above them
  double positives = 0, negatives = 0;
  for_each_tie(score, positive, [&](double hits, double size) {
    twice_area += (size - hits) * (2 * above + hits);
    above += hits;
    positives += hits;
    negatives += size - hits;
  });
  if (positives == 0 || negatives == 0) return std::nullopt;
  return twice_area / (2 * positives * negatives);
}

std::optional<double> average_precision(std::span<const double> score, std::span<const std::uint8_t> positive) {
  expect_ranking(score, positive);
  double found = 0, seen = 0, sum = 0;
  for_each_tie(score, positive, [&](double hits, double size) {
    found += hits;
    seen += size;
    sum += hits * (found / seen);
  });
  if (found == 0) return std::nullopt;
  return sum / found;
}

MeanOverClasses mean_defined(std::span<const std::optional<double>> values) {
  MeanOverClasses result;
  double sum = 0;
  for (const auto& value : values) {
    if (value)
      sum += *value;
    else
      ++result.skipped;
  }
  if (result.skipped < values.size()) result.mean = sum / static_cast<double>(values.size() - result.skipped);
  return result;
}

MeanOverClasses auc_one_vs_rest(std::span<const double> scores, std::size_t classes, std::span<const int> truth) {
  return one_vs_rest(scores, classes, truth, auc);
}

MeanOverClasses average_precision_one_vs_rest(std::span<const double> scores, std::size_t classes,
                                              std::span<const int> truth) {
  return one_vs_rest(scores, classes, truth, average_precision);
}

}  // namespace vise

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "probes/metrics.h"
#include "probes/metrics_check.h"

namespace vise {
namespace metrics {

void expect_length(std::size_t rows, std::size_t have, std::size_t want) {
  if (rows == 0) throw Error(ErrorKind::input, "a metric needs at least one row");
  if (have != want) throw Error(ErrorKind::input, fmt::format("{} predictions for {} targets", have, want));
}

void expect_finite(std::span<const double> values, std::size_t columns) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw Error(ErrorKind::input,
                  fmt::format("row {}: {} is not a finite number", i / std::max<std::size_t>(columns, 1), values[i]));
    }
  }
}

void expect_labels(std::span<const int> labels, std::size_t classes) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || static_cast<std::size_t>(labels[i]) >= classes) {
      throw Error(ErrorKind::input, fmt::format("row {}: class {} is not one of {}", i, labels[i], classes));
    }
  }
}

void expect_scores(std::span<const double> scores, std::size_t classes, std::span<const int> truth) {
  expect_length(truth.size(), scores.size(), truth.size() * classes);
  expect_labels(truth, classes);
  expect_finite(scores, classes);
}

}  // namespace metrics

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

double ratio(double a, double b) { return b == 0 ? 0 : a / b; }

// po and pe from whole numbers, so that pe == 1 is exact.
std::optional<double> cohens_kappa(const Confusion& table, const std::vector<double>& truth,
                                   const std::vector<double>& predicted, double right, double n) {
  double chance = 0;
  for (std::size_t k = 0; k < table.classes; ++k) chance += truth[k] * predicted[k];
  if (chance == n * n) return std::nullopt;
  return (right / n - chance / (n * n)) / (1 - chance / (n * n));
}

}  // namespace

Confusion confusion(std::span<const int> truth, std::span<const int> predicted, std::size_t classes) {
  metrics::expect_length(truth.size(), predicted.size(), truth.size());
  metrics::expect_labels(truth, classes);
  metrics::expect_labels(predicted, classes);
  Confusion table{classes, std::vector<std::int64_t>(classes * classes)};
  for (std::size_t i = 0; i < truth.size(); ++i) {
    ++table.counts[static_cast<std::size_t>(truth[i]) * classes + static_cast<std::size_t>(predicted[i])];
  }
  return table;
}

ClassReport class_report(const Confusion& table) {
  const std::size_t classes = table.classes;
  std::vector<double> truth(classes), predicted(classes);
  for (std::size_t t = 0; t < classes; ++t) {
    for (std::size_t p = 0; p < classes; ++p) {
      truth[t] += static_cast<double>(table(t, p));
      predicted[p] += static_cast<double>(table(t, p));
    }
  }
  const double n = std::accumulate(truth.begin(), truth.end(), 0.0);
  ClassReport report;
  double right = 0, present = 0, seen = 0;
  for (std::size_t k = 0; k < classes; ++k) {
    const auto hits = static_cast<double>(table(k, k));
    report.precision.push_back(ratio(hits, predicted[k]));
    report.recall.push_back(ratio(hits, truth[k]));
    report.f1.push_back(ratio(2 * hits, predicted[k] + truth[k]));
    report.balanced_accuracy += report.recall[k];
    report.f1_macro += report.f1[k] / static_cast<double>(classes);
    report.f1_weighted += report.f1[k] * truth[k] / n;
    right += hits;
    present += truth[k] > 0;
    seen += truth[k] > 0 || predicted[k] > 0;
    report.f1_macro_seen += report.f1[k];
  }
  report.balanced_accuracy /= present;
  report.f1_macro_seen /= seen;
  report.accuracy = report.f1_micro = right / n;
  report.kappa = cohens_kappa(table, truth, predicted, right, n);
  return report;
}

std::vector<int> argmax_rows(std::span<const double> scores, std::size_t classes) {
  std::vector<int> best(scores.size() / classes);
  for (std::size_t i = 0; i < best.size(); ++i) {
    const auto row = scores.subspan(i * classes, classes);
    best[i] = static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
  }
  return best;
}

std::vector<double> softmax_rows(std::span<const double> logits, std::size_t classes, double temperature) {
  std::vector<double> prob(logits.size());
  for (std::size_t begin = 0; begin < logits.size(); begin += classes) {
    const auto row = logits.subspan(begin, classes);
    const double top = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k) sum += prob[begin + k] = std::exp((row[k] - top) / temperature);
    for (std::size_t k = 0; k < classes; ++k) prob[begin + k] /= sum;
  }
  return prob;
}

double top_k(std::span<const double> scores, std::size_t classes, std::span<const int> truth, std::size_t k) {
  metrics::expect_scores(scores, classes, truth);
  std::size_t right = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto row = scores.subspan(i * classes, classes);
    const auto label = static_cast<std::size_t>(truth[i]);
    std::size_t before = 0;
    for (std::size_t c = 0; c < classes; ++c) before += row[c] > row[label] || (row[c] == row[label] && c < label);
    right += before < std::min(k, classes);
  }
  return static_cast<double>(right) / static_cast<double>(truth.size());
}

double log_loss(std::span<const double> prob, std::size_t classes, std::span<const int> truth) {
  metrics::expect_scores(prob, classes, truth);
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    double row = 0;
    for (const double p : prob.subspan(i * classes, classes)) row += std::clamp(p, kEpsilon, 1 - kEpsilon);
    const double p = prob[i * classes + static_cast<std::size_t>(truth[i])];
    sum -= std::log(std::clamp(p, kEpsilon, 1 - kEpsilon) / row);
  }
  return sum / static_cast<double>(truth.size());
}

double negative_log_likelihood(std::span<const double> logits, std::size_t classes, std::span<const int> truth) {
  metrics::expect_scores(logits, classes, truth);
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto row = logits.subspan(i * classes, classes);
    const double top = *std::max_element(row.begin(), row.end());
    double total = 0;
    for (const double z : row) total += std::exp(z - top);
    // In this order, as scipy's logsumexp has it: the golden values' rounding for huge logits is its rounding.
    sum += (top + std::log(total)) - row[static_cast<std::size_t>(truth[i])];
  }
  return sum / static_cast<double>(truth.size());
}

double brier_sum(std::span<const double> prob, std::size_t classes, std::span<const int> truth) {
  metrics::expect_scores(prob, classes, truth);
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    for (std::size_t k = 0; k < classes; ++k) {
      const double off = prob[i * classes + k] - (static_cast<std::size_t>(truth[i]) == k);
      sum += off * off;
    }
  }
  return sum / static_cast<double>(truth.size());
}

double brier(std::span<const double> prob, std::span<const int> truth) {
  metrics::expect_scores(prob, 2, truth);
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double off = prob[2 * i + 1] - truth[i];
    sum += off * off;
  }
  return sum / static_cast<double>(truth.size());
}

std::size_t calibration_bin(double confidence, int bins) {
  return static_cast<std::size_t>(std::clamp(std::ceil(confidence * bins) - 1, 0.0, bins - 1.0));
}

double calibration_error(std::span<const double> prob, std::size_t classes, std::span<const int> truth, int bins) {
  metrics::expect_scores(prob, classes, truth);
  const std::vector<int> predicted = argmax_rows(prob, classes);
  std::vector<double> confidence(static_cast<std::size_t>(bins)), right(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double p = prob[i * classes + static_cast<std::size_t>(predicted[i])];
    const std::size_t bin = calibration_bin(p, bins);
    confidence[bin] += p;
    right[bin] += predicted[i] == truth[i];
  }
  double sum = 0;
  for (std::size_t b = 0; b < confidence.size(); ++b) sum += std::abs(confidence[b] - right[b]);
  return sum / static_cast<double>(truth.size());
}

std::vector<double> score_differences(std::span<const double> logits) {
  std::vector<double> difference(logits.size() / 2);
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] = logits[2 * i + 1] - logits[2 * i];
  return difference;
}

}  // namespace vise

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "probes/metrics/check.h"
#include "probes/metrics/family.h"
#include "probes/metrics/metrics.h"

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

}  // namespace

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

double mean_of_rows(std::span<const double> terms, std::size_t rows) {
  return std::accumulate(terms.begin(), terms.end(), 0.0) / static_cast<double>(rows);
}

std::vector<double> top_k_hits(std::span<const double> scores, std::size_t classes, std::span<const int> truth,
                               std::size_t k) {
  metrics::expect_scores(scores, classes, truth);
  std::vector<double> hits;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto row = scores.subspan(i * classes, classes);
    const auto label = static_cast<std::size_t>(truth[i]);
    std::size_t before = 0;
    for (std::size_t c = 0; c < classes; ++c) before += row[c] > row[label] || (row[c] == row[label] && c < label);
    hits.push_back(before < std::min(k, classes));
  }
  return hits;
}

std::vector<double> log_losses(std::span<const double> prob, std::size_t classes, std::span<const int> truth) {
  metrics::expect_scores(prob, classes, truth);
  std::vector<double> losses;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    double row = 0;
    for (const double p : prob.subspan(i * classes, classes)) row += std::clamp(p, kEpsilon, 1 - kEpsilon);
    const double p = prob[i * classes + static_cast<std::size_t>(truth[i])];
    losses.push_back(-std::log(std::clamp(p, kEpsilon, 1 - kEpsilon) / row));
  }
  return losses;
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

std::vector<double> brier_terms(std::span<const double> prob, std::size_t classes, std::span<const int> truth) {
  metrics::expect_scores(prob, classes, truth);
  std::vector<double> terms;
  for (std::size_t i = 0; i < truth.size(); ++i)
    for (std::size_t k = 0; k < classes; ++k) {
      const double off = prob[i * classes + k] - (static_cast<std::size_t>(truth[i]) == k);
      terms.push_back(off * off);
    }
  return terms;
}

std::vector<double> brier_scores(std::span<const double> prob, std::span<const int> truth) {
  metrics::expect_scores(prob, 2, truth);
  std::vector<double> scores;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double off = prob[2 * i + 1] - truth[i];
    scores.push_back(off * off);
  }
  return scores;
}

std::vector<double> score_differences(std::span<const double> logits) {
  std::vector<double> difference(logits.size() / 2);
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] = logits[2 * i + 1] - logits[2 * i];
  return difference;
}

namespace metrics {

void add_scored_classes(const Targets& targets, std::span<const double> logits, const Calibration& calibration,
                        Families& families) {
  constexpr std::size_t kTop = 5;
  const std::size_t classes = targets.width();
  const auto truth = targets.classes();
  const std::vector<double> prob = softmax_rows(logits, classes);
  RowMeans means(truth.size());
  if (calibration.scores_are_logits) {
    means.add("log_loss", log_losses(prob, classes, truth));
    means.add("brier", classes == 2 ? brier_scores(prob, truth) : brier_terms(prob, classes, truth));
    means.add_calibration_error("ece", prob, classes, truth);
    means.add_calibration_error("ece_calibrated", softmax_rows(logits, classes, calibration.temperature), classes,
                                truth);
  }
  if (classes > kTop) means.add("top5", top_k_hits(logits, classes, truth, kTop));
  families.push_back(row_means(std::move(means)));
  if (classes == 2)
    families.push_back(rankings(rank_classes(score_differences(logits), 1, truth, 1), "auc", "average_precision"));
  else
    families.push_back(rankings(rank_classes(calibration.scores_are_logits ? prob : logits, classes, truth, 0),
                                "auc_ovr_macro", "map"));
}

}  // namespace metrics
}  // namespace vise

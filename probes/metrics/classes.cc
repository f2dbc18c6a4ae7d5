#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "probes/metrics/check.h"
#include "probes/metrics/family.h"
#include "probes/metrics/metrics.h"

namespace vise::probes {
namespace metrics {

// Metrics are called with what users and files give: lengths and labels are checked, not assumed.
void expect_length(std::size_t rows, std::size_t have, std::size_t want) {
  if (rows == 0) throw Error(ErrorKind::input, "a metric needs at least one row");
  if (have != want) throw Error(ErrorKind::input, fmt::format("{} predictions for {} targets", have, want));
}

void expect_finite(const ConstRef<double>& values) {
  for (Eigen::Index i = 0; i < values.rows(); ++i)
    for (Eigen::Index k = 0; k < values.cols(); ++k)
      if (!std::isfinite(values(i, k)))
        throw Error(ErrorKind::input, fmt::format("row {}: {} is not a finite number", i, values(i, k)));
}

void expect_labels(std::span<const int> labels, std::size_t classes) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || static_cast<std::size_t>(labels[i]) >= classes) {
      throw Error(ErrorKind::input, fmt::format("row {}: class {} is not one of {}", i, labels[i], classes));
    }
  }
}

void expect_scores(const ConstRef<double>& scores, std::span<const int> truth) {
  const auto classes = static_cast<std::size_t>(scores.cols());
  expect_length(truth.size(), static_cast<std::size_t>(scores.size()), truth.size() * classes);
  expect_labels(truth, classes);
  expect_finite(scores);
}

}  // namespace metrics

namespace {

// numpy's float64 epsilon, 2^-52.
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

}  // namespace

std::vector<int> argmax_rows(const ConstRef<double>& scores) {
  std::vector<int> best(static_cast<std::size_t>(scores.rows()));
  for (std::size_t i = 0; i < best.size(); ++i) {
    const auto row = row_of(scores, i);
    // The first of equal scores, as numpy's argmax.
    best[i] = static_cast<int>(std::ranges::max_element(row) - row.begin());
  }
  return best;
}

Matrix<double> softmax_rows(const ConstRef<double>& logits, double temperature) {
  Matrix<double> prob(logits.rows(), logits.cols());
  for (Eigen::Index i = 0; i < prob.rows(); ++i) {
    const double top = logits.row(i).maxCoeff();
    double sum = 0;
    for (Eigen::Index k = 0; k < prob.cols(); ++k) sum += prob(i, k) = std::exp((logits(i, k) - top) / temperature);
    for (Eigen::Index k = 0; k < prob.cols(); ++k) prob(i, k) /= sum;
  }
  return prob;
}

// In the rows' order, as everywhere: golden values are compared to 1e-12.
double mean_of_rows(std::span<const double> terms, std::size_t rows) {
  return std::accumulate(terms.begin(), terms.end(), 0.0) / static_cast<double>(rows);
}

std::vector<double> top_k_hits(const ConstRef<double>& scores, std::span<const int> truth, std::size_t k) {
  metrics::expect_scores(scores, truth);
  std::vector<double> hits;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto row = row_of(scores, i);
    const auto label = static_cast<std::size_t>(truth[i]);
    std::size_t before = 0;
    // Ranks of equal scores by index, so that the truth isn't first of a tie by luck.
    for (std::size_t c = 0; c < row.size(); ++c) before += row[c] > row[label] || (row[c] == row[label] && c < label);
    hits.push_back(before < std::min(k, row.size()));
  }
  return hits;
}

// As scikit-learn 1.2's log_loss: probabilities are clipped to [eps, 1 - eps] and then
// brought to a sum of one.
std::vector<double> log_losses(const ConstRef<double>& prob, std::span<const int> truth) {
  metrics::expect_scores(prob, truth);
  std::vector<double> losses;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto row = row_of(prob, i);
    double sum = 0;
    for (const double p : row) sum += std::clamp(p, kEpsilon, 1 - kEpsilon);
    losses.push_back(-std::log(std::clamp(row[static_cast<std::size_t>(truth[i])], kEpsilon, 1 - kEpsilon) / sum));
  }
  return losses;
}

double negative_log_likelihood(const ConstRef<double>& logits, std::span<const int> truth) {
  metrics::expect_scores(logits, truth);
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto row = row_of(logits, i);
    const double top = std::ranges::max(row);
    double total = 0;
    for (const double z : row) total += std::exp(z - top);
    // In this order, as scipy's logsumexp has it: the golden values' rounding for huge logits is its rounding.
    sum += (top + std::log(total)) - row[static_cast<std::size_t>(truth[i])];
  }
  return sum / static_cast<double>(truth.size());
}

std::vector<double> brier_terms(const ConstRef<double>& prob, std::span<const int> truth) {
  metrics::expect_scores(prob, truth);
  Matrix<double> off = prob;
  for (std::size_t i = 0; i < truth.size(); ++i) off(static_cast<Eigen::Index>(i), truth[i]) -= 1;
  return to_vector(off.cwiseAbs2());
}

std::vector<double> brier_scores(const ConstRef<double>& prob, std::span<const int> truth) {
  metrics::expect_length(truth.size(), static_cast<std::size_t>(prob.size()), 2 * truth.size());
  metrics::expect_scores(prob, truth);
  std::vector<double> scores;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double off = row_of(prob, i)[1] - truth[i];
    scores.push_back(off * off);
  }
  return scores;
}

std::vector<double> score_differences(const ConstRef<double>& logits) {
  return to_vector(logits.col(1) - logits.col(0));
}

namespace metrics {

// Probabilities are made once for all metrics that need them; without logits there are none of those.
void add_scored_classes(const datasets::Targets& targets, const ConstRef<double>& logits,
                        const Calibration& calibration, Families& families) {
  constexpr std::size_t kTop = 5;
  const std::size_t classes = targets.width();
  const auto truth = targets.classes();
  const Matrix<double> prob = softmax_rows(logits);
  RowMeans means(truth.size());
  if (calibration.scores_are_logits) {
    means.add("log_loss", log_losses(prob, truth));
    means.add("brier", classes == 2 ? brier_scores(prob, truth) : brier_terms(prob, truth));
    means.add_calibration_error("ece", prob, truth);
    means.add_calibration_error("ece_calibrated", softmax_rows(logits, calibration.temperature), truth);
  }
  if (classes > kTop) means.add("top5", top_k_hits(logits, truth, kTop));
  families.push_back(row_means(std::move(means)));
  if (classes == 2) {
    const std::vector<double> differences = score_differences(logits);
    families.push_back(rankings(rank_classes(view<double>(differences, 1), truth, 1), "auc", "average_precision"));
  } else if (calibration.scores_are_logits) {
    // A softmax changes the order of one class's scores over rows, so it matters that these rankings are of
    // probabilities.
    families.push_back(rankings(rank_classes(prob, truth, 0), "auc_ovr_macro", "map"));
  } else {
    families.push_back(rankings(rank_classes(logits, truth, 0), "auc_ovr_macro", "map"));
  }
}

}  // namespace metrics
}  // namespace vise::probes

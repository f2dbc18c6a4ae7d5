#include "reports/statistics/resampled_scores.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "probes/metrics.h"

namespace vise {
namespace {

constexpr std::size_t kBins = 15;  // as evaluate() has them

constexpr std::string_view kKnown[] = {"log_loss",          "brier",         "ece", "ece_calibrated", "top5",
                                       "average_precision", "auc_ovr_macro", "map"};

// One score is the logit of class 1 against 0.
std::vector<double> logits_of(const Scores& scores, std::size_t classes) {
  if (scores.columns == classes) return scores.values;
  std::vector<double> logits;
  for (const double score : scores.values) logits.insert(logits.end(), {0, score});
  return logits;
}

}  // namespace

bool ScoredClasses::knows(std::string_view metric) { return std::ranges::find(kKnown, metric) != std::end(kKnown); }

ScoredClasses::ScoredClasses(const Scores& scores, const Targets& targets, const Calibration& calibration)
    : items_(targets.size()), classes_(targets.width()) {
  const std::vector<double> logits = logits_of(scores, classes_), prob = softmax_rows(logits, classes_);
  const auto truth = targets.classes();
  add_item_means(logits, calibration.scores_are_logits ? prob : std::vector<double>{}, truth);
  add_rankings(logits, calibration.scores_are_logits ? prob : logits, truth);
  if (!calibration.scores_are_logits) return;
  binned_["ece"] = binned(prob, truth);
  binned_["ece_calibrated"] = binned(softmax_rows(logits, classes_, calibration.temperature), truth);
}

// `prob` is empty for scores that are no logits: then there is no loss.
void ScoredClasses::add_item_means(std::span<const double> logits, std::span<const double> prob,
                                   std::span<const int> truth) {
  constexpr std::size_t kTop = 5;
  for (std::size_t i = 0; i < items_; ++i) {
    const auto one = truth.subspan(i, 1);
    const auto row = [&](std::span<const double> values) { return values.subspan(i * classes_, classes_); };
    if (classes_ > kTop) per_item_["top5"].push_back(top_k(row(logits), classes_, one, kTop));
    if (prob.empty()) continue;
    per_item_["log_loss"].push_back(log_loss(row(prob), classes_, one));
    per_item_["brier"].push_back(classes_ == 2 ? brier(row(prob), one) : brier_sum(row(prob), classes_, one));
  }
}

void ScoredClasses::add_rankings(std::span<const double> logits, std::span<const double> ranked,
                                 std::span<const int> truth) {
  const auto add = [&](std::span<const double> scores, int positive) {
    std::vector<std::int8_t> is_positive;
    for (const int y : truth) is_positive.push_back(y == positive);
    rankings_.push_back(rank_items(scores, is_positive));
  };
  if (classes_ == 2) return add(score_differences(logits), 1);
  std::vector<double> column(items_);
  for (std::size_t k = 0; k < classes_; ++k) {
    for (std::size_t i = 0; i < items_; ++i) column[i] = ranked[i * classes_ + k];
    add(column, static_cast<int>(k));
  }
}

ScoredClasses::Binned ScoredClasses::binned(std::span<const double> prob, std::span<const int> truth) const {
  Binned result;
  const std::vector<int> predicted = argmax_rows(prob, classes_);
  for (std::size_t i = 0; i < items_; ++i) {
    const double confidence = prob[i * classes_ + static_cast<std::size_t>(predicted[i])];
    result.bin.push_back(static_cast<std::uint8_t>(calibration_bin(confidence, kBins)));
    result.excess.push_back(confidence - (predicted[i] == truth[i]));
  }
  return result;
}

void ScoredClasses::mean_of_items(const std::vector<double>& per_item, Counts counts, Lane values) const {
  std::array<double, kLanes> sums{};
  for (std::size_t i = 0; i < items_; ++i) {
    const double value = per_item[i];
    for (std::size_t r = 0; r < kLanes; ++r) sums[r] += counts[i * kLanes + r] * value;
  }
  // Every resample has as many items.
  for (std::size_t r = 0; r < kLanes; ++r) values[r] = sums[r] / static_cast<double>(items_);
}

void ScoredClasses::calibration_error(const Binned& binned, Counts counts, Lane values) const {
  std::array<std::array<double, kLanes>, kBins> excess{};
  for (std::size_t i = 0; i < items_; ++i) {
    std::array<double, kLanes>& of_bin = excess[binned.bin[i]];
    const double value = binned.excess[i];
    for (std::size_t r = 0; r < kLanes; ++r) of_bin[r] += counts[i * kLanes + r] * value;
  }
  for (std::size_t r = 0; r < kLanes; ++r) {
    values[r] = 0;
    for (const auto& of_bin : excess) values[r] += std::fabs(of_bin[r]);
    values[r] /= static_cast<double>(items_);
  }
}

void ScoredClasses::evaluate_lanes(std::span<const std::string_view> metrics, std::span<const std::uint16_t> counts,
                                   std::span<double> values) const {
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const std::string_view name = metrics[m];
    const Lane lane = values.subspan(m * kLanes, kLanes);
    if (const auto mean = per_item_.find(name); mean != per_item_.end())
      mean_of_items(mean->second, counts, lane);
    else if (const auto error = binned_.find(name); error != binned_.end())
      calibration_error(error->second, counts, lane);
    else if (name == "average_precision" || name == "map")
      mean_over_rankings(rankings_, RankMetric::average_precision, counts, lane);
    else if (name == "auc_ovr_macro")
      mean_over_rankings(rankings_, RankMetric::auc, counts, lane);
    else  // a loss of scores that are no logits
      std::ranges::fill(lane, std::numeric_limits<double>::quiet_NaN());
  }
}

}  // namespace vise

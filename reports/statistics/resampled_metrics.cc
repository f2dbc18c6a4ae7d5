#include "reports/statistics/resampled_metrics.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <numeric>

namespace vise {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

int argmax(std::span<const double> row) {
  if (row.size() == 1) return row[0] > 0 ? 1 : 0;
  return static_cast<int>(std::ranges::max_element(row) - row.begin());  // the first of equal ones
}

std::uint32_t weight(std::span<const std::uint16_t> counts, std::size_t item) {
  return counts.empty() ? 1 : counts[item];
}

}  // namespace

struct ClassPredictions::Tally {
  std::vector<std::uint64_t> right, truth, predicted;  // a class
  std::uint64_t items = 0;
};

ClassPredictions::Ranking ClassPredictions::rank(std::span<const int> y, std::span<const double> scores,
                                                 std::size_t columns, std::size_t column, int positive) {
  // Two logits rank by their difference: that is the order of the second class's probability.
  const auto score = [&](std::uint32_t i) {
    return columns == 2 ? scores[2 * i + 1] - scores[2 * i] : scores[columns * i + column];
  };
  Ranking ranking{positive, std::vector<std::uint32_t>(y.size()), {}, {}};
  std::iota(ranking.order.begin(), ranking.order.end(), 0u);
  std::ranges::stable_sort(ranking.order, std::greater{}, score);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const bool last = i + 1 == y.size();
    ranking.ends_group.push_back(last || score(ranking.order[i]) != score(ranking.order[i + 1]));
    ranking.is_positive.push_back(y[ranking.order[i]] == positive);
  }
  return ranking;
}

ClassPredictions::ClassPredictions(std::span<const int> y, std::span<const double> scores, std::size_t classes)
    : y_(y.begin(), y.end()), classes_(classes) {
  const std::size_t columns = y.empty() ? classes : scores.size() / y.size();
  assert(scores.size() == columns * y.size() && (columns == classes || (columns == 1 && classes == 2)));
  for (std::size_t i = 0; i < y.size(); ++i) predicted_.push_back(argmax(scores.subspan(i * columns, columns)));
  if (classes == 2) {
    rankings_.push_back(rank(y, scores, columns, 0, 1));
  } else {
    for (std::size_t k = 0; k < classes; ++k) rankings_.push_back(rank(y, scores, columns, k, static_cast<int>(k)));
  }
}

ClassPredictions ClassPredictions::from_classes(std::span<const int> y, std::span<const int> predicted,
                                                std::size_t classes) {
  ClassPredictions result;
  result.y_.assign(y.begin(), y.end());
  result.predicted_.assign(predicted.begin(), predicted.end());
  result.classes_ = classes;
  return result;
}

bool ClassPredictions::knows(std::string_view metric) {
  return metric == "accuracy" || metric == "balanced_accuracy" || metric == "macro_f1" || metric == "roc_auc";
}

ClassPredictions::Tally ClassPredictions::tally(std::span<const std::uint16_t> counts) const {
  Tally t{std::vector<std::uint64_t>(classes_), std::vector<std::uint64_t>(classes_),
          std::vector<std::uint64_t>(classes_), 0};
  for (std::size_t i = 0; i < y_.size(); ++i) {
    const std::uint32_t w = weight(counts, i);
    t.truth[static_cast<std::size_t>(y_[i])] += w;
    t.predicted[static_cast<std::size_t>(predicted_[i])] += w;
    t.right[static_cast<std::size_t>(y_[i])] += y_[i] == predicted_[i] ? w : 0;
    t.items += w;
  }
  return t;
}

double ClassPredictions::one_against_rest(std::size_t place, std::span<const std::uint16_t> counts) const {
  const Ranking& ranking = rankings_[place];
  std::uint64_t above = 0, group_positive = 0, group_negative = 0, positives = 0, negatives = 0, doubled_wins = 0;
  for (std::size_t i = 0; i < ranking.order.size(); ++i) {
    const std::uint32_t w = weight(counts, ranking.order[i]);
    (ranking.is_positive[i] ? group_positive : group_negative) += w;
    if (!ranking.ends_group[i]) continue;
    doubled_wins += group_negative * (2 * above + group_positive);  // positives above win, those beside win half
    above += group_positive;
    positives += group_positive;
    negatives += group_negative;
    group_positive = group_negative = 0;
  }
  if (positives == 0 || negatives == 0) return kUndefined;
  return static_cast<double>(doubled_wins) / (2 * static_cast<double>(positives) * static_cast<double>(negatives));
}

double ClassPredictions::roc_auc(std::span<const std::uint16_t> counts) const {
  if (rankings_.empty()) return kUndefined;
  double sum = 0;
  for (std::size_t k = 0; k < rankings_.size(); ++k) sum += one_against_rest(k, counts);
  return sum / static_cast<double>(rankings_.size());
}

void ClassPredictions::evaluate(std::span<const std::string_view> metrics, std::span<const std::uint16_t> counts,
                                std::span<double> values) const {
  assert(values.size() == metrics.size());
  const Tally t = tally(counts);
  double right = 0, recalls = 0, f1 = 0;
  int present = 0;
  for (std::size_t k = 0; k < classes_; ++k) {
    const double hits = static_cast<double>(t.right[k]);
    right += hits;
    if (t.truth[k] > 0) recalls += hits / static_cast<double>(t.truth[k]), ++present;
    if (t.truth[k] + t.predicted[k] > 0) f1 += 2 * hits / static_cast<double>(t.truth[k] + t.predicted[k]);
  }
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    if (metrics[m] == "accuracy") values[m] = t.items ? right / static_cast<double>(t.items) : kUndefined;
    if (metrics[m] == "balanced_accuracy") values[m] = present ? recalls / present : kUndefined;
    if (metrics[m] == "macro_f1") values[m] = f1 / static_cast<double>(classes_);
    if (metrics[m] == "roc_auc") values[m] = roc_auc(counts);
  }
}

}  // namespace vise

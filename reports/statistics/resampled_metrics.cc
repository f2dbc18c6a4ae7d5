#include "reports/statistics/resampled_metrics.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>

namespace vise {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

int argmax(std::span<const double> row) {
  if (row.size() == 1) return row[0] > 0 ? 1 : 0;
  return static_cast<int>(std::ranges::max_element(row) - row.begin());  // the first of equal ones
}

// What the metrics of classes need, a class and a resample.
template <std::size_t Lanes>
struct Tally {
  using Row = std::array<std::uint32_t, Lanes>;
  std::vector<Row> right, truth, predicted;

  explicit Tally(std::size_t classes) : right(classes), truth(classes), predicted(classes) {}

  void add(std::size_t truth_class, std::size_t predicted_class, const std::uint16_t* counts) {
    Row &t = truth[truth_class], &p = predicted[predicted_class], &both = right[truth_class];
    for (std::size_t r = 0; r < Lanes; ++r) t[r] += counts[r];
    for (std::size_t r = 0; r < Lanes; ++r) p[r] += counts[r];
    if (truth_class != predicted_class) return;
    for (std::size_t r = 0; r < Lanes; ++r) both[r] += counts[r];
  }

  double accuracy(std::size_t lane) const {
    double hits = 0, items = 0;
    for (std::size_t k = 0; k < truth.size(); ++k) hits += right[k][lane], items += truth[k][lane];
    return items > 0 ? hits / items : kUndefined;
  }
  double balanced_accuracy(std::size_t lane) const {
    double recalls = 0;
    int present = 0;
    for (std::size_t k = 0; k < truth.size(); ++k)
      if (truth[k][lane] > 0) recalls += static_cast<double>(right[k][lane]) / truth[k][lane], ++present;
    return present ? recalls / present : kUndefined;
  }
  double f1_macro(std::size_t lane) const {
    double sum = 0;
    for (std::size_t k = 0; k < truth.size(); ++k)
      if (const double both = static_cast<double>(truth[k][lane]) + predicted[k][lane]; both > 0)
        sum += 2 * static_cast<double>(right[k][lane]) / both;
    return sum / static_cast<double>(truth.size());
  }
  double f1_weighted(std::size_t lane) const {
    double sum = 0, items = 0;
    for (std::size_t k = 0; k < truth.size(); ++k) {
      const double own = truth[k][lane], both = own + predicted[k][lane];
      items += own;
      if (both > 0) sum += own * 2 * right[k][lane] / both;
    }
    return items > 0 ? sum / items : kUndefined;
  }
  // Chance agreement from whole numbers, so that 1 is exact.
  double kappa(std::size_t lane) const {
    double hits = 0, items = 0, chance = 0;
    for (std::size_t k = 0; k < truth.size(); ++k) {
      hits += right[k][lane];
      items += truth[k][lane];
      chance += static_cast<double>(truth[k][lane]) * predicted[k][lane];
    }
    if (items == 0 || chance == items * items) return kUndefined;
    return (hits / items - chance / (items * items)) / (1 - chance / (items * items));
  }
};

}  // namespace

ClassPredictions::ClassPredictions(std::span<const int> y, std::span<const double> scores, std::size_t classes)
    : y_(y.begin(), y.end()), classes_(classes) {
  const std::size_t columns = y.empty() ? classes : scores.size() / y.size();
  assert(scores.size() == columns * y.size() && (columns == classes || (columns == 1 && classes == 2)));
  for (std::size_t i = 0; i < y.size(); ++i) predicted_.push_back(argmax(scores.subspan(i * columns, columns)));
  // Two logits rank by their difference: that is the order of the second class's probability.
  const auto score = [&](std::size_t i, std::size_t k) {
    return columns == 2 ? scores[2 * i + 1] - scores[2 * i] : scores[columns * i + (columns == 1 ? 0 : k)];
  };
  for (std::size_t k = classes == 2 ? 1 : 0; k < classes; ++k) {
    std::vector<double> column;
    std::vector<std::int8_t> is_positive;
    for (std::size_t i = 0; i < y.size(); ++i) {
      column.push_back(score(i, k));
      is_positive.push_back(y[i] == static_cast<int>(k));
    }
    rankings_.push_back(rank_items(column, is_positive));
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
  constexpr std::string_view kKnown[] = {"accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "kappa", "auc"};
  return std::ranges::find(kKnown, metric) != std::end(kKnown);
}

// Positives above a negative win, those beside it win half; doubled, so that all is in integers.
template <std::size_t Lanes>
void ClassPredictions::add_one_against_rest(const Ranking& ranking, const std::uint16_t* counts, double* sums) {
  std::array<std::uint32_t, Lanes> above{}, negatives{}, beside{}, here{};
  std::array<std::uint64_t, Lanes> doubled_wins{};
  for (std::size_t i = 0; i < ranking.order.size(); ++i) {
    const std::uint16_t* own = counts + ranking.order[i] * Lanes;
    std::array<std::uint32_t, Lanes>& group = ranking.is_positive[i] ? beside : here;
    for (std::size_t r = 0; r < Lanes; ++r) group[r] += own[r];
    if (!ranking.ends_group[i]) continue;
    for (std::size_t r = 0; r < Lanes; ++r)
      doubled_wins[r] += static_cast<std::uint64_t>(here[r]) * (2 * above[r] + beside[r]);
    for (std::size_t r = 0; r < Lanes; ++r) above[r] += beside[r];
    for (std::size_t r = 0; r < Lanes; ++r) negatives[r] += here[r];
    beside.fill(0);
    here.fill(0);
  }
  for (std::size_t r = 0; r < Lanes; ++r) {
    const bool defined = above[r] > 0 && negatives[r] > 0;
    sums[r] += defined ? static_cast<double>(doubled_wins[r]) / (2.0 * above[r] * negatives[r]) : kUndefined;
  }
}

template <std::size_t Lanes>
void ClassPredictions::auc(const std::uint16_t* counts, double* values) const {
  std::fill_n(values, Lanes, rankings_.empty() ? kUndefined : 0.0);
  for (const Ranking& ranking : rankings_) add_one_against_rest<Lanes>(ranking, counts, values);
  for (std::size_t r = 0; r < Lanes; ++r) values[r] /= static_cast<double>(std::max<std::size_t>(1, rankings_.size()));
}

template <std::size_t Lanes>
void ClassPredictions::evaluate_all(std::span<const std::string_view> metrics, const std::uint16_t* counts,
                                    double* values) const {
  Tally<Lanes> tally(classes_);
  for (std::size_t i = 0; i < y_.size(); ++i)
    tally.add(static_cast<std::size_t>(y_[i]), static_cast<std::size_t>(predicted_[i]), counts + i * Lanes);
  for (const std::string_view metric : metrics) {
    for (std::size_t r = 0; r < Lanes; ++r) {
      if (metric == "accuracy") values[r] = tally.accuracy(r);
      if (metric == "balanced_accuracy") values[r] = tally.balanced_accuracy(r);
      if (metric == "f1_macro") values[r] = tally.f1_macro(r);
      if (metric == "f1_weighted") values[r] = tally.f1_weighted(r);
      if (metric == "kappa") values[r] = tally.kappa(r);
    }
    if (metric == "auc") auc<Lanes>(counts, values);
    values += Lanes;
  }
}

void ClassPredictions::evaluate(std::span<const std::string_view> metrics, std::span<const std::uint16_t> counts,
                                std::span<double> values) const {
  assert(values.size() == metrics.size() && (counts.empty() || counts.size() == size()));
  const std::vector<std::uint16_t> once(counts.empty() ? size() : 0, 1);
  evaluate_all<1>(metrics, counts.empty() ? once.data() : counts.data(), values.data());
}

void ClassPredictions::evaluate_lanes(std::span<const std::string_view> metrics, std::span<const std::uint16_t> counts,
                                      std::span<double> values) const {
  assert(values.size() == metrics.size() * kLanes && counts.size() == size() * kLanes);
  evaluate_all<kLanes>(metrics, counts.data(), values.data());
}

}  // namespace vise

#include <algorithm>
#include <cmath>

#include "probes/metrics/check.h"
#include "probes/metrics/family.h"
#include "probes/metrics/metrics.h"

namespace vise::probes {
namespace metrics {
namespace {

// Area under the ROC curve and average precision of one ranking, in each lane.
template <std::size_t Lanes>
struct Curve {
  Sums<Lanes> auc, precision;  // NaN where undefined
};

// One walk from the highest score down. `above` and `seen` are the positives and all rows so far. A group without
// positives adds nothing to average precision, one without negatives nothing to the area.
template <std::size_t Lanes>
Curve<Lanes> walk(const Ranking& ranking, const std::uint16_t* counts) {
  Sums<Lanes> above{}, seen{}, twice_area{}, precision{};
  Counts<Lanes> hits{}, others{};
  bool has_hits = false, has_others = false;
  for (std::size_t j = 0; j < ranking.order.size(); ++j) {
    add<Lanes>(ranking.is_positive[j] ? hits : others, counts + ranking.order[j] * Lanes);
    (ranking.is_positive[j] ? has_hits : has_others) = true;
    if (!ranking.ends_group[j]) continue;
    if (has_others)
      // A negative is below every positive seen so far and level with those of its own group, which count
      // half (Mann-Whitney); doubled, so that all of it is whole numbers and exact.
      for (std::size_t r = 0; r < Lanes; ++r) twice_area[r] += others[r] * (2 * above[r] + hits[r]);
    for (std::size_t r = 0; r < Lanes; ++r) seen[r] += others[r] + hits[r];
    if (has_hits)
      for (std::size_t r = 0; r < Lanes; ++r) {
        above[r] += hits[r];
        // Average precision as scikit-learn has it: precision at each threshold, weighted by
        // the recall that it adds; no interpolation.
        precision[r] += hits[r] * (above[r] / std::max(seen[r], 1.0));  // none seen: none hit
      }
    hits = others = {};
    has_hits = has_others = false;
  }
  Curve<Lanes> curve;
  for (std::size_t r = 0; r < Lanes; ++r) {
    const double negatives = seen[r] - above[r];
    curve.auc[r] = above[r] == 0 || negatives == 0 ? kUndefined : twice_area[r] / (2 * above[r] * negatives);
    curve.precision[r] = above[r] == 0 ? kUndefined : precision[r] / above[r];
  }
  return curve;
}

// NaN, which isn't equal to itself, becomes nothing.
std::optional<double> defined(double value) { return value == value ? std::optional(value) : std::nullopt; }

// A mean over rankings of those that are defined, lane by lane: a resample may lack a class's positives.
template <std::size_t Lanes>
struct MeanOfDefined {
  Sums<Lanes> sum{}, defined{};
  void add(const Sums<Lanes>& values) {
    for (std::size_t r = 0; r < Lanes; ++r) {
      const bool is = !std::isnan(values[r]);
      sum[r] += is ? values[r] : 0;
      defined[r] += is;
    }
  }
  void write(double* values) const {
    for (std::size_t r = 0; r < Lanes; ++r) values[r] = sum[r] / defined[r];  // 0 / 0 where no ranking has it
  }
};

// All rankings of a set of scores under the two names that their means have.
struct Rankings {
  std::vector<Ranking> all;
  std::string auc, precision;

  std::vector<std::string> names() const { return {auc, precision}; }

  template <std::size_t Lanes>
  void evaluate(std::span<const MetricFamily::Wanted> wanted, const std::uint16_t* counts) const {
    if (std::ranges::none_of(wanted, [&](const auto& w) { return w.name == auc || w.name == precision; })) return;
    MeanOfDefined<Lanes> areas, precisions;
    for (const Ranking& ranking : all) {
      const Curve<Lanes> curve = walk<Lanes>(ranking, counts);
      areas.add(curve.auc);
      precisions.add(curve.precision);
    }
    for (const auto& [name, values] : wanted) {
      if (name == auc) areas.write(values);
      if (name == precision) precisions.write(values);
    }
  }
};

}  // namespace

Ranking rank_rows(std::span<const double> scores, std::span<const std::int8_t> truth) {
  Ranking ranking;
  for (std::uint32_t i = 0; i < truth.size(); ++i)
    if (truth[i] >= 0) ranking.order.push_back(i);
  // The order is made once; a resample only changes how often each row counts, so 10,000
  // of them need no further sorting.
  std::ranges::stable_sort(ranking.order, std::greater{}, [&](std::uint32_t i) { return scores[i]; });
  for (std::size_t j = 0; j < ranking.order.size(); ++j) {
    const bool last = j + 1 == ranking.order.size();
    ranking.ends_group.push_back(last || scores[ranking.order[j + 1]] != scores[ranking.order[j]]);
    ranking.is_positive.push_back(truth[ranking.order[j]] == 1);
  }
  return ranking;
}

std::vector<Ranking> rank_classes(const ConstRef<double>& scores, std::span<const int> truth, int first) {
  const auto columns = static_cast<std::size_t>(scores.cols());
  expect_length(truth.size(), static_cast<std::size_t>(scores.size()), truth.size() * columns);
  expect_finite(scores);
  std::vector<Ranking> all;
  std::vector<std::int8_t> positive(truth.size());
  for (std::size_t k = 0; k < columns; ++k) {
    for (std::size_t i = 0; i < truth.size(); ++i) positive[i] = truth[i] == static_cast<int>(k) + first;
    all.push_back(rank_rows(to_vector(scores.col(static_cast<Eigen::Index>(k))), positive));
  }
  return all;
}

std::shared_ptr<const MetricFamily> rankings(std::vector<Ranking> rankings, std::string auc, std::string precision) {
  return in_lanes(Rankings{std::move(rankings), std::move(auc), std::move(precision)});
}

RankingReport ranking_report(std::span<const Ranking> rankings, std::size_t rows) {
  const std::vector<std::uint16_t> once(rows, 1);
  std::vector<std::optional<double>> areas, precisions;
  for (const Ranking& ranking : rankings) {
    const Curve<1> curve = walk<1>(ranking, once.data());
    areas.push_back(defined(curve.auc[0]));
    precisions.push_back(defined(curve.precision[0]));
  }
  return {mean_defined(areas), mean_defined(precisions), precisions};
}

}  // namespace metrics

namespace {

// The functions of metrics.h are the same code with every row counting once.
metrics::RankingReport one_ranking(std::span<const double> score, std::span<const std::uint8_t> positive) {
  metrics::expect_length(score.size(), positive.size(), score.size());
  metrics::expect_finite(view(score, 1));
  const std::vector<std::int8_t> truth(positive.begin(), positive.end());
  return metrics::ranking_report(std::vector{metrics::rank_rows(score, truth)}, score.size());
}

}  // namespace

std::optional<double> auc(std::span<const double> score, std::span<const std::uint8_t> positive) {
  return one_ranking(score, positive).auc.mean;
}

std::optional<double> average_precision(std::span<const double> score, std::span<const std::uint8_t> positive) {
  return one_ranking(score, positive).map.mean;
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

MeanOverClasses auc_one_vs_rest(const ConstRef<double>& scores, std::span<const int> truth) {
  metrics::expect_scores(scores, truth);
  return metrics::ranking_report(metrics::rank_classes(scores, truth, 0), truth.size()).auc;
}

MeanOverClasses average_precision_one_vs_rest(const ConstRef<double>& scores, std::span<const int> truth) {
  metrics::expect_scores(scores, truth);
  return metrics::ranking_report(metrics::rank_classes(scores, truth, 0), truth.size()).map;
}

}  // namespace vise::probes

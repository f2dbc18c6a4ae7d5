#include "reports/statistics/resampled_soft.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace vise {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
using Sums = std::array<double, kLanes>;

constexpr std::string_view kMeansOfLabels[] = {"f1_samples", "f1_samples_empty_right", "exact_match"};
constexpr std::string_view kMeansOfDistributions[] = {
    "kl", "cross_entropy", "js", "accuracy_within_votes", "majority_accuracy", "vote_share", "vote_share_ceiling"};
constexpr std::string_view kOfLabels[] = {"map", "auc_macro", "f1_macro", "f1_micro"};
constexpr std::string_view kOfValues[] = {"r2", "pearson", "spearman", "ccc", "mae", "rmse"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

std::span<const std::string_view> item_means(TargetKind kind) {
  if (kind == TargetKind::multi_label) return kMeansOfLabels;
  if (kind == TargetKind::distribution) return kMeansOfDistributions;
  return {};
}

void add_weighted(Sums& sums, const std::uint16_t* counts, double value) {
  for (std::size_t r = 0; r < kLanes; ++r) sums[r] += counts[r] * value;
}

// Places of each item among the distinct values, ascending from 0.
std::vector<std::uint32_t> places_of(const std::vector<double>& values, std::size_t& places) {
  std::vector<double> distinct = values;
  std::ranges::sort(distinct);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  places = distinct.size();
  std::vector<std::uint32_t> result;
  for (const double v : values)
    result.push_back(static_cast<std::uint32_t>(std::ranges::lower_bound(distinct, v) - distinct.begin()));
  return result;
}

// Average ranks of the distinct values, where value p occurs counts[p] times.
std::vector<double> ranks_of(const std::vector<double>& counts) {
  std::vector<double> ranks(counts.size());
  double before = 0;
  for (std::size_t p = 0; p < counts.size(); before += counts[p++]) ranks[p] = before + (counts[p] + 1) / 2;
  return ranks;
}

// Weighted sums of two variables; central ones follow.
struct Moments {
  double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;

  void add(double weight, double a, double b) {
    n += weight;
    x += weight * a;
    y += weight * b;
    xx += weight * a * a;
    yy += weight * b * b;
    xy += weight * a * b;
  }
  double central_xx() const { return xx - x * x / n; }
  double central_yy() const { return yy - y * y / n; }
  double central_xy() const { return xy - x * y / n; }
  // What is left of a sum of squares by rounding alone, where all values are equal.
  bool flat_x() const { return central_xx() <= 1e-12 * xx; }
  bool flat_y() const { return central_yy() <= 1e-12 * yy; }

  double correlation() const {
    if (flat_x() || flat_y()) return kUndefined;
    return std::clamp(central_xy() / std::sqrt(central_xx() * central_yy()), -1.0, 1.0);
  }
  double concordance() const {
    const double gap = (x - y) / n;
    if (flat_x() && flat_y() && std::fabs(gap) < 1e-12) return kUndefined;
    if (flat_x() || flat_y()) return 0;
    return 2 * (central_xy() / n) / (central_xx() / n + central_yy() / n + gap * gap);
  }
};

}  // namespace

bool SoftPredictions::knows(TargetKind kind, std::string_view metric) {
  if (is_one_of(metric, item_means(kind))) return true;
  if (kind == TargetKind::multi_label) return is_one_of(metric, kOfLabels);
  return kind == TargetKind::values && is_one_of(metric.substr(0, metric.find(':')), kOfValues);
}

SoftPredictions::SoftPredictions(const Scores& scores, const Targets& targets, const Calibration& calibration)
    : kind_(targets.kind()), items_(targets.size()), width_(targets.width()), names_(targets.names()) {
  add_item_means(scores, targets, calibration);
  if (kind_ == TargetKind::values) add_columns(scores, targets);
  if (kind_ != TargetKind::multi_label) return;
  truth_.assign(targets.multi_label().begin(), targets.multi_label().end());
  for (const double score : scores.values) said_.push_back(score > calibration.threshold);
  rank_labels(scores);
}

void SoftPredictions::add_item_means(const Scores& scores, const Targets& targets, const Calibration& calibration) {
  if (item_means(kind_).empty()) return;
  for (std::uint32_t i = 0; i < items_; ++i) {
    const auto begin = scores.values.begin() + static_cast<std::ptrdiff_t>(i * scores.columns);
    const Scores one{1, scores.columns, {begin, begin + static_cast<std::ptrdiff_t>(scores.columns)}};
    const Metrics metrics = evaluate(one, targets.select(std::span(&i, 1)), calibration);
    for (const std::string_view name : item_means(kind_)) {
      const auto& value = metrics.at(std::string(name));
      per_item_[std::string(name)].push_back(value.value_or(kUndefined));
    }
  }
}

void SoftPredictions::rank_labels(const Scores& scores) {
  for (std::size_t k = 0; k < width_; ++k) {
    std::vector<double> column;
    std::vector<std::int8_t> truth;
    for (std::size_t i = 0; i < items_; ++i) {
      column.push_back(scores.values[i * width_ + k]);
      truth.push_back(truth_[i * width_ + k]);
    }
    rankings_.push_back(rank_items(column, truth));
  }
}

void SoftPredictions::add_columns(const Scores& scores, const Targets& targets) {
  for (std::size_t t = 0; t < width_; ++t) {
    ValueColumn column;
    for (std::size_t i = 0; i < items_; ++i) {
      column.truth.push_back(targets.rows()[i * width_ + t]);
      column.predicted.push_back(scores.values[i * width_ + t]);
    }
    column.truth_place = places_of(column.truth, column.truth_places);
    column.predicted_place = places_of(column.predicted, column.predicted_places);
    const double mean = std::accumulate(column.truth.begin(), column.truth.end(), 0.0) / static_cast<double>(items_);
    for (double& v : column.truth) v -= mean;
    for (double& v : column.predicted) v -= mean;
    columns_.push_back(std::move(column));
  }
}

void SoftPredictions::mean_of_items(const std::vector<double>& per_item, Counts counts, Lane values) const {
  Sums sums{}, items{};
  for (std::size_t i = 0; i < items_; ++i) {
    add_weighted(sums, counts.data() + i * kLanes, per_item[i]);
    add_weighted(items, counts.data() + i * kLanes, 1);
  }
  for (std::size_t r = 0; r < kLanes; ++r) values[r] = sums[r] / items[r];
}

void SoftPredictions::label_f1(bool macro, Counts counts, Lane values) const {
  Sums all_hits{}, all_others{}, mean{};
  for (std::size_t k = 0; k < width_; ++k) {
    Sums hits{}, others{};  // others: predicted + positive
    for (std::size_t i = 0; i < items_; ++i) {
      const std::size_t at = i * width_ + k;
      if (truth_[at] < 0) continue;
      const bool is = truth_[at] == 1, said = said_[at];
      if (is && said) add_weighted(hits, counts.data() + i * kLanes, 1);
      if (is || said) add_weighted(others, counts.data() + i * kLanes, is + said);
    }
    for (std::size_t r = 0; r < kLanes; ++r) {
      all_hits[r] += hits[r];
      all_others[r] += others[r];
      mean[r] += others[r] > 0 ? 2 * hits[r] / others[r] / static_cast<double>(width_) : 0;
    }
  }
  for (std::size_t r = 0; r < kLanes; ++r)
    values[r] = macro ? mean[r] : all_others[r] > 0 ? 2 * all_hits[r] / all_others[r] : 0;
}

void SoftPredictions::mean_over_columns(std::string_view wanted, Counts counts, Lane values) const {
  const std::string_view metric = wanted.substr(0, wanted.find(':'));
  const std::string_view only = metric == wanted ? "" : wanted.substr(metric.size() + 1);
  for (std::size_t r = 0; r < kLanes; ++r) {
    double total = 0;
    std::size_t defined = 0;
    for (std::size_t t = 0; t < columns_.size(); ++t) {
      if (metric != wanted && names_[t] != only) continue;
      const ValueColumn& column = columns_[t];
      Moments m;
      double absolute = 0, squared = 0;
      if (metric == "spearman") {
        std::vector<double> truth_counts(column.truth_places), predicted_counts(column.predicted_places);
        for (std::size_t i = 0; i < items_; ++i) {
          truth_counts[column.truth_place[i]] += counts[i * kLanes + r];
          predicted_counts[column.predicted_place[i]] += counts[i * kLanes + r];
        }
        const std::vector<double> x = ranks_of(truth_counts), y = ranks_of(predicted_counts);
        const double middle = (static_cast<double>(items_) + 1) / 2;
        for (std::size_t i = 0; i < items_; ++i)
          m.add(counts[i * kLanes + r], x[column.truth_place[i]] - middle, y[column.predicted_place[i]] - middle);
      } else {
        for (std::size_t i = 0; i < items_; ++i) {
          const double off = column.truth[i] - column.predicted[i], weight = counts[i * kLanes + r];
          m.add(weight, column.truth[i], column.predicted[i]);
          absolute += weight * std::fabs(off);
          squared += weight * off * off;
        }
      }
      const double value = metric == "mae"    ? absolute / m.n
                           : metric == "rmse" ? std::sqrt(squared / m.n)
                           : metric == "ccc"  ? m.concordance()
                           : metric != "r2"   ? m.correlation()
                           : m.flat_x()       ? kUndefined
                                              : 1 - squared / m.central_xx();
      if (std::isnan(value)) continue;
      total += value;
      ++defined;
    }
    values[r] = defined > 0 ? total / static_cast<double>(defined) : kUndefined;
  }
}

void SoftPredictions::evaluate_lanes(std::span<const std::string_view> metrics, std::span<const std::uint16_t> counts,
                                     std::span<double> values) const {
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const Lane lane = values.subspan(m * kLanes, kLanes);
    const std::string_view name = metrics[m];
    if (const auto found = per_item_.find(name); found != per_item_.end())
      mean_of_items(found->second, counts, lane);
    else if (kind_ == TargetKind::multi_label && name.starts_with("f1"))
      label_f1(name == "f1_macro", counts, lane);
    else if (kind_ == TargetKind::multi_label)
      mean_over_rankings(rankings_, name == "map" ? RankMetric::average_precision : RankMetric::auc, counts, lane);
    else
      mean_over_columns(name, counts, lane);
  }
}

}  // namespace vise

#include "probes/metrics/weighted.h"

#include <algorithm>
#include <cassert>

#include "probes/metric_registry.h"
#include "probes/metrics/check.h"
#include "probes/metrics/family.h"
#include "probes/metrics/metrics.h"

namespace vise::probes {
namespace {

// One metric of a user's own, on rows that it keeps.
class UserFamily final : public MetricFamily {
 public:
  UserFamily(const UserMetric& metric, const Scores& scores, const datasets::Targets& targets)
      : metric_(metric), scores_(scores), targets_(targets) {
    if (metric_.prepare) weighted_ = metric_.prepare(scores_, targets_);
  }
  std::vector<std::string> names() const override { return {metric_.name}; }

  void evaluate(std::span<const Wanted> wanted, const std::uint16_t* counts, std::size_t lanes) const override {
    const auto own = std::ranges::find(wanted, metric_.name, &Wanted::name);
    if (own == wanted.end()) return;
    std::vector<std::uint16_t> of_lane(targets_.size());
    for (std::size_t r = 0; r < lanes; ++r) {
      for (std::size_t i = 0; i < of_lane.size(); ++i) of_lane[i] = counts[i * lanes + r];
      own->values[r] = value(of_lane).value_or(metrics::kUndefined);
    }
  }

 private:
  std::optional<double> value(std::span<const std::uint16_t> counts) const {
    if (weighted_) return weighted_(counts);
    if (std::ranges::all_of(counts, [](std::uint16_t c) { return c == 1; })) return metric_.compute(scores_, targets_);
    // A metric that knows no weights sees the rows written out.
    std::vector<std::uint32_t> rows;
    // In the rows' order: a resample of three equal rows is three rows side by side.
    for (std::uint32_t i = 0; i < counts.size(); ++i) rows.insert(rows.end(), counts[i], i);
    Scores drawn{rows.size(), scores_.columns, {}};
    for (const std::uint32_t i : rows) {
      const auto begin = scores_.values.begin() + static_cast<std::ptrdiff_t>(i * scores_.columns);
      drawn.values.insert(drawn.values.end(), begin, begin + static_cast<std::ptrdiff_t>(scores_.columns));
    }
    return metric_.compute(drawn, targets_.select(rows));
  }

  // Copies: the caller's scores may be gone when a resample is asked for.
  const UserMetric metric_;
  const Scores scores_;
  const datasets::Targets targets_;
  WeightedMetric weighted_;
};

// Whether f1_macro_seen would differ from f1_macro.
bool every_class_has_a_row(const datasets::Targets& targets) {
  std::vector<bool> seen(targets.width(), false);
  for (const int k : targets.classes()) seen[static_cast<std::size_t>(k)] = true;
  return std::ranges::find(seen, false) == seen.end();
}

// Of two classes one score is the logit of the second.
Matrix<double> logits_of(const Scores& scores, const datasets::Targets& targets) {
  const std::size_t rows = targets.size();
  if (scores.columns == targets.width()) {
    metrics::expect_length(rows, scores.values.size(), rows * targets.width());
    return view(scores);
  }
  metrics::expect_length(rows, scores.values.size(), targets.width() == 2 ? rows : 0);
  Matrix<double> logits = Matrix<double>::Zero(static_cast<Eigen::Index>(rows), 2);
  logits.col(1) = view<double>(scores.values, 1);
  return logits;
}

// A sweep asks for one metric of decisions at every candidate; sorting all scores for the others would take a
// twentieth of its time.
void add_classes(const Scores& scores, const datasets::Targets& targets, const Calibration& calibration,
                 std::string_view only, Families& families) {
  const Matrix<double> logits = logits_of(scores, targets);
  metrics::expect_labels(targets.classes(), targets.width());
  families.push_back(
      metrics::decisions(targets.classes(), argmax_rows(logits), targets.width(), every_class_has_a_row(targets)));
  if (!is_decision_metric(only)) metrics::add_scored_classes(targets, logits, calibration, families);
}

}  // namespace

WeightedMetrics::WeightedMetrics(const Scores& scores, const datasets::Targets& targets, const Calibration& calibration,
                                 std::string_view only)
    : rows_(targets.size()) {
  switch (targets.kind()) {
    case datasets::TargetKind::classes:
      add_classes(scores, targets, calibration, only, families_);
      break;
    case datasets::TargetKind::multi_label:
      metrics::add_labels(targets, view<double>(scores.values, targets.width()), calibration.threshold, families_);
      break;
    // Scores are logits; their softmax is the predicted shares.
    case datasets::TargetKind::distribution:
      metrics::add_distributions(targets, softmax_rows(view<double>(scores.values, targets.width())), families_);
      break;
    case datasets::TargetKind::values:
      metrics::add_values(targets, scores.values, families_);
      break;
  }
  for (const UserMetric& metric : MetricRegistry::instance().all())
    if (metric.kind == targets.kind() && (only.empty() || only == metric.name))
      families_.push_back(std::make_shared<UserFamily>(metric, scores, targets));
}

std::vector<std::string> WeightedMetrics::names() const {
  std::vector<std::string> all;
  for (const auto& family : families_)
    for (std::string& name : family->names()) all.push_back(std::move(name));
  return all;
}

void WeightedMetrics::evaluate(std::span<const std::string_view> names, std::span<const std::uint16_t> counts,
                               std::span<double> values) const {
  // A count of 1 a row is the test set itself.
  const std::vector<std::uint16_t> once(counts.empty() ? rows_ : 0, 1);
  if (counts.empty()) counts = once;
  const std::size_t lanes = counts.size() == rows_ ? 1 : kLanes;
  assert(counts.size() == rows_ * lanes && values.size() == names.size() * lanes);
  // What no family knows stays undefined.
  std::ranges::fill(values, metrics::kUndefined);
  std::vector<MetricFamily::Wanted> wanted;
  for (std::size_t m = 0; m < names.size(); ++m) wanted.push_back({names[m], values.data() + m * lanes});
  for (const auto& family : families_) family->evaluate(wanted, counts.data(), lanes);
}

}  // namespace vise::probes

#include "reports/verdict/curves.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "reports/metric_names.h"
#include "reports/statistics/bootstrap.h"
#include "reports/verdict/task_scores.h"

namespace vise::reports {
namespace {

// The way through this file: label_curves() groups sections into questions, curves_of_task() traces each model
// through their samples, add_ratio() reads off how many labels it needs; mean_curve() averages tasks; layer_curves()
// does the same over layers.

// A row of a section.
struct Spot {
  std::size_t section = 0, row = 0;
};

// Task, target, condition, metric: sections that differ in their sample of train alone.
using Question = std::tuple<std::string, std::string, std::string, std::string>;
using Model = std::pair<std::string, std::string>;  // probe, backbone as the table has it

// Sections that a mean over folds stands for; curves are of the mean, not of each fold beside it.
std::set<std::size_t> sections_in_means(const ComparisonTable& table) {
  std::set<std::size_t> in_means;
  for (const TableSection& section : table.sections) in_means.insert(section.folds.begin(), section.folds.end());
  return in_means;
}

double labels_of(const TableSection& section) { return static_cast<double>(training_images(section)); }

// The table's row of a spot; its first metric is the primary one.
const TableRow& row_at(const Sources& sources, const Spot& spot) {
  return sources.table.sections[spot.section].rows[spot.row];
}

double value_at(const Sources& sources, const Spot& spot) { return *row_at(sources, spot).metrics.front().value; }

// The error of the mean of several rows of different tasks.
std::optional<Interval> band_of_mean(const Sources& sources, const std::vector<Spot>& spots, double level) {
  std::vector<SeedMean> parts;
  std::vector<std::size_t> sections;
  for (const Spot& spot : spots) {
    const RowEvidence& row = sources.evidence[spot.section].rows()[spot.row];
    if (row.primary.empty() || row.primary.front().replicates.front().empty()) return {};
    std::vector<SeedMean> folds;
    for (const ResampledSeeds& fold : row.primary) folds.push_back(seed_mean(fold));
    parts.push_back(mean_of(folds));
    sections.push_back(spot.section);
  }
  const std::vector<double> covariance = covariance_of(sources, sections, parts, [&](std::size_t t) {
    return influences(sources.table.sections[sections[t]], sources.evidence[sections[t]], spots[t].row);
  });
  const std::vector<double> weights(spots.size(), 1 / static_cast<double>(spots.size()));
  return test_seed_mean(sum_over_tasks(parts, weights, covariance), level).interval;
}

// Isotonic regression, rising: neighbours that fall are replaced by their mean.
std::vector<double> rising(std::span<const double> values) {
  std::vector<std::pair<double, std::size_t>> blocks;  // mean, count
  for (const double value : values) {
    blocks.emplace_back(value, 1);
    while (blocks.size() > 1 && blocks[blocks.size() - 2].first > blocks.back().first) {
      const auto [mean, count] = blocks.back();
      blocks.pop_back();
      auto& [before, many] = blocks.back();
      before =
          (before * static_cast<double>(many) + mean * static_cast<double>(count)) / static_cast<double>(many + count);
      many += count;
    }
  }
  std::vector<double> fitted;
  for (const auto& [mean, count] : blocks) fitted.insert(fitted.end(), count, mean);
  return fitted;
}

// Labels of the one to labels of the other for what the worse of them reaches with all.
double ratio_of(std::span<const double> labels, std::span<const double> mine, std::span<const double> theirs) {
  // Both reach this level, so both numbers of labels are read inside their curves.
  // More labels can't make a representation worse, so a dip is noise: rising() takes it
  // out before the curve is read backwards.
  const double level = std::min(rising(mine).back(), rising(theirs).back());
  return labels_needed(labels, mine, level) / labels_needed(labels, theirs, level);
}

// A curve with its spots, and its ratio in every resample.
struct Traced {
  LabelCurve curve;
  std::vector<Spot> spots;
  std::vector<double> ratios;
};

void sort_by_labels(const Sources& sources, std::vector<Spot>& spots) {
  std::ranges::stable_sort(spots, {},
                           [&](const Spot& spot) { return labels_of(sources.table.sections[spot.section]); });
}

// Values of a curve with higher being better: errors are negated, so that a curve rises in every metric.
std::vector<double> values_at(const Sources& sources, const std::vector<Spot>& spots, double sign) {
  std::vector<double> values;
  for (const Spot& spot : spots) values.push_back(sign * value_at(sources, spot));
  return values;
}

// [spot][resample]; empty where some spot has none.
std::vector<std::vector<double>> resampled_at(const Sources& sources, const std::vector<Spot>& spots,
                                              std::size_t resamples) {
  std::vector<std::vector<double>> scores;
  for (const Spot& spot : spots) {
    scores.push_back(
        resampled_scores(sources.table.sections[spot.section], sources.evidence[spot.section], spot.row, resamples));
    if (scores.back().empty()) return {};
  }
  return scores;
}

// Sets the ratio of labels to the baseline's, and its interval from the same resamples of images for both.
void add_ratio(const Sources& sources, Traced& traced, const std::vector<Spot>& baseline, std::size_t resamples,
               double level) {
  LabelCurve& curve = traced.curve;
  const double sign = metric_name(curve.metric).higher_is_better ? 1 : -1;
  std::vector<double> labels;
  for (const LabelPoint& point : curve.points) labels.push_back(point.labels);
  const std::vector<double> mine = values_at(sources, traced.spots, sign), theirs = values_at(sources, baseline, sign);
  curve.ratio = ratio_of(labels, mine, theirs);
  // The level was reached before the smallest subset, so the ratio is an upper bound.
  curve.at_most = rising(mine).front() >= std::min(rising(mine).back(), rising(theirs).back());
  const auto of_mine = resampled_at(sources, traced.spots, resamples),
             of_theirs = resampled_at(sources, baseline, resamples);
  if (of_mine.empty() || of_theirs.empty()) return;
  std::vector<double> a(labels.size()), b(labels.size());
  for (std::size_t r = 0; r < resamples; ++r) {
    for (std::size_t p = 0; p < labels.size(); ++p) a[p] = sign * of_mine[p][r], b[p] = sign * of_theirs[p][r];
    traced.ratios.push_back(ratio_of(labels, a, b));
  }
  curve.ratio_interval = percentile_interval(traced.ratios, level);
}

// Each model's spots over the sections, in the table's order.
std::map<Model, std::vector<Spot>> models_of(const Sources& sources, const std::vector<std::size_t>& sections) {
  std::map<Model, std::vector<Spot>> models;
  for (const std::size_t s : sections)
    for (std::size_t r = 0; r < sources.table.sections[s].rows.size(); ++r) {
      const TableRow& row = sources.table.sections[s].rows[r];
      if (!row.failed && row.metrics.front().value) models[{row.probe, row.backbone}].push_back({s, r});
    }
  return models;
}

// Curves of one question. A model that lacks some sample has none: its curve would be over other points than the
// baseline's.
std::vector<Traced> curves_of_task(const Sources& sources, const std::vector<std::size_t>& sections,
                                   std::size_t resamples, double level) {
  std::vector<Traced> curves;
  auto models = models_of(sources, sections);
  for (auto& [model, spots] : models) {
    if (spots.size() < sections.size()) continue;  // not on every sample
    sort_by_labels(sources, spots);
    const TableSection& first = sources.table.sections[spots.front().section];
    Traced& traced = curves.emplace_back();
    traced.curve = {first.task, first.target, first.primary_metric, model.first, model.second, false, {}, {},
                    {},         false};
    traced.curve.is_baseline = row_at(sources, spots.front()).is_baseline;
    for (const Spot& spot : spots) {
      const TableSection& section = sources.table.sections[spot.section];
      const Estimate& estimate = row_at(sources, spot).metrics.front();
      traced.curve.points.push_back(
          {section.shots, section.fraction, labels_of(section), *estimate.value, estimate.interval});
    }
    traced.spots = spots;
  }
  for (Traced& traced : curves) {
    if (traced.curve.is_baseline) continue;
    const auto baseline = std::ranges::find_if(curves, [&](const Traced& other) {
      return other.curve.is_baseline && other.curve.probe == traced.curve.probe;
    });
    if (baseline != curves.end()) add_ratio(sources, traced, baseline->spots, resamples, level);
  }
  return curves;
}

// Whether two tasks' curves may be averaged point by point.
bool same_samples(const LabelCurve& a, const LabelCurve& b) {
  return a.probe == b.probe && a.backbone == b.backbone && a.metric == b.metric && a.is_baseline == b.is_baseline &&
         std::ranges::equal(a.points, b.points, [](const LabelPoint& x, const LabelPoint& y) {
           return x.shots == y.shots && x.fraction == y.fraction;
         });
}

// The geometric mean of ratios, in every resample too.
void add_mean_ratio(LabelCurve& mean, const std::vector<const Traced*>& parts, double level) {
  const double count = static_cast<double>(parts.size());
  double sum = 0;
  std::vector<double> sums;
  for (const Traced* part : parts) {
    if (!part->curve.ratio) return;
    sum += std::log(*part->curve.ratio) / count;
    mean.at_most |= part->curve.at_most;
    if (sums.empty()) sums.assign(part->ratios.size(), 0);
    for (std::size_t r = 0; r < std::min(sums.size(), part->ratios.size()); ++r)
      // Ratios multiply, so their mean is geometric: 2 and 1/2 average to 1.
      sums[r] += std::log(part->ratios[r]) / count;
    if (part->ratios.empty()) sums.clear();
  }
  mean.ratio = std::exp(sum);
  mean.ratio_interval = percentile_interval(sums, level);
  if (mean.ratio_interval)
    mean.ratio_interval = {std::exp(mean.ratio_interval->low), std::exp(mean.ratio_interval->high)};
}

// The mean of several tasks' curves of one backbone, with bands that know which tasks share test images.
LabelCurve mean_curve(const Sources& sources, const std::vector<const Traced*>& parts, double level) {
  LabelCurve mean = parts.front()->curve;
  mean.task.clear(), mean.target.clear();
  mean.ratio.reset(), mean.ratio_interval.reset(), mean.at_most = false;
  for (std::size_t p = 0; p < mean.points.size(); ++p) {
    LabelPoint& point = mean.points[p];
    point.value = point.labels = 0;
    std::vector<Spot> spots;
    for (const Traced* part : parts) {
      point.value += part->curve.points[p].value / static_cast<double>(parts.size());
      point.labels += part->curve.points[p].labels;
      spots.push_back(part->spots[p]);
    }
    point.labels /= static_cast<double>(parts.size());  // whole numbers stay whole where tasks agree
    point.band = band_of_mean(sources, spots, level);
  }
  if (!mean.is_baseline) add_mean_ratio(mean, parts, level);
  return mean;
}

}  // namespace

double labels_needed(std::span<const double> labels, std::span<const double> values, double level) {
  const std::vector<double> fitted = rising(values);
  // Beyond the curve's first point nothing was measured: at most so many.
  if (fitted.front() >= level) return labels.front();
  for (std::size_t p = 1; p < fitted.size(); ++p) {
    if (fitted[p] < level) continue;
    // Linear in the logarithm of labels, as samples are spaced.
    const double share = (level - fitted[p - 1]) / (fitted[p] - fitted[p - 1]);
    return std::exp(std::log(labels[p - 1]) * (1 - share) + std::log(labels[p]) * share);
  }
  return labels.back();
}

std::vector<LabelCurve> label_curves(const Sources& sources, std::size_t resamples, double level) {
  const std::set<std::size_t> in_means = sections_in_means(sources.table);
  std::map<Question, std::vector<std::size_t>> questions;
  for (std::size_t s = 0; s < sources.table.sections.size(); ++s) {
    const TableSection& section = sources.table.sections[s];
    if (!in_means.contains(s))
      questions[{section.task, section.target, section.where, section.primary_metric}].push_back(s);
  }
  std::vector<Traced> all;
  for (const auto& [question, sections] : questions)
    if (sections.size() > 1)
      for (Traced& traced : curves_of_task(sources, sections, resamples, level)) all.push_back(std::move(traced));
  std::vector<LabelCurve> curves;
  std::vector<bool> taken(all.size());
  // Quadratic in the number of curves, of which there are few hundred at most.
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (taken[i]) continue;
    std::vector<const Traced*> parts;
    for (std::size_t j = i; j < all.size(); ++j)
      if (same_samples(all[i].curve, all[j].curve)) parts.push_back(&all[j]), taken[j] = true;
    if (parts.size() > 1) curves.push_back(mean_curve(sources, parts, level));
  }
  for (Traced& traced : all) curves.push_back(std::move(traced.curve));
  return curves;
}

std::vector<LayerCurve> layer_curves(const Sources& sources, double level) {
  using Taps = std::vector<std::pair<std::string, std::string>>;
  const std::set<std::size_t> in_means = sections_in_means(sources.table);
  std::vector<LayerCurve> curves;
  std::map<std::tuple<std::string, std::string, std::string, Taps>, std::vector<std::vector<Spot>>> alike;
  for (std::size_t s = 0; s < sources.table.sections.size(); ++s) {
    const TableSection& section = sources.table.sections[s];
    if (in_means.contains(s) || section.shots > 0 || section.fraction < 1 || !section.where.empty()) continue;
    std::map<Model, std::vector<Spot>> models;
    for (std::size_t r = 0; r < section.rows.size(); ++r)
      if (!section.rows[r].failed && section.rows[r].metrics.front().value)
        models[{section.rows[r].probe, section.rows[r].cell.backbone}].push_back({s, r});
    for (const auto& [model, spots] : models) {
      // Two layers are two rows of the table; a curve begins with three.
      if (spots.size() < 3) continue;
      LayerCurve curve{section.task, section.target, section.primary_metric, model.first, model.second, {}};
      Taps taps;
      for (const Spot& spot : spots) {
        const TableRow& row = row_at(sources, spot);
        taps.emplace_back(row.cell.layer, row.cell.pool);
        curve.points.push_back({row.cell.layer, row.cell.pool, value_at(sources, spot), row.metrics.front().interval});
      }
      curves.push_back(std::move(curve));
      alike[{section.primary_metric, model.first, model.second, taps}].push_back(spots);
    }
  }
  for (const auto& [key, tasks] : alike) {
    if (tasks.size() < 2) continue;
    const auto& [metric, probe, backbone, taps] = key;
    LayerCurve mean{"", "", metric, probe, backbone, {}};
    for (std::size_t p = 0; p < taps.size(); ++p) {
      std::vector<Spot> spots;
      double sum = 0;
      for (const auto& of_task : tasks) spots.push_back(of_task[p]), sum += value_at(sources, of_task[p]);
      mean.points.push_back({taps[p].first, taps[p].second, sum / static_cast<double>(tasks.size()),
                             band_of_mean(sources, spots, level)});
    }
    curves.push_back(std::move(mean));
  }
  return curves;
}

}  // namespace vise::reports

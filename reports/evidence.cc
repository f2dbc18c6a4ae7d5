#include "reports/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "probes/metrics/metrics.h"
#include "reports/compare.h"
#include "reports/metric_names.h"
#include "reports/statistics/bootstrap.h"
#include "reports/statistics/corrected_t.h"
#include "reports/statistics/delong.h"
#include "reports/statistics/detectable.h"
#include "reports/statistics/holm.h"
#include "reports/statistics/mcnemar.h"

namespace vise::reports {
namespace {

constexpr std::size_t kBins = 10;

// The way through this file: load() reads the scores of every model, keeps the images that all of them have and
// collects predictions; check_recorded() compares them with results.jsonl; resample() (evidence_resample.cc) gives
// intervals; test_differences() picks for each pair of rows the test that its metric has.

// One model's saved scores, and the row that it belongs to.
struct Loaded {
  std::size_t row;
  const experiments::Result* result;
  experiments::SavedScores scores;
};

// Places in a list, by id.
using Places = std::unordered_map<std::string, std::size_t>;

Places places_of(const std::vector<std::string>& ids) {
  Places places;
  for (std::size_t i = 0; i < ids.size(); ++i) places.emplace(ids[i], i);
  return places;
}

// The ids that every model has, in the first one's order.
// Paired tests need the same images in the same order; rows that were given may lack some.
std::vector<std::string> common_ids(const std::vector<Loaded>& loaded) {
  std::vector<std::string> ids = loaded.front().scores.ids;
  for (std::size_t m = 1; m < loaded.size(); ++m) {
    if (loaded[m].scores.ids == ids) continue;
    const Places places = places_of(loaded[m].scores.ids);
    std::erase_if(ids, [&](const std::string& id) { return !places.contains(id); });
  }
  return ids;
}

// The scores of `ids` alone, in that order; every id is among those that were saved.
experiments::SavedScores in_order(experiments::SavedScores saved, const std::vector<std::string>& ids) {
  if (saved.ids == ids) return saved;
  const Places places = places_of(saved.ids);
  std::vector<std::uint32_t> order;
  probes::Scores scores{ids.size(), saved.scores.columns, {}};
  for (const std::string& id : ids) {
    const std::size_t at = places.at(id);
    order.push_back(static_cast<std::uint32_t>(at));
    const auto begin = saved.scores.values.begin() + static_cast<std::ptrdiff_t>(at * scores.columns);
    scores.values.insert(scores.values.end(), begin, begin + static_cast<std::ptrdiff_t>(scores.columns));
  }
  experiments::SavedScores ordered{ids, saved.targets.select(order), std::move(scores), {}};
  if (saved.votes) ordered.votes = saved.votes->select(order);
  return ordered;
}

// Whether two rows were judged by the same truth.
bool same_targets(const datasets::Targets& a, const datasets::Targets& b) {
  if (a.kind() != b.kind() || a.names() != b.names()) return false;
  if (a.kind() == datasets::TargetKind::classes) return std::ranges::equal(a.classes(), b.classes());
  if (a.kind() == datasets::TargetKind::multi_label) return std::ranges::equal(a.multi_label(), b.multi_label());
  return std::ranges::equal(a.rows(), b.rows());
}

// Counts of all seeds together: with several models the matrix sums to images times models.
void count_confusion(RowEvidence& row, const ClassPredictions& predictions, std::size_t classes) {
  row.confusion.resize(classes * classes);
  for (std::size_t i = 0; i < predictions.size(); ++i)
    ++row.confusion[static_cast<std::size_t>(predictions.truth[i]) * classes +
                    static_cast<std::size_t>(predictions.predicted[i])];
}

// Sums here; finish_reliability divides.
void count_reliability(RowEvidence& row, const SeedEvidence& seed) {
  row.reliability.resize(kBins);
  for (std::size_t i = 0; i < seed.confidence.size(); ++i) {
    const double p = seed.confidence[i];
    ReliabilityBin& bin = row.reliability[std::min(kBins - 1, static_cast<std::size_t>(p * kBins))];
    ++bin.count;
    bin.confidence += p;
    bin.accuracy += seed.predictions->truth[i] == seed.predictions->predicted[i];
  }
}

void finish_reliability(RowEvidence& row) {
  for (ReliabilityBin& bin : row.reliability) {
    if (bin.count == 0) continue;
    bin.confidence /= static_cast<double>(bin.count);
    bin.accuracy /= static_cast<double>(bin.count);
  }
}

// Of each image: the share of its votes that its label got.
std::vector<double> agreement_of(const datasets::Targets& votes, const std::vector<int>& classes) {
  std::vector<double> shares;
  for (std::size_t i = 0; i < votes.size(); ++i) {
    const auto row = votes.rows().subspan(i * votes.width(), votes.width());
    double sum = 0;
    for (const double v : row) sum += v;
    shares.push_back(sum > 0 ? row[static_cast<std::size_t>(classes[i])] / sum : std::nan(""));
  }
  return shares;
}

// One a test image, 1 where the predicted class is the label: what McNemar's test counts.
std::vector<std::uint8_t> right(const ClassPredictions& predictions) {
  std::vector<std::uint8_t> result(predictions.size());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = predictions.truth[i] == predictions.predicted[i];
  return result;
}

// Seeds of a row with the same scores, as a probe that draws nothing gives, are one model, whatever their number: of
// such rows the first stays.
void join_equal_models(std::vector<Loaded>& loaded, ComparisonTable& table, TableSection& section) {
  const auto same = [](const Loaded& a, const Loaded& b) {
    return a.scores.ids == b.scores.ids && a.scores.scores.values == b.scores.scores.values;
  };
  std::vector<Loaded> kept;
  for (std::size_t first = 0, end = 0; first < loaded.size(); first = end) {
    for (end = first; end < loaded.size() && loaded[end].row == loaded[first].row;) ++end;
    const auto begin = loaded.begin() + static_cast<std::ptrdiff_t>(first),
               last = loaded.begin() + static_cast<std::ptrdiff_t>(end);
    const bool one = end - first > 1 && std::all_of(begin + 1, last, [&](const Loaded& l) { return same(l, *begin); });
    std::move(begin, one ? begin + 1 : last, std::back_inserter(kept));
    if (one)
      section.rows[kept.back().row].notes.push_back(add_footnote(
          table, "Its seeds give the same scores: they are one model, and count once in intervals, tests and charts."));
  }
  loaded = std::move(kept);
}

// Whether all models of a row are right on the same images.
bool right_alike(const RowEvidence& row) {
  const std::vector<std::uint8_t> first = right(*row.seeds.front().predictions);
  return std::all_of(row.seeds.begin() + 1, row.seeds.end(),
                     [&](const SeedEvidence& seed) { return right(*seed.predictions) == first; });
}

bool has_metric(const RowEvidence& row, const std::string& name) {
  return std::ranges::any_of(row.seeds, [&](const SeedEvidence& seed) {
    const std::vector<std::string> names = seed.metrics.names();
    return std::ranges::find(names, name) != names.end();
  });
}

// Recall a class, mean over seeds; NaN for a class without items.
std::vector<double> recalls(const RowEvidence& row, std::size_t classes) {
  std::vector<double> result(classes);
  for (std::size_t k = 0; k < classes; ++k) {
    std::uint64_t sum = 0;
    for (std::size_t j = 0; j < classes; ++j) sum += row.confusion[k * classes + j];
    result[k] = static_cast<double>(row.confusion[k * classes + k]) / static_cast<double>(sum);
  }
  return result;
}

// A fold's images are its own, and so are its resamples: the mean of the folds' r-th resamples is one of their mean.
void test_resampled(const RowEvidence& mine, const RowEvidence& theirs, double level, Difference& d) {
  std::vector<SeedMean> folds;
  for (std::size_t f = 0; f < mine.primary.size(); ++f)
    folds.push_back(seed_difference(mine.primary[f], theirs.primary[f]));
  const SeedMean mean = mean_of(folds);
  const auto is_single = [](const ResampledSeeds& seeds) { return seeds.values.size() == 1; };
  if (std::ranges::all_of(mine.primary, is_single) && std::ranges::all_of(theirs.primary, is_single)) {
    std::vector<double> deltas = mean.replicates;
    std::erase_if(deltas, [](double v) { return std::isnan(v); });
    d.p = paired_bootstrap(deltas, level).p;
    d.interval = inverted_bootstrap(deltas, level);
    d.test = "paired bootstrap";
  } else {
    const SeedTest test = test_seed_mean(mean, level);
    d.p = test.p;
    d.interval = test.interval;
    d.test = "t over seeds and images";
  }
  // Equal on every image: no resample differs, which bounds nothing.
  if (d.interval && !(d.interval->low < d.interval->high)) d.interval.reset();
}

}  // namespace

// Loads stored scores, checks them against the recorded metrics, and resamples them once:
// intervals and tests of all rows come from the same resamples.
SectionEvidence::SectionEvidence(ComparisonTable& table, TableSection& section, const RunOfResults& runs,
                                 const CompareOptions& options, const Context& context)
    : rows_(section.rows.size()), level_(options.level) {
  load(table, section, runs);
  if (empty()) return;
  for (const std::string& name : section.metrics)
    if (std::ranges::any_of(rows_, [&](const RowEvidence& row) { return has_metric(row, name); }))
      metrics_.push_back(name);
  check_recorded(table, section);
  resample(section, options, context);
}

// A model more of row `r`.
void SectionEvidence::add_row_evidence(const experiments::Result& result, const experiments::SavedScores& scores,
                                       std::size_t r) {
  rows_[r].seeds.push_back(seed_evidence(scores, result));
}

// Confusions and reliability of each row, over its models.
void SectionEvidence::count_predictions() {
  for (RowEvidence& row : rows_) {
    for (const SeedEvidence& seed : row.seeds) {
      if (!seed.predictions) continue;
      count_confusion(row, *seed.predictions, targets_.width());
      count_reliability(row, seed);
    }
    finish_reliability(row);
  }
}

// Reads the scores of all rows, in four steps: files to models, equal models joined, images in common, one order for
// all.
void SectionEvidence::load(ComparisonTable& table, TableSection& section, const RunOfResults& runs) {
  std::vector<Loaded> loaded;
  for (std::size_t r = 0; r < section.rows.size(); ++r) {
    bool complete = true;
    const std::size_t before = loaded.size();
    for (const std::size_t i : section.rows[r].results) {
      const experiments::Result& result = table.results[i];
      if (!result.ok()) continue;
      // All of a row's seeds or none: a mean over those that happen to have scores would
      // be another number than the table's.
      complete &= !result.scores_file.empty() && std::filesystem::exists(runs(i) / result.scores_file);
      if (complete) loaded.push_back({r, &result, experiments::read_scores(runs(i), result)});
    }
    if (complete) continue;
    loaded.erase(loaded.begin() + static_cast<std::ptrdiff_t>(before), loaded.end());
    section.rows[r].notes.push_back(add_footnote(table, kNoScores));
  }
  if (loaded.empty()) return;
  join_equal_models(loaded, table, section);
  std::vector<std::string> ids = common_ids(loaded);
  std::optional<datasets::Targets> votes;
  for (Loaded& model : loaded) {
    const std::size_t all = model.scores.ids.size();
    const experiments::SavedScores scores = in_order(std::move(model.scores), ids);
    if (targets_.size() == 0) targets_ = scores.targets;
    if (scores.votes) votes = scores.votes;
    if (!same_targets(scores.targets, targets_))
      throw Error(ErrorKind::input,
                  fmt::format("{}: the scores of {} and of another row disagree about the truth", section.task,
                              section.rows[model.row].backbone),
                  "rows of one split must have the same labels: run the cells again");
    add_row_evidence(*model.result, scores, model.row);
    if (all != ids.size())
      section.rows[model.row].notes.push_back(add_footnote(
          table, fmt::format("Intervals and tests use the {} test images that every row has.", ids.size())));
  }
  // Strata of the bootstrap: the class of each image; a target without classes is one stratum, which makes it a plain
  // bootstrap.
  ids_ = std::move(ids);
  y_.assign(ids_.size(), 0);
  if (targets_.kind() == datasets::TargetKind::classes) y_.assign(targets_.classes().begin(), targets_.classes().end());
  count_predictions();
  if (votes && targets_.kind() == datasets::TargetKind::classes) add_agreement(table, section, *votes);
}

// How well annotators agree bounds what a model can show; where they do, it should be right more often.
void SectionEvidence::add_agreement(ComparisonTable& table, TableSection& section, const datasets::Targets& votes) {
  // The last edge is above 1, so that images on which all annotators agree have a bin of their own, [1, 2).
  constexpr double kEdges[] = {0, 0.5, 0.7, 0.9, 1, 2};
  const std::vector<double> shares = agreement_of(votes, y_);
  double sum = 0, known = 0;
  for (const double share : shares)
    if (!std::isnan(share)) sum += share, ++known;
  if (known == 0) return;
  section.annotator_agreement = sum / known;
  section.notes.push_back(add_footnote(
      table, fmt::format("Noise ceiling: one annotator's vote is the label's class in {:.1f} % of cases (mean share of "
                         "votes over {} test images).",
                         100 * sum / known, known)));
  for (RowEvidence& row : rows_)
    for (std::size_t bin = 0; bin + 1 < std::size(kEdges) && !row.seeds.empty(); ++bin) {
      AgreementBin& out = row.agreement.emplace_back(AgreementBin{kEdges[bin], std::min(1.0, kEdges[bin + 1])});
      double hits = 0;
      for (std::size_t i = 0; i < shares.size(); ++i) {
        if (!(shares[i] >= kEdges[bin] && shares[i] < kEdges[bin + 1])) continue;
        ++out.count;
        for (const SeedEvidence& seed : row.seeds) hits += seed.predictions->predicted[i] == y_[i];
      }
      out.accuracy = hits / static_cast<double>(out.count * row.seeds.size());
    }
}

// Every metric, from the saved scores: a table must not print a number that its own scores contradict.
void SectionEvidence::check_recorded(ComparisonTable& table, TableSection& section) const {
  // Scores that were probabilities when they were recorded (programs up to 0.1) differ by their rounding, which counts
  // of right answers don't see.
  constexpr double kRounding = 1e-9, kRoundingOfScores = 1e-6;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    // A row of fewer images than the test set has other means than the table by right; load() has added a footnote.
    if (rows_[r].seeds.empty() || ids_.size() != section.sizes.test) continue;
    for (std::size_t m = 0; m < section.metrics.size(); ++m) {
      const std::string_view name = section.metrics[m];
      if (!section.rows[r].metrics[m].value) continue;
      double sum = 0;
      for (const SeedEvidence& seed : rows_[r].seeds) {
        double value = 0;
        seed.metrics.evaluate({&name, 1}, {}, {&value, 1});
        sum += value;
      }
      const double recomputed = sum / static_cast<double>(rows_[r].seeds.size()),
                   recorded = *section.rows[r].metrics[m].value;
      const double rounding =
          probes::is_decision_metric(name) ? kRounding : kRoundingOfScores * std::max(1.0, std::fabs(recorded));
      if (std::fabs(recomputed - recorded) > rounding)
        section.rows[r].notes.push_back(add_footnote(
            table, fmt::format("{} recomputed from the scores is {}, results.jsonl says {}: run `vise-eval verify`.",
                               metric_name(name).title, number(recomputed), number(recorded))));
    }
  }
}

// Accuracies of two models: McNemar; their ROC AUCs: DeLong; else, of two models, the paired bootstrap. Where a row has
// several models: seed_means.h. Each with the interval that inverts it.
void SectionEvidence::test_models(const TableSection& section, const RowEvidence& mine, const RowEvidence& theirs,
                                  Difference& d) const {
  const bool single = mine.seeds.size() == 1 && theirs.seeds.size() == 1,
             classes = mine.seeds.front().predictions.has_value();
  if (classes && section.primary_metric == "accuracy" && right_alike(mine) && right_alike(theirs)) {
    const McNemar pairs = mcnemar(right(*mine.seeds.front().predictions), right(*theirs.seeds.front().predictions));
    d.p = pairs.p_exact;
    d.interval = mcnemar_interval(pairs, y_.size(), level_);
    d.test = "McNemar, exact";
  } else if (single && classes && section.primary_metric == "auc" && section.class_names.size() == 2) {
    const DeLong test = delong(y_, mine.seeds.front().positive, theirs.seeds.front().positive);
    d.p = test.p;
    d.interval = delong_interval(test, level_);
    d.test = "DeLong";
  } else {
    test_resampled(mine, theirs, level_, d);
  }
}

// Fills the difference of row `place` with p, interval and the test's name, and for classes with what McNemar counts:
// the images only one of two gets right, and the smallest difference that could have been found.
void SectionEvidence::test(const ComparisonTable& table, const TableSection& section, TableRow& row,
                           std::size_t place) const {
  const RowEvidence &mine = rows_[place], &theirs = rows_[row.compared_with];
  Difference& d = *row.difference;
  if (!mine.draws.empty() && !theirs.draws.empty()) {
    std::vector<double> differences = mine.draws;
    // Draw by draw, since both rows had the same splits.
    for (std::size_t s = 0; s < differences.size(); ++s) differences[s] -= theirs.draws[s];
    const CorrectedT test = corrected_t(differences, test_to_train_, level_);
    d.p = test.p;
    d.interval = test.interval;
    d.test = kCorrectedT;
    return;
  }
  if (mine.primary.empty() || theirs.primary.empty()) return;
  if (mine.seeds.empty() || theirs.seeds.empty()) return test_resampled(mine, theirs, level_, d);
  test_models(section, mine, theirs, d);
  if (!mine.seeds.front().predictions) return;
  const McNemar pairs = mcnemar(right(*mine.seeds.front().predictions), right(*theirs.seeds.front().predictions));
  d.only_row = pairs.b;
  d.only_baseline = pairs.c;
  const double n = static_cast<double>(y_.size());
  d.detectable = detectable_difference(y_.size(), static_cast<double>(pairs.b + pairs.c) / n, table.alpha, kPower);
  const auto a = recalls(mine, section.class_names.size()), b = recalls(theirs, section.class_names.size());
  d.per_class.clear();
  for (std::size_t k = 0; k < a.size(); ++k) d.per_class.push_back(a[k] - b[k]);
}

void SectionEvidence::test_differences(const ComparisonTable& table, TableSection& section) const {
  std::vector<std::optional<double>> p(section.rows.size());
  for (std::size_t r = 0; r < section.rows.size(); ++r) {
    if (!section.rows[r].difference) continue;
    test(table, section, section.rows[r], r);
    p[r] = section.rows[r].difference->p;
  }
  // One family a section: its rows against its baseline (docs/statistics.md).
  const auto adjusted = holm(p);
  for (std::size_t r = 0; r < section.rows.size(); ++r) {
    if (!section.rows[r].difference) continue;
    section.rows[r].difference->p_holm = adjusted[r];
    section.rows[r].difference->survives = adjusted[r] && *adjusted[r] < table.alpha;
    section.rows[r].difference->survives_alone = p[r] && *p[r] < table.alpha;
  }
}

}  // namespace vise::reports

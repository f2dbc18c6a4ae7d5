#include "reports/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "reports/metric_names.h"
#include "reports/statistics/bootstrap.h"
#include "reports/statistics/delong.h"
#include "reports/statistics/detectable.h"
#include "reports/statistics/holm.h"
#include "reports/statistics/mcnemar.h"

namespace vise {
namespace {

constexpr double kPower = 0.8;
constexpr std::size_t kBins = 10;

struct Loaded {
  std::size_t row;
  const Result* result;
  SavedScores scores;
};

using Places = std::unordered_map<std::string, std::size_t>;

Places places_of(const std::vector<std::string>& ids) {
  Places places;
  for (std::size_t i = 0; i < ids.size(); ++i) places.emplace(ids[i], i);
  return places;
}

// The ids that every model has, in the first one's order.
std::vector<std::string> common_ids(const std::vector<Loaded>& loaded) {
  std::vector<std::string> ids = loaded.front().scores.ids;
  for (std::size_t m = 1; m < loaded.size(); ++m) {
    if (loaded[m].scores.ids == ids) continue;
    const Places places = places_of(loaded[m].scores.ids);
    std::erase_if(ids, [&](const std::string& id) { return !places.contains(id); });
  }
  return ids;
}

SavedScores in_order(SavedScores saved, const std::vector<std::string>& ids) {
  if (saved.ids == ids) return saved;
  const Places places = places_of(saved.ids);
  std::vector<std::uint32_t> order;
  Scores scores{ids.size(), saved.scores.columns, {}};
  for (const std::string& id : ids) {
    const std::size_t at = places.at(id);
    order.push_back(static_cast<std::uint32_t>(at));
    const auto begin = saved.scores.values.begin() + static_cast<std::ptrdiff_t>(at * scores.columns);
    scores.values.insert(scores.values.end(), begin, begin + static_cast<std::ptrdiff_t>(scores.columns));
  }
  SavedScores ordered{ids, saved.targets.select(order), std::move(scores), {}};
  if (saved.votes) ordered.votes = saved.votes->select(order);
  return ordered;
}

// Whether two rows were judged by the same truth.
bool same_targets(const Targets& a, const Targets& b) {
  if (a.kind() != b.kind() || a.names() != b.names()) return false;
  if (a.kind() == TargetKind::classes) return std::ranges::equal(a.classes(), b.classes());
  if (a.kind() == TargetKind::multi_label) return std::ranges::equal(a.multi_label(), b.multi_label());
  return std::ranges::equal(a.rows(), b.rows());
}

void count_confusion(RowEvidence& row, const ClassPredictions& predictions, std::size_t classes) {
  row.confusion.resize(classes * classes);
  for (std::size_t i = 0; i < predictions.size(); ++i)
    ++row.confusion[static_cast<std::size_t>(predictions.y()[i]) * classes +
                    static_cast<std::size_t>(predictions.predicted()[i])];
}

// Sums here; finish_reliability divides.
void count_reliability(RowEvidence& row, const SeedEvidence& seed) {
  row.reliability.resize(kBins);
  for (std::size_t i = 0; i < seed.confidence.size(); ++i) {
    const double p = seed.confidence[i];
    ReliabilityBin& bin = row.reliability[std::min(kBins - 1, static_cast<std::size_t>(p * kBins))];
    ++bin.count;
    bin.confidence += p;
    bin.accuracy += seed.predictions->y()[i] == seed.predictions->predicted()[i];
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
std::vector<double> agreement_of(const Targets& votes, const std::vector<int>& classes) {
  std::vector<double> shares;
  for (std::size_t i = 0; i < votes.size(); ++i) {
    const auto row = votes.rows().subspan(i * votes.width(), votes.width());
    double sum = 0;
    for (const double v : row) sum += v;
    shares.push_back(sum > 0 ? row[static_cast<std::size_t>(classes[i])] / sum : std::nan(""));
  }
  return shares;
}

std::vector<std::uint8_t> right(const ClassPredictions& predictions) {
  std::vector<std::uint8_t> result(predictions.size());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = predictions.y()[i] == predictions.predicted()[i];
  return result;
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

}  // namespace

SectionEvidence::SectionEvidence(ComparisonTable& table, TableSection& section, const RunOfResults& runs,
                                 const CompareOptions& options, const Context& context)
    : rows_(section.rows.size()), level_(options.level) {
  load(table, section, runs);
  if (empty()) return;
  metrics_ = resampling_order(targets_.kind(), section.metrics);
  check_recorded(table, section);
  resample(section, options, context);
}

void SectionEvidence::add_row_evidence(const Result& result, const SavedScores& scores, std::size_t r) {
  RowEvidence& row = rows_[r];
  row.seeds.push_back(seed_evidence(scores, result));
  if (!row.seeds.back().predictions) return;
  count_confusion(row, *row.seeds.back().predictions, scores.targets.width());
  count_reliability(row, row.seeds.back());
}

void SectionEvidence::load(ComparisonTable& table, TableSection& section, const RunOfResults& runs) {
  std::vector<Loaded> loaded;
  for (std::size_t r = 0; r < section.rows.size(); ++r) {
    bool complete = true;
    const std::size_t before = loaded.size();
    for (const std::size_t i : section.rows[r].results) {
      const Result& result = table.results[i];
      if (result.status != "ok") continue;
      complete &= !result.scores_file.empty() && std::filesystem::exists(runs(i) / result.scores_file);
      if (complete) loaded.push_back({r, &result, read_scores(runs(i), result)});
    }
    if (complete) continue;
    loaded.erase(loaded.begin() + static_cast<std::ptrdiff_t>(before), loaded.end());
    section.rows[r].notes.push_back(add_footnote(table, kNoScores));
  }
  if (loaded.empty()) return;
  std::vector<std::string> ids = common_ids(loaded);
  std::optional<Targets> votes;
  for (Loaded& model : loaded) {
    const std::size_t all = model.scores.ids.size();
    const SavedScores scores = in_order(std::move(model.scores), ids);
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
  ids_ = std::move(ids);
  y_.assign(ids_.size(), 0);
  if (targets_.kind() == TargetKind::classes) y_.assign(targets_.classes().begin(), targets_.classes().end());
  for (RowEvidence& row : rows_) finish_reliability(row);
  if (votes && targets_.kind() == TargetKind::classes) add_agreement(table, section, *votes);
}

// How well annotators agree bounds what a model can show; where they do, it should be right more often.
void SectionEvidence::add_agreement(ComparisonTable& table, TableSection& section, const Targets& votes) {
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
        for (const SeedEvidence& seed : row.seeds) hits += seed.predictions->predicted()[i] == y_[i];
      }
      out.accuracy = hits / static_cast<double>(out.count * row.seeds.size());
    }
}

// Of classes: the metrics that resampling recomputes anyway. `verify` recomputes all of them.
void SectionEvidence::check_recorded(ComparisonTable& table, TableSection& section) const {
  constexpr double kRounding = 1e-9;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    if (rows_[r].seeds.empty() || y_.size() != section.sizes.test || targets_.kind() != TargetKind::classes) continue;
    for (std::size_t m = 0; m < section.metrics.size(); ++m) {
      const std::string_view name = section.metrics[m];
      // ROC AUC of scores that were probabilities when it was recorded may differ by their rounding.
      if (!ClassPredictions::knows(name) || name == "auc" || !section.rows[r].metrics[m].value) continue;
      double sum = 0;
      for (const SeedEvidence& seed : rows_[r].seeds) {
        double value = 0;
        seed.predictions->evaluate({&name, 1}, {}, {&value, 1});
        sum += value;
      }
      const double recomputed = sum / static_cast<double>(rows_[r].seeds.size()),
                   recorded = *section.rows[r].metrics[m].value;
      if (std::fabs(recomputed - recorded) > kRounding)
        section.rows[r].notes.push_back(add_footnote(
            table, fmt::format("{} recomputed from the scores is {}, results.jsonl says {}: run `vise-eval verify`.",
                               metric_name(name).title, number(recomputed), number(recorded))));
    }
  }
}

// Accuracies of two single models: McNemar; their ROC AUCs: DeLong; everything else: the paired bootstrap.
void SectionEvidence::test(const ComparisonTable& table, const TableSection& section, TableRow& row,
                           std::size_t place) const {
  const RowEvidence &mine = rows_[place], &theirs = rows_[row.compared_with];
  if (mine.primary.empty() || theirs.primary.empty()) return;
  Difference& d = *row.difference;
  const PairedBootstrap boot = paired_bootstrap(resampled_differences(mine, theirs), level_);
  // Equal on every image: no resample differs, which bounds nothing.
  if (boot.interval && boot.interval->low < boot.interval->high) d.interval = boot.interval;
  d.p = boot.p;
  d.test = "paired bootstrap";
  if (mine.seeds.empty() || !mine.seeds.front().predictions) return;
  const McNemar pairs = mcnemar(right(*mine.seeds.front().predictions), right(*theirs.seeds.front().predictions));
  d.only_row = pairs.b;
  d.only_baseline = pairs.c;
  const double n = static_cast<double>(y_.size());
  d.detectable = detectable_difference(y_.size(), static_cast<double>(pairs.b + pairs.c) / n, table.alpha, kPower);
  const bool single = mine.seeds.size() == 1 && theirs.seeds.size() == 1;
  if (single && section.primary_metric == "accuracy") {
    d.p = pairs.p_exact;
    d.test = "McNemar, exact";
  } else if (single && section.primary_metric == "auc" && section.class_names.size() == 2) {
    d.p = delong(y_, mine.seeds.front().positive, theirs.seeds.front().positive).p;
    d.test = "DeLong";
  }
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
  const auto adjusted = holm(p);
  for (std::size_t r = 0; r < section.rows.size(); ++r) {
    if (!section.rows[r].difference) continue;
    section.rows[r].difference->p_holm = adjusted[r];
    section.rows[r].difference->survives = adjusted[r] && *adjusted[r] < table.alpha;
  }
}

}  // namespace vise

// Of a verdict for programs: docs/formats/verdict.md.
#include <fmt/format.h>

#include "base/csv.h"
#include "base/text.h"
#include "reports/verdict_values.h"

namespace vise::reports {
namespace {

Json optional_json(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json interval_json(const std::optional<Interval>& interval) {
  return interval ? Json{{"low", interval->low}, {"high", interval->high}} : Json();
}

// Ten numbers; csv_row() writes the same, in the order of csv_header().
Json over_tasks_json(const std::optional<OverTasks>& of) {
  if (!of) return {};
  return {{"value", of->value},
          {"these", interval_json(of->these)},
          {"p_these", optional_json(of->p_these)},
          {"holm_these", optional_json(of->holm_these)},
          {"alike", interval_json(of->alike)},
          {"p_alike", optional_json(of->p_alike)},
          {"holm_alike", optional_json(of->holm_alike)},
          {"detectable", optional_json(of->detectable)}};
}

Json row_json(const VerdictRow& row) {
  return {{"backbone", row.backbone},
          {"baseline", row.is_baseline},
          {"rows", row.rows},
          {"scores", row.scores},
          {"mean", optional_json(row.mean)},
          {"mean_share", optional_json(row.mean_share)},
          {"gain", over_tasks_json(row.gain)},
          {"gain_share", over_tasks_json(row.gain_share)},
          {"wins", row.wins},
          {"ties", row.ties},
          {"losses", row.losses},
          {"mean_rank", row.mean_rank},
          {"rank_these", interval_json(row.rank_these)},
          {"rank_alike", interval_json(row.rank_alike)},
          {"best_these", optional_json(row.best_these)},
          {"best_alike", optional_json(row.best_alike)},
          {"wilcoxon", optional_json(row.wilcoxon)},
          {"wilcoxon_holm", optional_json(row.wilcoxon_holm)}};
}

Json task_json(const VerdictTask& task) {
  return {{"section", task.section},
          {"task", task.task},
          {"target", task.target},
          {"kind", task.kind},
          {"metric", task.metric},
          {"images", task.images},
          {"floor", optional_json(task.floor)},
          {"ceiling", optional_json(task.ceiling)}};
}

Json kind_json(const KindGain& kind) {
  return {{"row", kind.row},
          {"kind", kind.kind},
          {"other", kind.other},
          {"tasks", kind.tasks},
          {"gain", kind.gain},
          {"other_tasks", kind.other_tasks},
          {"other_gain", kind.other_gain},
          {"difference", over_tasks_json(kind.difference)}};
}

Json comparison_json(const TaskComparison& comparison) {
  Json json{{"probe", comparison.probe},
            {"shots", comparison.shots},
            {"fraction", comparison.fraction},
            {"where", comparison.where},
            {"baseline", comparison.baseline},
            {"metric", comparison.metric},
            {"in_shares", comparison.in_shares},
            {"friedman",
             {{"chi2", optional_json(comparison.friedman.chi2)},
              {"p", optional_json(comparison.friedman.p)},
              {"f", optional_json(comparison.friedman.f)},
              {"p_f", optional_json(comparison.friedman.p_f)}}},
            {"critical_difference", optional_json(comparison.critical_difference)},
            {"cliques", comparison.cliques},
            {"says", comparison.says}};
  json["tasks"] = json["rows"] = json["kinds"] = json["pairs"] = Json::array();
  for (const VerdictTask& task : comparison.tasks) json["tasks"].push_back(task_json(task));
  for (const VerdictRow& row : comparison.rows) json["rows"].push_back(row_json(row));
  for (const KindGain& kind : comparison.kinds) json["kinds"].push_back(kind_json(kind));
  // The lower triangle alone was tested; the matrix is symmetric, its diagonal null.
  for (const auto& line : comparison.pairs) {
    Json cells = Json::array();
    for (const auto& p : line) cells.push_back(optional_json(p));
    json["pairs"].push_back(std::move(cells));
  }
  return json;
}

Json labels_json(const LabelCurve& curve) {
  Json points = Json::array();
  for (const LabelPoint& point : curve.points)
    points.push_back({{"shots", point.shots},
                      {"fraction", point.fraction},
                      {"labels", point.labels},
                      {"value", point.value},
                      {"band", interval_json(point.band)}});
  return {{"task", curve.task},
          {"target", curve.target},
          {"metric", curve.metric},
          {"probe", curve.probe},
          {"backbone", curve.backbone},
          {"baseline", curve.is_baseline},
          {"points", points},
          {"ratio", optional_json(curve.ratio)},
          {"ratio_interval", interval_json(curve.ratio_interval)},
          {"at_most", curve.at_most}};
}

Json layers_json(const LayerCurve& curve) {
  Json points = Json::array();
  for (const LayerPoint& point : curve.points)
    points.push_back(
        {{"layer", point.layer}, {"pool", point.pool}, {"value", point.value}, {"band", interval_json(point.band)}});
  return {{"task", curve.task},   {"target", curve.target},     {"metric", curve.metric},
          {"probe", curve.probe}, {"backbone", curve.backbone}, {"points", points}};
}

std::string cell(const std::optional<double>& value) { return value ? number(*value) : std::string(); }

void add_interval(std::vector<std::string>& cells, const std::optional<Interval>& interval) {
  cells.push_back(interval ? number(interval->low) : "");
  cells.push_back(interval ? number(interval->high) : "");
}

// The columns of a gain are made by the two loops, so their names can't part from each other.
std::vector<std::string> csv_header() {
  std::vector<std::string> cells{"probe",    "shots",    "fraction", "where",     "tasks",
                                 "backbone", "baseline", "mean",     "mean_share"};
  for (const std::string of : {"gain", "gain_share"})
    for (const char* suffix : {"", "_these_low", "_these_high", "_these_p", "_these_holm", "_alike_low", "_alike_high",
                               "_alike_p", "_alike_holm", "_detectable"})
      cells.push_back(of + suffix);
  for (const char* name : {"wins", "ties", "losses", "mean_rank", "rank_these_low", "rank_these_high", "rank_alike_low",
                           "rank_alike_high", "best_these", "best_alike", "wilcoxon", "wilcoxon_holm"})
    cells.emplace_back(name);
  return cells;
}

// One line, in the header's order.
std::string csv_row(const TaskComparison& comparison, const VerdictRow& row) {
  std::vector<std::string> cells{comparison.probe,
                                 fmt::to_string(comparison.shots),
                                 number(comparison.fraction),
                                 comparison.where,
                                 fmt::to_string(comparison.tasks.size()),
                                 row.backbone,
                                 row.is_baseline ? "yes" : "no",
                                 cell(row.mean),
                                 cell(row.mean_share)};
  for (const auto* gain : {&row.gain, &row.gain_share}) {
    if (!*gain) {
      // As many empty cells as the header has columns for a gain.
      cells.resize(cells.size() + 10);
      continue;
    }
    const OverTasks& of = **gain;
    cells.push_back(number(of.value));
    add_interval(cells, of.these);
    cells.insert(cells.end(), {cell(of.p_these), cell(of.holm_these)});
    add_interval(cells, of.alike);
    cells.insert(cells.end(), {cell(of.p_alike), cell(of.holm_alike), cell(of.detectable)});
  }
  for (const std::size_t count : {row.wins, row.ties, row.losses}) cells.push_back(fmt::to_string(count));
  cells.push_back(number(row.mean_rank));
  add_interval(cells, row.rank_these);
  add_interval(cells, row.rank_alike);
  for (const auto& value : {row.best_these, row.best_alike, row.wilcoxon, row.wilcoxon_holm})
    cells.push_back(cell(value));
  return csv_line(cells);
}

}  // namespace

Json verdict_json(const Verdict& verdict) {
  Json json{{"schema", "vise-eval/verdict"}, {"version", 1}};
  json["comparisons"] = json["labels"] = json["layers"] = Json::array();
  for (const TaskComparison& comparison : verdict.comparisons)
    json["comparisons"].push_back(comparison_json(comparison));
  for (const LabelCurve& curve : verdict.labels) json["labels"].push_back(labels_json(curve));
  for (const LayerCurve& curve : verdict.layers) json["layers"].push_back(layers_json(curve));
  return json;
}

std::string verdict_csv(const Verdict& verdict) {
  std::string text = csv_line(csv_header());
  for (const TaskComparison& comparison : verdict.comparisons)
    for (const VerdictRow& row : comparison.rows) text += csv_row(comparison, row);
  return text;
}

}  // namespace vise::reports

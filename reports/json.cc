// table.json: docs/formats/table-json.md.
#include <cmath>

#include "reports/layout.h"
#include "reports/metric_names.h"
#include "reports/table.h"
#include "reports/writers.h"

namespace vise::reports {
namespace {

// JSON has no NaN: what is undefined is null.
Json optional_json(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

void put_interval(Json& json, const std::optional<Interval>& interval) {
  json["low"] = interval ? Json(interval->low) : Json();
  json["high"] = interval ? Json(interval->high) : Json();
}

Json estimate_json(const Estimate& estimate) {
  Json json{{"value", optional_json(estimate.value)}, {"std", optional_json(estimate.deviation)}};
  put_interval(json, estimate.interval);
  return json;
}

Json published_json(const TableRow& row) {
  Json list = Json::array();
  for (std::size_t i = 0; i < row.published.size(); ++i) {
    const PublishedRecord& r = row.published[i];
    list.push_back({{"value", optional_json(r.value)},
                    {"std", optional_json(r.deviation)},
                    {"metric", r.metric},
                    {"protocol", r.protocol},
                    {"source", r.source},
                    {"note", row.published_notes[i]}});
  }
  return list;
}

// One row, keyed by metric. `label` is the name as tables print it, `backbone` the one that was asked for.
Json row_json(const ComparisonTable& table, const TableSection& section, const TableRow& row) {
  Json json{{"backbone", row.cell.backbone},
            {"label", row.backbone},
            {"probe", row.probe},
            {"layer", row.cell.layer},
            {"pool", row.cell.pool},
            {"seeds", row.seeds},
            {"status", row.failed ? "failed" : "ok"},
            {"error", row.error},
            {"baseline", row.is_baseline},
            {"chosen", row.chosen},
            {"on_edge", row.on_edge},
            {"notes", row.notes},
            {"published", published_json(row)}};
  Json metrics = Json::object(), keys = Json::array();
  for (std::size_t m = 0; m < section.metrics.size(); ++m) metrics[section.metrics[m]] = estimate_json(row.metrics[m]);
  for (const std::size_t i : row.results) keys.push_back(table.results[i].key);
  json["metrics"] = std::move(metrics);
  json["keys"] = std::move(keys);
  json["difference"] = row.difference ? difference_json(*row.difference, row.compared_with) : Json();
  return json;
}

// The tasks that a mean is of.
Json folds_json(const ComparisonTable& table, const TableSection& section) {
  Json tasks = Json::array();
  for (const std::size_t s : section.folds) tasks.push_back(table.sections[s].task);
  return tasks;
}

// One section. `title`, `head` and `foot` are the sentences that other writers print, so that a program needs not
// build them.
Json section_json(const ComparisonTable& table, const TableSection& section) {
  Json json{{"task", section.task},
            {"target", section.target},
            {"target_kind", datasets::target_kind_name(section.target_kind)},
            {"shots", section.shots},
            {"fraction", section.fraction},
            {"labels", training_images(section)},
            {"where", section.where},
            {"baseline", section.baseline},
            {"class_names", section.class_names},
            {"title", section_title(section)},
            {"head", section_head(section)},
            {"foot", section_foot(section)},
            {"primary_metric", section.primary_metric},
            {"metrics", section.metrics},
            {"shown", section.shown},
            {"selected_on", section.selected_on},
            {"folds", folds_json(table, section)},
            {"annotator_agreement", optional_json(section.annotator_agreement)},
            {"notes", section.notes},
            {"split",
             {{"origin", section.split_origin},
              {"hash", section.split_hash},
              {"train", section.sizes.train},
              {"val", section.sizes.val},
              {"test", section.sizes.test},
              {"unused", section.sizes.unused}}}};
  Json rows = Json::array();
  for (const TableRow& row : section.rows) rows.push_back(row_json(table, section, row));
  json["rows"] = std::move(rows);
  return json;
}

}  // namespace

Json difference_json(const Difference& d, std::size_t compared_with) {
  Json json{{"value", d.value},
            {"p", optional_json(d.p)},
            {"p_holm", optional_json(d.p_holm)},
            {"test", d.test},
            {"survives", d.survives},
            {"survives_alone", d.survives_alone},
            {"detectable", optional_json(d.detectable)},
            {"only_row", d.only_row},
            {"only_baseline", d.only_baseline},
            {"compared_with", compared_with}};
  put_interval(json, d.interval);
  Json per_class = Json::array();
  // A class without test images has no recall.
  for (const double v : d.per_class) per_class.push_back(std::isfinite(v) ? Json(v) : Json());
  json["per_class"] = std::move(per_class);
  return json;
}

Json table_json(const ComparisonTable& table) {
  Json json{{"schema", "vise-eval/table"},  {"version", 1},
            {"baseline", table.baseline},   {"alpha", table.alpha},
            {"level", table.level},         {"resamples", table.resamples},
            {"footnotes", table.footnotes}, {"reading", reading_guide(table)}};
  Json names = Json::object(), sections = Json::array();
  for (const TableSection& section : table.sections) {
    sections.push_back(section_json(table, section));
    for (const std::string& key : section.metrics) {
      const MetricName m = metric_name(key);
      names[key] = {{"title", m.title},
                    {"short", m.short_title},
                    {"percent", m.percent},
                    {"higher_is_better", m.higher_is_better}};
    }
  }
  json["metric_names"] = std::move(names);
  json["sections"] = std::move(sections);
  json["kinds"] = table.kinds;
  json["verdict"] = table.verdict.empty() ? Json() : verdict_json(table.verdict);
  return json;
}

std::string to_json_text(const ComparisonTable& table) {
  // Invalid UTF-8 of users' names becomes U+FFFD: a reader must be able to parse the file.
  return table_json(table).dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vise::reports

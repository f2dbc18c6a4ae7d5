#include "experiments/result.h"

#include <cmath>

namespace vise::experiments {
namespace {

// JSON has no NaN and no infinities: they are written as null (and read back as NaN).
Json from_double(double value) { return std::isfinite(value) ? Json(value) : Json(); }
Json from_doubles(const std::map<std::string, double>& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) json[name] = from_double(value);
  return json;
}

// The whole curve is kept, not only the choice, so that a figure of the sweep needs no second fit.
Json selection_json(const probes::Selection& selection) {
  Json curve = Json::array();
  for (const probes::Candidate& candidate : selection.curve)
    curve.push_back({{"parameters", from_doubles(*candidate.parameters)}, {"score", from_double(candidate.score)}});
  return {{"selected_on", selection.selected_on},
          {"metric", selection.metric},
          {"curve", std::move(curve)},
          {"chosen", from_doubles(selection.chosen)},
          {"on_edge", selection.on_edge},
          {"refit_on_val", selection.refit_on_val}};
}

Json convergence_json(const probes::Convergence& convergence) {
  return {{"objective_text", convergence.objective_text},
          {"objective", from_double(convergence.objective)},
          {"gradient_norm", from_double(convergence.gradient_norm)},
          {"iterations", convergence.iterations},
          {"converged", convergence.converged}};
}

Json calibration_json(const probes::Calibration& calibration) {
  return {{"scores_are_logits", calibration.scores_are_logits},
          {"temperature", from_double(calibration.temperature)},
          {"threshold", from_double(calibration.threshold)},
          {"fitted_on", calibration.fitted_on}};
}

Json metrics_json(const std::map<std::string, std::optional<double>>& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics) json[name] = value ? from_double(*value) : Json();
  return json;
}

}  // namespace

std::string_view status_name(CellStatus status) { return status == CellStatus::ok ? "ok" : "failed"; }

// nlohmann's objects keep their keys sorted; result_parse.cc reads the fields in that order.
Json to_json(const Result& result) {
  return {{"cell", to_json(result.cell)},
          {"key", result.key},
          {"status", status_name(result.status)},
          {"error", result.error},
          {"primary_metric", result.primary_metric},
          {"metrics", metrics_json(result.metrics)},
          {"class_names", result.class_names},
          {"target_kind", datasets::target_kind_name(result.target_kind)},
          {"split",
           {{"draw", result.draw},
            {"origin", result.split_origin},
            {"hash", result.split_hash},
            {"sample_hash", result.sample_hash},
            {"train", result.sizes.train},
            {"val", result.sizes.val},
            {"test", result.sizes.test},
            {"unused", result.sizes.unused}}},
          {"selection", selection_json(result.selection)},
          {"convergence", convergence_json(result.convergence)},
          {"calibration", calibration_json(result.calibration)},
          {"probe_settings", *result.probe_settings},
          {"features", *result.features},
          {"inputs", {{"data", result.data_hash}, {"targets", result.targets_hash}, {"parameters", result.parameters}}},
          {"images", result.images},
          {"seconds", from_doubles(result.seconds)},
          {"notes", result.notes},
          {"scores_file", result.scores_file},
          {"version", result.version},
          {"started_at", result.started_at}};
}

}  // namespace vise::experiments

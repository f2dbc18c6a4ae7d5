#include "experiments/cell_key.h"

#include "base/hash.h"
#include "extract/features/store.h"

namespace vise {

Json cell_identity(const Cell& cell, const CellInputs& inputs) {
  Json identity = {{"task", cell.task},         {"target", cell.target},
                   {"targets", inputs.targets}, {"data", inputs.data},
                   {"backbone", cell.backbone}, {"features", inputs.features},
                   {"probe", inputs.probe},     {"probe_name", cell.probe.substr(0, cell.probe.find(','))},
                   {"version", inputs.version}};
  if (cell.shots != 0 || cell.fraction != 1) identity["sample"] = {{"shots", cell.shots}, {"fraction", cell.fraction}};
  return identity;
}

std::string cell_key(const Cell& cell, const Json& identity) {
  Json whole = identity;
  whole["seed"] = cell.seed;
  return sha256_hex(canonical_json(whole)).substr(0, 16);
}

std::string key_of(const Result& result) {
  if (result.status != "ok" || result.data_hash.empty() || !result.features->is_object()) return {};
  const FeatureKey features{*result.features, 0};
  return cell_key(result.cell, cell_identity(result.cell, {result.data_hash, result.targets_hash, features.str(),
                                                           *result.probe_settings, result.version}));
}

}  // namespace vise

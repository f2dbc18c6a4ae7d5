#include "experiments/cell_key.h"

#include "base/error.h"
#include "base/hash.h"
#include "extract/features/store.h"
#include "probes/parse_probe.h"

namespace vise::experiments {

// A key is a hash of everything that the numbers depend on and of nothing else: no path,
// no time, no thread count. The same cell asked for again has the same key and is reused; a
// changed label, split or setting makes another cell.
Json cell_identity(const Cell& cell, const CellInputs& inputs) {
  Json identity = {{"task", cell.task},         {"target", cell.target},
                   {"targets", inputs.targets}, {"data", inputs.data},
                   {"backbone", cell.backbone}, {"features", inputs.features},
                   {"probe", inputs.probe},     {"probe_name", cell.probe.substr(0, cell.probe.find(','))},
                   {"version", inputs.version}};
  // Only where it changes something, so that keys of earlier versions, which had no
  // sampling, stay what they were.
  if (cell.shots != 0 || cell.fraction != 1) identity["sample"] = {{"shots", cell.shots}, {"fraction", cell.fraction}};
  return identity;
}

// 16 hex digits are 64 bits: among a million cells two keys collide with a probability of 3e-8.
std::string cell_key(const Cell& cell, const Json& identity) {
  Json whole = identity;
  whole["seed"] = cell.seed;
  return sha256_hex(canonical_json(whole)).substr(0, 16);
}

std::string key_without_data(const Cell& cell) {
  Json identity = to_json(cell);
  // A failure before the data could be read has no hashes to be named by; status is among the
  // names, so that it never takes the place of a number.
  identity["status"] = status_name(CellStatus::failed);
  return sha256_hex(canonical_json(identity)).substr(0, 16);
}

namespace {

// Settings in the words of keys: Probe::identity() has those of earlier versions where they changed. Settings that the
// cell's probe doesn't have today are those of a program of then, or edited; they stand for themselves.
Json keyed_settings(const Result& result) {
  try {
    const auto probe = probes::parse_probe(result.cell.probe).make(result.cell.seed);
    if (probe->describe() == *result.probe_settings) return probe->identity();
  } catch (const Error&) {  // a probe that this program doesn't know
  }
  return *result.probe_settings;
}

}  // namespace

// From what a result says of itself: where it differs from the key that is recorded,
// one of the two was edited.
std::string key_of(const Result& result) {
  // A failed result, or one of a program that did not write its inputs, can't be
  // recomputed from what is stored.
  if (!result.ok() || result.data_hash.empty() || !result.features->is_object()) return {};
  const features::FeatureKey features{*result.features, 0};
  return cell_key(result.cell, cell_identity(result.cell, {result.data_hash, result.targets_hash, features.str(),
                                                           keyed_settings(result), result.version}));
}

}  // namespace vise::experiments

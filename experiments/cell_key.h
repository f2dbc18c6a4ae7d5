// What a result's key is made of: everything that decides its numbers.
//
//   const Json identity = cell_identity(cell, {data, targets, features, settings, kVersion});
//   result.key == cell_key(cell, identity);
//
// A result holds all of it, so that anybody can see that a key is that of what the result says.
#pragma once

#include <string>

#include "experiments/result.h"

namespace vise::experiments {

struct CellInputs {
  std::string data;      // SHA-256 of ids, contents and parts
  std::string targets;   // of the labels
  std::string features;  // FeatureKey::str()
  Json probe;            // Probe::identity()
  std::string version;   // of vise-eval
};

// Without the seed, which not every probe uses.
Json cell_identity(const Cell& cell, const CellInputs& inputs);
std::string cell_key(const Cell& cell, const Json& identity);
// Failed cells of data that were never seen have a key too, of what was asked for.
std::string key_without_data(const Cell& cell);

// The key that follows from what a result says; empty of results that don't say enough: failed ones, those of programs
// up to 0.1, of `probe`, and of `run --clean`, whose keys are made of others.
std::string key_of(const Result& result);

}  // namespace vise::experiments

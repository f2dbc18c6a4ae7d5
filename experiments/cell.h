// A cell of a comparison: which question is asked of which features.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "base/json.h"

namespace vise::experiments {

// task x backbone x features x probe x seed x subset of train. Plain values; Result::key names it.
struct Cell {
  std::string task;      // "emotion", or the data's name for --data
  std::string target;    // "label"
  std::string backbone;  // the command line's name: "vise-250m", "mine"
  std::string probe;     // "logreg"
  std::string layer = "layer4", pool = "avg";
  std::uint64_t seed = 0;
  int shots = 0;           // images of each class that are fitted on; 0: all of train
  double fraction = 1;     // of train that is fitted on
  std::string where = {};  // the condition that items meet, as --where had it

  auto operator<=>(const Cell&) const = default;
};

// The layer of features that `vise-eval probe` was given.
inline constexpr const char* kGivenLayer = "given";

// The one list of a cell's fields: visit(name, field) for each, by its name in files, in the order in which JSON has
// them.
template <typename AnyCell, typename Visit>
void visit_fields(AnyCell& cell, Visit&& visit) {
  visit("backbone", cell.backbone);
  visit("fraction", cell.fraction);
  visit("layer", cell.layer);
  visit("pool", cell.pool);
  visit("probe", cell.probe);
  visit("seed", cell.seed);
  visit("shots", cell.shots);
  visit("target", cell.target);
  visit("task", cell.task);
  visit("where", cell.where);
}

// All fields by their names.
Json to_json(const Cell& cell);

}  // namespace vise::experiments

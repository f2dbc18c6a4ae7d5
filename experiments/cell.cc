#include "experiments/cell.h"

namespace vise::experiments {

Json to_json(const Cell& cell) {
  Json json = Json::object();
  visit_fields(cell, [&](const char* name, const auto& value) { json[name] = value; });
  return json;
}

}  // namespace vise::experiments

// An audit for people and programs: lines of text, JSON, and one HTML page of the pairs found.
//
//   fmt::print("{}", audit_text(audit, dataset, split));
//
// Pure functions of what they are given.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "datasets/audit.h"

namespace vise::datasets {

// At most `most` examples of each finding.
std::string audit_text(const Audit& audit, const Dataset& dataset, const Split& split, std::size_t most = 5);

// Everything, with items by id; schema version first.
Json audit_json(const Audit& audit, const Dataset& dataset, const Split& split);

// A page that works offline: the text, and the pictures of duplicates and near-duplicates side by side, at most `most`
// pairs. `png_of` gives an item's thumbnail as the bytes of a PNG file, or "" where there is none.
std::string audit_html(const Audit& audit, const Dataset& dataset, const Split& split,
                       const std::function<std::string(std::uint32_t item)>& png_of, std::size_t most = 200);

}  // namespace vise::datasets

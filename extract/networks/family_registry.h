// The one list of families: those that ship with the program (families/families.h) and those that were added.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/family.h"

namespace vise::networks {

// In the order in which they are asked.
const std::vector<Family>& families();
// A family more; at start, before anything reads the list.
void add_family(Family family);

// The family that has this architecture among its names. Error{usage} with the nearest.
const Family& family_of(std::string_view architecture);
std::vector<std::string> network_architectures();

// Error{usage} for an unknown architecture.
Network random_network(std::string_view architecture, std::uint64_t seed);
// Of shapes alone.
Outline outline_of(std::string_view architecture);

}  // namespace vise::networks

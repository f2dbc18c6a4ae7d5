// A probe as people write it: "logreg", "logreg,C=1".
#pragma once

#include <string>
#include <utility>

#include "probes/probe.h"

namespace vise {

// Its name and options. Error{usage} naming what is wrong.
std::pair<std::string, ProbeOptions> parse_probe(const std::string& text);

}  // namespace vise

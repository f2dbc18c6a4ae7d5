// A backbone's whole network as a value, for what needs more than its features: fine-tuning.
#pragma once

#include "extract/architecture/network.h"
#include "extract/features.h"

namespace vise {

// How `backbone`'s file is to be read. Error{missing|input} for its key map.
NetworkRequest network_request(const Backbone& backbone, Engine engine);

// Finds the weights (find_weights) and reads them, or draws random ones. Error{usage} for a floor, which has no
// network.
Network load_backbone(const Backbone& backbone, const ExtractOptions& options, Log& log);

}  // namespace vise

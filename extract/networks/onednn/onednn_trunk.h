// Any network on oneDNN: compiled to steps over one slab, with everything fused that can be (fusion.h, compile.h).
//
// Weights are packed once and shared by all replicas, which build their steps again from the network's shapes alone.
#pragma once

#include <memory>

#include "extract/networks/trunk.h"

namespace vise::networks {

// Error{usage} where this CPU lacks the precision or this engine an operation.
std::unique_ptr<Trunk> make_onednn_trunk(const Network& network, const TrunkRequest& request);

}  // namespace vise::networks

// The LibTorch module's door for extraction. No torch header here: the module is opened at first use (base/module.h).
#pragma once

#include <memory>

#include "extract/networks/trunk.h"

namespace vise::networks {

// `vise_torch_trunk`: a network on LibTorch, nothing folded or fused: of a ResNet the oracle that the oneDNN trunk is
// compared with; of CLIP's network and of graphs the only engine.
using TorchTrunkEntry = void(const Network& network, const TrunkRequest& request, std::unique_ptr<Trunk>& trunk);

// `vise_torch_facts`.
using TorchFactsEntry = void(TorchFacts& facts);

}  // namespace vise::networks

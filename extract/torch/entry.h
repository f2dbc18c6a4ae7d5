// The LibTorch module's door for extraction. No torch header here: the module is opened at first use (base/module.h).
#pragma once

#include <memory>

#include "extract/trunk.h"

namespace vise {

// `vise_torch_trunk`: a plain LibTorch module of the network, the oracle that the oneDNN trunk is compared with.
using TorchTrunkEntry = void(const ResNet& network, const TrunkRequest& request, std::unique_ptr<Trunk>& trunk);

}  // namespace vise

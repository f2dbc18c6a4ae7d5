// A ResNet trunk on oneDNN: batch norm folded into the convolutions, ReLU and the residual sum fused into them, blocked
// layouts kept from the first convolution to the last, weights packed once and shared by all replicas, activations
// placed in one slab whose parts are reused as soon as nobody needs them.
//
// 3x3 convolutions of stride 1 run as Winograd in fp32: oneDNN's where it has one (AVX-512), else our own (AVX2,
// winograd.h). At fp32 it is as exact as direct convolution here and passes its arithmetic limit. Everything else runs
// direct.
#pragma once

#include <memory>

#include "extract/networks/trunk.h"

namespace vise {

// Error{usage} when the CPU has no bf16 instructions and bf16 is asked for.
std::unique_ptr<Trunk> make_onednn_trunk(const ResNet& network, const TrunkRequest& request);

}  // namespace vise

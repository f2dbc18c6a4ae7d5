// The engines' front door: a network and a request in, the trunk that computes it out.
#pragma once

#include <cstddef>
#include <memory>

#include "extract/networks/trunk.h"

namespace vise::networks {

// Error{usage} for what check_combination() refuses, where the CPU lacks the precision, a layer is unknown, or the
// request is for another engine than the one that runs a graph; Error{missing} without LibTorch or OpenCV, or for a
// CUDA device that LibTorch doesn't see; Error{input} for a graph that can't be loaded.
std::unique_ptr<Trunk> make_trunk(const Network& network, const TrunkRequest& request);

// How many numbers a TorchScript graph gives for an image: found by running it once, on zeros. Errors as
// Trunk::forward.
std::size_t graph_dim(const Network& graph, int side);

// Opens LibTorch. Error{missing} without it.
TorchFacts torch_facts();

}  // namespace vise::networks

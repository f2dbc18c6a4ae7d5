// A network from a weights file: strictly, with a report of what was found.
//
//   LoadReport report;
//   const Network network = load_network(path, {.load = {.architecture = "resnet50"}}, &report);
//
// The network is found by structure (place.h), what it is by its shapes, and what its tensors don't say by facts.h.
// Every key of the network must be there with its shape and finite values; every other key must fall under a rule of
// the explicit list in docs/formats/checkpoints.md or in LoadRequest::drop.
#pragma once

#include <string>

#include "extract/networks/load_request.h"
#include "extract/networks/network.h"

namespace vise::networks {

// Graphs of ONNX and Caffe (recognised by their bytes) run on OpenCV, which executes no code of theirs: nobody is
// asked. Error{input} for anything missing, unexpected or of a wrong shape, with the first few and the counts, and for
// what nobody says (facts.h); Error{usage} for an unknown architecture or branch; for a TorchScript archive that fits
// no family and isn't to be run, Error{input} that says how it could be.
Network load_network(const Path& file, const NetworkRequest& request = {}, LoadReport* report = nullptr);
// Of a checkpoint that was read, by its own layout: never a graph.
Network load_network(const Checkpoint& checkpoint, const LoadRequest& request = {}, LoadReport* report = nullptr);

// What load_network says of an archive that fits no family and isn't to be run. `mismatch`: why it fits none.
[[noreturn]] void refuse_torchscript(const Checkpoint& checkpoint, const std::string& mismatch);

}  // namespace vise::networks

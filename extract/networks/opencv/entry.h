// The OpenCV module's door. No OpenCV header here: the module is opened at first use (base/module.h).
//
//   Module::opencv().symbol<OpenCvTrunkEntry>("vise_opencv_trunk")(network, request, trunk);
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "extract/networks/trunk.h"

namespace vise::networks {

// `vise_opencv_layers`: the layers of a graph for pictures of side x side, in forward order: those that are maps or
// vectors, by the graph's own names; those that another layer reads are inner. Runs the graph once, on zeros, so that
// what OpenCV lacks is found before any picture is read. Error{input} with the operation, and the way that works.
using OpenCvLayersEntry = void(const Graph& graph, int side, std::vector<LayerOutline>& layers);

// `vise_opencv_trunk`: a graph as OpenCV runs it, unfused, so that a layer's values don't depend on what else is
// tapped. Pictures go through one at a time (or as many as the graph was exported for), on one thread.
using OpenCvTrunkEntry = void(const Network& network, const TrunkRequest& request, std::unique_ptr<Trunk>& trunk);

}  // namespace vise::networks

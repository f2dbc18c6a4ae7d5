#include "extract/networks/make_trunk.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/module.h"
#include "extract/networks/onednn/onednn_trunk.h"
#include "extract/networks/opencv/entry.h"
#include "extract/networks/torch/entry.h"

namespace vise::networks {

std::unique_ptr<Trunk> make_trunk(const Network& network, const TrunkRequest& request) {
  check_combination(request.engine, request.precision, request.device);
  const Outline seen = outline(network);
  // An unknown layer is the user's mistake, found before an engine compiles anything.
  for (const std::string& layer : request.layers) seen.layer(layer);
  if (seen.graph && request.engine != engine_of(*seen.graph))
    throw Error(ErrorKind::usage,
                fmt::format("{} runs on {} only", seen.architecture, library_name(engine_of(*seen.graph))),
                fmt::format("--engine {}", engine_name(engine_of(*seen.graph))));
  // The other two are opened as modules only here: a run on oneDNN never loads their libraries.
  if (request.engine == Engine::onednn) return make_onednn_trunk(network, request);
  std::unique_ptr<Trunk> trunk;
  if (request.engine == Engine::opencv) {
    if (!seen.graph)
      throw Error(ErrorKind::usage, fmt::format("{}: OpenCV runs graphs (ONNX, Caffe) only", seen.architecture),
                  "leave --engine out");
    Module::opencv().symbol<OpenCvTrunkEntry>("vise_opencv_trunk")(network, request, trunk);
    return trunk;
  }
  Module::torch().symbol<TorchTrunkEntry>("vise_torch_trunk")(network, request, trunk);
  return trunk;
}

TorchFacts torch_facts() {
  TorchFacts facts;
  Module::torch().symbol<TorchFactsEntry>("vise_torch_facts")(facts);
  return facts;
}

// A graph doesn't say how wide its output is: one pass over a picture of zeros shows it.
std::size_t graph_dim(const Network& graph, int side) {
  const auto trunk = make_trunk(graph, {Engine::torch, Precision::fp32, {"output"}, 1, side});
  trunk->forward();
  return static_cast<std::size_t>(trunk->maps(0).channels);
}

}  // namespace vise::networks

#include "extract/networks/inspect_graph.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"
#include "extract/networks/opencv/open.h"
#include "extract/networks/trunk.h"

namespace vise::networks {
namespace {

// Outputs or inner values, each with its channels.
std::string layers_text(const std::vector<LayerOutline>& layers, bool inner) {
  std::vector<std::string> shown;
  for (const LayerOutline& layer : layers)
    if (layer.inner == inner)
      shown.push_back(fmt::format("{} ({}{})", layer.name, layer.channels, layer.vector ? ", a vector" : ""));
  return join(shown, ", ");
}

std::string side_text(const Outline& network) {
  return network.any_side ? fmt::format("of any size (widths are those at {} x {})", network.side, network.side)
                          : fmt::format("of {} x {}", network.side, network.side);
}

}  // namespace

// Nothing where the file is no graph: it is then read as a checkpoint.
std::optional<GraphInspection> inspect_graph(const Path& file, const NetworkRequest& request) {
  const std::optional<Network> graph = open_graph(file, request);
  if (!graph) return std::nullopt;
  const Graph& of_file = *graph->graph;
  return GraphInspection{file, std::filesystem::file_size(file), of_file.sha256, of_file.prototxt_sha256,
                         outline(*graph)};
}

Json to_json(const GraphInspection& seen) {
  Json json{{"file", printable(seen.file.string())},
            {"container", graph_kind_name(*seen.outline.graph)},
            {"bytes", seen.bytes},
            {"sha256", seen.sha256},
            {"opencv", opencv_version()},
            {"network", to_json(seen.outline)}};
  if (!seen.prototxt_sha256.empty()) json["prototxt_sha256"] = seen.prototxt_sha256;
  return json;
}

std::string to_text(const GraphInspection& seen) {
  const Outline& network = seen.outline;
  std::string text =
      fmt::format("{}\n  container     {}, {}, a graph of {} layers\n  sha256        {}\n", seen.file.string(),
                  graph_kind_name(*network.graph), bytes_text(seen.bytes), network.layers.size(), seen.sha256);
  if (!seen.prototxt_sha256.empty()) text += fmt::format("  prototxt      {}\n", seen.prototxt_sha256);
  text += fmt::format("  runs          on OpenCV {}, pictures {}\n", opencv_version(), side_text(network));
  text += fmt::format("  outputs       {}\n", layers_text(network.layers, false));
  text += fmt::format("  default       --layer {} --pool {}\n", network.default_layer, network.default_pool);
  const std::string inner = layers_text(network.layers, true);
  return inner.empty() ? text : text + fmt::format("  inside        {}\n", inner);
}

}  // namespace vise::networks

// What an ONNX or a Caffe file is, for people: `backbone inspect` of a graph.
//
//   if (const std::optional<GraphInspection> seen = inspect_graph(path, {.prototxt = "deploy.prototxt"})) ...
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "extract/networks/load.h"

namespace vise::networks {

struct GraphInspection {
  Path file;
  std::uint64_t bytes = 0;
  std::string sha256, prototxt_sha256;
  Outline outline;
};

// None where the file is no graph. Errors as open_graph() (opencv/open.h).
std::optional<GraphInspection> inspect_graph(const Path& file, const NetworkRequest& request);

// One object: file, container, bytes, sha256 and network, whose layers are all that can be asked for.
Json to_json(const GraphInspection& inspection);
// Some lines of text, ending in a newline.
std::string to_text(const GraphInspection& inspection);

}  // namespace vise::networks

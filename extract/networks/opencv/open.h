// Graphs that OpenCV runs, recognised by their bytes and checked before it parses them: ONNX (onnx.proto) and Caffe
// (caffe.proto's NetParameter in binary, with a prototxt that describes it).
//
//   if (std::optional<Network> graph = open_graph("model.onnx", {.side = 224})) ...
//
// OpenCV trusts a tensor's dimensions; here each is compared with the bytes that hold its values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "extract/networks/load_request.h"
#include "extract/networks/network.h"

namespace vise::networks {

// onnx or caffe, also where the file is cut; none for any other bytes. Reads field headers, not the tensors.
std::optional<GraphKind> graph_kind(ByteView file);

// What a graph takes and gives, as its file says.
struct GraphShape {
  int batch = 0, side = 0;  // 0: any
  std::vector<std::string> outputs;
};
// Error{input} without the file's name for a file that is no whole graph of one input of 3 channels, for values that
// are in other files, and for a tensor whose values are not as many as its dimensions say.
GraphShape read_onnx_shape(ByteView file);
GraphShape read_prototxt_shape(std::string_view text);

// None where the file is no graph. Opens OpenCV. Error{usage} for facts that only checkpoints take (arch=, branch=),
// Error{missing} without OpenCV, Error{input} for a graph that is broken or that OpenCV can't run, for Caffe's weights
// without a prototxt, and for a prototxt beside anything else.
std::optional<Network> open_graph(const Path& file, const NetworkRequest& request);

}  // namespace vise::networks

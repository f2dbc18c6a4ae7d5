#include "extract/networks/opencv/open.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/module.h"
#include "base/utf8.h"
#include "extract/networks/opencv/entry.h"
#include "extract/networks/opencv/wire.h"

namespace vise::networks {
namespace {

// Protocol Buffers' own limit; OpenCV counts in int.
constexpr std::uint64_t kMostBytes = (std::uint64_t{1} << 31) - 1, kMostText = std::uint64_t{1} << 24;

// Options of checkpoints mean nothing to a graph, which says itself what it computes.
void check_request(const Path& file, const NetworkRequest& request) {
  std::string said;
  if (!request.load.architecture.empty()) said = "arch=" + request.load.architecture;
  if (!request.load.branch.empty()) said = "branch=" + request.load.branch;
  if (!request.load.drop.empty()) said = "drop=" + request.load.drop.front();
  if (!request.key_map.empty()) said = "keys=";
  if (said.empty()) return;
  throw Error(
      ErrorKind::usage,
      fmt::format("{}: is a graph, which says itself what it computes: '{}' is of checkpoints", file.string(), said),
      "leave it out, and give the file a name of its own: --backbone mine=FILE");
}

// Messages of the readers begin with what is wrong; the file's name is added here.
template <typename Read>
auto with_name(const Path& file, Read read) {
  try {
    return read();
  } catch (const Error& e) {
    throw Error(e.kind(), fmt::format("{}: {}", file.string(), printable(e.message())), e.hint());
  }
}

// The fields of a Caffe file are read by OpenCV; that they end where the file does is checked first.
void check_whole(ByteView weights) {
  WireReader message(weights);
  while (message.next()) {
  }
  if (!message.is_whole())
    throw Error(ErrorKind::input, "is a damaged Caffe file: a layer reaches beyond its end", "get the file again");
}

GraphShape read_shape(Graph& graph, ByteView bytes, const Path& prototxt) {
  const bool is_caffe = graph.kind == GraphKind::caffe;
  if (!is_caffe && !prototxt.empty())
    throw Error(ErrorKind::input, fmt::format("{}: is an ONNX graph, which no prototxt describes", graph.file.string()),
                "leave prototxt= out");
  if (!is_caffe) return with_name(graph.file, [&] { return read_onnx_shape(bytes); });
  with_name(graph.file, [&] { check_whole(bytes); });
  if (prototxt.empty())
    throw Error(
        ErrorKind::input,
        fmt::format("{}: holds a Caffe network's weights, and a prototxt describes the network", graph.file.string()),
        "name it: --backbone NAME=FILE,prototxt=deploy.prototxt");
  const std::string text = read_text_file(prototxt, kMostText);
  graph.prototxt = prototxt;
  graph.prototxt_sha256 = sha256_hex(text);
  return with_name(prototxt, [&] { return read_prototxt_shape(text); });
}

// What the file calls an output is one, whether or not other layers read it. The default is the first that the file
// names, else the last layer that no other reads.
std::string list_outputs(std::vector<LayerOutline>& layers, const std::vector<std::string>& outputs) {
  std::string last = layers.back().name, first;
  for (LayerOutline& layer : layers) {
    const bool is_named = std::ranges::find(outputs, layer.name) != outputs.end();
    if (is_named) layer.inner = false;
    if (!layer.inner) last = layer.name;
  }
  for (const std::string& name : outputs)
    if (first.empty() && std::ranges::find(layers, name, &LayerOutline::name) != layers.end()) first = name;
  std::ranges::find(layers, last, &LayerOutline::name)->inner = false;
  return first.empty() ? last : first;
}

}  // namespace

// Neither format has a magic number, so the fields decide.
std::optional<GraphKind> graph_kind(ByteView file) {
  WireReader message(file);
  bool has_version = false, has_graph = false, has_layers = false;
  while (const std::optional<WireField> field = message.next()) {
    // Any bytes can begin like a message of Protocol Buffers. Fields that neither format has, or
    // a length that reaches past the end, say that these are none.
    if (field->number > 200) return std::nullopt;
    has_version |= field->is(1, WireField::Type::varint);                               // ModelProto.ir_version
    has_graph |= field->is(7, WireField::Type::bytes);                                  // ModelProto.graph
    has_layers |= field->is(100, WireField::Type::bytes) ||                             // NetParameter.layer
                  (field->is(2, WireField::Type::bytes) && field->bytes.size() > 256);  // NetParameter.layers (V1)
  }
  if (!message.is_whole()) {  // cut within a graph or a layer, the message still says what it was
    const std::uint64_t cut = message.last_number();
    has_graph |= cut == 7;
    if (!(has_version && cut == 7) && cut != 100 && !(has_layers && cut == 2)) return std::nullopt;
    has_layers |= cut == 100;
  }
  // Field 1 of Caffe's NetParameter is a text.
  if (has_version && has_graph) return GraphKind::onnx;
  if (!has_version && has_layers) return GraphKind::caffe;
  return std::nullopt;
}

std::optional<Network> open_graph(const Path& file, const NetworkRequest& request) {
  if (std::error_code error; std::filesystem::is_directory(file, error)) return std::nullopt;
  const MappedFile map(file);
  const std::optional<GraphKind> kind = graph_kind(map.bytes());
  if (!kind) {
    if (request.prototxt.empty()) return std::nullopt;
    throw Error(ErrorKind::input,
                fmt::format("{}: holds no Caffe network's weights, and prototxt= is of those", file.string()));
  }
  check_request(file, request);
  if (map.bytes().size() > kMostBytes)
    throw Error(ErrorKind::input, fmt::format("{}: is a graph of over 2 GB, which OpenCV doesn't read", file.string()));
  Network network;
  Graph graph{.kind = *kind, .file = file, .sha256 = sha256_hex(map.bytes())};
  const GraphShape shape = read_shape(graph, map.bytes(), request.prototxt);
  graph.batch = shape.batch;
  network.any_side = shape.side == 0;
  // A graph that takes any size is described at the one that is asked for.
  network.side = network.any_side ? request.side : shape.side;
  Module::opencv().symbol<OpenCvLayersEntry>("vise_opencv_layers")(graph, network.side, graph.layers);
  network.family = network.architecture = graph_kind_name(*kind);
  network.default_layer = list_outputs(graph.layers, shape.outputs);
  network.graph = std::move(graph);
  return network;
}

}  // namespace vise::networks

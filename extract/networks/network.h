// A network as a value: a list of operations in forward order, with named values that features are taken from.
//
//   const Network network = load_network(path, {.load = {.architecture = "resnet50"}});   // load.h
//   for (const Op& op : network.ops) ...                                                   // op.h defines each
//   outline(network).layer("layer4").channels;                                             // 2048
//
// Engines interpret the value: onednn/ compiles it, torch/ runs it operation by operation. Families (family.h) make it
// from a checkpoint. Nothing else knows what architectures there are. Values own their memory; safe to read from many
// threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "extract/networks/facts.h"
#include "extract/networks/op.h"

namespace vise::networks {

// A named value.
struct Layer {
  std::string name;  // "layer4", "block12", "stage3", "pre", "post", "map", "final"
  int value = 0;
};

// What can be said of a layer without running the network.
struct LayerOutline {
  std::string name;
  int channels = 0;
  int prefix = 0;             // tokens that stand for no place
  bool vector = false;        // one place and no prefix: no pool but avg
  int height = 0, width = 0;  // its grid of places at Outline::side; 0 where only running the network tells
  bool inner = false;         // of a graph: none of its outputs; found by its name, and not listed
};

// A network that another library runs as its file has it. torchscript: nothing is known of its inside, and LibTorch
// runs its code. onnx, caffe: a graph of known operations, which OpenCV runs. All take batch x 3 x side x side and give
// batch x D or batch x D x H x W.
enum class GraphKind { torchscript, onnx, caffe };
std::string_view graph_kind_name(GraphKind kind);  // "torchscript", "onnx", "caffe"

struct Graph {
  GraphKind kind = GraphKind::torchscript;
  Path file{};
  std::string sha256{};  // of the file
  Path prototxt{};       // caffe: the file that describes what the weights are of
  std::string prototxt_sha256{};
  int batch = 0;                       // onnx: the only number of images that it takes; 0: any
  std::vector<LayerOutline> layers{};  // of a TorchScript archive one, "output", of 0 channels: only running it tells
};
Graph torchscript_graph(const Path& file, const std::string& sha256);

struct Network {
  std::string family;        // "resnet", "vit"
  std::string architecture;  // "resnet50", "vit-b16"
  std::vector<Op> ops;
  std::vector<Layer> layers;  // in forward order; hidden ones ("final-1") serve pools and aren't listed
  // The feature that the family's authors probe, where the backbone's row names no other.
  std::string default_layer, default_pool = "avg";
  // Raised by a family when its description of the same file comes to other last bits: old rows are then not taken for
  // new ones.
  int revision = 0;
  int side = 224;                       // height and width of the input that its positions were made for
  bool any_side = true;                 // whether another side can be run
  bool has_class_token = false;         // token 0 of every value with a prefix
  bool has_distillation_token = false;  // token 1 (DeiT)
  std::vector<Fact> facts;              // what the tensors don't say, and who said it
  std::string assumed;                  // what nobody says and is taken as nearly all such files are; empty: nothing
  std::optional<Graph> graph;           // then there are no ops, and the layers are the graph's

  // The value that `op` makes.
  static int value_of(std::size_t op) { return static_cast<int>(op) + 1; }
};

// What can be said of a network without its weights: cheap to keep, so that a warm run opens no checkpoint.
struct Outline {
  std::string family, architecture;
  std::vector<LayerOutline> layers;
  std::string default_layer, default_pool;
  int revision = 0;
  int side = 224;
  bool any_side = true, has_class_token = false, has_distillation_token = false;
  std::optional<GraphKind> graph;
  std::vector<Fact> facts;
  std::string assumed;

  // Error{usage} for an unknown layer, with those there are.
  const LayerOutline& layer(std::string_view name) const;
  std::vector<std::string> layer_names() const;  // the listed ones
};
Outline outline(const Network& network);
Json to_json(const Outline& outline);
// Throws Json's exceptions for what to_json did not write.
Outline outline_from_json(const Json& json);

// The shapes of all values, value 0 (the input of that side) included. Error{usage} for a side that the network can't
// take.
std::vector<ValueShape> value_shapes(const Network& network, int side);

// SHA-256 over names, shapes and float32 values of all parameters, in forward order. Two files that hold the same
// network in other containers, key layouts or dtypes (where the values are equal) agree. Of a graph empty: only the
// engine sees its parameters.
std::string parameters_hash(const Network& network);
// As torch counts parameters: without a batch norm's statistics.
std::uint64_t parameter_count(const Network& network);

// The same network with shapes alone.
Network without_values(Network network);

}  // namespace vise::networks

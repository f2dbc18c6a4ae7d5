#include "extract/networks/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace vise::networks {
namespace {

// Sizes that no parameter's shape says, but that change what the network computes.
std::string settings_text(const Op& op) {
  if (const auto* conv = op.as<Convolution>()) {
    std::string text =
        fmt::format("{} {} {} {} {} {}\n", op.name, conv->out, conv->in, conv->kernel, conv->stride, conv->groups);
    // Written only where it differs, so that hashes of 0.1 stay as they are.
    if (conv->dilation != 1) text += fmt::format("dilation {}\n", conv->dilation);
    return text;
  }
  if (const auto* attention = op.as<Attention>()) return fmt::format("{} {}\n", op.name, attention->heads);
  if (const auto* attention = op.as<CrossAttention>()) return fmt::format("{} {}\n", op.name, attention->heads);
  return op.as<BatchNorm>() || parameters(op).empty() ? "" : op.name + "\n";
}

// A vector is what has a single token.
LayerOutline outline_of_value(const Layer& layer, const std::vector<ValueShape>& shapes) {
  const ValueShape& shape = shapes[static_cast<std::size_t>(layer.value)];
  return {layer.name, shape.channels, shape.prefix, shape.tokens() == 1, shape.height, shape.width, false};
}

// "final-1" to "final-3" exist for --pool last4 alone.
bool is_listed(const LayerOutline& layer) { return !layer.inner && layer.name.find('-') == std::string::npos; }

constexpr std::array<std::string_view, 3> kGraphKinds{"torchscript", "onnx", "caffe"};

std::optional<GraphKind> graph_kind_of_name(std::string_view name) {
  const auto found = std::ranges::find(kGraphKinds, name);
  if (found == kGraphKinds.end()) return std::nullopt;
  return static_cast<GraphKind>(found - kGraphKinds.begin());
}

}  // namespace

std::string_view graph_kind_name(GraphKind kind) { return kGraphKinds[static_cast<std::size_t>(kind)]; }

Graph torchscript_graph(const Path& file, const std::string& sha256) {
  return {GraphKind::torchscript, file, sha256, {}, {}, 0, {{"output"}}};
}

std::vector<std::string> Outline::layer_names() const {
  std::vector<std::string> names;
  for (const LayerOutline& each : layers)
    if (is_listed(each)) names.push_back(each.name);
  return names;
}

const LayerOutline& Outline::layer(std::string_view name) const {
  const auto found = std::ranges::find(layers, name, &LayerOutline::name);
  if (found != layers.end()) return *found;
  std::vector<std::string> inner;
  for (const LayerOutline& each : layers)
    if (each.inner) inner.push_back(each.name);
  std::string hint = fmt::format("it has {}", join(layer_names(), ", "));
  if (!inner.empty()) hint += fmt::format("; and inside {}", join(inner, ", "));
  throw Error(ErrorKind::usage, fmt::format("{} has no layer '{}'", architecture, name), hint);
}

Outline outline(const Network& network) {
  Outline seen;
  seen.family = network.family;
  seen.architecture = network.architecture;
  seen.default_layer = network.default_layer;
  seen.default_pool = network.default_pool;
  seen.revision = network.revision;
  seen.side = network.side;
  seen.any_side = network.any_side;
  seen.has_class_token = network.has_class_token;
  seen.has_distillation_token = network.has_distillation_token;
  seen.facts = network.facts;
  seen.assumed = network.assumed;
  if (network.graph) {
    seen.graph = network.graph->kind;
    seen.layers = network.graph->layers;
    return seen;
  }
  const std::vector<ValueShape> shapes = value_shapes(network, network.side);
  for (const Layer& layer : network.layers) seen.layers.push_back(outline_of_value(layer, shapes));
  return seen;
}

// Kept beside features, so that an outline is known without opening the weights again.
Json to_json(const Outline& outline) {
  Json layers = Json::array(), facts = Json::array();
  for (const LayerOutline& layer : outline.layers)
    layers.push_back({layer.name, layer.channels, layer.prefix, layer.vector, layer.height, layer.width, layer.inner});
  for (const Fact& fact : outline.facts) facts.push_back({fact.name, fact.value, fact.source});
  return {{"family", outline.family},
          {"architecture", outline.architecture},
          {"layers", layers},
          {"default_layer", outline.default_layer},
          {"default_pool", outline.default_pool},
          {"revision", outline.revision},
          {"side", outline.side},
          {"any_side", outline.any_side},
          {"class_token", outline.has_class_token},
          {"distillation_token", outline.has_distillation_token},
          {"program", outline.graph ? graph_kind_name(*outline.graph) : ""},
          {"facts", facts},
          {"assumed", outline.assumed}};
}

// Reads what to_json() wrote: every field must be there.
Outline outline_from_json(const Json& json) {
  Outline outline;
  outline.family = json.at("family");
  outline.architecture = json.at("architecture");
  for (const Json& layer : json.at("layers"))
    outline.layers.push_back(
        {layer.at(0), layer.at(1), layer.at(2), layer.at(3), layer.at(4), layer.at(5), layer.at(6)});
  outline.default_layer = json.at("default_layer");
  outline.default_pool = json.at("default_pool");
  outline.revision = json.at("revision");
  outline.side = json.at("side");
  outline.any_side = json.at("any_side");
  outline.has_class_token = json.at("class_token");
  outline.has_distillation_token = json.at("distillation_token");
  outline.graph = graph_kind_of_name(json.at("program").get<std::string>());
  outline.assumed = json.at("assumed");
  for (const Json& fact : json.at("facts")) outline.facts.push_back({fact.at(0), fact.at(1), fact.at(2)});
  return outline;
}

// Value 0 is the picture, side x side x 3; each operation adds the shape of what it makes.
std::vector<ValueShape> value_shapes(const Network& network, int side) {
  std::vector<ValueShape> shapes{{0, side, side, 3}};
  for (const Op& op : network.ops) {
    std::vector<ValueShape> inputs;
    for (const int input : op.inputs) inputs.push_back(shapes.at(static_cast<std::size_t>(input)));
    shapes.push_back(shape_after(op, inputs));
  }
  return shapes;
}

std::string parameters_hash(const Network& network) {
  if (network.graph) return "";
  Sha256 hash;
  // The hash is over values as they are used, after renaming, stacking and widening to float32: two
  // files of the same network in different layouts have the same one.
  hash.update(fmt::format("vise-eval {} parameters 1\n", network.family));
  for (const Op& op : network.ops) {
    hash.update(settings_text(op));
    // With the operation's settings between the values, so that the same numbers in another network have another hash.
    for (const Parameter* parameter : parameters(op)) hash.update(std::as_bytes(parameter->values()));
  }
  return hash.hex();
}

std::uint64_t parameter_count(const Network& network) {
  std::uint64_t count = 0;
  std::set<const float*> seen;  // a last norm is several operations: of the last tokens, and of three blocks before
  const auto add = [&](const Parameter& parameter) {
    const float* const values = parameter.values().data();
    if (values == nullptr || seen.insert(values).second) count += parameter.size();
  };
  for (const Op& op : network.ops) {
    if (const auto* norm = op.as<BatchNorm>()) {
      add(norm->gamma);
      // Mean and variance are statistics and no parameters, as PyTorch counts them.
      add(norm->beta);
      continue;
    }
    for (const Parameter* parameter : parameters(op)) add(*parameter);
  }
  return count;
}

// For outlines and for engines that only need shapes: a large network's values are gigabytes.
Network without_values(Network network) {
  for (Op& op : network.ops)
    for (Parameter* parameter : parameters(op)) *parameter = parameter->without_values();
  return network;
}

}  // namespace vise::networks

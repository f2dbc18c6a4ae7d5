// Field numbers are those of onnx.proto, as in onnx_shape.cc. Operators' forms: onnx/docs/Changelog.md, Clip-6 and
// Clip-11.
#include "extract/networks/opencv/onnx_forms.h"

#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "extract/networks/opencv/wire.h"

namespace vise::networks {
namespace {

using Type = WireField::Type;
constexpr std::uint64_t kModelGraph = 7, kGraphNode = 1, kGraphInitializer = 5, kGraphOutput = 12;

template <typename Each>
void for_fields(ByteView message, Each each) {
  WireReader reader(message);
  while (const std::optional<WireField> field = reader.next()) each(*field);
}

// The last field of that number, as Protocol Buffers reads a message that has several.
std::string text_of(ByteView message, std::uint64_t number) {
  std::string text;
  for_fields(message, [&](const WireField& field) {
    if (field.is(number, Type::bytes)) text = field.text();
  });
  return text;
}

// TensorProto of one float: float_data (4) or raw_data (9), data_type (2) 1.
std::optional<float> scalar_of(ByteView tensor) {
  std::uint64_t type = 0;
  ByteView bytes;
  for_fields(tensor, [&](const WireField& field) {
    if (field.is(2, Type::varint)) type = field.value;
    if (field.number == 4 || field.is(9, Type::bytes)) bytes = field.bytes;
  });
  if (type != 1 || bytes.size() != sizeof(float)) return std::nullopt;
  float value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// NodeProto: 1 inputs, 2 outputs, 4 the operation.
struct Node {
  std::string operation;
  std::vector<std::string> inputs, outputs;

  explicit Node(ByteView message) {
    for_fields(message, [&](const WireField& field) {
      if (field.is(1, Type::bytes)) inputs.emplace_back(field.text());
      if (field.is(2, Type::bytes)) outputs.emplace_back(field.text());
      if (field.is(4, Type::bytes)) operation = field.text();
    });
  }
};

// AttributeProto of one float: name (1), f (2), type (20) FLOAT.
std::string float_attribute(std::string_view name, float value) {
  std::string attribute;
  append_field(attribute, 1, name);
  // A field's key is its number and, in the lowest three bits, its wire type.
  append_varint(attribute, 2 << 3 | static_cast<std::uint64_t>(Type::fixed32));
  attribute.append(reinterpret_cast<const char*>(&value), sizeof value);
  append_varint(attribute, 20 << 3);
  append_varint(attribute, 1);
  return attribute;
}

// What can be learnt from a graph's nodes without running it.
class Rewriter {
 public:
  // Initializers and outputs first: what a node may become depends on both, wherever in the graph they are.
  explicit Rewriter(ByteView graph) {
    for_fields(graph, [&](const WireField& field) {
      if (field.is(kGraphInitializer, Type::bytes)) learn_initializer(field.bytes);
      if (field.is(kGraphOutput, Type::bytes)) outputs_.insert(text_of(field.bytes, 1));
    });
    for_fields(graph, [&](const WireField& field) {
      if (field.is(kGraphNode, Type::bytes)) learn_node(field.bytes);
    });
  }

  // The graph again; none where nothing has to change.
  std::optional<std::string> rewrite(ByteView graph) const {
    std::string out;
    bool changed = false;
    for_fields(graph, [&](const WireField& field) {
      const std::optional<std::string> node =
          field.is(kGraphNode, Type::bytes) ? rewrite_node(field.bytes) : std::nullopt;
      // An empty text stands for an Identity that is left out.
      changed |= node.has_value();
      if (!node)
        append_bytes(out, field.raw);
      else if (!node->empty())
        append_field(out, kGraphNode, *node);
    });
    if (!changed) return std::nullopt;
    return out;
  }

 private:
  void learn_initializer(ByteView tensor) {
    const std::string name = text_of(tensor, 8);
    initializers_.insert(name);
    if (const std::optional<float> value = scalar_of(tensor)) scalars_[name] = *value;
  }

  void learn_node(ByteView message) {
    const Node node(message);
    if (node.outputs.size() != 1) return;
    if (node.operation == "Constant")  // attribute (5) . t (5)
      for_fields(message, [&](const WireField& attribute) {
        if (!attribute.is(5, Type::bytes)) return;
        for_fields(attribute.bytes, [&](const WireField& field) {
          if (!field.is(5, Type::bytes)) return;
          if (const std::optional<float> value = scalar_of(field.bytes)) scalars_[node.outputs[0]] = *value;
        });
      });
    // The graph's own output keeps its Identity, since its name must remain.
    if (node.operation != "Identity" || node.inputs.size() != 1 || outputs_.contains(node.outputs[0])) return;
    // Nodes are stored in forward order, so an Identity of an Identity finds the first one's.
    const std::string& source = own_name(node.inputs[0]);
    if (initializers_.contains(source)) aliases_.emplace(node.outputs[0], source);
  }

  const std::string& own_name(const std::string& name) const {
    const auto alias = aliases_.find(name);
    return alias == aliases_.end() ? name : alias->second;
  }

  // Empty: left out.
  std::optional<std::string> rewrite_node(ByteView message) const {
    const Node node(message);
    if (node.operation == "Identity" && node.outputs.size() == 1 && aliases_.contains(node.outputs[0])) return "";
    if (node.operation == "Clip" && node.inputs.size() > 1) return clip_of_attributes(message, node);
    bool changed = false;
    std::string out;
    for_fields(message, [&](const WireField& field) {
      const std::string name(field.is(1, Type::bytes) ? field.text() : "");
      if (own_name(name) == name) return append_bytes(out, field.raw);
      append_field(out, 1, own_name(name));
      changed = true;
    });
    if (!changed) return std::nullopt;
    return out;
  }

  std::optional<std::string> clip_of_attributes(ByteView message, const Node& node) const {
    // Clip-6's defaults, for a bound that Clip-11 leaves open.
    constexpr float kMost = std::numeric_limits<float>::max();
    std::vector<float> bounds{-kMost, kMost};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      if (node.inputs[i].empty()) continue;
      const auto known = scalars_.find(own_name(node.inputs[i]));
      // A bound that is computed in the graph can't become an attribute; OpenCV then says
      // itself that it lacks this form.
      if (i > bounds.size() || known == scalars_.end()) return std::nullopt;
      bounds[i - 1] = known->second;
    }
    std::string out;
    append_field(out, 1, own_name(node.inputs[0]));
    for_fields(message, [&](const WireField& field) {
      if (field.number != 1) append_bytes(out, field.raw);
    });
    append_field(out, 5, float_attribute("min", bounds[0]));
    append_field(out, 5, float_attribute("max", bounds[1]));
    return out;
  }

  std::set<std::string> initializers_, outputs_;
  std::map<std::string, float> scalars_;
  std::map<std::string, std::string> aliases_;
};

}  // namespace

std::optional<std::string> in_older_forms(ByteView file) {
  std::string out;
  bool changed = false;
  for_fields(file, [&](const WireField& field) {
    // Every other field of the model is copied as it was.
    const std::optional<std::string> graph =
        field.is(kModelGraph, Type::bytes) ? Rewriter(field.bytes).rewrite(field.bytes) : std::nullopt;
    changed |= graph.has_value();
    if (graph)
      append_field(out, kModelGraph, *graph);
    else
      append_bytes(out, field.raw);
  });
  if (!changed) return std::nullopt;
  return out;
}

}  // namespace vise::networks

// ONNX files made here, field by field (onnx.proto): what exporters write, and what they would not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/opencv/wire.h"

namespace vise::test {

inline std::string varint_field(std::uint64_t number, std::uint64_t value) {
  std::string out;
  networks::append_varint(out, number << 3);
  networks::append_varint(out, value);
  return out;
}

inline std::string bytes_field(std::uint64_t number, std::string_view bytes) {
  std::string out;
  networks::append_field(out, number, bytes);
  return out;
}

inline std::string raw_floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// TensorProto of float32, its values in raw_data.
inline std::string tensor(const std::string& name, const std::vector<std::uint64_t>& dims,
                          const std::vector<float>& values) {
  std::string out;
  for (const std::uint64_t dim : dims) out += varint_field(1, dim);
  return out + varint_field(2, 1) + bytes_field(8, name) + bytes_field(9, raw_floats(values));
}

inline std::string node(const std::string& operation, const std::string& name, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::string& attributes = "") {
  std::string out;
  for (const std::string& input : inputs) out += bytes_field(1, input);
  for (const std::string& output : outputs) out += bytes_field(2, output);
  return out + bytes_field(3, name) + bytes_field(4, operation) + attributes;
}

// AttributeProto of whole numbers: name (1), ints (8), type (20) INTS.
inline std::string ints_attribute(const std::string& name, const std::vector<std::uint64_t>& values) {
  std::string out = bytes_field(1, name);
  for (const std::uint64_t value : values) out += varint_field(8, value);
  return bytes_field(5, out + varint_field(20, 7));
}

// ValueInfoProto of float32; a dimension of 0 is any.
inline std::string value_info(const std::string& name, const std::vector<std::uint64_t>& dims) {
  std::string shape;
  for (const std::uint64_t dim : dims)
    shape += bytes_field(1, dim ? varint_field(1, dim) : bytes_field(2, "any"));  // dim_value, dim_param
  return bytes_field(1, name) + bytes_field(2, bytes_field(1, varint_field(1, 1) + bytes_field(2, shape)));
}

struct OnnxGraph {
  std::vector<std::string> nodes, initializers, inputs, outputs;

  std::string file() const {
    std::string graph;
    for (const std::string& each : nodes) graph += bytes_field(1, each);
    graph += bytes_field(2, "main_graph");
    for (const std::string& each : initializers) graph += bytes_field(5, each);
    for (const std::string& each : inputs) graph += bytes_field(11, each);
    for (const std::string& each : outputs) graph += bytes_field(12, each);
    const std::string opset = varint_field(2, 14);
    return varint_field(1, 7) + bytes_field(2, "pytorch") + bytes_field(7, graph) + bytes_field(8, opset);
  }
};

// A picture of side x side through a 1 x 1 convolution to two channels (red - blue, and green + 0.5), Relu ("map") and
// the mean of each channel ("features"): what any test can compute by hand.
inline OnnxGraph small_graph(std::uint64_t side = 8, std::uint64_t batch = 1) {
  return {{node("Conv", "conv", {"picture", "weight", "bias"}, {"before"}, ints_attribute("kernel_shape", {1, 1})),
           node("Relu", "relu", {"before"}, {"map"}), node("GlobalAveragePool", "pool", {"map"}, {"pooled"}),
           node("Flatten", "flatten", {"pooled"}, {"features"})},
          {tensor("weight", {2, 3, 1, 1}, {1, 0, -1, 0, 1, 0}), tensor("bias", {2}, {0, 0.5})},
          {value_info("picture", {batch, 3, side, side})},
          {value_info("features", {batch, 2}), value_info("map", {batch, 2, side, side})}};
}

}  // namespace vise::test

// What an ONNX file says of its graph, and whether its tensors are as long as they say. Field numbers are those of
// onnx.proto (ONNX 1.12): ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto, ValueInfoProto.
#include <fmt/format.h>

#include <array>
#include <set>

#include "base/error.h"
#include "base/utf8.h"
#include "extract/networks/opencv/open.h"
#include "extract/networks/opencv/wire.h"

namespace vise::networks {
namespace {

using Type = WireField::Type;

[[noreturn]] void refuse(const std::string& what, std::string hint = "") {
  throw Error(ErrorKind::input, what, std::move(hint));
}

// Calls each(field) for every field of a message.
template <typename Each>
void for_fields(ByteView message, Each each) {
  WireReader reader(message);
  while (const std::optional<WireField> field = reader.next()) each(*field);
  if (!reader.is_whole()) refuse("is a damaged ONNX graph: a field reaches beyond its message", "get the file again");
}

// Numbers of a repeated varint field, packed or one at a time.
std::uint64_t count_varints(const WireField& field) {
  if (field.type == Type::varint) return 1;
  WireReader reader(field.bytes);
  std::uint64_t count = 0;
  while (!reader.is_done() && reader.varint()) ++count;
  return count;
}

template <typename Each>
void for_varints(const WireField& field, Each each) {
  if (field.type == Type::varint) return each(field.value);
  WireReader reader(field.bytes);
  while (!reader.is_done()) {
    const std::optional<std::uint64_t> value = reader.varint();
    if (!value) return;
    each(*value);
  }
}

// TensorProto.DataType's sizes; 0: one that OpenCV doesn't read.
constexpr std::array<std::uint64_t, 12> kBytes{0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8};

// What a TensorProto says of its size, and how many values it holds in which of its fields.
struct TensorSize {
  std::string name;
  std::uint64_t elements = 1, type = 0, raw = 0, counted = 0;
  bool has_raw = false, is_external = false;

  void read(const WireField& field) {
    if (field.number == 1) for_varints(field, [&](std::uint64_t dimension) { multiply(dimension); });
    if (field.is(2, Type::varint)) type = field.value;
    if (field.number == 4) counted += field.type == Type::fixed32 ? 1 : field.bytes.size() / 4;   // float_data
    if (field.number == 10) counted += field.type == Type::fixed64 ? 1 : field.bytes.size() / 8;  // double_data
    if (field.number == 5 || field.number == 7 || field.number == 11) counted += count_varints(field);
    if (field.is(8, Type::bytes)) name = printable(std::string(field.text()));
    if (field.is(9, Type::bytes)) raw = field.bytes.size(), has_raw = true;
    if (field.number == 13 || (field.is(14, Type::varint) && field.value == 1)) is_external = true;
  }

  void multiply(std::uint64_t dimension) {
    // OpenCV multiplies dimensions in int and copies as many values as they say, whatever bytes
    // there are; that is why they are compared here.
    constexpr std::uint64_t kMost = std::uint64_t{1} << 31;
    if (dimension > kMost || (dimension > 0 && elements > kMost / dimension))
      refuse("is a damaged ONNX graph: a tensor's dimensions pass 2^31", "get the file again");
    elements *= dimension;
  }
};

void check_tensor(ByteView message) {
  TensorSize tensor;
  for_fields(message, [&](const WireField& field) { tensor.read(field); });
  if (tensor.is_external)
    refuse(fmt::format("is an ONNX graph whose tensor '{}' lies in another file", tensor.name),
           "save it in one file: onnx.save(onnx.load(FILE), OUT)");
  const std::uint64_t size = tensor.type < kBytes.size() ? kBytes[tensor.type] : 0;
  if (size == 0)
    refuse(fmt::format("has a tensor '{}' of data type {}, which OpenCV doesn't read", tensor.name, tensor.type));
  const bool agrees =
      tensor.has_raw && tensor.counted == 0 ? tensor.raw == tensor.elements * size : tensor.counted == tensor.elements;
  if (!agrees)
    refuse(fmt::format("is a damaged ONNX graph: the tensor '{}' has not as many values as its dimensions say",
                       tensor.name),
           "get the file again");
}

// Constants are stored in nodes: NodeProto.attribute (5), AttributeProto.t (5) and tensors (10).
void check_node(ByteView message) {
  for_fields(message, [](const WireField& field) {
    if (!field.is(5, Type::bytes)) return;
    for_fields(field.bytes, [](const WireField& attribute) {
      if (attribute.is(5, Type::bytes) || attribute.is(10, Type::bytes)) check_tensor(attribute.bytes);
    });
  });
}

std::string name_of(ByteView message, std::uint64_t number) {
  std::string name;
  for_fields(message, [&](const WireField& field) {
    if (field.is(number, Type::bytes)) name = field.text();
  });
  return name;
}

struct Input {
  std::string name;
  std::vector<std::uint64_t> dimensions;  // 0: any
};

// ValueInfoProto: name (1), type (2) . tensor_type (1) . shape (2) . dim (1) . dim_value (1) A dimension without a
// value (a name, or nothing) is any size.
Input read_input(ByteView message) {
  Input input{name_of(message, 1), {}};
  const auto inside = [](std::uint64_t number, auto each) {
    return [number, each](const WireField& field) {
      if (field.is(number, Type::bytes)) for_fields(field.bytes, each);
    };
  };
  const auto dimension = [&](const WireField& field) {
    if (!field.is(1, Type::bytes)) return;
    input.dimensions.push_back(0);
    for_fields(field.bytes, [&](const WireField& value) {
      if (value.is(1, Type::varint) && value.value < std::uint64_t{1} << 31) input.dimensions.back() = value.value;
    });
  };
  for_fields(message, inside(2, inside(1, inside(2, dimension))));
  return input;
}

}  // namespace

GraphShape shape_of_input(const std::vector<std::uint64_t>& dimensions, const std::string& name);

GraphShape read_onnx_shape(ByteView file) {
  std::vector<Input> inputs;
  std::set<std::string> initializers;
  GraphShape shape;
  std::vector<std::string> outputs;
  // GraphProto: 1 nodes, 5 initializers, 11 inputs, 12 outputs.
  const auto read_graph = [&](const WireField& field) {
    if (field.type != Type::bytes) return;
    if (field.number == 1) check_node(field.bytes);
    if (field.number == 5) {
      check_tensor(field.bytes);
      initializers.insert(name_of(field.bytes, 8));
    }
    if (field.number == 11) inputs.push_back(read_input(field.bytes));
    if (field.number == 12) outputs.push_back(printable(name_of(field.bytes, 1)));
  };
  for_fields(file, [&](const WireField& field) {
    if (field.is(7, Type::bytes)) for_fields(field.bytes, read_graph);
  });
  // Files of ONNX's first years list initializers among the inputs.
  std::erase_if(inputs, [&](const Input& input) { return initializers.contains(input.name); });
  if (inputs.size() != 1) refuse(fmt::format("is a graph of {} inputs; a picture is one", inputs.size()));
  if (outputs.empty()) refuse("is a graph without an output");
  shape = shape_of_input(inputs[0].dimensions, printable(inputs[0].name));
  shape.outputs = std::move(outputs);
  return shape;
}

}  // namespace vise::networks

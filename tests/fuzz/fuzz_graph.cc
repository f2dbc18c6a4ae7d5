// Any bytes as an ONNX file and as a prototxt, before OpenCV sees them: what the file takes and gives, or Error{input};
// and its older forms, which must say the same.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "extract/networks/opencv/onnx_forms.h"
#include "extract/networks/opencv/open.h"

namespace {

template <typename Read>
std::optional<vise::networks::GraphShape> shape_of(Read read) {
  try {
    const vise::networks::GraphShape shape = read();
    if (shape.side < 0 || shape.side > 4096 || shape.batch < 0 || shape.batch > 4096) std::abort();
    return shape;
  } catch (const vise::Error& error) {
    if (error.kind() != vise::ErrorKind::input) std::abort();
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const vise::ByteView bytes = std::as_bytes(std::span(data, size));
  const auto shape = shape_of([&] { return vise::networks::read_onnx_shape(bytes); });
  const std::optional<std::string> older = vise::networks::in_older_forms(bytes);
  if (shape && older) {
    const auto again = shape_of([&] { return vise::networks::read_onnx_shape(std::as_bytes(std::span(*older))); });
    if (!again || again->side != shape->side || again->outputs != shape->outputs) std::abort();
  }
  shape_of([&] { return vise::networks::read_prototxt_shape({reinterpret_cast<const char*>(data), size}); });
  return 0;
}

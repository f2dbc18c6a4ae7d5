// One container's reader (VISE_READER), and everything that callers do with the tensors it gives.
#include "base/error.h"
#include "extract/networks/checkpoint/readers.h"

namespace vise {

// The one reader without options.
[[maybe_unused]] static networks::ContainerContents read_safetensors(ByteView bytes, const networks::Owner& owner,
                                                                     const networks::ReadOptions&) {
  return networks::read_safetensors(bytes, owner);
}

static void use(const networks::Tensor& tensor) {
  if (tensor.bytes() > 1U << 20) return;  // lawful, only slow
  std::vector<std::byte> scratch;
  tensor.contiguous(scratch);
  networks::sum(tensor);
  if (tensor.dtype != networks::DType::complex64 && tensor.dtype != networks::DType::complex128) tensor.to_floats();
}

static void read(ByteView bytes, const networks::ReadOptions& options) {
  try {
    for (const networks::NamedTensor& named : VISE_READER(bytes, nullptr, options).tensors) use(named.tensor);
  } catch (const Error&) {
  }
}

}  // namespace vise

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  vise::read(bytes, {});
  vise::read(bytes, {.skip_foreign = true});
  return 0;
}

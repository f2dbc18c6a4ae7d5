// The pickle machine: in a world of plain values, and in torch's, whose storages are given zeros.
#include "base/error.h"
#include "extract/networks/checkpoint/torch_world.h"

namespace vise {

static void run_plain(ByteView bytes) {
  try {
    PickleHeap heap;
    PickleWorld plain;
    pickle_to_json(heap, run_pickle(bytes, heap, plain).value);
  } catch (const Error&) {
  }
}

static void run_torch(ByteView bytes, networks::TorchWorld::Rules rules) {
  try {
    PickleHeap heap;
    networks::TorchWorld world(rules);
    const PickleValue root = run_pickle(bytes, heap, world).value;
    std::vector<std::byte> zeros(1 << 16);
    for (std::size_t i = 0; i < world.storages().size(); ++i) {
      const networks::TorchStorage& storage = world.storages()[i];
      if (static_cast<std::uint64_t>(storage.numel) > zeros.size() / networks::dtype_size(storage.dtype)) return;
      world.give_bytes(
          i, ByteView(zeros).subspan(0, static_cast<std::size_t>(storage.numel) * networks::dtype_size(storage.dtype)),
          nullptr);
    }
    for (const networks::NamedTensor& named : world.collect(heap, root, zeros.size())) named.tensor.contiguous_bytes();
  } catch (const Error&) {
  }
}

}  // namespace vise

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  vise::run_plain(bytes);
  vise::run_torch(bytes, {});
  vise::run_torch(bytes, {.torchscript = true, .skip_foreign = true, .legacy = true});
  return 0;
}

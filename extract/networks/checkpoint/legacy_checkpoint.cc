// torch.save's stream before PyTorch 1.6: five pickles (magic number, protocol version, facts about the machine, the
// object, the sorted storage keys), then for each key its count as int64 and its bytes.
#include <fmt/format.h>

#include <cstring>

#include "base/error.h"
#include "extract/networks/checkpoint/readers.h"
#include "extract/networks/checkpoint/torch_world.h"

namespace vise::networks {
namespace {

// As torch/serialization.py has it: MAGIC_NUMBER and PROTOCOL_VERSION.
constexpr std::string_view kMagic = "119547037146038801333356";  // 0x1950A86A20F9469CFC6C
constexpr std::int64_t kVersion = 1001;

[[noreturn]] void refuse(const std::string& what, std::string hint = {}) {
  throw Error(ErrorKind::input, what, std::move(hint));
}

// One pickle at the front of `rest`, taken off it.
PickleValue take_pickle(ByteView& rest, PickleHeap& heap, PickleWorld& world, std::string_view what) {
  try {
    const PickleRun run = run_pickle(rest, heap, world);
    rest = rest.subspan(run.consumed);
    return run.value;
  } catch (const Error& e) {
    throw Error(e.kind(), fmt::format("{}: {}", what, e.message()), e.hint());
  }
}

void check_machine(const PickleHeap& heap, PickleValue facts) {
  if (facts.kind != PickleKind::dict) refuse("the facts about the machine are no dict");
  const PickleValue* const little = heap.find(facts, "little_endian");
  // Values are used in place from the mapped file, so their order must be this machine's.
  if (!little || little->kind != PickleKind::boolean) refuse("the facts about the machine don't tell its byte order");
  if (!little->integer) refuse("the tensors are big-endian; only little-endian files are read");
}

// The order of the keys is that of the bytes that follow.
std::vector<std::string> storage_keys(const PickleHeap& heap, PickleValue list) {
  if (list.kind != PickleKind::list) refuse("the storage keys are no list");
  std::vector<std::string> keys;
  for (const PickleValue& key : heap.items_of(list)) {
    if (key.kind != PickleKind::text) refuse("a storage key is no text");
    keys.emplace_back(heap.text_of(key));
  }
  return keys;
}

// The index of the storage called `key` that has no bytes yet.
std::size_t next_storage(const TorchWorld& world, const std::string& key, std::vector<bool>& given) {
  const auto place = world.find_storage(key);
  if (!place) refuse(fmt::format("the storage '{}' is listed, but no tensor refers to it", key.substr(0, 40)));
  if (given[*place]) refuse(fmt::format("the storage '{}' is listed twice", key.substr(0, 40)));
  given[*place] = true;
  return *place;
}

// Count and bytes at the front of `rest`, taken off it.
ByteView take_storage(ByteView& rest, const TorchStorage& storage) {
  const auto cut = [&] {
    refuse(fmt::format("the file ends inside storage '{}'", storage.key), "it is cut off: download it again");
  };
  std::int64_t count = 0;
  if (rest.size() < sizeof count) cut();
  std::memcpy(&count, rest.data(), sizeof count);
  // The count is written twice, in the pickle's persistent id and before the bytes. Where
  // they differ one of them is damaged.
  if (count != storage.numel)
    refuse(fmt::format("storage '{}' counts {} elements; the pickle declares {}", storage.key, count, storage.numel));
  rest = rest.subspan(sizeof count);
  const std::uint64_t size = dtype_size(storage.dtype);
  // Divided rather than multiplied: count * size may overflow. A negative count becomes
  // a huge one and is cut too.
  if (static_cast<std::uint64_t>(count) > rest.size() / size) cut();
  const ByteView bytes = rest.subspan(0, static_cast<std::uint64_t>(count) * size);
  rest = rest.subspan(bytes.size());
  return bytes;
}

}  // namespace

ContainerContents read_legacy_checkpoint(ByteView bytes, const Owner& owner, const ReadOptions& options) {
  ByteView rest = bytes;
  PickleHeap heap;
  // The world that knows no globals: the pickles before the object need none.
  PickleWorld plain;
  const PickleValue magic = take_pickle(rest, heap, plain, "the magic number");
  // More than 64 bits, so it arrives as decimal digits.
  if (magic.kind != PickleKind::big_integer || heap.text_of(magic) != kMagic)
    refuse("this is a pickle, but not one that torch.save wrote (its magic number is missing)",
           "only checkpoints written by torch.save and safetensors files are read");
  const PickleValue version = take_pickle(rest, heap, plain, "the protocol version");
  if (version.kind != PickleKind::integer || version.integer != kVersion)
    refuse(fmt::format("the file is not of protocol version {}", kVersion));
  check_machine(heap, take_pickle(rest, heap, plain, "the facts about the machine"));

  // The bytes follow after the object, so tensors are views of storages that are only declared
  // while the pickle runs; give_bytes() completes them below.
  TorchWorld world({.skip_foreign = options.skip_foreign, .legacy = true});
  const PickleValue root = take_pickle(rest, heap, world, "the object");
  std::vector<bool> given(world.storages().size(), false);
  for (const std::string& key : storage_keys(heap, take_pickle(rest, heap, plain, "the storage keys"))) {
    const std::size_t place = next_storage(world, key, given);
    world.give_bytes(place, take_storage(rest, world.storages()[place]), owner);
  }
  for (std::size_t i = 0; i < given.size(); ++i)
    if (!given[i])
      refuse(fmt::format("the file holds no storage '{}', which a tensor refers to", world.storages()[i].key));
  // Bytes that nobody reads are a second file appended, or a sign that a count above was misread.
  if (!rest.empty()) refuse(fmt::format("{} bytes follow the last storage", rest.size()));
  return {Container::legacy, world.collect(heap, root, bytes.size()), world.opaque()};
}

}  // namespace vise::networks

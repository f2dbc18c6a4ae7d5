// torch.save's first format (PyTorch <= 0.1.9): a tar of `storages`, `tensors` and `pickle`.
//
//   storages   pickle n; n x (pickle (key, location, storage class), int64 count, raw values); pickle of a list of
//              views (key, key of the storage it is part of, offset, count)
//   tensors    pickle n; n x (pickle (key, storage's key, tensor class), int32 rank, 4 bytes, int64 sizes, strides,
//   offset) pickle     the object; tensors are persistent ids, their keys as text
#include <fmt/format.h>

#include <cstring>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/checkpoint/readers.h"
#include "extract/networks/checkpoint/tar.h"
#include "extract/networks/checkpoint/torch_world.h"

// The order of reading: storages with their bytes, views of storages, tensors that refer to either by number, and last
// the object, whose persistent ids are the tensors' numbers.

namespace vise::networks {
namespace {

constexpr std::int64_t kMaxItems = 1'000'000;
constexpr std::int32_t kMaxRank = 64;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, "old tar checkpoint: " + what); }

// Storages and tensors by the numbers the file calls them.
class TarWorld : public TorchWorld {
 public:
  TarWorld(const Owner& owner, bool skip_foreign) : TorchWorld({.skip_foreign = skip_foreign}), owner_(owner) {}

  PickleValue global(PickleHeap& heap, std::string_view module, std::string_view name) override {
    // These files name tensor classes (torch.FloatTensor, torch.cuda.FloatTensor) where
    // later ones name storages. Both say the type of the values and nothing else that is
    // needed: everything is read to memory.
    const bool torch = module == "torch" || module == "torch.cuda";
    if (torch && (dtype_of_class(name, "Tensor") || dtype_of_class(name)))
      return TorchWorld::global(
          heap, "torch", fmt::format("{}Storage", name.substr(0, name.size() - (name.ends_with("Tensor") ? 6 : 7))));
    return TorchWorld::global(heap, module, name);
  }

  PickleValue persistent(PickleHeap& heap, PickleValue id) override {
    std::int64_t key = 0;
    if (id.kind != PickleKind::text || !parse_int(heap.text_of(id), key)) refuse("a tensor's id is no number in text");
    const auto found = tensors_.find(key);
    if (found == tensors_.end()) refuse(fmt::format("there is no tensor {}", key));
    return found->second;
  }

  void read_storages(ByteView stream);
  void read_tensors(ByteView stream);

 private:
  // A part of a storage, in elements; a whole one has offset 0.
  struct View {
    std::size_t storage;
    std::int64_t offset, numel;
  };

  std::vector<PickleValue> take_tuple(ByteView& stream, std::size_t size);
  void add_view(std::int64_t key, View view);
  void read_views(ByteView& stream);

  Owner owner_;
  PickleHeap heap_;
  std::map<std::int64_t, View> storages_by_key_;
  std::map<std::int64_t, PickleValue> tensors_;
};

// One pickle off the front of a member, which holds several, one after the other.
PickleValue take_pickle(ByteView& stream, PickleHeap& heap, PickleWorld& world) {
  const PickleRun run = run_pickle(stream, heap, world);
  stream = stream.subspan(run.consumed);
  return run.value;
}

// Bounded before anything is reserved by it.
std::int64_t take_count(ByteView& stream, PickleHeap& heap) {
  PickleWorld plain;
  const PickleValue count = take_pickle(stream, heap, plain);
  if (count.kind != PickleKind::integer || count.integer < 0 || count.integer > kMaxItems) refuse("a count is none");
  return count.integer;
}

// A number off the front of a member, in this machine's order, which is little-endian.
template <typename T>
T take(ByteView& stream) {
  T value;
  if (stream.size() < sizeof value) refuse("a member ends early");
  std::memcpy(&value, stream.data(), sizeof value);
  stream = stream.subspan(sizeof value);
  return value;
}

std::int64_t whole(PickleValue value) {
  if (value.kind != PickleKind::integer) refuse(fmt::format("a {} stands for a number", kind_name(value.kind)));
  return value.integer;
}

std::vector<PickleValue> TarWorld::take_tuple(ByteView& stream, std::size_t size) {
  // The description names classes, for which this world answers.
  const PickleValue tuple = take_pickle(stream, heap_, *this);
  if (tuple.kind != PickleKind::tuple || heap_.items_of(tuple).size() != size)
    refuse(fmt::format("a description is not of {} items", size));
  return heap_.items_of(tuple);
}

DType dtype_of(PickleValue type) {
  if (type.kind != PickleKind::foreign || type.tag != TorchWorld::storage_class_tag)
    refuse("a class is none of torch's");
  return static_cast<DType>(type.index);
}

// Storages and views share one set of numbers.
void TarWorld::add_view(std::int64_t key, View view) {
  if (!storages_by_key_.emplace(key, view).second) refuse(fmt::format("the storage {} stands twice", key));
}

void TarWorld::read_storages(ByteView stream) {
  const std::int64_t count = take_count(stream, heap_);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::vector<PickleValue> items = take_tuple(stream, 3);
    const std::int64_t key = whole(items[0]);
    const DType dtype = dtype_of(items[2]);
    const auto numel = take<std::int64_t>(stream);
    if (numel < 0 || static_cast<std::uint64_t>(numel) > stream.size() / dtype_size(dtype))
      refuse(fmt::format("the storage {} claims {} values, past the end", key, numel));
    // torch's later formats declare a storage within the pickle; here its bytes follow at once.
    const std::size_t place = declare({std::to_string(key), dtype, numel});
    add_view(key, {place, 0, numel});
    give_bytes(place, stream.subspan(0, static_cast<std::uint64_t>(numel) * dtype_size(dtype)), owner_);
    stream = stream.subspan(static_cast<std::uint64_t>(numel) * dtype_size(dtype));
  }
  read_views(stream);
}

void TarWorld::read_views(ByteView& stream) {
  PickleWorld plain;
  const PickleValue list = take_pickle(stream, heap_, plain);
  if (list.kind != PickleKind::list) refuse("the views are no list");
  for (const PickleValue& item : heap_.items_of(list)) {
    if (item.kind != PickleKind::tuple || heap_.items_of(item).size() != 4) refuse("a view is not of 4 items");
    const auto& parts = heap_.items_of(item);
    const auto root = storages_by_key_.find(whole(parts[1]));
    const std::int64_t offset = whole(parts[2]), numel = whole(parts[3]);
    if (root == storages_by_key_.end() || offset < 0 || numel < 0 || offset > root->second.numel ||
        numel > root->second.numel - offset)
      refuse("a view lies outside its storage");
    // A view of a view has its root's storage with the offsets added, so no chain is ever followed later.
    add_view(whole(parts[0]), {root->second.storage, root->second.offset + offset, numel});
  }
}

void TarWorld::read_tensors(ByteView stream) {
  const std::int64_t count = take_count(stream, heap_);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::vector<PickleValue> items = take_tuple(stream, 3);
    const auto storage = storages_by_key_.find(whole(items[1]));
    if (storage == storages_by_key_.end()) refuse(fmt::format("there is no storage {}", whole(items[1])));
    // Else the bytes would be taken for numbers of another width.
    if (dtype_of(items[2]) != storages()[storage->second.storage].dtype)
      refuse("a tensor's class is not its storage's");
    const auto rank = take<std::int32_t>(stream);
    // Torch7's encoding gave the rank eight bytes; torch.load skips the upper four as well.
    take<std::int32_t>(stream);
    if (rank < 0 || rank > kMaxRank) refuse(fmt::format("a tensor has {} dimensions", rank));
    std::vector<std::int64_t> shape(static_cast<std::size_t>(rank)), strides(shape.size());
    for (std::int64_t& size : shape) size = take<std::int64_t>(stream);
    for (std::int64_t& stride : strides) stride = take<std::int64_t>(stream);
    const auto offset = take<std::int64_t>(stream);
    // Within the view, whose own offset is added below.
    check_view(shape, strides, offset, storage->second.numel);
    const PickleValue tensor = add_tensor({storage->second.storage, storage->second.offset + offset, shape, strides});
    if (!tensors_.emplace(whole(items[0]), tensor).second)
      refuse(fmt::format("the tensor {} stands twice", whole(items[0])));
  }
}

// A missing member means that something else made the archive.
ByteView member(const std::vector<TarMember>& members, std::string_view name) {
  for (const TarMember& m : members)
    if (m.name == name) return m.data;
  refuse(fmt::format("the archive holds no '{}': torch.save didn't write it", name));
}

}  // namespace

ContainerContents read_tar_checkpoint(ByteView bytes, const Owner& owner, const ReadOptions& options) {
  const std::vector<TarMember> members = read_tar(bytes);
  TarWorld world(owner, options.skip_foreign);
  // In this order: tensors refer to storages by number, and the object to tensors.
  world.read_storages(member(members, "storages"));
  world.read_tensors(member(members, "tensors"));
  PickleHeap heap;
  const PickleValue root = run_pickle(member(members, "pickle"), heap, world).value;
  return {Container::tar, world.collect(heap, root, bytes.size()), world.opaque()};
}

}  // namespace vise::networks

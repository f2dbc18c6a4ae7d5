// What torch.save's pickles may refer to: storages, the functions that rebuild tensors, a few harmless values.
//
// Nothing is called: REDUCE of a known global is carried out here, any other global is refused by its name, or, where
// the reader was asked to, becomes an opaque placeholder that can't be part of a tensor.
//
// A storage's bytes come from the container after or before the pickle: the world collects what the pickle declares
// (storages()), the container's reader then hands over each storage's bytes (give_bytes()), and tensors() views them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/pickle.h"
#include "extract/networks/checkpoint/state_dict.h"

namespace vise::networks {

// The dtype of "FloatStorage" or (suffix "Tensor") "FloatTensor"; nothing for other names.
std::optional<DType> dtype_of_class(std::string_view name, std::string_view suffix = "Storage");

struct TorchStorage {
  std::string key;
  DType dtype = DType::f32;
  std::int64_t numel = 0;
  ByteView bytes{};  // once the container gave them
  std::shared_ptr<const void> owner{};
};

class TorchWorld : public PickleWorld {
 public:
  // Tags of foreign values.
  enum Tag : std::uint8_t { storage_tag, tensor_tag, storage_class_tag, plain_tag, opaque_tag };

  struct Rules {
    bool torchscript = false;   // classes below __torch__ may be made, as bags of attributes
    bool skip_foreign = false;  // other globals become opaque
    bool legacy = false;        // persistent ids have a sixth item
  };
  explicit TorchWorld(Rules rules) : rules_(rules) {}

  PickleValue global(PickleHeap& heap, std::string_view module, std::string_view name) override;
  PickleValue call(PickleHeap& heap, PickleValue callable, PickleValue args) override;
  PickleValue make(PickleHeap& heap, PickleValue type, PickleValue args) override;
  void build(PickleHeap& heap, PickleValue object, PickleValue state) override;
  PickleValue persistent(PickleHeap& heap, PickleValue id) override;
  bool absorbs(PickleValue value) const override { return value.tag == opaque_tag; }

  // A view of storage number `storage`; bounds are checked.
  struct TensorView {
    std::size_t storage;
    std::int64_t offset;
    std::vector<std::int64_t> shape, strides;
  };

  // The number of the storage of that key, new or known; Error{input} when it is known as another.
  std::size_t declare(const TorchStorage& storage);
  PickleValue add_tensor(TensorView view);

  // In the order the pickle first named them.
  const std::vector<TorchStorage>& storages() const { return storages_; }
  std::optional<std::size_t> find_storage(const std::string& key) const;
  void give_bytes(std::size_t storage, ByteView bytes, std::shared_ptr<const void> owner);
  const std::vector<std::string>& opaque() const { return opaque_; }

  // The tensors below `root` in the order of its dicts and lists, named by their keys; every storage has its bytes.
  // Error{input} for cycles and nesting past 64 levels, for more than 1,000,000 values on the way, for tensors that
  // together have over 16 times `budget` bytes once made contiguous, and for a root that can't hold a tensor.
  std::vector<NamedTensor> collect(const PickleHeap& heap, PickleValue root, std::uint64_t budget) const;

 private:
  struct StorageView {  // what a persistent id refers to: all of a storage, or (legacy) a part
    std::size_t storage;
    std::int64_t offset, numel;
  };
  class Collector;

  PickleValue rebuild_tensor(PickleHeap& heap, PickleValue args, std::string_view function);
  PickleValue ordered_dict(PickleHeap& heap, PickleValue args);
  PickleValue make_opaque(PickleHeap& heap, PickleValue value, std::string name);
  StorageView view_of(const PickleHeap& heap, std::size_t storage, PickleValue metadata) const;

  Rules rules_;
  std::vector<TorchStorage> storages_;
  std::map<std::string, std::size_t> by_key_;
  std::vector<StorageView> views_;
  std::vector<TensorView> tensors_;
  std::vector<std::string> opaque_;
};

}  // namespace vise::networks

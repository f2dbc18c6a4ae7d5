#include "extract/networks/checkpoint/torch_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/utf8.h"

// While the pickle runs, global() answers for names, call() carries out the few functions that may be called, and
// persistent() takes up storages. Values of torch's own (storage, tensor, class, placeholder) are foreign to the
// pickle: a tag and an index into this world's lists. collect() then walks the object for its tensors.

namespace vise::networks {
namespace {

[[noreturn]] void refuse(const std::string& what, std::string hint = {}) {
  throw Error(ErrorKind::input, what, std::move(hint));
}

// Far above any published checkpoint, and a bound on what a file of a few bytes a tensor may fill.
constexpr std::size_t kMaxTensors = 200'000;
constexpr std::string_view kSaveStateDict = "save model.state_dict() with torch.save instead of the model";

bool is_builtin(std::string_view module) { return module == "__builtin__" || module == "builtins"; }

// Functions that are carried out here when the pickle calls them.
// Each of these only puts together values that the pickle holds, so carrying it out needs no Python and can
// do no harm. Everything else that a pickle can call stays refused: `os.system` is a global like any other.
enum class Call { none, ordered_dict, rebuild_tensor, rebuild_parameter, set, encode, bytes, identity };

Call call_of(const PickleGlobal& global) {
  using enum Call;
  const auto& [module, name] = global;
  if (module == "collections" && name == "OrderedDict") return ordered_dict;
  if (module == "torch._utils") {
    if (name == "_rebuild_tensor" || name == "_rebuild_tensor_v2") return rebuild_tensor;
    if (name == "_rebuild_parameter") return rebuild_parameter;
  }
  // torch.Size is a tuple and torch.device a text here: neither has any effect on tensors.
  if (module == "torch" && (name == "Size" || name == "device")) return identity;
  if (is_builtin(module) && (name == "set" || name == "frozenset")) return set;
  if (is_builtin(module) && name == "bytes") return bytes;
  if (module == "_codecs" && name == "encode") return encode;  // how protocol 2 writes bytes
  // TorchScript writes its typed lists and dicts through these; the value inside is what counts.
  if (module == "torch.jit._pickle" && (name.starts_with("build_") || name == "restore_type_tag")) return identity;
  return none;
}

bool is_dtype(std::string_view name) {
  constexpr std::array<std::string_view, 12> names{"float64", "float32", "float16",   "bfloat16",
                                                   "int64",   "int32",   "int16",     "int8",
                                                   "uint8",   "bool",    "complex64", "complex128"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The hint depends on what the file tried to make: a model, a scripted class, or anything else.
std::string unknown_global_hint(std::string_view module) {
  if (module.starts_with("torch.nn.") || module.starts_with("torchvision.")) return std::string(kSaveStateDict);
  if (module.starts_with("__torch__")) return "a TorchScript class outside a TorchScript archive";
  return "only tensors are read: skip-foreign=yes (inspect: --skip-foreign) passes over the rest without calling it, "
         "or "
         "in Python, load the file you trust and save its state dict alone";
}

// Counts and places must be plain ints: a big integer or a bool is a damaged or a forged file.
std::int64_t integer(PickleValue value, std::string_view what) {
  if (value.kind != PickleKind::integer)
    refuse(fmt::format("{} is a {}, not an int of 64 bits", what, kind_name(value.kind)));
  return value.integer;
}

std::vector<std::int64_t> integers(const PickleHeap& heap, PickleValue value, std::string_view what) {
  if (value.kind != PickleKind::tuple && value.kind != PickleKind::list)
    refuse(fmt::format("{} is a {}, not a tuple", what, kind_name(value.kind)));
  std::vector<std::int64_t> result;
  for (const PickleValue& item : heap.items_of(value)) result.push_back(integer(item, what));
  return result;
}

// Whether the pickle holds one of this world's own values of that tag.
bool is_foreign(PickleValue value, TorchWorld::Tag tag) {
  return value.kind == PickleKind::foreign && value.tag == tag;
}

}  // namespace

std::optional<DType> dtype_of_class(std::string_view name, std::string_view suffix) {
  constexpr std::pair<std::string_view, DType> kinds[] = {{"Double", DType::f64},
                                                          {"Float", DType::f32},
                                                          {"Half", DType::f16},
                                                          {"BFloat16", DType::bf16},
                                                          {"Long", DType::i64},
                                                          {"Int", DType::i32},
                                                          {"Short", DType::i16},
                                                          {"Char", DType::i8},
                                                          {"Byte", DType::u8},
                                                          {"Bool", DType::boolean},
                                                          {"ComplexFloat", DType::complex64},
                                                          {"ComplexDouble", DType::complex128}};
  if (!name.ends_with(suffix)) return std::nullopt;
  for (const auto& [kind, dtype] : kinds)
    if (kind == name.substr(0, name.size() - suffix.size())) return dtype;
  return std::nullopt;
}

PickleValue TorchWorld::global(PickleHeap& heap, std::string_view module, std::string_view name) {
  const PickleGlobal global{module, name};
  if (module == "torch" || module == "torch.storage")
    // A class is remembered by its number of DType; calling one is refused below, since
    // torch.FloatStorage(10**12) would allocate.
    if (const auto dtype = dtype_of_class(name))
      return PickleValue::foreign(storage_class_tag, static_cast<std::uint32_t>(*dtype));
  if (module == "torch" && is_dtype(name)) return PickleValue::foreign(plain_tag, 0);
  // Classes of a TorchScript archive are defined in its own code/, which is not read: their
  // attributes are all that is wanted.
  const bool scripted = rules_.torchscript && module.starts_with("__torch__");
  if (call_of(global) != Call::none || scripted) return heap.global(module, name);
  const std::string full = printable(PickleGlobal{module.substr(0, 200), name.substr(0, 200)}.full());
  if (rules_.skip_foreign) return make_opaque(heap, {}, full);
  refuse(fmt::format("the file needs {}, which this reader doesn't build", full), unknown_global_hint(module));
}

// A placeholder for anything whose global isn't known; the same name gives the same one, and opaque() lists them.
PickleValue TorchWorld::make_opaque(PickleHeap&, PickleValue value, std::string name) {
  if (is_foreign(value, opaque_tag)) return value;
  const auto known = std::find(opaque_.begin(), opaque_.end(), name);
  const auto index = static_cast<std::uint32_t>(known - opaque_.begin());
  if (known == opaque_.end()) opaque_.push_back(std::move(name));
  return PickleValue::foreign(opaque_tag, index);
}

PickleValue TorchWorld::call(PickleHeap& heap, PickleValue callable, PickleValue args) {
  // What an unknown callable would return is unknown too, so the placeholder stands for it.
  if (is_foreign(callable, opaque_tag)) return callable;
  if (is_foreign(callable, storage_class_tag)) refuse("it calls a storage class, which would allocate");
  if (callable.kind != PickleKind::global) return PickleWorld::call(heap, callable, args);
  const PickleGlobal global = heap.global_of(callable);
  // By value: carrying out a call may add values to the heap.
  const std::vector<PickleValue> items = heap.items_of(args);
  const auto expect = [&](bool lawful) {
    if (!lawful) refuse(fmt::format("{} is given arguments that it doesn't take", global.full()));
  };
  switch (call_of(global)) {
    case Call::ordered_dict:
      return ordered_dict(heap, args);
    case Call::rebuild_tensor:
      return rebuild_tensor(heap, args, global.name);
    // (data, requires_grad, backward_hooks): a Parameter is its tensor.
    case Call::rebuild_parameter:
      expect(items.size() == 3 && is_foreign(items[0], tensor_tag));
      return items[0];
    case Call::set:
      expect(items.size() <= 1 && (items.empty() || items[0].kind == PickleKind::list));
      return heap.sequence(PickleKind::set, items.empty() ? std::vector<PickleValue>{} : heap.items_of(items[0]));
    case Call::bytes:
      expect(items.empty());
      return heap.text({}, PickleKind::bytes);
    case Call::encode:
      // Latin-1 text in place of bytes. Its UTF-8 form is kept as it is: no tensor depends on such bytes.
      expect(items.size() == 2 && items[0].kind == PickleKind::text);
      return heap.text(heap.text_of(items[0]), PickleKind::bytes);
    case Call::identity:
      expect(!items.empty() && items.size() <= 2);
      return items[0];
    case Call::none:
      break;
  }
  return PickleWorld::call(heap, callable, args);
}

// OrderedDict() or, as protocols 0 and 1 write it, OrderedDict([[key, value], ...]).
PickleValue TorchWorld::ordered_dict(PickleHeap& heap, PickleValue args) {
  const std::vector<PickleValue> items = heap.items_of(args);
  const PickleValue dict = heap.dict();
  if (items.empty()) return dict;
  const auto is_sequence = [](PickleValue v) { return v.kind == PickleKind::list || v.kind == PickleKind::tuple; };
  if (items.size() != 1 || !is_sequence(items[0])) refuse("OrderedDict takes one list of pairs");
  for (const PickleValue& pair : heap.items_of(items[0])) {
    if (!is_sequence(pair) || heap.items_of(pair).size() != 2) refuse("OrderedDict takes one list of pairs");
    heap.set_item(dict, heap.items_of(pair)[0], heap.items_of(pair)[1]);
  }
  return dict;
}

// torch._utils._rebuild_tensor(storage, offset, size, stride) and
// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks[, metadata]).
PickleValue TorchWorld::rebuild_tensor(PickleHeap& heap, PickleValue args, std::string_view function) {
  const auto& items = heap.items_of(args);
  // The older form is what PyTorch before 0.4 wrote.
  const bool second = function.ends_with("_v2");
  if (second ? items.size() != 6 && items.size() != 7 : items.size() != 4)
    refuse(fmt::format("{} is given {} arguments", function, items.size()));
  if (!is_foreign(items[0], storage_tag)) {
    if (is_foreign(items[0], opaque_tag)) refuse(fmt::format("a tensor depends on {}", opaque_[items[0].index]));
    refuse(fmt::format("{} is given a {} for a storage", function, kind_name(items[0].kind)));
  }
  if (second && items[4].kind != PickleKind::boolean) refuse(fmt::format("{}: requires_grad is no bool", function));
  if (second && items[5].kind != PickleKind::dict && items[5].kind != PickleKind::none)
    refuse(fmt::format("{}: the hooks are no dict", function));
  const StorageView& view = views_[items[0].index];
  TensorView tensor{view.storage, integer(items[1], "a tensor's offset"), integers(heap, items[2], "a tensor's size"),
                    integers(heap, items[3], "a tensor's stride")};
  // Against the view and not the whole storage: the offset is relative to it until the next line.
  check_view(tensor.shape, tensor.strides, tensor.offset, view.numel);
  tensor.offset += view.offset;
  return add_tensor(std::move(tensor));
}

PickleValue TorchWorld::add_tensor(TensorView view) {
  if (tensors_.size() >= kMaxTensors) refuse(fmt::format("the file has more than {} tensors", kMaxTensors));
  tensors_.push_back(std::move(view));
  return PickleValue::foreign(tensor_tag, static_cast<std::uint32_t>(tensors_.size() - 1));
}

// NEWOBJ and its relatives: an object of a scripted class keeps its attributes, all else is a call.
PickleValue TorchWorld::make(PickleHeap& heap, PickleValue type, PickleValue args) {
  if (is_foreign(type, opaque_tag)) return type;
  if (type.kind != PickleKind::global) return PickleWorld::make(heap, type, args);
  if (heap.global_of(type).module.starts_with("__torch__")) return heap.object(type);
  return call(heap, type, args);
}

// BUILD gives an object its state. Nothing of it is run.
void TorchWorld::build(PickleHeap& heap, PickleValue object, PickleValue state) {
  if (is_foreign(object, opaque_tag)) return;
  if (object.kind == PickleKind::object) return void(heap.object_of(object).state = state);
  if (object.kind != PickleKind::dict || state.kind != PickleKind::dict) return PickleWorld::build(heap, object, state);
  // Attributes of an OrderedDict (`_metadata`) say nothing about tensors.
  for (const auto& [name, value] : heap.dict_of(state).items())
    if (name.kind != PickleKind::text || heap.text_of(name).starts_with("__"))
      refuse("it sets an attribute of a dict that is none of a state dict's");
}

// Gives the number of the storage, declared now or before.
std::size_t TorchWorld::declare(const TorchStorage& storage) {
  const auto [place, added] = by_key_.try_emplace(storage.key, storages_.size());
  if (added) {
    storages_.push_back(storage);
    return place->second;
  }
  const TorchStorage& known = storages_[place->second];
  // Tensors that share a storage repeat its declaration; were they to differ, one of
  // them would be read past its end.
  if (known.dtype != storage.dtype || known.numel != storage.numel)
    refuse(fmt::format("storage '{}' is declared as {} x {} and as {} x {}", storage.key, known.numel,
                       dtype_name(known.dtype), storage.numel, dtype_name(storage.dtype)));
  return place->second;
}

// The sixth item of a legacy id: None, or (view key, offset, size) of a part of the storage.
TorchWorld::StorageView TorchWorld::view_of(const PickleHeap& heap, std::size_t storage, PickleValue metadata) const {
  const std::int64_t numel = storages_[storage].numel;
  if (metadata.kind == PickleKind::none) return {storage, 0, numel};
  if (metadata.kind != PickleKind::tuple || heap.items_of(metadata).size() != 3)
    refuse("a storage's view is neither None nor three items");
  const auto& items = heap.items_of(metadata);
  const std::int64_t offset = integer(items[1], "a view's offset"), size = integer(items[2], "a view's size");
  if (offset < 0 || size < 0 || offset > numel || size > numel - offset)
    refuse(fmt::format("a view of {} elements at {} passes a storage of {}", size, offset, numel));
  return {storage, offset, size};
}

// ('storage', class, key, location, numel[, view]); the location is without effect, all is read to memory.
PickleValue TorchWorld::persistent(PickleHeap& heap, PickleValue id) {
  const std::size_t wanted = rules_.legacy ? 6 : 5;
  if (id.kind != PickleKind::tuple) refuse(fmt::format("its id is a {}, not a tuple", kind_name(id.kind)));
  const std::vector<PickleValue>& items = heap.items_of(id);
  const bool named = !items.empty() && items[0].kind == PickleKind::text;
  if (named && heap.text_of(items[0]) == "module")
    refuse("the file pickles a whole module", std::string(kSaveStateDict));
  if (!named || heap.text_of(items[0]) != "storage") refuse("its id doesn't begin with 'storage'");
  if (items.size() != wanted) refuse(fmt::format("its id has {} items, not {}", items.size(), wanted));
  if (!is_foreign(items[1], storage_class_tag)) refuse("its id names no storage class");
  if (items[2].kind != PickleKind::text || items[3].kind != PickleKind::text) refuse("its key or location is no text");
  TorchStorage storage{std::string(heap.text_of(items[2])), static_cast<DType>(items[1].index),
                       integer(items[4], "a storage's count")};
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  // The key becomes a member's name in the archive (data/<key>), and torch writes
  // counters or addresses there.
  if (storage.key.empty() || storage.key.size() > 32 || !std::all_of(storage.key.begin(), storage.key.end(), digit))
    refuse("a storage's key is not a whole number");
  if (storage.numel < 0) refuse(fmt::format("a storage has the negative count {}", storage.numel));
  if (views_.size() >= kMaxTensors) refuse(fmt::format("the file refers to storages more than {} times", kMaxTensors));
  views_.push_back(view_of(heap, declare(storage), rules_.legacy ? items[5] : PickleValue{}));
  return PickleValue::foreign(storage_tag, static_cast<std::uint32_t>(views_.size() - 1));
}

std::optional<std::size_t> TorchWorld::find_storage(const std::string& key) const {
  const auto place = by_key_.find(key);
  return place == by_key_.end() ? std::nullopt : std::optional(place->second);
}

// The container's reader hands over what the pickle has declared; the sizes must agree exactly.
void TorchWorld::give_bytes(std::size_t storage, ByteView bytes, std::shared_ptr<const void> owner) {
  TorchStorage& into = storages_[storage];
  const std::size_t size = dtype_size(into.dtype);
  if (bytes.size() % size != 0 || bytes.size() / size != static_cast<std::uint64_t>(into.numel))
    refuse(fmt::format("storage '{}' holds {} bytes; the pickle declares {} x {}", into.key, bytes.size(), into.numel,
                       dtype_name(into.dtype)));
  into.bytes = bytes;
  into.owner = std::move(owner);
}

// Walks dicts, lists, tuples and TorchScript objects. Names are written only where there is a tensor, so that a file's
// other values cost next to nothing. `budget` is the file's size: contents that views multiply are bounded by it.
class TorchWorld::Collector {
 public:
  Collector(const TorchWorld& world, const PickleHeap& heap, std::uint64_t budget)
      : world_(world), heap_(heap), budget_(budget) {}

  std::vector<NamedTensor> collect(PickleValue root) {
    visit(root, 0);
    return std::move(found_);
  }

 private:
  static constexpr int kMaxDepth = 64;
  static constexpr std::size_t kMaxVisits = 1'000'000, kMaxNameBytes = 50'000'000;

  // A pickle may refer to one list from many places, and to itself, so depth and visits are
  // bounded; each tensor is reported under every name that it has.
  void visit(PickleValue value, int depth) {
    if (depth > kMaxDepth) refuse(fmt::format("the file nests deeper than {} levels, or holds itself", kMaxDepth));
    if (++visits_ > kMaxVisits) refuse(fmt::format("the file has more than {} values", kMaxVisits));
    switch (value.kind) {
      case PickleKind::dict:
        // Keys of a dict become components of the name, in the dict's order.
        for (const auto& [key, item] : heap_.dict_of(value).items()) visit_below(key, item, depth);
        break;
      case PickleKind::list:
      case PickleKind::tuple: {
        std::int64_t place = 0;
        for (const PickleValue& item : heap_.items_of(value)) visit_below(PickleValue::of(place++), item, depth);
        break;
      }
      case PickleKind::object:
        visit(heap_.object_of(value).state, depth + 1);
        break;
      case PickleKind::foreign:
        if (value.tag == tensor_tag) add(world_.tensors_[value.index]);
        break;
      default:
        break;
    }
  }

  void visit_below(PickleValue key, PickleValue value, int depth) {
    path_.push_back(key);
    visit(value, depth + 1);
    path_.pop_back();
  }

  std::string key_text(PickleValue key) const;

  void write_names(NamedTensor& named) {
    for (const PickleValue& step : path_) {
      const std::string key = key_text(step);
      if (!named.pointer.empty()) named.name += '.';
      named.name += key;
      append_pointer(named.pointer, key);
    }
    name_bytes_ += named.name.size() + named.pointer.size();
    if (name_bytes_ > kMaxNameBytes) refuse("the names of the tensors have over 50 MB");
  }

  void add(const TensorView& view) {
    const TorchStorage& storage = world_.storages_[view.storage];
    NamedTensor named{"", "", {storage.dtype, view.shape, view.strides, view.offset, storage.bytes, storage.owner}};
    write_names(named);
    const auto numel = static_cast<std::uint64_t>(named.tensor.numel());
    // A view with stride 0 repeats one value as often as its shape says: 2^40 elements from four bytes.
    const std::uint64_t most = std::max<std::uint64_t>(budget_, storage.bytes.size()) / dtype_size(storage.dtype);
    if (numel > most)
      refuse(fmt::format("tensor '{}' repeats its storage to {} elements", named.name.substr(0, 100), numel));
    // The sum is bounded as well, since many views of one storage can each be small enough.
    contiguous_ += named.tensor.bytes();
    if (contiguous_ / 16 > budget_ + (1U << 20)) refuse("the tensors share so much that they add up to over 16 files");
    if (found_.size() >= kMaxTensors) refuse(fmt::format("the file has more than {} tensors", kMaxTensors));
    found_.push_back(std::move(named));
  }

  const TorchWorld& world_;
  const PickleHeap& heap_;
  const std::uint64_t budget_;
  std::uint64_t contiguous_ = 0;
  std::size_t visits_ = 0, name_bytes_ = 0;
  std::vector<PickleValue> path_;
  std::vector<NamedTensor> found_;
};

// Keys that aren't texts are written much as Python's str() has them.
std::string TorchWorld::Collector::key_text(PickleValue key) const {
  switch (key.kind) {
    case PickleKind::none:
      return "None";
    case PickleKind::boolean:
      return key.integer ? "True" : "False";
    case PickleKind::integer:
      return std::to_string(key.integer);
    case PickleKind::real:
      return fmt::format("{}", key.real);
    case PickleKind::bytes:
      return latin1_to_utf8(heap_.text_of(key));
    default:
      return std::string(heap_.text_of(key));
  }
}

// A bare tensor is a state dict of one; an empty dict is one without tensors, which the matcher explains better.
std::vector<NamedTensor> TorchWorld::collect(const PickleHeap& heap, PickleValue root, std::uint64_t budget) const {
  const bool holder = root.kind == PickleKind::dict || root.kind == PickleKind::list ||
                      root.kind == PickleKind::tuple || root.kind == PickleKind::object || is_foreign(root, tensor_tag);
  if (!holder) refuse(fmt::format("the file holds a {}, not a state dict", kind_name(root.kind)));
  std::vector<NamedTensor> tensors = Collector(*this, heap, budget).collect(root);
  if (tensors.empty() && (root.kind == PickleKind::list || root.kind == PickleKind::tuple))
    refuse(fmt::format("the file holds a {} without tensors, not a state dict", kind_name(root.kind)));
  return tensors;
}

}  // namespace vise::networks

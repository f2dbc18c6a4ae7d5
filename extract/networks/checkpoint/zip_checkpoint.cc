// torch.save's zip format (PyTorch >= 1.6) and TorchScript archives: <top>/data.pkl, <top>/data/<key>, <top>/version.
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "base/zip.h"
#include "extract/networks/checkpoint/readers.h"
#include "extract/networks/checkpoint/torch_world.h"

// The order of reading: the archive's folder, its version and byte order, data.pkl as a pickle whose tensors view
// storages without bytes, and then the bytes of each storage that it has declared.

namespace vise::networks {
namespace {

// data.pkl describes the tensors and holds none of their values, so it is small beside the file.
// Bounds of data.pkl as stored and as inflated, and of what all deflated members may inflate to beyond the file's size.
constexpr std::uint64_t kMaxPickle = 64U << 20, kMaxInflatedPickle = 16U << 20, kMaxInflated = 128U << 20;
constexpr std::int64_t kNewestVersion = 10;  // PyTorch's kMaxSupportedFileFormatVersion

[[noreturn]] void refuse(const std::string& what, std::string hint = {}) {
  throw Error(ErrorKind::input, what, std::move(hint));
}

// Members' bytes, stored or deflated; inflated ones live as long as their owner. The sum of inflated bytes is bounded
// by the file's size, so that a small file can't fill the memory.
class Members {
 public:
  Members(ByteView bytes, const Owner& owner)
      : zip_(ZipArchive::open(bytes)), owner_(owner), left_(bytes.size() + kMaxInflated) {
    find_top();
  }

  const ZipEntry* find(std::string_view name) const { return zip_.find(fmt::format("{}/{}", top_, name)); }
  bool has_folder(std::string_view name) const {
    const std::string prefix = fmt::format("{}/{}/", top_, name);
    for (const ZipEntry& entry : zip_.entries())
      if (entry.name.starts_with(prefix)) return true;
    return false;
  }

  // A member's bytes and what keeps them in memory.
  struct Bytes {
    ByteView view;
    Owner owner;
  };
  Bytes read(const ZipEntry& entry, std::uint64_t max_size) {
    if (!entry.deflated) return {zip_.stored(entry), owner_};
    // Each inflated member has its own owner, which the tensors that view it share.
    auto inflated = std::make_shared<std::vector<std::byte>>(zip_.inflate(entry, std::min(max_size, left_)));
    left_ -= inflated->size();
    return {*inflated, inflated};
  }
  // For members of a few letters: a version, a byte order.
  std::string_view read_short_text(const ZipEntry& entry, std::vector<std::byte>& scratch) const {
    if (entry.size > 64) refuse(fmt::format("{} has {} bytes", entry.name.substr(top_.size() + 1), entry.size));
    if (entry.deflated) scratch = zip_.inflate(entry, 64);
    const ByteView view = entry.deflated ? ByteView(scratch) : zip_.stored(entry);
    return trim({reinterpret_cast<const char*>(view.data()), view.size()});
  }

 private:
  // The folder that holds data.pkl; there must be one such folder, directly at the top.
  void find_top() {
    for (const ZipEntry& entry : zip_.entries()) {
      if (!entry.name.ends_with("/data.pkl")) continue;
      const std::string_view folder = entry.name.substr(0, entry.name.size() - 9);
      // A checkpoint zipped together with other files has its data.pkl deeper; which one
      // is meant cannot be known.
      if (folder.find('/') != std::string_view::npos) continue;
      if (!top_.empty()) refuse("two folders of the archive hold a data.pkl");
      top_ = folder;
    }
    if (top_.empty())
      refuse("the zip archive holds no data.pkl: it was not written by torch.save",
             zip_.entries().empty() ? "the archive is empty" : "if it packs a checkpoint, unpack it first");
  }

  ZipArchive zip_;
  Owner owner_;
  std::uint64_t left_;
  std::string_view top_;
};

// Written by every version of torch.save.
void check_version(const Members& members) {
  const ZipEntry* const entry = members.find("version");
  if (!entry) refuse("the archive holds no version");
  std::vector<std::byte> scratch;
  const std::string_view text = members.read_short_text(*entry, scratch);
  std::int64_t version = 0;
  if (!parse_int(text, version) || version < 1 || version > kNewestVersion)
    refuse(fmt::format("the archive is of version '{}'; known are 1 to {}", text.substr(0, 20), kNewestVersion));
}

// Newer versions of PyTorch write it. A file without it is from a machine of this order, as nearly all are.
void check_byte_order(const Members& members) {
  const ZipEntry* const entry = members.find("byteorder");
  if (!entry) return;
  std::vector<std::byte> scratch;
  const std::string_view order = members.read_short_text(*entry, scratch);
  if (order != "little")
    refuse(fmt::format("the tensors are in byte order '{}'; only little-endian files are read", order.substr(0, 20)));
}

}  // namespace

ContainerContents read_zip_checkpoint(ByteView bytes, const Owner& owner, const ReadOptions& options) {
  Members members(bytes, owner);
  check_version(members);
  check_byte_order(members);
  // torch.jit.save writes both; torch.save writes neither.
  const bool torchscript = members.find("constants.pkl") && members.has_folder("code");
  const ZipEntry& pickle_entry = *members.find("data.pkl");
  if (pickle_entry.size > kMaxPickle)
    refuse(fmt::format("data.pkl has {}, more than {}", bytes_text(pickle_entry.size), bytes_text(kMaxPickle)));
  const Members::Bytes pickle = members.read(pickle_entry, kMaxInflatedPickle);

  TorchWorld world({.torchscript = torchscript, .skip_foreign = options.skip_foreign});
  PickleHeap heap;
  PickleValue root;
  try {
    root = run_pickle(pickle.view, heap, world).value;
  } catch (const Error& e) {
    throw Error(e.kind(), fmt::format("data.pkl: {}", e.message()), e.hint());
  }
  // In the order in which the pickle refers to them; a storage that nothing refers to is not read.
  for (std::size_t i = 0; i < world.storages().size(); ++i) {
    const TorchStorage& storage = world.storages()[i];
    const ZipEntry* const entry = members.find(fmt::format("data/{}", storage.key));
    if (!entry) refuse(fmt::format("the archive holds no data/{}, which data.pkl refers to", storage.key));
    const std::uint64_t declared = static_cast<std::uint64_t>(storage.numel);
    // Checked before the member is read, so that a deflated one inflates to a size that
    // the pickle has confirmed.
    if (entry->size / dtype_size(storage.dtype) != declared || entry->size % dtype_size(storage.dtype) != 0)
      refuse(fmt::format("data/{} has {} bytes; data.pkl declares {} x {}", storage.key, entry->size, declared,
                         dtype_name(storage.dtype)));
    Members::Bytes data = members.read(*entry, entry->size);
    world.give_bytes(i, data.view, std::move(data.owner));
  }
  return {torchscript ? Container::torchscript : Container::zip, world.collect(heap, root, bytes.size()),
          world.opaque()};
}

}  // namespace vise::networks

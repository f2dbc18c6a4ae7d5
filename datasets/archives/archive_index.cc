// What a scan found, written down: docs/formats/archives.md.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "datasets/archives/archive.h"

namespace vise::datasets {
namespace {

constexpr std::string_view kPreamble = "#vise-eval/archive 1\n";

// Texts by length and bytes, numbers by eight bytes each.
class IndexWriter {
 public:
  IndexWriter() : bytes_(kPreamble) {}

  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  // In the machine's byte order: an index from a machine of the other order fails its
  // checksum and is made again.
  void number(std::uint64_t value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }

  // Ends it with its checksum.
  std::string finish() {
    number(checksum64(as_byte_view(bytes_)));
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

// A file of ours, but any other program may have written into it.
class IndexCursor {
 public:
  explicit IndexCursor(std::string_view bytes) : rest_(bytes) {}

  std::string text() {
    const std::uint64_t size = number();
    if (size > rest_.size()) throw Error(ErrorKind::input, "an index is damaged");
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    if (rest_.size() < sizeof value) throw Error(ErrorKind::input, "an index is damaged");
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  // How many things follow, of `size` bytes at least.
  std::uint64_t count(std::size_t size) {
    const std::uint64_t value = number();
    // Checked before anything is allocated: a damaged count must not ask for terabytes.
    if (value > rest_.size() / size) throw Error(ErrorKind::input, "an index is damaged");
    return value;
  }

 private:
  std::string_view rest_;
};

std::string as_bytes(const ArchiveIndex& index) {
  IndexWriter out;
  out.text(index.identity.path);
  for (const std::uint64_t value :
       {index.identity.size, index.identity.inode, static_cast<std::uint64_t>(index.identity.mtime_ns),
        static_cast<std::uint64_t>(index.identity.ctime_ns), static_cast<std::uint64_t>(index.form)})
    out.number(value);
  out.number(index.images.size());
  for (const ArchiveMember& member : index.images) {
    out.text(member.name);
    out.number(member.offset);
    out.number(member.packed);
    out.number(member.size);
    out.number(std::uint64_t{member.crc} << 1 | (member.deflated ? 1U : 0U));
  }
  out.number(index.texts.size());
  for (const ArchiveText& text : index.texts) {
    out.text(text.name);
    out.text(text.text);
  }
  out.number(index.others);
  out.text(index.other);
  out.number(index.links);
  out.text(index.link);
  return out.finish();
}

// Nothing where it is of another archive, or of this one as it was. A shared file system has another device number on
// another machine, so that isn't compared.
std::optional<ArchiveIndex> parse(std::string_view bytes, const FileIdentity& identity) {
  std::uint64_t sum = 0;
  if (!bytes.starts_with(kPreamble) || bytes.size() < kPreamble.size() + sizeof sum) return std::nullopt;
  std::memcpy(&sum, bytes.data() + bytes.size() - sizeof sum, sizeof sum);
  bytes.remove_suffix(sizeof sum);
  if (checksum64(as_byte_view(bytes)) != sum) return std::nullopt;
  IndexCursor in(bytes.substr(kPreamble.size()));
  ArchiveIndex index;
  index.identity.path = in.text();
  index.identity.size = in.number();
  index.identity.inode = in.number();
  index.identity.mtime_ns = static_cast<std::int64_t>(in.number());
  index.identity.ctime_ns = static_cast<std::int64_t>(in.number());
  index.identity.device = identity.device;
  if (index.identity != identity) return std::nullopt;
  const std::uint64_t form = in.number();
  if (form > static_cast<std::uint64_t>(ArchiveForm::tar_zstd)) return std::nullopt;
  index.form = static_cast<ArchiveForm>(form);
  // An image takes five numbers or more (its name's length is one of them), a text two.
  index.images.resize(in.count(5 * sizeof sum));
  for (ArchiveMember& member : index.images) {
    member.name = in.text();
    member.offset = in.number();
    member.packed = in.number();
    member.size = in.number();
    const std::uint64_t crc = in.number();
    member.crc = static_cast<std::uint32_t>(crc >> 1);
    member.deflated = (crc & 1) != 0;
  }
  index.texts.resize(in.count(2 * sizeof sum));
  for (ArchiveText& text : index.texts) {
    text.name = in.text();
    text.text = in.text();
  }
  index.others = in.number();
  index.other = in.text();
  index.links = in.number();
  index.link = in.text();
  return index;
}

// A clock tick may hide a second change of a file that was changed just now.
bool is_settled(const FileIdentity& identity) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec - std::max(identity.ctime_ns, identity.mtime_ns) / 1'000'000'000 > 2;
}

}  // namespace

ArchiveIndex archive_index(const Path& path, const Path& cache) {
  if (cache.empty()) return scan_archive(path);
  const FileIdentity identity = FileIdentity::of(path);
  // By the archive's path: an archive that changes replaces its own index, and old ones don't pile up.
  const Path file = cache / "paths" / "archives" / (sha256_hex(identity.path).substr(0, 32) + ".index");
  try {
    if (std::error_code error; std::filesystem::exists(file, error))
      if (auto known = parse(read_text_file(file), identity)) return std::move(*known);
  } catch (const Error&) {  // a damaged index is none
  }
  ArchiveIndex index = scan_archive(path);
  // The archive may still be written: what was found now is used, but not remembered.
  if (!is_settled(index.identity)) return index;
  try {
    write_file_atomically(file, as_bytes(index));
  } catch (const Error&) {  // a cache that can't be written only costs time
  }
  return index;
}

}  // namespace vise::datasets

#include "datasets/archives/archive.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/archive_name.h"
#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/zip.h"
#include "datasets/archives/byte_stream.h"
#include "datasets/archives/tar_scan.h"
#include "datasets/data_files.h"
#include "datasets/tree.h"

// IndexBuilder collects what a scan finds; scan_zip() and scan_tar_file() feed it from a zip's directory and from a
// tar's headers. ArchiveReader reads members afterwards, by the offsets that the scan found: with a read at a place in
// a zip or a plain tar, through a Stream in a packed tar, which can only be read forwards.

namespace vise::datasets {
namespace {

// A label or a caption is small; a larger text is some other file and isn't kept in memory with the index.
constexpr std::uint64_t kMaxField = 64 << 10, kMaxTable = 64 << 20, kMaxTexts = std::uint64_t{1} << 30;
constexpr std::array<std::string_view, 3> kFields{".cls", ".txt", ".json"};
constexpr std::array<std::string_view, 4> kTables{".csv", ".tsv", ".jsonl", ".ndjson"};

FileDescriptor open_archive(const Path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw_errno("cannot open", path);
  return file;
}

// In some folder that no person made.
bool is_junk(std::string_view name) {
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part != "." && part != ".." && !part.empty() && is_junk_name(part)) return true;
    begin = end + 1;
  }
  return false;
}

// How many bytes a member may have that is kept as a text; nothing for a name that is no text's.
std::optional<std::uint64_t> most_bytes_of_text(std::string_view name) {
  if (ends_in(name, kFields)) return kMaxField;
  if (ends_in(name, kTables)) return kMaxTable;
  return std::nullopt;
}

// Sorts members into images, texts and the rest.
class IndexBuilder {
 public:
  explicit IndexBuilder(const Path& path) { index_.identity = FileIdentity::of(path); }

  ArchiveIndex& index() { return index_; }

  void add_link(const std::string& name) {
    if (index_.links++ == 0) index_.link = printable(name.substr(0, 200));
  }

  // `text` reads the member's bytes.
  template <typename ReadText>
  void add(ArchiveMember member, const ReadText& text) {
    // Folders are implied by names, and junk (__MACOSX, ._x) was made by a program.
    if (member.name.ends_with('/') || is_junk(member.name)) return;
    const auto most = most_bytes_of_text(member.name);
    if (has_image_extension(member.name)) {
      check(member.name);
      index_.images.push_back(std::move(member));
    } else if (most && member.size <= *most) {
      check(member.name);
      texts_ += member.size;
      // Each text is within its bound, but an archive may have millions of them.
      if (texts_ > kMaxTexts)
        throw Error(ErrorKind::input, "has over 1 GiB of labels and captions", "pack fewer samples into an archive");
      index_.texts.push_back({member.name, text(member)});
    } else if (index_.others++ == 0) {
      // Texts too large to keep and all other files are only counted, with the first as an example for the log.
      index_.other = printable(member.name.substr(0, 200));
    }
  }

  ArchiveIndex finish() {
    // By name: ArchiveImages finds a member by bisection.
    sort(index_.images);
    sort(index_.texts);
    return std::move(index_);
  }

 private:
  // A name that can't be used is refused only for members that are used: the others may be called as they like.
  static void check(const std::string& name) {
    if (const std::string fault = archive_name_fault(name); !fault.empty())
      throw Error(ErrorKind::input, fmt::format("the name '{}' {}", printable(name.substr(0, 60)), fault),
                  "pack it again with names in UTF-8 below the archive's own top, '/' between folders");
  }

  template <typename Named>
  static void sort(std::vector<Named>& members) {
    std::sort(members.begin(), members.end(), [](const Named& a, const Named& b) { return a.name < b.name; });
    for (std::size_t i = 1; i < members.size(); ++i)
      if (members[i].name == members[i - 1].name)
        throw Error(ErrorKind::input, fmt::format("two members are called '{}'", members[i].name),
                    "which is meant isn't said: pack it again");
  }

  ArchiveIndex index_;
  std::uint64_t texts_ = 0;
};

ZipEntry as_entry(const ArchiveMember& member) {
  return {member.name, member.deflated, member.crc, member.packed, member.size, member.offset, 0};
}

// Header and bytes in one read where the header's extra field is as short as they are.
std::vector<std::byte> read_zip_member(const FileDescriptor& file, const ArchiveMember& member, std::uint64_t file_size,
                                       std::uint64_t max_size, const std::string& name) {
  constexpr std::uint64_t kUsualExtra = 64;
  // A member's local header repeats the name and has an extra field of its own length, which may differ
  // from the directory's (APPNOTE 4.3.7). Its length must be read before the data can be found.
  const ZipEntry entry = as_entry(member);
  const std::uint64_t least = kZipHeader + member.name.size() + member.packed;
  if (member.offset > file_size || file_size - member.offset < least)
    throw Error(ErrorKind::input, fmt::format("'{}' lies outside the file", member.name));
  if (member.size > max_size)  // before the packed bytes are allocated; unpack_zip() asks for the rest
    throw Error(ErrorKind::input, fmt::format("'{}' has {} bytes, more than it may", member.name, member.size));
  std::vector<std::byte> bytes(std::min(least + kUsualExtra, file_size - member.offset));
  if (!read_at(file, member.offset, bytes, name)) throw Error(ErrorKind::input, "has been cut off");
  const std::uint64_t header = zip_header_size(bytes, entry);
  if (header + member.packed > bytes.size()) {
    if (file_size - member.offset < header + member.packed)
      throw Error(ErrorKind::input, fmt::format("'{}' lies outside the file", member.name));
    const std::size_t had = bytes.size();
    bytes.resize(header + member.packed);
    if (!read_at(file, member.offset + had, std::span(bytes).subspan(had), name))
      throw Error(ErrorKind::input, "has been cut off");
  }
  return unpack_zip(ByteView(bytes).subspan(header, member.packed), entry, max_size);
}

std::string as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Sizes and places come from the archive's own directory. find_zip_directory() and read_zip_directory() check them
// against the file's size before anything here is allocated.
void scan_zip(const FileDescriptor& file, const std::string& name, IndexBuilder& builder) {
  const std::uint64_t size = builder.index().identity.size;
  const auto bytes_at = [&](std::uint64_t offset, std::uint64_t count) {
    std::vector<std::byte> bytes(count);
    if (!read_at(file, offset, bytes, name)) throw Error(ErrorKind::input, "has been cut off");
    return bytes;
  };
  // A zip is read from its end: the end record leads to the central directory, which lists
  // every member (APPNOTE 4.3.16).
  const std::uint64_t tail = std::min<std::uint64_t>(size, kZipTail);
  const ZipDirectory where = find_zip_directory(bytes_at(size - tail, tail), size);
  const std::vector<std::byte> directory = bytes_at(where.offset, where.size);
  for (const ZipEntry& entry : read_zip_directory(directory, where))
    builder.add(
        {std::string(entry.name), entry.header, entry.packed_size, entry.size, entry.crc, entry.deflated},
        [&](const ArchiveMember& member) { return as_text(read_zip_member(file, member, size, kMaxTable, name)); });
}

void scan_tar_file(const FileDescriptor& file, Packing packing, const std::string& name, IndexBuilder& builder) {
  // A tar has no directory, so all headers are visited once. In a plain file the data between them
  // are skipped with a seek; a packed tar must be unpacked whole.
  const auto stream = open_byte_stream(file, packing, name);
  scan_tar(*stream, [&](const StreamedMember& member) {
    if (!member.is_file) {
      // Links aren't followed: one could lead outside of the archive, and a hard link's
      // bytes are another member's.
      if (!is_junk(member.name)) builder.add_link(member.name);
      return;
    }
    builder.add({member.name, member.offset, member.size, member.size, 0, false}, [&](const ArchiveMember& of_text) {
      std::string text(of_text.size, '\0');
      if (stream->read(std::as_writable_bytes(std::span(text))) < text.size())
        throw Error(ErrorKind::input, fmt::format("'{}' is cut off", of_text.name));
      return text;
    });
  });
}

bool starts_as_zip(ByteView begin) {
  return begin.size() >= 4 && begin[0] == std::byte{'P'} && begin[1] == std::byte{'K'} &&
         // A local header, or the end record of an empty archive.
         (begin[2] == std::byte{3} || begin[2] == std::byte{5});
}

// Messages begin with the archive's name.
template <typename Work>
auto named(const std::string& name, const Work& work) {
  try {
    return work();
  } catch (const Error& e) {
    if (e.message().starts_with(name) || e.kind() != ErrorKind::input) throw;
    throw Error(e.kind(), fmt::format("{}: {}", name, e.message()), e.hint());
  }
}

}  // namespace

bool is_archive_name(std::string_view name) { return ends_in(name, kArchiveEndings); }

std::string archive_stem(const Path& path) {
  std::string name = path.filename().string();
  std::string_view longest;
  for (const std::string_view ending : kArchiveEndings)
    if (lower(name).ends_with(ending) && ending.size() > longest.size()) longest = ending;
  name.resize(name.size() - longest.size());
  return name;
}

std::string unread_archive_hint(std::string_view name) {
  constexpr std::array<std::string_view, 8> kUnread{".rar", ".7z",  ".tar.bz2", ".tbz2",
                                                    ".txz", ".tbz", ".tar.xz",  ".tar.lz4"};
  return ends_in(name, kUnread)
             ? "read are .zip, .tar, .tar.gz and .tar.zst: unpack it, or pack it again as one of these"
             : "";
}

ArchiveIndex scan_archive(const Path& path) {
  const std::string name = path.string();
  return named(name, [&] {
    IndexBuilder builder(path);
    const FileDescriptor file = open_archive(path);
    std::array<std::byte, 4> begin;
    if (!read_at(file, 0, begin, name))
      throw Error(ErrorKind::input, "is too short for an archive", "was the download cut off?");
    const Packing packing = packing_of(begin);
    const bool zip = starts_as_zip(begin);
    builder.index().form = zip                        ? ArchiveForm::zip
                           : packing == Packing::gzip ? ArchiveForm::tar_gzip
                           : packing == Packing::zstd ? ArchiveForm::tar_zstd
                                                      : ArchiveForm::tar;
    if (zip)
      scan_zip(file, name, builder);
    else
      scan_tar_file(file, packing, name, builder);
    return builder.finish();
  });
}

// A packed tar, unpacked as far as was asked for, with its last 16 MB: several threads take members out of order.
class ArchiveReader::Stream {
 public:
  Stream(const FileDescriptor& file, Packing packing, std::string name)
      : file_(file), packing_(packing), name_(std::move(name)), behind_(kBehind) {}

  std::vector<std::byte> read(std::uint64_t offset, std::uint64_t size) {
    // A member from before the ring means unpacking from the start. It is rare, since items
    // are sorted by their place before they are read.
    if (!stream_ || offset + kBehind < stream_->position()) stream_ = open_byte_stream(file_, packing_, name_);
    std::vector<std::byte> bytes(size);
    // First comes what the ring still has, then what must still be unpacked.
    const std::uint64_t end = offset + size, known = std::min(end, stream_->position());
    if (offset < known)
      at_ring(offset, known - offset, [&](std::byte* ring, std::size_t from, std::size_t count) {
        std::copy_n(ring, count, bytes.data() + from);
      });
    while (stream_->position() < end) {
      const std::uint64_t begin = stream_->position();
      const std::size_t got = stream_->read(std::span(chunk_).first(std::min<std::uint64_t>(kChunk, end - begin)));
      if (got == 0) throw Error(ErrorKind::input, "has been cut off");
      at_ring(begin, got, [&](std::byte* ring, std::size_t from, std::size_t count) {
        std::copy_n(chunk_.data() + from, count, ring);
      });
      // Bytes before the member go into the ring only: another thread may ask for them next.
      if (begin + got <= offset) continue;
      const std::uint64_t first = std::max(begin, offset);
      std::copy_n(chunk_.data() + (first - begin), begin + got - first, bytes.data() + (first - offset));
    }
    return bytes;
  }

 private:
  static constexpr std::size_t kBehind = 16 << 20, kChunk = 64 << 10;

  // The one or two pieces of the ring that hold `count` bytes of the stream from `place` on.
  template <typename Use>
  void at_ring(std::uint64_t place, std::uint64_t count, const Use& use) {
    for (std::uint64_t done = 0; done < count;) {
      const std::size_t at = static_cast<std::size_t>((place + done) % kBehind);
      const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(count - done, kBehind - at));
      use(behind_.data() + at, static_cast<std::size_t>(done), piece);
      done += piece;
    }
  }

  const FileDescriptor& file_;
  Packing packing_;
  std::string name_;
  std::unique_ptr<ByteStream> stream_;
  std::vector<std::byte> behind_;  // the stream's byte at place p is behind_[p % kBehind]
  std::array<std::byte, kChunk> chunk_;
};

// What is open of an archive. Who reads holds a share of it, so that close() by another thread closes nothing that is
// being read.
struct ArchiveReader::Open {
  FileDescriptor file;
  std::mutex mutex;
  std::unique_ptr<Stream> stream;  // of a packed tar
};

ArchiveReader::ArchiveReader(const ArchiveIndex& index) : identity_(index.identity), form_(index.form) {}
ArchiveReader::~ArchiveReader() = default;

void ArchiveReader::close() {
  const std::lock_guard lock(mutex_);
  open_ = nullptr;
}

std::shared_ptr<ArchiveReader::Open> ArchiveReader::opened() {
  const std::lock_guard lock(mutex_);
  if (open_) return open_;
  auto open = std::make_shared<Open>();
  open->file = open_archive(identity_.path);
  // Offsets of another version of the file would lead into the middle of some image.
  if (FileIdentity::of(identity_.path) != identity_)
    throw Error(ErrorKind::input, "has changed since it was looked through", "run the same command again");
  if (form_ == ArchiveForm::tar_gzip || form_ == ArchiveForm::tar_zstd)
    open->stream = std::make_unique<Stream>(open->file, form_ == ArchiveForm::tar_gzip ? Packing::gzip : Packing::zstd,
                                            identity_.path);
  return open_ = std::move(open);
}

std::vector<std::byte> ArchiveReader::read(const ArchiveMember& member) {
  // An image of over 1 GiB is damage or a trap: nothing is allocated for it.
  constexpr std::uint64_t kMaxImage = std::uint64_t{1} << 30;
  return named(identity_.path, [&] {
    if (member.size > kMaxImage)
      throw Error(ErrorKind::input, fmt::format("'{}' has {} bytes, too many for an image", member.name, member.size));
    const std::shared_ptr<Open> open = opened();
    if (form_ == ArchiveForm::zip)
      return read_zip_member(open->file, member, identity_.size, kMaxImage, identity_.path);
    if (open->stream) {
      // One position in the stream: readers of a packed tar take turns. Zips and plain tars
      // are read with pread, side by side.
      const std::lock_guard lock(open->mutex);
      return open->stream->read(member.offset, member.size);
    }
    if (member.offset > identity_.size || identity_.size - member.offset < member.size)
      throw Error(ErrorKind::input, fmt::format("'{}' lies outside the file", member.name));
    std::vector<std::byte> bytes(member.size);
    if (!read_at(open->file, member.offset, bytes, identity_.path)) throw Error(ErrorKind::input, "has been cut off");
    return bytes;
  });
}

}  // namespace vise::datasets

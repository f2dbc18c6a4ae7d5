// One archive of images: what is in it, and the bytes of a member.
//
//   const ArchiveIndex index = archive_index("photos.zip", cache);     // a scan, or what an earlier one wrote down
//   ArchiveReader reader(index);
//   const std::vector<std::byte> bytes = reader.read(index.images[0]);
//
// zip (stored and deflated members, ZIP64), tar (tar_scan.h), and tar packed by gzip or Zstandard; the first bytes
// tell, not the name. Nothing is ever unpacked to disk. An archive of strangers is scanned within bounds: a name that
// leads out of it, one given twice, an encrypted or overlapping member, a cut end are Error{input} naming archive and
// member. Links are not followed, and counted.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_identity.h"

namespace vise::datasets {

// Names that are archives by their endings: .zip, .tar, .tar.gz, .tgz, .tar.zst, .tzst, in any case.
inline constexpr std::array<std::string_view, 6> kArchiveEndings{".zip", ".tar",     ".tar.gz",
                                                                 ".tgz", ".tar.zst", ".tzst"};
bool is_archive_name(std::string_view name);
// "img" of "a/img.tar.gz".
std::string archive_stem(const Path& path);
// Why an archive of another kind (.rar, .7z, .tar.bz2, .tar.xz ...) is not read and what to do; "" for other names.
std::string unread_archive_hint(std::string_view name);

enum class ArchiveForm : std::uint8_t { zip, tar, tar_gzip, tar_zstd };

struct ArchiveMember {
  std::string name;
  std::uint64_t offset = 0;  // zip: of its header in the file; tar: of its bytes in the unpacked stream
  std::uint64_t packed = 0, size = 0;
  std::uint32_t crc = 0;  // zip
  bool deflated = false;
};

// A label, a caption or a table beside the images.
struct ArchiveText {
  std::string name, text;
};

struct ArchiveIndex {
  FileIdentity identity;  // of the archive
  ArchiveForm form = ArchiveForm::zip;
  std::vector<ArchiveMember> images;  // by has_image_extension(), sorted bytewise by name
  std::vector<ArchiveText> texts;     // .cls, .txt, .json, .csv, .tsv, .jsonl; sorted; fields of 64 kB, tables of 64 MB
  std::uint64_t others = 0, links = 0;
  std::string other, link;  // an example of each

  bool is_packed_tar() const { return form == ArchiveForm::tar_gzip || form == ArchiveForm::tar_zstd; }
};

// Reads the whole archive where it is packed, its directory or headers otherwise.
ArchiveIndex scan_archive(const Path& path);
// The same from <cache>/paths/archives/ where that knows this very archive (docs/formats/archives.md); else
// scanned and written there. An empty cache keeps nothing.
ArchiveIndex archive_index(const Path& path, const Path& cache);

// Reads members. The archive is opened at the first one, and must be the one that was scanned: else Error{input}. Safe
// from many threads. Of a packed tar, members are read in order; one over 16 MB behind starts again from the beginning.
class ArchiveReader {
 public:
  explicit ArchiveReader(const ArchiveIndex& index);
  ~ArchiveReader();
  // Error{input} for a damaged member, or one of over 1 GiB.
  std::vector<std::byte> read(const ArchiveMember& member);
  // Until the next read.
  void close();

 private:
  class Stream;
  struct Open;
  std::shared_ptr<Open> opened();

  FileIdentity identity_;
  ArchiveForm form_;
  std::mutex mutex_;
  std::shared_ptr<Open> open_;
};

}  // namespace vise::datasets

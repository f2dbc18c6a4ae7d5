// A download that isn't whole yet: FILE.part beside FILE, and FILE.part.json, which says what it is a part of.
//
//   PartialFile partial(target, context);                  // waits for another process that fetches the same file
//   if (partial.target_is_there()) return;                 // it has finished meanwhile
//   partial.restart(origin); partial.append(bytes);        // or only append, if partial.origin() is still served
//   partial.commit();                                      // the target, whole
//
// Without commit() the part stays for the next try; discard() removes it. A kill at any moment leaves a part that is
// the beginning of what its .json names, or a part without one, of which origin() says nothing, so that it is begun
// anew. docs/formats/download.md has the format. Not thread-safe; two processes exclude each other by flock(2).
#pragma once

#include <cstdint>
#include <string>

#include "base/file.h"
#include "base/log.h"

namespace vise::features {

// What a server said of a whole file. Nothing in it: nothing is known.
struct DownloadOrigin {
  std::string url, etag, last_modified;
  std::uint64_t bytes = 0;  // 0: not said

  bool operator==(const DownloadOrigin&) const = default;
};

class PartialFile {
 public:
  // Makes missing folders. Error{system} with the system's words where it can't be written; Error{interrupted} from
  // waiting.
  PartialFile(Path target, const Context& context);
  // An empty part is not worth keeping.
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const Path& path() const { return part_; }
  bool target_is_there() const;
  std::uint64_t size() const { return size_; }
  const DownloadOrigin& origin() const { return origin_; }

  // Empty from here on, and to be filled from `origin`.
  void restart(const DownloadOrigin& origin);
  void append(ByteView bytes);
  void discard();
  // Syncs to disk and renames.
  void commit();

 private:
  void lock(const Context& context);
  bool holds_the_part() const;
  void read_origin();

  Path target_, part_, origin_path_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
  DownloadOrigin origin_;
};

}  // namespace vise::features

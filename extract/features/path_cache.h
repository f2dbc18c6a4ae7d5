// What is already known of files by their identity on disk, so that a warm run reads no image and hashes no weights.
//
//   PathCache cache(cache_dir / "paths" / "images");
//   const FileIdentity identity = FileIdentity::of(path);          // one stat
//   if (const std::string* known = cache.find(identity)) ...
//   cache.put(identity, content.str());  ...  cache.save();
//
// A file changed within the last two seconds is not remembered, since a clock tick may hide a second change. A piece of
// a file (a member of an archive) is remembered as a file whose folder is the archive.
// Entries of one folder's files are kept in one append-only text file of lines with a checksum; a damaged line is
// ignored.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file_identity.h"

namespace vise::features {

// Not thread-safe.
class PathCache {
 public:
  // Nothing is read before the first find().
  explicit PathCache(Path folder) : folder_(std::move(folder)) {}
  PathCache(const PathCache&) = delete;
  PathCache& operator=(const PathCache&) = delete;

  // What was put for exactly this identity, or null.
  const std::string* find(const FileIdentity& identity);
  void put(const FileIdentity& identity, std::string value);
  // Appends what is new and not written yet (some of it is, as it grows). Failing to write is not an error: the cache
  // only saves time.
  void save();
  // Takes over what the cache in `folder` knows, for the next save(). Another machine has its own number for the device
  // that a shared file system is; it is replaced by ours where the files' folder is here too. An identity is compared
  // whole when it is used, as ever.
  void take_from(const Path& folder);

 private:
  // An identity less its path.
  struct Entry {
    Entry(const FileIdentity& id, std::string known);
    bool is_of(const FileIdentity& id) const;
    std::uint64_t size, device, inode;
    std::int64_t mtime_ns, ctime_ns;
    std::string value;
  };
  struct Shard {
    std::unordered_map<std::string, Entry> entries;  // by the file's name in its folder
    std::string appended;
  };
  Path shard_path(const std::string& folder) const;
  Shard& shard_of(const FileIdentity& identity);
  void read_shard(const std::string& folder, Shard& shard) const;
  // False where it can't be written.
  bool append(const std::string& folder, Shard& shard) const;

  Path folder_;
  std::unordered_map<std::string, Shard> shards_;          // by the files' folder
  std::pair<const std::string, Shard>* latest_ = nullptr;  // of shards_, whose places don't move
};

}  // namespace vise::features

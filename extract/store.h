// The feature store: rows that outlive runs, named by what made them and by the image they were made from.
//
//   FeatureStore store(cache, key, log);                    // one folder a key; format: docs/formats/features.md
//   if (!store.find(content)) ...
//   FeatureWriter writer(store, context);                   // one writer a key; others wait for the lock
//   writer.add(content, bytes, row); ... writer.finish(facts);
//   const FeatureMap map = store.map();                     // rows as they lie in features.npy
//
// A row belongs to a file's content (XXH3-128 of its bytes), never to a path: the same picture in two data sets is
// computed once, and two different files can never share a row. Rows are written in blocks; a block is either complete
// and checksummed in manifest.csv or not there, so a kill at any moment loses at most the block under way.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "extract/store_journal.h"

namespace vise {

// Everything that makes the bytes of a row, in words: two keys are the same when their canonical JSON is.
struct FeatureKey {
  Json parts;
  std::size_t dim = 0;

  std::string str() const;  // the first 32 hex digits of SHA-256 over the canonical JSON: the folder's name
};

// features.npy from its first row on, mapped: row r is values[r * dim, (r + 1) * dim).
struct FeatureMap {
  MappedFile file;
  std::span<const float> values;
};

// Not thread-safe; a FeatureMap is, for reading.
class FeatureStore {
 public:
  // Reads the journal of <cache>/features/<key>, if there is one. Damaged blocks are left out with a warning; the next
  // writer drops them for good and their rows are computed again. Error{input} for another version's folder.
  FeatureStore(const Path& cache, FeatureKey key, Log& log);

  const Path& folder() const { return folder_; }
  const FeatureKey& key() const { return key_; }
  std::size_t size() const { return index_.size(); }
  const StoredRow* find(const ContentHash& content) const;

  // Checks the bytes of every block that holds one of these rows against its checksum; blocks that fail are left out
  // from now on, with a warning. Returns how many failed: their rows are to be computed again.
  std::size_t check_rows(std::span<const std::uint32_t> rows, Log& log);
  FeatureMap map() const;

  // Of every block: does its checksum hold? Returns how many don't; nothing is changed.
  std::size_t count_damaged() const;
  // Everything it holds, in the order it was written.
  std::vector<std::pair<ContentHash, StoredRow>> items() const;
  // Stamps the folder as used now, for `cache gc`. What can't be stamped (a read-only cache) stays as it is.
  void mark_used() const;

 private:
  friend class FeatureWriter;
  Path data_path() const { return folder_ / "features.npy"; }
  Path manifest_path() const { return folder_ / "manifest.csv"; }
  std::uint64_t row_offset(std::uint64_t row) const;
  void read_journal(Log& log);
  bool is_sound(const JournalBlock& block, ByteView data) const;
  void keep_blocks(std::vector<JournalBlock> sound);
  std::uint64_t end_row() const;

  Path folder_;
  FeatureKey key_;
  Journal journal_;
  std::unordered_map<ContentHash, StoredRow> index_;
};

// The only way to add rows. Holds the store's lock (flock: it ends with the process, so nobody waits on the dead).
// Not thread-safe.
class FeatureWriter {
 public:
  // Waits for another writer, saying so, and then sees what that one wrote. Drops damaged blocks for good.
  FeatureWriter(FeatureStore& store, const Context& context);
  FeatureWriter(const FeatureWriter&) = delete;
  FeatureWriter& operator=(const FeatureWriter&) = delete;

  // Adds a row (dim floats), or the reason why the image has none. Written when a block is full.
  void add(const ContentHash& content, std::uint64_t bytes, std::span<const float> row);
  void add_unreadable(const ContentHash& content, std::uint64_t bytes, const std::string& reason);
  // Writes the block under way. Also called when a run is interrupted, so that nothing finished is lost.
  void flush();
  // flush(), then features.json with `facts` (state hashes, versions, timings) beside the key.
  void finish(Json facts);

  // Rows a block: what a kill can cost, about ten seconds of a ResNet-50 on two cores.
  static constexpr std::size_t kBlockRows = 256;

 private:
  void lock(const Context& context);
  void drop_damaged(Log& log);
  void open_files();
  void write_header(std::uint64_t rows);
  void write_facts(Json facts);

  FeatureStore& store_;
  FileDescriptor lock_, data_, manifest_;
  std::uint64_t next_row_ = 0;
  std::vector<float> pending_rows_;
  JournalBlockWriter pending_;
};

}  // namespace vise

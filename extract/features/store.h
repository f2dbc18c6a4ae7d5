// The feature store: rows that outlive runs, named by what made them and by the image they were made from.
//
//   FeatureStore store(cache, key, log);                    // one folder a key; format: docs/formats/features.md
//   if (!store.find(content)) ...
//   FeatureWriter writer(store, context);                   // one writer a key; others wait for the lock
//   writer.add(content, bytes, row); ... writer.finish(facts);
//   const FeatureMap map = store.map();                     // rows as they are stored in features.npy
//
// A row belongs to a file's content (XXH3-128 of its bytes), never to a path: the same picture in two data sets is
// computed once, and two different files can never share a row. Rows are written in blocks; a block is either complete
// and checksummed in manifest.csv or not there, so a kill at any moment loses at most the block under way.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "extract/features/content_index.h"
#include "extract/features/store_journal.h"

namespace vise::features {

// How rows are stored: float32, or half of it, with 11 bits of precision.
enum class Storage { fp32, fp16 };

std::string_view storage_name(Storage storage);  // "fp32", "fp16"
Storage parse_storage(std::string_view text);    // Error{usage} with the nearest name

// Everything that makes the bytes of a row, in words: two keys are the same when their canonical JSON is.
struct FeatureKey {
  Json parts;
  std::size_t dim = 0;

  std::string str() const;  // the first 32 hex digits of SHA-256 over the canonical JSON: the folder's name
  Storage storage() const;  // its part "storage"; fp32 where there is none
};

// Rows as float32: row r is values[r * dim, (r + 1) * dim). Those of fp32 storage are features.npy itself, mapped;
// those of fp16 storage are widened into memory, or, of halves(), features.npy as it is: then `values` is empty.
struct FeatureMap {
  MappedFile file;
  std::vector<float> widened;
  std::span<const float> values;
  std::span<const std::uint16_t> halves = {};
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
  // The row, or why there is none; nothing for a content that isn't kept.
  std::optional<StoredRow> find(const ContentHash& content) const;
  bool has(const ContentHash& content) const { return index_.find(content) != nullptr; }
  // kNoRow for a content that isn't kept or has no row.
  std::uint32_t row(const ContentHash& content) const;

  // Checks the bytes of every block that holds one of these rows (kNoRow is passed over) against its checksum; blocks
  // that fail are left out from now on, with a warning. Returns how many failed: their rows are to be computed again.
  // Reads in pieces: memory doesn't grow with the rows.
  std::size_t check_rows(std::span<const std::uint32_t> rows, Log& log);
  // Whether features.npy begins as numpy needs it, and whether features.json can be read and has this key. Neither is
  // under a checksum: a writer mends them by opening. Another process may be adding rows meanwhile.
  bool has_sound_header() const;
  bool has_sound_facts() const;
  // All rows.
  FeatureMap map() const;
  // These rows (kNoRow is passed over); renumbers them where only they are held in memory.
  FeatureMap map(std::span<std::uint32_t> rows) const;
  // All rows of fp16 storage, mapped and not widened: memory doesn't grow with them.
  FeatureMap halves() const;

  // Of every block: does its checksum hold? Returns how many don't; the next writer drops those.
  std::size_t count_damaged();
  // Everything it holds, in the order it was written: reads the journal again.
  std::vector<JournalItem> items() const;
  // Stamps the folder as used now, for `cache gc`. What can't be stamped (a read-only cache) stays as it is.
  void mark_used() const;

 private:
  friend class FeatureWriter;
  Path data_path() const { return folder_ / "features.npy"; }
  Path manifest_path() const { return folder_ / "manifest.csv"; }
  Path facts_path() const { return folder_ / "features.json"; }
  std::size_t row_bytes() const { return key_.dim * (key_.storage() == Storage::fp16 ? 2 : 4); }
  std::uint64_t row_offset(std::uint64_t row) const;
  void read_journal(Log& log);
  void put(const JournalItem& item);
  // Which of these blocks' checksums hold; those that don't are remembered for the next writer.
  std::vector<bool> are_sound(std::span<const JournalBlock> blocks);
  std::uint64_t end_row() const;

  Path folder_;
  FeatureKey key_;
  Journal journal_;
  ContentIndex index_;                   // row, or kUnreadableBit and a place in reasons_
  std::vector<std::string> reasons_;     // why images have no row
  std::vector<std::uint64_t> suspects_;  // first rows of blocks that failed a check
};

// The only way to add rows. Holds the store's lock (flock: it ends with the process, so nobody waits on the dead).
// Not thread-safe.
class FeatureWriter {
 public:
  // Waits for another writer, saying so, and then sees what that one wrote. Drops blocks that are known to be damaged
  // for good, and writes the header again.
  FeatureWriter(FeatureStore& store, const Context& context);
  FeatureWriter(const FeatureWriter&) = delete;
  FeatureWriter& operator=(const FeatureWriter&) = delete;

  // Adds a row (dim floats), or the reason why the image has none. Written when a block is full. Error{input} for a
  // value that fp16 storage can't hold.
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
  bool holds_the_folders_lock() const;
  void drop_damaged(Log& log);
  void open_files();
  void write_header(std::uint64_t rows);
  void write_facts(Json facts);

  FeatureStore& store_;
  FileDescriptor lock_, data_, manifest_;
  std::uint64_t next_row_ = 0;
  std::vector<std::byte> pending_rows_;
  JournalBlockWriter pending_;
};

}  // namespace vise::features

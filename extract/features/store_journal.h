// The store's manifest.csv: an append-only journal of blocks. Format: docs/formats/features.md.
//
//   #vise-eval/feature-manifest 1
//   row,content,bytes,status,reason
//   0,<32 hex>,48211,ok,
//   ,<32 hex>,17,unreadable,is empty
//   #block,<first row>,<rows>,<XXH3-64 of the rows' bytes>,<XXH3-64 of the lines above and this line up to here>
//
// A block is its lines with the trailer that vouches for them. Lines without a trailer are what a killed writer left.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace vise::features {

// An item without a row.
inline constexpr std::uint32_t kNoRow = UINT32_MAX;
inline constexpr std::uint32_t kMostRows = 1U << 31;

// A row's fate: its place in features.npy, or why there is none.
struct StoredRow {
  std::optional<std::uint32_t> row;
  std::string reason;       // why the image could not be read, when there is no row
  std::uint64_t bytes = 0;  // of the image's file
};

struct JournalItem {
  ContentHash content;
  StoredRow stored;
};

// A block's place in the manifest and in features.npy. Its items stay in the file: a million would fill memory.
struct JournalBlock {
  std::uint64_t first_row = 0, rows = 0, data_checksum = 0;
  std::uint64_t begin = 0, bytes = 0;  // its text, trailer included
};

// Collects one block's lines.
class JournalBlockWriter {
 public:
  void add(const ContentHash& content, StoredRow stored);
  std::size_t size() const { return items_.size(); }
  const std::vector<JournalItem>& items() const { return items_; }
  // Its text: the lines and the trailer.
  std::string text(std::uint64_t first_row, std::uint64_t rows, std::uint64_t data_checksum) const;
  void clear();

 private:
  std::string lines_;
  std::vector<JournalItem> items_;
};

struct Journal {
  std::vector<JournalBlock> blocks;  // the sound ones, in order
  std::size_t damaged = 0;           // blocks with a wrong checksum
  std::uint64_t sound_bytes = 0;     // where the last whole block ends; what follows is an unfinished write
};

// The two lines a manifest begins with.
std::string_view journal_preamble();

// Never fails on damage: it is counted. Error{input} for a manifest of another version.
Journal parse_journal(std::string_view text, std::string_view name_for_messages);

// The items of a sound block into `items`, in order; `text` is the manifest's. False when a line is none of ours; rows
// are within the block's.
bool block_items(std::string_view text, const JournalBlock& block, std::vector<JournalItem>& items);

}  // namespace vise::features

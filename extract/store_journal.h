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

namespace vise {

// A row's fate: its place in features.npy, or why there is none.
struct StoredRow {
  std::optional<std::uint32_t> row;
  std::string reason;       // why the image could not be read, when there is no row
  std::uint64_t bytes = 0;  // of the image's file
};

struct JournalBlock {
  std::uint64_t first_row = 0, rows = 0, data_checksum = 0;
  std::string text;  // its lines and its trailer
  std::vector<std::pair<ContentHash, StoredRow>> items;
};

// Collects one block's lines.
class JournalBlockWriter {
 public:
  void add(const ContentHash& content, StoredRow stored);
  std::size_t size() const { return items_.size(); }
  // Ends the block and starts an empty one.
  JournalBlock close(std::uint64_t first_row, std::uint64_t rows, std::uint64_t data_checksum);

 private:
  std::string lines_;
  std::vector<std::pair<ContentHash, StoredRow>> items_;
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

}  // namespace vise

// The pages of one column chunk, in order: found, passed over, or read and unpacked.
//
//   PageReader pages(source, chunk, column);
//   while (pages.next())
//     if (wanted(pages.entries())) use(pages.load());     // not loaded: only its header was read
//
// One page is in memory at a time, packed and unpacked, beside the chunk's dictionary; what a page claims is checked
// against the chunk's bytes, its codec's best and 1 GiB before it is allocated. Everything throws Error{input}.
#pragma once

#include <cstdint>
#include <vector>

#include "datasets/parquet/encodings.h"
#include "datasets/parquet/metadata.h"
#include "datasets/parquet/page_header.h"
#include "datasets/parquet/source.h"

namespace vise::datasets::parquet {

// Views of the reader's memory, valid until its next load().
struct Page {
  int encoding = -1;
  ByteView repetition, definition, values;  // levels as levels.h reads them
};

class PageReader {
 public:
  // All three must outlive it. Error{input} for a chunk that is in another file, is encrypted or has a codec that is
  // not read.
  PageReader(const Source& source, const Chunk& chunk, const Column& column);

  // To the next data page; false where the chunk's values were all in pages. Reads a dictionary page that precedes it.
  bool next();
  std::uint64_t entries() const { return header_.entries; }
  Page load();
  // Null where there was none.
  const std::vector<Value>* dictionary() const { return has_dictionary_ ? &dictionary_ : nullptr; }

 private:
  PageHeader read_header(std::uint64_t at);
  void load_dictionary();
  ByteView packed_bytes();
  ByteView unpacked_bytes(ByteView packed, std::uint64_t size, Buffer& buffer) const;
  Page split_v1(ByteView bytes) const;
  Page split_v2(ByteView bytes);

  const Source& source_;
  const Chunk& chunk_;
  const Column& column_;
  std::uint64_t at_, end_;  // the next header; the chunk's end
  std::uint64_t left_;      // entries in pages to come
  PageHeader header_;
  std::uint64_t body_ = 0;  // where the page's bytes begin, behind header_
  Buffer window_, packed_, unpacked_, dictionary_bytes_;
  std::vector<Value> dictionary_;
  bool has_dictionary_ = false;
};

}  // namespace vise::datasets::parquet

// A page's header (parquet.thrift, PageHeader), both versions.
#pragma once

#include <cstdint>
#include <optional>

#include "base/file.h"

namespace vise::datasets::parquet {

enum class PageKind : std::uint8_t { data, data_v2, dictionary, other };

struct PageHeader {
  PageKind kind = PageKind::other;
  std::size_t size = 0;                    // of the header itself
  std::uint64_t packed = 0, unpacked = 0;  // bytes that follow it, and what they become
  std::optional<std::uint32_t> crc;        // CRC-32 of those bytes
  std::uint64_t entries = 0;               // values, with nulls
  int encoding = -1;
  int definition_encoding = -1, repetition_encoding = -1;    // version 1
  std::uint64_t definition_bytes = 0, repetition_bytes = 0;  // version 2, whose levels are never packed
  bool is_packed = true;                                     // version 2
};

// The header at the front of `bytes`. Error{input} where it is none, is cut off or has a negative count.
PageHeader read_page_header(ByteView bytes);

}  // namespace vise::datasets::parquet

// A page's values (Encodings.md): PLAIN, dictionary indices (PLAIN_DICTIONARY, RLE_DICTIONARY), RLE booleans,
// DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY and BYTE_STREAM_SPLIT. Others are refused by name.
//
//   const auto values = open_values(encoding, column, bytes, page.entries, &dictionary);
//   const Value value = values->next();
//
// A decoder reads one value at a time from `bytes`, which must outlive it, and allocates nothing that the file claims.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "datasets/parquet/schema.h"

namespace vise::datasets::parquet {

// parquet.thrift, Encoding.
enum Encoding : int {
  kPlain = 0,
  kPlainDictionary = 2,
  kRle = 3,
  kBitPacked = 4,
  kDeltaBinaryPacked = 5,
  kDeltaLengthByteArray = 6,
  kDeltaByteArray = 7,
  kRleDictionary = 8,
  kByteStreamSplit = 9
};

std::string encoding_name(int encoding);

// As stored: a boolean's or number's bits (int32 and float in the low half), or the bytes of the others.
struct Value {
  std::uint64_t bits = 0;
  std::string_view bytes;
};

class ValueDecoder {
 public:
  virtual ~ValueDecoder() = default;
  // `bytes` of the value are valid until the call after. Error{input} where none is left.
  virtual Value next() = 0;
};

// `most`: the page's entries, which bound what its bytes may claim. Error{input} for an encoding that is not read, not
// defined for the column's type, or a dictionary's where `dictionary` is null.
std::unique_ptr<ValueDecoder> open_values(int encoding, const Column& column, ByteView bytes, std::uint64_t most,
                                          const std::vector<Value>* dictionary);

}  // namespace vise::datasets::parquet

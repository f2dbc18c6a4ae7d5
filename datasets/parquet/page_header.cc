#include "datasets/parquet/page_header.h"

#include <fmt/format.h>

#include "base/error.h"
#include "datasets/parquet/thrift_compact.h"

// The numbers in the switches are those of the fields in parquet.thrift. Statistics and whatever else reading doesn't
// need are skipped.

namespace vise::datasets::parquet {
namespace {

// The format's counts are 32 bits with a sign, so a damaged one may be negative.
std::uint64_t count(ThriftReader& in, ThriftField field) {
  const std::int32_t value = in.small(field);
  if (value < 0) throw Error(ErrorKind::input, fmt::format("a page header has a count of {}", value));
  return static_cast<std::uint64_t>(value);
}

// DataPageHeader: 1 number of values, 2 encoding, 3 and 4 the levels' encodings.
void read_data(ThriftReader& in, ThriftField field, PageHeader& header) {
  in.structure(field, [&](ThriftField f) {
    switch (f.id) {
      case 1:
        header.entries = count(in, f);
        return;
      case 2:
        header.encoding = in.small(f);
        return;
      case 3:
        header.definition_encoding = in.small(f);
        return;
      case 4:
        header.repetition_encoding = in.small(f);
        return;
      default:
        in.skip(f);
    }
  });
}

// DictionaryPageHeader: 1 number of values, 2 encoding.
void read_dictionary(ThriftReader& in, ThriftField field, PageHeader& header) {
  in.structure(field, [&](ThriftField f) {
    switch (f.id) {
      case 1:
        header.entries = count(in, f);
        return;
      case 2:
        header.encoding = in.small(f);
        return;
      default:
        in.skip(f);
    }
  });
}

// DataPageHeaderV2: 1 number of values, 4 encoding, 5 and 6 the bytes of the definition and the repetition levels, 7
// whether the values are packed.
void read_data_v2(ThriftReader& in, ThriftField field, PageHeader& header) {
  in.structure(field, [&](ThriftField f) {
    switch (f.id) {
      case 1:
        header.entries = count(in, f);
        return;
      case 4:
        header.encoding = in.small(f);
        return;
      case 5:
        header.definition_bytes = count(in, f);
        return;
      case 6:
        header.repetition_bytes = count(in, f);
        return;
      case 7:
        header.is_packed = in.boolean(f);
        return;
      default:
        in.skip(f);
    }
  });
}

}  // namespace

PageHeader read_page_header(ByteView bytes) {
  ThriftReader in(bytes);
  PageHeader header;
  int type = -1;
  bool described = false;
  // PageHeader: 1 type, 2 bytes unpacked, 3 bytes as stored, 4 CRC-32, then by type 5, 7 or 8.
  in.structure([&](ThriftField f) {
    switch (f.id) {
      case 1:
        type = in.small(f);
        return;
      case 2:
        header.unpacked = count(in, f);
        return;
      case 3:
        header.packed = count(in, f);
        return;
      case 4:
        // Signed in the format; what counts is its bits.
        header.crc = static_cast<std::uint32_t>(in.small(f));
        return;
      case 5:
        // Writers put the type, which is field 1, before this.
        described = type == 0;
        return read_data(in, f, header);
      case 7:
        described = type == 2;
        return read_dictionary(in, f, header);
      case 8:
        described = type == 3;
        return read_data_v2(in, f, header);
      default:
        in.skip(f);
    }
  });
  // The page's data follow its header without a gap.
  header.size = in.consumed();
  // PageType: 0 data, 2 dictionary, 3 data of version 2. Others, as 1 for an index, stay `other` and are passed over.
  if (type == 0) header.kind = PageKind::data;
  if (type == 2) header.kind = PageKind::dictionary;
  if (type == 3) header.kind = PageKind::data_v2;
  if (header.kind != PageKind::other && !described)
    throw Error(ErrorKind::input, fmt::format("a page of type {} without its header", type));
  return header;
}

}  // namespace vise::datasets::parquet

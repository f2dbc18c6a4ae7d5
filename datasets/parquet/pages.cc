#include "datasets/parquet/pages.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "datasets/parquet/codecs.h"

namespace vise::datasets::parquet {
namespace {

constexpr std::uint64_t kFirstWindow = 512, kMaxHeader = 1U << 20;  // old writers put whole values in the statistics
constexpr std::uint64_t kMaxDictionary = 1U << 24;                  // values

// A fuzzer can't guess checksums, and has less memory.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr bool kCheckSums = false;
constexpr std::uint64_t kMaxPage = 1U << 24;
#else
constexpr bool kCheckSums = true;
constexpr std::uint64_t kMaxPage = 1U << 30;
#endif

[[noreturn]] void refuse(const std::string& what, std::string hint = {}) {
  throw Error(ErrorKind::input, what, std::move(hint));
}

// `size` bytes from the front of `bytes`.
ByteView take(ByteView& bytes, std::uint64_t size, std::string_view what) {
  if (size > bytes.size()) refuse(fmt::format("{} claim {} bytes where {} remain", what, size, bytes.size()));
  const ByteView front = bytes.first(size);
  bytes = bytes.subspan(size);
  return front;
}

// Version 1: levels have their length before them, and are there only where there can be any. Version 2 has the lengths
// in its header (split_v2()).
ByteView take_levels(ByteView& bytes, int most, int encoding, std::string_view what) {
  if (most == 0) return {};
  if (encoding != kRle) refuse(fmt::format("{} in the encoding {}, which is not read", what, encoding_name(encoding)));
  std::uint32_t size = 0;
  std::memcpy(&size, take(bytes, sizeof size, what).data(), sizeof size);
  return take(bytes, size, what);
}

}  // namespace

PageReader::PageReader(const Source& source, const Chunk& chunk, const Column& column)
    : source_(source),
      chunk_(chunk),
      column_(column),
      at_(chunk.begin),
      end_(chunk.begin + chunk.size),
      left_(chunk.values) {
  if (chunk.encrypted) refuse("is encrypted, which is not read");
  if (chunk.elsewhere) refuse("lies in another file, which is not read");
  check_codec(chunk.codec);
}

bool PageReader::next() {
  while (left_ > 0) {
    if (at_ == end_) refuse(fmt::format("the chunk's pages lack {} of its {} values", left_, chunk_.values));
    header_ = read_header(at_);
    body_ = at_ + header_.size;
    if (header_.packed > end_ - body_)
      refuse(fmt::format("a page claims {} bytes where {} remain in the chunk", header_.packed, end_ - body_));
    at_ = body_ + header_.packed;
    // A chunk's dictionary page comes before its data pages and is kept for all of them.
    if (header_.kind == PageKind::dictionary) load_dictionary();
    if (header_.kind == PageKind::dictionary || header_.kind == PageKind::other) continue;
    if (header_.entries > left_)
      refuse(fmt::format("a page claims {} values where the chunk has {} left", header_.entries, left_));
    left_ -= header_.entries;
    if (header_.entries > 0) return true;
  }
  return false;
}

// How long a header is only its reader knows, so the window grows until it fits; for most headers the first one does.
PageHeader PageReader::read_header(std::uint64_t at) {
  for (std::uint64_t window = kFirstWindow;; window *= 8) {
    const std::uint64_t size = std::min({window, end_ - at, kMaxHeader});
    const std::span<std::byte> bytes = window_.get(size);
    source_.read(at, bytes);
    try {
      return read_page_header(bytes);
    } catch (const Error& error) {
      // If the window was the whole rest, a larger one can't help.
      if (size < window) refuse(fmt::format("the page header at byte {}: {}", at, error.message()));
    }
  }
}

void PageReader::load_dictionary() {
  if (has_dictionary_) refuse("the chunk has two dictionaries");
  // Both numbers mean PLAIN here: PLAIN_DICTIONARY is what older writers put (Encodings.md, Dictionary Encoding).
  if (header_.encoding != kPlain && header_.encoding != kPlainDictionary)
    refuse(fmt::format("a dictionary in the encoding {}, which is not read", encoding_name(header_.encoding)));
  if (header_.entries > kMaxDictionary) refuse(fmt::format("a dictionary of {} values", header_.entries));
  ByteView bytes = unpacked_bytes(packed_bytes(), header_.unpacked, dictionary_bytes_);
  if (chunk_.codec == kUncompressed) {  // they are where the next page will be
    const std::span<std::byte> kept = dictionary_bytes_.get(bytes.size());
    std::copy(bytes.begin(), bytes.end(), kept.begin());
    bytes = kept;
  }
  const auto values = open_values(kPlain, column_, bytes, header_.entries, nullptr);
  for (std::uint64_t i = 0; i < header_.entries; ++i) dictionary_.push_back(values->next());
  has_dictionary_ = true;
}

Page PageReader::load() {
  const ByteView bytes = packed_bytes();
  Page page = header_.kind == PageKind::data_v2 ? split_v2(bytes)
                                                : split_v1(unpacked_bytes(bytes, header_.unpacked, unpacked_));
  page.encoding = header_.encoding;
  return page;
}

ByteView PageReader::packed_bytes() {
  if (header_.packed > kMaxPage || header_.unpacked > kMaxPage)
    refuse(fmt::format("a page of {} bytes, more than {}", std::max(header_.packed, header_.unpacked), kMaxPage),
           "write the file again with smaller row groups: pyarrow.parquet.write_table(table, file, "
           "row_group_size=100)");
  const std::span<std::byte> bytes = packed_.get(header_.packed);
  source_.read(body_, bytes);
  // Of the bytes as stored; a writer may leave it out (parquet.thrift, PageHeader).
  if (kCheckSums && header_.crc &&
      *header_.crc != ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()))
    refuse(fmt::format("the page at byte {} doesn't match its CRC-32", body_));
  return bytes;
}

// A view of `packed` itself where nothing is packed, else of `buffer`.
ByteView PageReader::unpacked_bytes(ByteView packed, std::uint64_t size, Buffer& buffer) const {
  // Before memory is asked for by a number that the file only claims.
  if (size > most_unpacked(chunk_.codec, packed.size()))
    refuse(fmt::format("a page of {} bytes claims to unpack to {}", packed.size(), size));
  if (chunk_.codec == kUncompressed && size == packed.size()) return packed;
  const std::span<std::byte> out = buffer.get(size);
  if (size > 0 || !packed.empty()) unpack(chunk_.codec, packed, out);
  return out;
}

// Version 1 packs levels and values together, the repetition levels first.
Page PageReader::split_v1(ByteView bytes) const {
  Page page;
  page.repetition = take_levels(bytes, column_.max_repetition, header_.repetition_encoding, "repetition levels");
  page.definition = take_levels(bytes, column_.max_definition, header_.definition_encoding, "definition levels");
  page.values = bytes;
  return page;
}

// Version 2 leaves the levels unpacked and gives their lengths in the header, so that rows
// can be counted without unpacking the values.
Page PageReader::split_v2(ByteView bytes) {
  Page page;
  page.repetition = take(bytes, header_.repetition_bytes, "repetition levels");
  page.definition = take(bytes, header_.definition_bytes, "definition levels");
  const std::uint64_t levels = header_.repetition_bytes + header_.definition_bytes;
  if (levels > header_.unpacked) refuse("a page's levels are longer than the page");
  page.values = bytes;
  if (!header_.is_packed) return page;
  // A page of nulls alone may have nothing to unpack.
  page.values =
      bytes.empty() && header_.unpacked == levels ? bytes : unpacked_bytes(bytes, header_.unpacked - levels, unpacked_);
  return page;
}

}  // namespace vise::datasets::parquet

// safetensors: u64 length of the header, the header (JSON: name -> {dtype, shape, data_offsets}, and __metadata__ with
// texts alone), the data. https://github.com/huggingface/safetensors, README.md.
//
// As strict as the reference: a header of at most 100 MB that begins with '{'; no key twice; ranges that cover the data
// exactly, without holes or overlaps; sizes that agree with shape and dtype.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "extract/networks/checkpoint/readers.h"

namespace vise::networks {
namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;
constexpr std::size_t kMaxTensors = 200'000, kMaxRank = 64, kMaxName = 4096;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorKind::input, "safetensors: " + what); }

// An entry of the header as it was read; make_tensor() checks that nothing is missing.
struct Entry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::uint64_t> offsets;
  bool has_dtype = false, has_shape = false, has_offsets = false;
};

std::string shown(const std::string& name) { return name.substr(0, 100); }

// Reads the header event by event, so that nothing is built but the entries, and a key given twice is seen.
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  std::vector<Entry> entries;

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return unexpected("a number that is not whole"); }
  bool binary(binary_t&) override { return unexpected("bytes"); }

  bool number_unsigned(number_unsigned_t value) override {
    // Depth 1 is the header, 2 a tensor's entry, 3 one of its two lists; numbers belong nowhere else.
    if (depth_ != 3 || !in_array_) return unexpected("a number");
    Entry& entry = entries.back();
    if (field_ == "data_offsets") {
      entry.offsets.push_back(value);
      if (entry.offsets.size() > 2) refuse(fmt::format("'{}' has more than two offsets", shown(entry.name)));
    } else {
      if (value > INT64_MAX) refuse(fmt::format("'{}' has the size {}", shown(entry.name), value));
      entry.shape.push_back(static_cast<std::int64_t>(value));
      if (entry.shape.size() > kMaxRank)
        refuse(fmt::format("'{}' has more than {} sizes", shown(entry.name), kMaxRank));
    }
    return true;
  }

  bool string(string_t& text) override {
    if (depth_ == 2 && in_metadata_) return true;
    if (depth_ != 2 || field_ != "dtype") return unexpected("text");
    entries.back().dtype = text;
    return true;
  }

  // Deeper objects would be fields that no version of the format has.
  bool start_object(std::size_t) override {
    if (depth_ >= 2 || in_array_) return unexpected("an object");
    ++depth_;
    if (depth_ == 2) fields_.clear();
    return true;
  }

  bool key(string_t& name) override {
    if (name.size() > kMaxName) refuse(fmt::format("a key has {} bytes, more than {}", name.size(), kMaxName));
    if (depth_ == 1) {
      // JSON leaves it open which of two equal keys counts, so two readers could load
      // different weights from one file.
      if (!names_.insert(name).second) refuse(fmt::format("the key '{}' stands twice", shown(name)));
      in_metadata_ = name == "__metadata__";
      if (!in_metadata_) entries.emplace_back().name = name;
      if (entries.size() > kMaxTensors) refuse(fmt::format("more than {} tensors", kMaxTensors));
      return true;
    }
    if (!fields_.insert(name).second) refuse(fmt::format("the key '{}' stands twice", shown(name)));
    field_ = name;
    if (in_metadata_) return true;
    Entry& entry = entries.back();
    if (name == "dtype")
      entry.has_dtype = true;
    else if (name == "shape")
      entry.has_shape = true;
    else if (name == "data_offsets")
      entry.has_offsets = true;
    else
      refuse(fmt::format("'{}' has the unknown field '{}'", shown(entry.name), shown(name)));
    return true;
  }

  bool end_object() override {
    --depth_;
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata_ || in_array_ || field_ == "dtype") return unexpected("an array");
    in_array_ = true;
    ++depth_;
    return true;
  }

  // Only an entry's two lists are arrays, so none is within another.
  bool end_array() override {
    in_array_ = false;
    --depth_;
    return true;
  }

  bool parse_error(std::size_t place, const std::string&, const nlohmann::detail::exception&) override {
    refuse(fmt::format("the header is no JSON at its byte {}", place));
  }

 private:
  [[noreturn]] bool unexpected(std::string_view what) const {
    const std::string where = entries.empty() ? "" : fmt::format(" near '{}'", shown(entries.back().name));
    refuse(fmt::format("the header holds {} where none belongs{}", what, where));
  }

  int depth_ = 0;
  bool in_array_ = false, in_metadata_ = false;
  std::string field_;
  std::set<std::string> names_, fields_;
};

DType dtype_of(const Entry& entry) {
  // Newer types (floats of 8 bits, packed ones) are refused by name.
  constexpr std::pair<std::string_view, DType> names[] = {
      {"F64", DType::f64}, {"F32", DType::f32}, {"F16", DType::f16}, {"BF16", DType::bf16}, {"I64", DType::i64},
      {"I32", DType::i32}, {"I16", DType::i16}, {"I8", DType::i8},   {"U8", DType::u8},     {"BOOL", DType::boolean}};
  for (const auto& [name, dtype] : names)
    if (name == entry.dtype) return dtype;
  refuse(fmt::format("'{}' has the unknown dtype '{}'", shown(entry.name), entry.dtype.substr(0, 20)));
}

NamedTensor make_tensor(const Entry& entry, ByteView data, const Owner& owner) {
  // All three fields are required by the format.
  if (!entry.has_dtype || !entry.has_shape || entry.offsets.size() != 2)
    refuse(fmt::format("'{}' lacks its dtype, shape or data_offsets", shown(entry.name)));
  const DType dtype = dtype_of(entry);
  const std::uint64_t begin = entry.offsets[0], end = entry.offsets[1];
  if (begin > end || end > data.size())
    refuse(fmt::format("'{}' lies at {} to {} of {} bytes", shown(entry.name), begin, end, data.size()));
  const auto numel = static_cast<std::uint64_t>(checked_numel(entry.shape));
  // Division again, so that a shape whose product times the size overflows cannot match.
  if ((end - begin) % dtype_size(dtype) != 0 || (end - begin) / dtype_size(dtype) != numel)
    refuse(fmt::format("'{}' has {} bytes for {} x {}", shown(entry.name), end - begin, numel, entry.dtype));
  // A header has no structure, so a tensor's pointer is its name.
  std::string pointer;
  append_pointer(pointer, entry.name);
  return {entry.name,
          std::move(pointer),
          {dtype, entry.shape, contiguous_strides(entry.shape), 0, data.subspan(begin, end - begin), owner}};
}

void check_coverage(const std::vector<Entry>& entries, std::uint64_t size) {
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return entries[a].offsets < entries[b].offsets; });
  // Sorted by offset, each tensor must begin where the one before it ended: that excludes overlaps (a
  // tensor that changes with another) and holes (bytes hidden from every reader) at once.
  std::uint64_t covered = 0;
  for (const std::size_t i : order) {
    if (entries[i].offsets[0] != covered)
      refuse(fmt::format("'{}' begins at byte {} where {} is next: tensors overlap or leave a hole",
                         shown(entries[i].name), entries[i].offsets[0], covered));
    covered = entries[i].offsets[1];
  }
  if (covered != size) refuse(fmt::format("the tensors cover {} of {} bytes", covered, size));
}

}  // namespace

ContainerContents read_safetensors(ByteView bytes, const Owner& owner) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) refuse("the file is shorter than the length of its header");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeader || length > bytes.size() - sizeof length)
    refuse(fmt::format("the header claims {} bytes; the file has {}, and 100 MB is the most", length,
                       bytes.size() - sizeof length));
  const ByteView header = bytes.subspan(sizeof length, length), data = bytes.subspan(sizeof length + length);
  const auto* const text = reinterpret_cast<const char*>(header.data());
  if (length == 0 || text[0] != '{') refuse("the header doesn't begin with '{'");
  if (std::memchr(text, 0, length)) refuse("the header holds a NUL");  // which the JSON parser would take for the end
  HeaderReader reader;
  // Any fault throws from within the reader's events, so that the result is sound when this returns.
  Json::sax_parse(text, text + length, &reader);

  ContainerContents contents{Container::safetensors, {}, {}};
  contents.tensors.reserve(reader.entries.size());
  for (const Entry& entry : reader.entries) contents.tensors.push_back(make_tensor(entry, data, owner));
  check_coverage(reader.entries, data.size());
  return contents;
}

}  // namespace vise::networks

#include "datasets/mat.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"

// From the bytes up: Elements gives tagged data elements one after another, Reader makes arrays of matrix elements, and
// MatFile::parse() goes through a file's variables. The tables are those of "MAT-File Format".

namespace vise::datasets {
namespace {

// The header is 116 bytes of text, 8 of an offset, the version and two letters for the byte order. The others bound
// what a file may ask for.
constexpr std::size_t kHeader = 128, kMaxInflated = std::size_t{1} << 30, kMaxArrays = 20'000'000;
constexpr int kMaxDepth = 32;

// Table 1-1: types of data elements.
enum : std::uint32_t {
  kInt8 = 1,
  kUint8 = 2,
  kInt16 = 3,
  kUint16 = 4,
  kInt32 = 5,
  kUint32 = 6,
  kSingle = 7,
  kDouble = 9,
  kInt64 = 12,
  kUint64 = 13,
  kMatrix = 14,
  kCompressed = 15,
  kUtf8 = 16,
  kUtf16 = 17,
  kUtf32 = 18
};

// Table 1-3: classes of arrays.
enum : std::uint32_t { kCellClass = 1, kStructClass = 2, kCharClass = 4, kDoubleClass = 6, kUint64Class = 15 };

// A data element: its type and its bytes, the tag before them removed.
struct Element {
  std::uint32_t type = 0;
  ByteView data;
};

// By memcpy: elements begin at multiples of 8 in the file, but a mapped or inflated one may be anywhere in memory.
template <typename T>
T value_at(ByteView bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

// Data elements one after another; each is padded to 8 bytes but the compressed ones.
class Elements {
 public:
  Elements(ByteView bytes, const std::string& name) : rest_(bytes), name_(name) {}

  bool empty() const { return rest_.empty(); }

  Element next() {
    if (rest_.size() < 8) fail("ends within a tag");
    const auto first = value_at<std::uint32_t>(rest_, 0);
    // In the small format the upper half of the tag is the size, which is 0 in an ordinary tag
    // ("MAT-File Format", Small Data Element Format).
    if (first >> 16 != 0) return small(first & 0xFFFF, first >> 16);
    const std::size_t size = value_at<std::uint32_t>(rest_, 4);
    if (size > rest_.size() - 8) fail(fmt::format("an element of {} bytes passes the end", size));
    const Element element{first, rest_.subspan(8, size)};
    const std::size_t padded = first == kCompressed ? size : (size + 7) / 8 * 8;
    rest_ = rest_.subspan(std::min(rest_.size(), 8 + padded));
    return element;
  }

  Element next(std::uint32_t type, std::string_view what) {
    const Element element = next();
    // Some writers put names as UTF-8 and dimensions as unsigned numbers.
    const bool alike = (type == kInt8 && element.type == kUtf8) || (type == kInt32 && element.type == kUint32);
    if (element.type != type && !alike) fail(fmt::format("{} has type {}, not {}", what, element.type, type));
    return element;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::input, fmt::format("{}: is damaged: {}", name_, what));
  }

 private:
  // Up to 4 bytes are kept in the tag itself.
  Element small(std::uint32_t type, std::size_t size) {
    if (size > 4) fail(fmt::format("a small element of {} bytes", size));
    const Element element{type, rest_.subspan(4, size)};
    rest_ = rest_.subspan(8);
    return element;
  }

  ByteView rest_;
  const std::string& name_;
};

template <typename T>
void append_as(ByteView data, std::vector<double>& numbers) {
  for (std::size_t i = 0; i + sizeof(T) <= data.size(); i += sizeof(T))
    numbers.push_back(static_cast<double>(value_at<T>(data, i)));
}

// Matlab stores whole numbers as small as they fit, whatever the array's class.
std::vector<double> numbers_of(const Element& element, const Elements& where) {
  std::vector<double> numbers;
  switch (element.type) {
    case kInt8:
      append_as<std::int8_t>(element.data, numbers);
      break;
    case kUint8:
    case kUtf8:
      append_as<std::uint8_t>(element.data, numbers);
      break;
    case kInt16:
      append_as<std::int16_t>(element.data, numbers);
      break;
    case kUint16:
    case kUtf16:
      append_as<std::uint16_t>(element.data, numbers);
      break;
    case kInt32:
      append_as<std::int32_t>(element.data, numbers);
      break;
    case kUint32:
    case kUtf32:
      append_as<std::uint32_t>(element.data, numbers);
      break;
    case kSingle:
      append_as<float>(element.data, numbers);
      break;
    case kDouble:
      append_as<double>(element.data, numbers);
      break;
    case kInt64:
      append_as<std::int64_t>(element.data, numbers);
      break;
    case kUint64:
      append_as<std::uint64_t>(element.data, numbers);
      break;
    default:
      where.fail(fmt::format("numbers of type {}", element.type));
  }
  return numbers;
}

// Matlab writes texts as 16-bit codes, other programs as UTF-8. Both become UTF-8.
std::string text_of(const Element& element, const Elements& where) {
  if (element.type == kUtf8) {
    std::string text(reinterpret_cast<const char*>(element.data.data()), element.data.size());
    if (!is_utf8(text)) where.fail("a text is not UTF-8");
    return text;
  }
  std::string text;
  for (const double code : numbers_of(element, where)) {
    if (!(code >= 0 && code <= 0x10FFFF)) where.fail("a text holds what is no character");
    append_utf8(text, static_cast<std::uint32_t>(code));
  }
  return text;
}

// A name up to its padding of zeros.
std::string plain_name(ByteView data) {
  const std::string text(reinterpret_cast<const char*>(data.data()), data.size());
  return text.substr(0, text.find('\0'));
}

// Goes down into cells and structs. The count of arrays and the depth bound what a small damaged file can ask for.
class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  // A matrix element: its array, and its name where `name` isn't null.
  MatArray array(ByteView data, int depth, std::string* name) {
    Elements parts(data, name_);
    if (data.empty()) return {};  // an empty array within a cell or struct may be no more than its tag
    if (depth > kMaxDepth) parts.fail(fmt::format("is nested deeper than {}", kMaxDepth));
    if (++arrays_ > kMaxArrays) parts.fail(fmt::format("holds more than {} arrays", kMaxArrays));
    const Element flags = parts.next(kUint32, "an array's flags");
    if (flags.data.size() < 8) parts.fail("an array's flags are too short");
    // The lowest byte is the class, bit 11 the complex flag.
    const auto word = value_at<std::uint32_t>(flags.data, 0);
    MatArray array;
    read_shape(parts, array);
    const Element name_element = parts.next(kInt8, "an array's name");
    if (name) *name = plain_name(name_element.data);
    read_contents(parts, word & 0xFF, (word >> 11 & 1) != 0, depth, array);
    return array;
  }

 private:
  static void read_shape(Elements& parts, MatArray& array) {
    const Element shape = parts.next(kInt32, "an array's dimensions");
    for (std::size_t i = 0; i + 4 <= shape.data.size(); i += 4) {
      const auto edge = value_at<std::int32_t>(shape.data, i);
      if (edge < 0) parts.fail("a negative dimension");
      array.shape.push_back(static_cast<std::uint32_t>(edge));
    }
    if (array.shape.size() < 2 || array.shape.size() > 8) parts.fail("an array's dimensions are too few or too many");
    // Bounded here: cells and structs are read one by one after this number.
    if (array.size() > kMaxArrays) parts.fail(fmt::format("an array of {} elements", array.size()));
  }

  void read_contents(Elements& parts, std::uint32_t type, bool is_complex, int depth, MatArray& array) {
    if (type == kCharClass) {
      array.kind = MatArray::Kind::text;
      if (!parts.empty()) array.text = text_of(parts.next(), parts);
    } else if (type == kCellClass) {
      array.kind = MatArray::Kind::cells;
      read_items(parts, array.size(), depth, array);
    } else if (type == kStructClass) {
      array.kind = MatArray::Kind::structs;
      read_fields(parts, array);
      read_items(parts, array.size() * array.fields.size(), depth, array);
    } else if (type >= kDoubleClass && type <= kUint64Class && !is_complex) {
      // Classes 6 to 15 are numbers. An array of complex ones, whose imaginary parts would follow, is `other`.
      if (!parts.empty()) array.numbers = numbers_of(parts.next(), parts);
      if (array.numbers.size() != array.size())
        parts.fail(fmt::format("{} numbers in an array of {}", array.numbers.size(), array.size()));
    } else {
      array.kind = MatArray::Kind::other;
    }
  }

  // Names in slots of one length, padded with zeros.
  static void read_fields(Elements& parts, MatArray& array) {
    const Element length_element = parts.next(kInt32, "a struct's length of names");
    const std::int32_t length =
        length_element.data.size() >= 4 ? value_at<std::int32_t>(length_element.data, 0) : std::int32_t{0};
    const Element names = parts.next(kInt8, "a struct's names");
    if (length < 1 || length > 256) parts.fail("a struct's names have no sound length");
    const auto step = static_cast<std::size_t>(length);
    for (std::size_t i = 0; i + step <= names.data.size(); i += step)
      array.fields.push_back(plain_name(names.data.subspan(i, step)));
  }

  void read_items(Elements& parts, std::size_t count, int depth, MatArray& array) {
    if (count > kMaxArrays) parts.fail(fmt::format("{} items", count));
    for (std::size_t i = 0; i < count; ++i)
      // A struct array keeps all fields of its first element, then those of the second (see field()).
      array.items.push_back(this->array(parts.next(kMatrix, "an item").data, depth + 1, nullptr));
  }

  const std::string& name_;
  std::size_t arrays_ = 0;
};

// The bytes that a compressed element unpacks to.
std::vector<std::byte> inflate_element(ByteView data, const std::string& name) {
  std::vector<std::byte> out;
  z_stream stream{};
  if (::inflateInit(&stream) != Z_OK) throw Error(ErrorKind::system, "zlib cannot be started");
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  int status = Z_OK;
  while (status == Z_OK && out.size() < kMaxInflated) {
    const std::size_t before = out.size();
    // Doubled as it fills: the file doesn't say how long a variable is once it is unpacked.
    out.resize(std::min(kMaxInflated, std::max<std::size_t>(1 << 16, 2 * before)));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    status = ::inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    // The input is used up before the end of the data: no further call would get on.
    if (status == Z_BUF_ERROR && stream.avail_in == 0) break;
  }
  ::inflateEnd(&stream);
  if (status != Z_STREAM_END)
    throw Error(ErrorKind::input,
                out.size() >= kMaxInflated
                    ? fmt::format("{}: a variable unfolds to more than {}", name, bytes_text(kMaxInflated))
                    : fmt::format("{}: is damaged: a compressed variable does not unfold", name));
  return out;
}

}  // namespace

std::size_t MatArray::size() const {
  std::size_t product = 1;
  for (const std::uint32_t edge : shape) {
    if (edge != 0 && product > SIZE_MAX / edge) return SIZE_MAX;
    product *= edge;
  }
  return shape.empty() ? 0 : product;
}

const MatArray* MatArray::field(std::string_view name, std::size_t element) const {
  const auto found = std::find(fields.begin(), fields.end(), name);
  if (kind != Kind::structs || found == fields.end() || element >= size()) return nullptr;
  return &items[element * fields.size() + static_cast<std::size_t>(found - fields.begin())];
}

MatFile MatFile::read(const Path& path) {
  const MappedFile file(path);
  return parse(file.bytes(), path.string());
}

MatFile MatFile::parse(ByteView bytes, const std::string& name_for_messages) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kHeader));
  if (text.starts_with("MATLAB 7.3") || text.starts_with("\x89HDF"))
    throw Error(ErrorKind::input, fmt::format("{}: is a .mat file of version 7.3 (HDF5)", name_for_messages),
                "save it again with save(file, '-v7'), in Matlab or Octave");
  // Writers put the letters MI as one 16-bit number, which leaves IM in a little-endian file.
  if (bytes.size() < kHeader || text.substr(126, 2) != "IM")
    throw Error(ErrorKind::input, fmt::format("{}: is not a little-endian .mat file of level 5", name_for_messages));
  MatFile file;
  file.name_ = name_for_messages;
  Reader reader(file.name_);
  Elements elements(bytes.subspan(kHeader), file.name_);
  while (!elements.empty()) {
    Element element = elements.next();
    std::vector<std::byte> inflated;
    // A compressed element holds one whole element, tag included.
    if (element.type == kCompressed) {
      inflated = inflate_element(element.data, file.name_);
      element = Elements(inflated, file.name_).next();
    }
    // Elements of other types hold no variable.
    if (element.type != kMatrix) continue;
    std::string name;
    MatArray array = reader.array(element.data, 0, &name);
    file.variables_.insert_or_assign(std::move(name), std::move(array));
  }
  return file;
}

const MatArray& MatFile::variable(const std::string& name) const {
  const auto found = variables_.find(name);
  if (found != variables_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, array] : variables_) names.push_back(known);
  throw Error(ErrorKind::input, fmt::format("{}: has no variable '{}'", name_, name), suggest(name, names));
}

}  // namespace vise::datasets

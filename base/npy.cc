#include "base/npy.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/half.h"
#include "base/text.h"

namespace vise {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian, and values are mapped as they lie");

// The layout (numpy/lib/format.py, NEP 1): the magic, one byte each of major and minor version,
// the header's length in two bytes (version 1) or four (2 and 3), then a Python dict literal
// padded with blanks to a newline, then the values.
constexpr std::string_view kMagic = "\x93NUMPY";

// Bytes of a value; 0 for a type that is not read. Texts have their number of letters there: "U12", "S3".
std::size_t item_size(std::string_view type) {
  std::int64_t size = 0;
  // The bound keeps a text of absurd width from overflowing the products below; no array
  // of labels comes near it.
  if (type.size() < 2 || !parse_int(type.substr(1), size) || size <= 0 || size > 1'000'000) return 0;
  // numpy stores a U value as UCS-4: four bytes a letter, whatever the letter.
  if (type[0] == 'U') return static_cast<std::size_t>(size) * 4;
  return type[0] == 'S' || type.size() == 2 ? static_cast<std::size_t>(size) : 0;
}

// UTF-8 of one letter; false where it is none.
// numpy's U letters are UCS-4 and aren't checked by it: a surrogate or a number past U+10FFFF may be there.
bool append_letter(std::uint32_t letter, std::string& text) {
  if (letter > 0x10FFFF || (letter >= 0xD800 && letter < 0xE000)) return false;
  const auto tail = [&](unsigned shift) { text += static_cast<char>(0x80 | (letter >> shift & 0x3F)); };
  if (letter < 0x80) {
    text += static_cast<char>(letter);
  } else if (letter < 0x800) {
    text += static_cast<char>(0xC0 | letter >> 6);
    tail(0);
  } else if (letter < 0x10000) {
    text += static_cast<char>(0xE0 | letter >> 12);
    tail(6), tail(0);
  } else {
    text += static_cast<char>(0xF0 | letter >> 18);
    tail(12), tail(6), tail(0);
  }
  return true;
}

// A reader for the header's Python dict literal, which numpy always writes with these three keys.
// It accepts the subset that numpy's own writer emits, not Python: the format's specification lets a reader
// rely on literal strings, booleans and integers alone, and numpy reads it with ast.literal_eval, never eval.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, std::string_view name) : rest_(text), name_(name) {}

  void read(std::string& descr, bool& fortran, std::vector<std::uint64_t>& shape) {
    bool seen[3] = {};
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr") {
        descr = quoted();
        seen[0] = true;
      } else if (key == "fortran_order") {
        fortran = boolean();
        seen[1] = true;
      } else if (key == "shape") {
        shape = tuple();
        seen[2] = true;
      } else {
        fail();
      }
      accept(',');
    }
    // The specification demands exactly these three keys; a fourth one already failed above.
    if (!seen[0] || !seen[1] || !seen[2]) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(ErrorKind::input, fmt::format("{}: its .npy header is damaged or of a type that is not read", name_),
                "save a plain C-order array: numpy.save(file, numpy.ascontiguousarray(x))");
  }
  // Blanks between tokens are what numpy's own writer puts there; no other white space occurs.
  bool accept(char c) {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  // A text in single quotes, as numpy writes all of them.
  std::string quoted() {
    expect('\'');
    // No escape can occur: the quoted texts are key names and type codes. A structured type
    // begins with '[' and fails at the quote.
    const auto end = rest_.find('\'');
    if (end == std::string_view::npos) fail();
    const std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }
  // True or False, with the capital that Python has.
  bool boolean() {
    accept(' ');
    for (const auto& [word, value] : {std::pair{std::string_view("True"), true}, {std::string_view("False"), false}})
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        return value;
      }
    fail();
  }
  // "(3, 4)", "(3,)" or "()", which is an array of no dimension and one value.
  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> values;
    expect('(');
    while (!accept(')')) {
      accept(' ');
      const auto end = rest_.find_first_not_of("0123456789");
      std::int64_t value = 0;
      // Eight dimensions bound what a hostile header can make us keep.
      if (end == std::string_view::npos || end == 0 || values.size() == 8 || !parse_int(rest_.substr(0, end), value))
        fail();
      values.push_back(static_cast<std::uint64_t>(value));
      rest_.remove_prefix(end);
      accept(',');
    }
    return values;
  }

  std::string_view rest_, name_;
};

std::uint64_t product(std::span<const std::uint64_t> shape, std::string_view name) {
  std::uint64_t size = 1;
  for (const std::uint64_t n : shape)
    // A product that wraps around could equal the file's size by chance, and a view would
    // then reach past the map.
    if (__builtin_mul_overflow(size, n, &size))
      throw Error(ErrorKind::input, fmt::format("{}: its shape overflows", name));
  return size;
}

template <typename T>
std::vector<double> to_doubles_from(ByteView data) {
  std::vector<double> values(data.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    // The values start where the header happens to end, which version 1 files of old numpy aligned to 16
    // bytes only, and an array given as bytes need not be aligned at all: memcpy, never a cast.
    T value;
    std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
  return values;
}

template <typename T>
// The whole file at once; arrays that grow are written by the feature store (extract/features/store.h).
void write(const Path& path, std::string_view type, std::span<const T> values, std::span<const std::uint64_t> shape) {
  if (product(shape, path.string()) != values.size()) throw std::logic_error("write_npy: shape and values disagree");
  AtomicFile file(path);
  file.write(npy_header(type, shape));
  file.write(std::as_bytes(values));
  file.commit();
}

}  // namespace

NpyArray NpyArray::parse(ByteView bytes, std::string_view name) {
  const auto fail = [&](std::string_view why, std::string hint = {}) {
    throw Error(ErrorKind::input, fmt::format("{}: {}", name, why), std::move(hint));
  };
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  // numpy.savez and numpy.save differ by one letter, so this is the most frequent wrong file.
  if (text.starts_with("PK\x03\x04"))
    fail("is an .npz, a zip of several arrays", "save one of them: numpy.save('x.npy', numpy.load('x.npz')['NAME'])");
  if (!text.starts_with(kMagic) || text.size() < 12) fail("is not an .npy file");
  const unsigned major = static_cast<unsigned char>(text[6]);
  if (major < 1 || major > 3) fail(fmt::format(".npy format {} is not known", major));
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  std::uint32_t length = 0;
  // Little-endian; of version 1 the upper two bytes stay 0.
  std::memcpy(&length, text.data() + 8, length_bytes);
  const std::size_t start = 8 + length_bytes;
  // From here on `start + length` is inside the file; nothing was allocated for a length
  // that a damaged file claims.
  if (length > text.size() - start) fail("its .npy header is cut off");

  NpyArray array;
  array.name_ = name;
  std::string descr;
  bool fortran = false;
  HeaderReader(text.substr(start, length), name).read(descr, fortran, array.shape_);
  if (fortran) fail("is in Fortran order; save numpy.ascontiguousarray(x)");
  // The native order is asserted above, so big-endian values would have to be swapped into
  // a copy; the hint makes numpy do it once.
  if (descr.starts_with('>'))
    fail(fmt::format("holds type '{}', which is not read: its bytes are big-endian", descr),
         fmt::format("save x.astype('<{}')", descr.substr(1)));
  // numpy pickles object arrays, and unpickling them runs code.
  if (descr == "|O")
    fail("holds type '|O', which is not read: Python objects are a pickle",
         "save text or numbers: numpy.save(file, numpy.array(x.tolist()))");
  if (descr.size() < 3 || std::string_view("<|").find(descr[0]) == std::string_view::npos)
    fail(fmt::format("holds type '{}', which is not read", descr));
  array.type_ = descr.substr(1);
  const std::size_t item = item_size(array.type_);
  std::uint64_t need = 0;
  if (item == 0 || __builtin_mul_overflow(product(array.shape_, name), item, &need))
    fail("its type or shape is not read");
  array.data_ = bytes.subspan(start + length);
  // Exactly: a file that is longer was appended to or holds another array, and a shorter one was cut off.
  if (array.data_.size() != need)
    fail(fmt::format("holds {} bytes of values, but its header promises {}", array.data_.size(), need));
  return array;
}

NpyArray NpyArray::open(const Path& path) {
  // Shared, because an NpyArray is copied as a value while its spans point into one map.
  auto map = std::make_shared<const MappedFile>(path);
  NpyArray array = parse(map->bytes(), path.string());
  array.map_ = std::move(map);
  return array;
}

std::uint64_t NpyArray::size() const { return product(shape_, name_); }

void NpyArray::expect(std::string_view type) const {
  if (type_ != type)
    throw Error(ErrorKind::input, fmt::format("{}: holds values of type {}, where {} is needed", name_, type_, type));
}

template <typename T>
std::span<const T> NpyArray::as() const {
  if constexpr (std::is_same_v<T, float>)
    expect("f4");
  else if constexpr (std::is_same_v<T, double>)
    expect("f8");
  else if constexpr (std::is_same_v<T, std::int64_t>)
    expect("i8");
  else if constexpr (std::is_same_v<T, std::int32_t>)
    expect("i4");
  else
    expect("u1");
  // A span of misaligned floats is undefined behaviour. Files of numpy 1.14 and later, and
  // ours, start their values at a multiple of 64.
  if (reinterpret_cast<std::uintptr_t>(data_.data()) % alignof(T) != 0)
    throw Error(ErrorKind::input, fmt::format("{}: its values are not aligned", name_));
  return {reinterpret_cast<const T*>(data_.data()), data_.size() / sizeof(T)};
}

template std::span<const float> NpyArray::as<float>() const;
template std::span<const double> NpyArray::as<double>() const;
template std::span<const std::int64_t> NpyArray::as<std::int64_t>() const;
template std::span<const std::int32_t> NpyArray::as<std::int32_t>() const;
template std::span<const std::uint8_t> NpyArray::as<std::uint8_t>() const;

// Integers past 2^53 lose their last bits, which no label or feature has.
std::vector<double> NpyArray::to_doubles() const {
  if (type_ == "f8") return to_doubles_from<double>(data_);
  if (type_ == "f4") return to_doubles_from<float>(data_);
  if (type_ == "i8") return to_doubles_from<std::int64_t>(data_);
  if (type_ == "i4") return to_doubles_from<std::int32_t>(data_);
  if (type_ == "i2") return to_doubles_from<std::int16_t>(data_);
  if (type_ == "i1") return to_doubles_from<std::int8_t>(data_);
  if (type_ == "u1" || type_ == "b1") return to_doubles_from<std::uint8_t>(data_);
  if (type_ == "u2") return to_doubles_from<std::uint16_t>(data_);
  if (type_ == "u4") return to_doubles_from<std::uint32_t>(data_);
  if (type_ == "u8") return to_doubles_from<std::uint64_t>(data_);
  if (is_text())
    throw Error(ErrorKind::input, fmt::format("{}: holds text (<{}), where numbers are needed", name_, type_),
                "text labels are for --target classes; features are numbers");
  if (type_ != "f2") throw Error(ErrorKind::input, fmt::format("{}: type {} is not a number", name_, type_));
  // C++20 has no half type, so f2 goes through its bits.
  std::vector<double> values(data_.size() / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t half;
    std::memcpy(&half, data_.data() + 2 * i, 2);
    values[i] = half_to_float(half);
  }
  return values;
}

std::vector<std::string> NpyArray::to_texts() const {
  if (!is_text()) throw Error(ErrorKind::input, fmt::format("{}: holds type {}, where text is needed", name_, type_));
  const std::size_t item = item_size(type_);
  std::vector<std::string> texts(size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::byte* const begin = data_.data() + i * item;
    if (type_[0] == 'S') {
      texts[i].assign(reinterpret_cast<const char*>(begin), item);
      // numpy pads fixed-width texts with zeros and strips them on reading; a text that ends
      // in a NUL looks the same as a shorter one.
      texts[i].resize(texts[i].find_last_not_of('\0') + 1);
      continue;
    }
    std::vector<std::uint32_t> letters(item / 4);
    std::memcpy(letters.data(), begin, item);
    while (!letters.empty() && letters.back() == 0) letters.pop_back();
    for (const std::uint32_t letter : letters)
      if (!append_letter(letter, texts[i]))
        throw Error(ErrorKind::input, fmt::format("{}: value {} has a letter that is none", name_, i));
  }
  return texts;
}

// Version 1 throughout, which every reader knows: a header of a few numbers stays far below its 65,535 bytes.
std::string npy_header(std::string_view type, std::span<const std::uint64_t> shape, std::size_t min_bytes) {
  const char order = item_size(type) == 1 ? '|' : '<';
  std::string dict = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}", order, type,
                                 fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  // 10 bytes precede the dict (magic, version, a two-byte length) and a newline ends it. numpy
  // 1.14 and later pad to 64 so that mapped values are aligned for vector instructions; `min_bytes`
  // leaves room beyond that for a first dimension that gets more digits.
  std::size_t total = (10 + dict.size() + 1 + 63) / 64 * 64;
  if (total < min_bytes) total = (min_bytes + 63) / 64 * 64;
  dict.resize(total - 11, ' ');
  const auto length = static_cast<std::uint16_t>(total - 10);
  std::string header(kMagic);
  header += '\x01';
  header += '\x00';
  header += static_cast<char>(length & 255);
  header += static_cast<char>(length >> 8);
  return header + dict + '\n';
}

void write_npy(const Path& path, std::span<const float> values, std::vector<std::uint64_t> shape) {
  write(path, "f4", values, shape);
}
void write_npy(const Path& path, std::span<const double> values, std::vector<std::uint64_t> shape) {
  write(path, "f8", values, shape);
}
void write_npy(const Path& path, std::span<const std::int64_t> values, std::vector<std::uint64_t> shape) {
  write(path, "i8", values, shape);
}

}  // namespace vise

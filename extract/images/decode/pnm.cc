// PBM, PGM and PPM, binary and plain, as PpmImagePlugin.py reads them. Samples of other than 8 bits are scaled with
// Python's round(), halves to even; 16-bit grey ends up clipped to 255.
#include <cmath>
#include <cstring>
#include <optional>

#include "extract/images/decode/codec.h"

namespace vise::images {
namespace {

constexpr std::size_t kBlock = 1 << 20;  // ImageFile.SAFEBLOCK: plain files are read in such pieces
// PpmImagePlugin's bound on a number's characters, in the header and among plain samples.
constexpr std::size_t kMaxToken = 10;

// The characters of Python's bytes.isspace().
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Python's int(): an optional sign, digits, single underscores between digits.
// Called with at most kMaxToken characters, so the value can't overflow.
std::optional<std::int64_t> python_int(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  bool digit_before = false;
  for (const char c : text) {
    if (c == '_' && digit_before) {
      digit_before = false;
    } else if (c >= '0' && c <= '9') {
      value = value * 10 + (c - '0');
      digit_before = true;
    } else {
      return std::nullopt;
    }
  }
  if (!digit_before) return std::nullopt;
  return negative ? -value : value;
}

struct Header {
  int kind = 0;  // the digit of P1 .. P6
  std::uint64_t width = 0, height = 0;
  int most = 1;
  std::size_t data = 0;

  bool plain() const { return kind <= 3; }
  std::size_t bands() const { return kind % 3 == 0 ? 3 : 1; }
  bool bitmap() const { return kind % 3 == 1; }
  bool wide_grey() const { return kind % 3 == 2 && most > 255; }  // Pillow's mode I
  std::string mode() const { return bitmap() ? "1" : bands() == 3 ? "RGB" : most > 255 ? "I" : "L"; }
  // A sample as Pillow scales it, then as convert("RGB") clips it.
  std::uint8_t scale(std::int64_t value) const {
    const int out_most = wide_grey() ? 65535 : 255;
    // In this order: value / most * 255 in Python rounds otherwise than value * 255 / most.
    const double scaled = std::nearbyint(static_cast<double>(value) / most * out_most);
    // A plain file's numbers may have a sign; Pillow's o8() then keeps the low eight bits.
    if (!wide_grey() && scaled < 0) return static_cast<std::uint8_t>(static_cast<std::int64_t>(scaled));  // & 255
    return static_cast<std::uint8_t>(std::min(scaled, 255.0));
  }
};

std::string token(const Source& source, Cursor& cursor) {
  std::string text;
  // Reading stops at the eleventh character: Pillow refuses such a token, and a header
  // cannot make us read on.
  while (text.size() <= kMaxToken && cursor.left()) {
    const char c = static_cast<char>(cursor.u8());
    if (is_blank(c)) {
      if (text.empty()) continue;
      break;
    }
    if (c == '#') {
      // A comment inside a number does not end it: "1#x\n2" is 12.
      for (char skipped = c; skipped != '\r' && skipped != '\n' && cursor.left();)
        skipped = static_cast<char>(cursor.u8());
      continue;
    }
    text += c;
  }
  if (text.empty()) source.refuse("the header is cut short");
  if (text.size() > kMaxToken) source.refuse("a number in the header is too long");
  return text;
}

std::int64_t header_number(const Source& source, Cursor& cursor) {
  const auto number = python_int(token(source, cursor));
  if (!number) source.refuse("the header holds something that is no number");
  return *number;
}

Header read_header(const Source& source) {
  Cursor cursor(source, 1);
  Header header;
  header.kind = cursor.u8() - '0';
  // The magic number ends at a blank: "P62" is none.
  if (header.kind < 1 || header.kind > 6 || (cursor.left() && !is_blank(static_cast<char>(cursor.u8())))) {
    source.refuse("not a PBM, PGM or PPM file", "convert it to PNG or JPEG");
  }
  const std::int64_t width = header_number(source, cursor), height = header_number(source, cursor);
  if (width <= 0 || height <= 0) source.refuse("the picture has no pixels");
  header.width = static_cast<std::uint64_t>(width);
  header.height = static_cast<std::uint64_t>(height);
  // A bitmap's header has no largest value.
  if (!header.bitmap()) {
    const std::int64_t most = header_number(source, cursor);
    if (most < 1 || most > 65535) source.refuse("the largest value must be 1 to 65535");
    header.most = static_cast<int>(most);
  }
  // token() took the one blank behind the last number. In a binary file a second one is data.
  header.data = cursor.tell();
  source.check_size(header.width, header.height);
  return header;
}

// One grey value, or three.
void put(Image& image, std::size_t sample, std::size_t bands, std::uint8_t value) {
  if (bands == 3) {
    image.pixels[sample] = value;
  } else {
    std::memset(&image.pixels[sample * 3], value, 3);
  }
}

void decode_binary(const Source& source, const Header& header, Image& image) {
  const std::size_t pixels = std::size_t{image.width} * image.height, samples = pixels * header.bands();
  // PBM rows are padded to whole bytes; samples above 255 take two bytes, the high one first.
  const std::size_t row = (std::size_t{image.width} + 7) / 8, width = header.most > 255 ? 2 : 1;
  const ByteView data = Cursor(source, header.data).take(header.bitmap() ? row * image.height : samples * width);
  if (header.bitmap()) {
    for (std::size_t i = 0; i < pixels; ++i) {
      const std::size_t x = i % image.width;
      const int bit = Cursor::byte(data, i / image.width * row + x / 8) >> (7 - x % 8) & 1;
      // In a PBM 1 is black.
      put(image, i, 1, bit ? 0 : 255);
    }
    return;
  }
  // Every possible value is scaled once: a picture has more samples than that.
  std::vector<std::uint8_t> table(std::size_t{width == 1 ? 256u : 65536u});
  for (std::size_t v = 0; v < table.size(); ++v) table[v] = header.scale(static_cast<std::int64_t>(v));
  for (std::size_t i = 0; i < samples; ++i) {
    const std::size_t value = width == 1 ? Cursor::byte(data, i) : Cursor::be16(data, i * 2);
    put(image, i, header.bands(), table[value]);
  }
}

// Plain samples come in blocks of 1 MB, because that shows in what Pillow makes of them: the last word of a block
// without a blank behind it is put before the next block, and before every later one that ends in a blank; at the end
// of the file it is repeated as often as samples are missing.
class PlainBlocks {
 public:
  PlainBlocks(const Source& source, const Header& header) : cursor_(source, header.data) {}

  // The next block without its comments; nothing at the end.
  std::optional<std::string> next() {
    const ByteView bytes = cursor_.read(kBlock);
    if (bytes.empty()) return std::nullopt;
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const char c = static_cast<char>(Cursor::byte(bytes, i));
      if (in_comment_) {
        in_comment_ = c != '\n' && c != '\r';
      } else if (c == '#') {
        in_comment_ = true;
      } else {
        text += c;
      }
    }
    return text;
  }

 private:
  Cursor cursor_;
  bool in_comment_ = false;
};

void decode_plain_bits(const Source& source, const Header& header, Image& image) {
  PlainBlocks blocks(source, header);
  const std::size_t pixels = std::size_t{image.width} * image.height;
  for (std::size_t done = 0; done < pixels;) {
    const auto block = blocks.next();
    if (!block) source.refuse("the picture is cut short");
    // To the block's end although the picture may be full, as _decode_bitonal() does.
    for (const char c : *block) {
      if (is_blank(c)) continue;
      if (c != '0' && c != '1') source.refuse("a plain bitmap holds something other than 0 and 1");
      if (done < pixels) put(image, done++, 1, c == '0' ? 255 : 0);
    }
  }
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  for (std::size_t at = 0; at < text.size();) {
    if (is_blank(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && !is_blank(text[end])) ++end;
    found.push_back(text.substr(at, end - at));
    at = end;
  }
  return found;
}

std::uint8_t plain_sample(const Source& source, const Header& header, std::string_view word) {
  if (word.size() > kMaxToken) source.refuse("a number is too long");
  const auto value = python_int(word);
  // 16-bit grey is packed as unsigned 32-bit numbers, for which Pillow fails at a negative one.
  if (!value || (*value < 0 && header.wide_grey())) source.refuse("there is something that is no number");
  if (*value > header.most) source.refuse("a value is above the largest one that the header gives");
  return header.scale(*value);
}

void decode_plain(const Source& source, const Header& header, Image& image) {
  PlainBlocks blocks(source, header);
  const std::size_t samples = std::size_t{image.width} * image.height * header.bands();
  std::string half;  // the last word of a block that ended without a blank
  for (std::size_t done = 0; done < samples;) {
    const auto block = blocks.next();
    if (!block && half.empty()) source.refuse("the picture is cut short");
    if (!block) {
      const std::uint8_t last = plain_sample(source, header, half);
      while (done < samples) put(image, done++, header.bands(), last);
      return;
    }
    const std::string text = half + *block;
    auto found = words(text);
    if (!text.empty() && !is_blank(text.back())) {
      half = found.back();
      found.pop_back();
      if (half.size() > kMaxToken) source.refuse("a number is too long");
    }
    for (std::size_t i = 0; i < found.size() && done < samples; ++i) {
      put(image, done++, header.bands(), plain_sample(source, header, found[i]));
    }
  }
}

}  // namespace

ImageHeader pnm_header(const Source& source) {
  const Header header = read_header(source);
  return {ImageFormat::pnm, header.mode(), static_cast<std::uint32_t>(header.width),
          static_cast<std::uint32_t>(header.height), std::nullopt};
}

Image decode_pnm(const Source& source) {
  const Header header = read_header(source);
  Image image = source.make_image(header.width, header.height);
  if (!header.plain()) {
    decode_binary(source, header, image);
  } else if (header.bitmap()) {
    decode_plain_bits(source, header, image);
  } else {
    decode_plain(source, header, image);
  }
  return image;
}

}  // namespace vise::images

// Windows and OS/2 bitmaps, as BmpImagePlugin.py reads them: 1, 4, 8, 16, 24 and 32 bits, RLE, and the bit fields that
// it knows. A palette that is a plain grey ramp makes the samples themselves the grey values.
#include <array>
#include <cstring>

#include "extract/images/decode/codec.h"

namespace vise::images {
namespace {

enum Compression : std::uint32_t { kRaw = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3 };

// How a pixel is stored.
// The letters are in the order of the bytes in the file (of 16 bits: from the lowest on); x is skipped. In bits1 and
// grey8 the samples themselves are the grey values.
enum class Layout { bits1, index1, index4, index8, grey8, bgr555, bgr565, bgr, bgrx, xbgr, rgba };

struct Bitmap {
  std::uint64_t width = 0, height = 0;
  bool top_down = false;
  std::uint32_t bits = 0, compression = kRaw;
  std::uint64_t colours = 0;
  std::string_view mode;
  Layout layout = Layout::bgr;
  std::array<std::array<std::uint8_t, 3>, 256> palette{};
  // Pillow opens such a file and fails when it loads the palette, so only decode_bmp() refuses it.
  bool palette_too_large = false;
  std::uint64_t data = 0;
};

class Opening {
 public:
  explicit Opening(const Source& source) : source_(source), cursor_(source, 10) {
    // The file header: "BM", the size, four reserved bytes, and at 10 where the pixels begin.
    // Size and reserved bytes are not looked at, as in Pillow.
    std::uint64_t offset = cursor_.u32le();
    const std::uint32_t header_size = cursor_.u32le();
    header(header_size);
    // Numbers up to 65535 come here. layout() refuses the unknown ones; until then the shift must be defined.
    if (!bitmap_.colours) bitmap_.colours = bitmap_.bits < 63 ? std::uint64_t{1} << bitmap_.bits : UINT64_MAX;
    // Some writers let the pixels begin directly behind the header although a palette is
    // there; Pillow adds the palette's length.
    if (offset == 14 + std::uint64_t{header_size} && bitmap_.bits <= 8) offset += 4 * bitmap_.colours;
    layout();
    if (bitmap_.mode == "P") palette();
    // An offset of 0 means: directly behind what has been read, hence after the palette.
    bitmap_.data = offset ? offset : cursor_.tell();
    source.check_size(bitmap_.width, bitmap_.height);
  }

  const Bitmap& bitmap() const { return bitmap_; }

 private:
  void header(std::uint32_t size) {
    // The header's length tells its version: 12 is OS/2's, 40 Windows 3's, 64 OS/2 2's,
    // 108 and 124 Windows' V4 and V5.
    if (size != 12 && size != 40 && size != 64 && size != 108 && size != 124) {
      source_.refuse("the BMP's header is of an unknown kind");
    }
    const ByteView body = cursor_.take(size - 4);
    if (size == 12) {
      // OS/2 1 has sides of 16 bits without a sign, no compression, and palette entries without a fourth byte.
      bitmap_.width = Cursor::le16(body, 0);
      bitmap_.height = Cursor::le16(body, 2);
      bitmap_.bits = Cursor::le16(body, 6);
      entry_bytes_ = 3;
      return;
    }
    // A negative height means that the rows are stored from the top; Pillow looks at the
    // sign's byte and takes the complement.
    bitmap_.top_down = Cursor::byte(body, 7) == 0xff;
    bitmap_.width = Cursor::le32(body, 0);
    const std::uint64_t height = Cursor::le32(body, 4);
    bitmap_.height = bitmap_.top_down ? (std::uint64_t{1} << 32) - height : height;
    bitmap_.bits = Cursor::le16(body, 10);
    bitmap_.compression = Cursor::le32(body, 12);
    bitmap_.colours = Cursor::le32(body, 28);
    if (bitmap_.compression != kBitFields) return;
    for (std::size_t i = 0; i < 4; ++i) {
      // V4 and V5 have the masks within the header. Pillow looks there in OS/2 2's too, against the format.
      if (size > 40) masks_[i] = Cursor::le32(body, 36 + i * 4);
      // Version 3 puts the masks behind the header, and has none for alpha.
      if (size == 40 && i < 3) masks_[i] = cursor_.u32le();
    }
  }

  void layout() {
    switch (bitmap_.bits) {
      case 1:
        set("P", Layout::index1);
        break;
      case 4:
        set("P", Layout::index4);
        break;
      case 8:
        set("P", Layout::index8);
        break;
      // Without bit fields 16 bits are five a colour and one unused, and the fourth byte of 32 bits is no alpha.
      case 16:
        set("RGB", Layout::bgr555);
        break;
      case 24:
        set("RGB", Layout::bgr);
        break;
      case 32:
        set("RGB", Layout::bgrx);
        break;
      default:
        source_.refuse("the BMP has an unknown number of bits a pixel");
    }
    if (bitmap_.compression == kBitFields) return bit_fields();
    if (bitmap_.compression > kBitFields) source_.refuse("the BMP is compressed in a way that is not read");
  }

  void set(std::string_view mode, Layout layout) {
    bitmap_.mode = mode;
    bitmap_.layout = layout;
  }

  void bit_fields() {
    struct Known {
      std::uint32_t bits;
      std::array<std::uint32_t, 4> masks;  // the fourth counts with 32 bits only
      std::string_view mode;
      Layout layout;
    };
    // The combinations that BmpImagePlugin.py knows (SUPPORTED, MASK_MODES); it refuses
    // every other, so these do too.
    static constexpr Known known[] = {
        {32, {0xff0000, 0xff00, 0xff, 0}, "RGB", Layout::bgrx},
        {32, {0xff000000, 0xff0000, 0xff00, 0}, "RGB", Layout::xbgr},
        {32, {0xff000000, 0xff0000, 0xff00, 0xff}, "RGBA", Layout::xbgr},
        {32, {0xff, 0xff00, 0xff0000, 0xff000000}, "RGBA", Layout::rgba},
        {32, {0xff0000, 0xff00, 0xff, 0xff000000}, "RGBA", Layout::bgrx},
        // Masks that a writer left at zero stand for the usual order.
        {32, {0, 0, 0, 0}, "RGBA", Layout::bgrx},
        {24, {0xff0000, 0xff00, 0xff, 0}, "RGB", Layout::bgr},
        {16, {0xf800, 0x7e0, 0x1f, 0}, "RGB", Layout::bgr565},
        {16, {0x7c00, 0x3e0, 0x1f, 0}, "RGB", Layout::bgr555},
    };
    for (const Known& k : known) {
      const bool same = std::equal(masks_.begin(), masks_.begin() + (k.bits == 32 ? 4 : 3), k.masks.begin());
      if (k.bits == bitmap_.bits && same) return set(k.mode, k.layout);
    }
    source_.refuse("the BMP's bit fields are not read");
  }

  void palette() {
    // Pillow's bound (2 to 65536 colours), before the palette is allocated.
    if (bitmap_.colours > 65536) source_.refuse("the BMP's palette is too large");
    const auto colours = static_cast<std::size_t>(bitmap_.colours);
    const ByteView entries = cursor_.read(colours * entry_bytes_);
    if (is_grey(entries, colours)) {
      if (colours == 2) {
        set("1", Layout::bits1);
      } else {
        set("L", Layout::grey8);
      }
      return;
    }
    bitmap_.palette_too_large = entries.size() / entry_bytes_ > 256;
    for (std::size_t i = 0; i < 256; ++i) {
      // An index past the palette is the grey of its number, as Pillow's new palettes begin.
      bitmap_.palette[i].fill(static_cast<std::uint8_t>(i));
      const std::size_t at = i * entry_bytes_;
      if (at + entry_bytes_ > entries.size()) continue;
      for (std::size_t c = 0; c < 3; ++c) bitmap_.palette[i][c] = Cursor::byte(entries, at + 2 - c);
    }
  }

  // Black and white, or 0, 1, 2 and so on, which wraps after 255 as o8() does. A palette that ends early is no ramp.
  bool is_grey(ByteView entries, std::size_t colours) const {
    for (std::size_t i = 0; i < colours; ++i) {
      const auto value = static_cast<std::uint8_t>(colours == 2 ? i * 255 : i);
      for (std::size_t c = 0; c < 3; ++c) {
        const std::size_t at = i * entry_bytes_ + c;
        if (at >= entries.size() || Cursor::byte(entries, at) != value) return false;
      }
    }
    return true;
  }

  const Source& source_;
  Cursor cursor_;
  Bitmap bitmap_;
  std::size_t entry_bytes_ = 4;
  std::array<std::uint32_t, 4> masks_{};
};

std::size_t stored_bits(Layout layout) {
  switch (layout) {
    case Layout::bits1:
    case Layout::index1:
      return 1;
    case Layout::index4:
      return 4;
    case Layout::index8:
    case Layout::grey8:
      return 8;
    case Layout::bgr555:
    case Layout::bgr565:
      return 16;
    case Layout::bgr:
      return 24;
    default:
      return 32;
  }
}

void unpack_16(const std::uint8_t* in, Layout layout, std::uint8_t* rgb) {
  const int pixel = in[0] | in[1] << 8, green_bits = layout == Layout::bgr565 ? 6 : 5;
  const int green_most = (1 << green_bits) - 1;
  // Pillow's Unpack.c: value * 255 / 31, an integer division, where others repeat the upper bits.
  rgb[0] = static_cast<std::uint8_t>((pixel >> (5 + green_bits) & 31) * 255 / 31);
  rgb[1] = static_cast<std::uint8_t>((pixel >> 5 & green_most) * 255 / green_most);
  rgb[2] = static_cast<std::uint8_t>((pixel & 31) * 255 / 31);
}

void unpack(const Bitmap& bitmap, const std::uint8_t* row, std::size_t x, std::uint8_t* rgb) {
  const auto pick = [&](const std::uint8_t* in, int r, int g, int b) {
    rgb[0] = in[r];
    rgb[1] = in[g];
    rgb[2] = in[b];
  };
  // The leftmost pixel is the highest bit.
  const int bit = row[x / 8] >> (7 - x % 8) & 1;
  switch (bitmap.layout) {
    case Layout::bits1:
      std::memset(rgb, bit ? 255 : 0, 3);
      break;
    case Layout::index1:
      std::memcpy(rgb, bitmap.palette[static_cast<std::size_t>(bit)].data(), 3);
      break;
    case Layout::index4:
      std::memcpy(rgb, bitmap.palette[row[x / 2] >> (x % 2 ? 0 : 4) & 15].data(), 3);
      break;
    case Layout::index8:
      std::memcpy(rgb, bitmap.palette[row[x]].data(), 3);
      break;
    case Layout::grey8:
      std::memset(rgb, row[x], 3);
      break;
    case Layout::bgr555:
    case Layout::bgr565:
      unpack_16(row + x * 2, bitmap.layout, rgb);
      break;
    case Layout::bgr:
      pick(row + x * 3, 2, 1, 0);
      break;
    case Layout::bgrx:
      pick(row + x * 4, 2, 1, 0);
      break;
    case Layout::xbgr:
      pick(row + x * 4, 3, 2, 1);
      break;
    case Layout::rgba:
      pick(row + x * 4, 0, 1, 2);
      break;
  }
}

// Rows of `stride` bytes in the file's order to the picture; the last row's padding may be missing.
void unpack_rows(const Source& source, const Bitmap& bitmap, ByteView data, std::size_t stride, Image& image) {
  const std::size_t row_bytes = (image.width * stored_bits(bitmap.layout) + 7) / 8;
  if (stride < row_bytes) source.refuse("the BMP's rows are shorter than its pixels");
  if (data.size() < stride * (image.height - 1) + row_bytes) source.refuse("the BMP is cut short");
  const auto* rows = reinterpret_cast<const std::uint8_t*>(data.data());
  for (std::size_t y = 0; y < image.height; ++y) {
    // A bitmap's first row is the lowest unless the header says otherwise.
    std::uint8_t* out = image.pixels.data() + (bitmap.top_down ? y : image.height - 1 - y) * image.width * 3;
    for (std::size_t x = 0; x < image.width; ++x, out += 3) unpack(bitmap, rows + y * stride, x, out);
  }
}

// RLE to one byte a pixel. Runs are cut at the row's end and literals are not, as in Pillow's BmpRleDecoder.
// Pairs of bytes: a count and its value, or 0 and an escape: 0 ends the row, 1 the bitmap, 2 is a jump by (right, up),
// any other the number of literal pixels that follow (BI_RLE8 and BI_RLE4 of the Windows format).
class Rle {
 public:
  Rle(const Source& source, const Bitmap& bitmap, std::size_t width, std::size_t height)
      : cursor_(source, static_cast<std::size_t>(bitmap.data)),
        four_(bitmap.compression == kRle4),
        width_(width),
        wanted_(width * height) {
    while (indices_.size() < wanted_ && step()) {
    }
  }

  ByteView indices() const { return std::as_bytes(std::span(indices_)); }

 private:
  // False at the end of the bitmap or of the file.
  bool step() {
    if (cursor_.left() < 2) return false;
    const std::size_t count = cursor_.u8();
    const std::uint8_t value = cursor_.u8();
    if (count) {
      // A literal run may have carried x_ past the row's end; then nothing is left of this one.
      run(std::min(count, x_ < width_ ? width_ - x_ : 0), value);
      return true;
    }
    switch (value) {
      case 0:
        indices_.resize((indices_.size() + width_ - 1) / width_ * width_);
        x_ = 0;
        return true;
      case 1:
        // What is missing is not filled up: unpack_rows() finds the picture cut short, as Pillow's set_as_raw() does.
        return false;
      case 2:
        return delta();
      default:
        return literal(value);
    }
  }

  void run(std::size_t count, std::uint8_t value) {
    // A run of 4-bit pixels alternates between the two halves of its value, the upper one first.
    for (std::size_t i = 0; i < count; ++i) {
      indices_.push_back(!four_ ? value : static_cast<std::uint8_t>(i % 2 ? value & 15 : value >> 4));
    }
    x_ += count;
  }

  // Pillow 9.4 reads the two bytes of a jump twice over, so that the two behind them count (BmpRleDecoder.decode).
  bool delta() {
    if (cursor_.read(2).size() < 2) return false;
    const std::size_t right = cursor_.u8(), up = cursor_.u8();
    // Decoding ends once the picture is full, so nothing further than a row behind it need be held.
    indices_.resize(std::min(indices_.size() + right + up * width_, wanted_ + width_));
    x_ = indices_.size() % width_;
    return true;
  }

  bool literal(std::size_t count) {
    // An odd count of 4-bit pixels loses its last one, as in Pillow.
    const std::size_t bytes = four_ ? count / 2 : count;
    const ByteView values = cursor_.read(bytes);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint8_t value = Cursor::byte(values, i);
      indices_.push_back(four_ ? value >> 4 : value);
      if (four_) indices_.push_back(value & 15);
    }
    if (values.size() < bytes) return false;
    x_ += count;
    // Literal runs are padded to 16 bits.
    // Pillow takes the parity of the place in the file, which is another where the pixels begin at an odd one.
    if (cursor_.tell() % 2) cursor_.read(1);
    return true;
  }

  Cursor cursor_;
  bool four_;
  std::size_t width_, wanted_, x_ = 0;
  std::vector<std::uint8_t> indices_;
};

}  // namespace

ImageHeader bmp_header(const Source& source) {
  const Bitmap bitmap = Opening(source).bitmap();
  return {ImageFormat::bmp, std::string(bitmap.mode), static_cast<std::uint32_t>(bitmap.width),
          static_cast<std::uint32_t>(bitmap.height), std::nullopt};
}

Image decode_bmp(const Source& source) {
  Bitmap bitmap = Opening(source).bitmap();
  if (bitmap.palette_too_large) source.refuse("the BMP's palette has more than 256 colours");
  const bool rle = bitmap.compression == kRle8 || bitmap.compression == kRle4;
  if (rle && bitmap.mode != "P" && bitmap.mode != "L") source.refuse("the BMP's compression does not fit its pixels");
  if (bitmap.data > source.size()) source.refuse("the BMP is cut short");
  Image image = source.make_image(bitmap.width, bitmap.height);
  if (rle) {
    // Whatever a pixel had in the file, Rle made a byte of it.
    if (bitmap.mode == "P") bitmap.layout = Layout::index8;
    const Rle decoded(source, bitmap, image.width, image.height);
    unpack_rows(source, bitmap, decoded.indices(), image.width, image);
  } else {
    // Rows are padded to multiples of four bytes.
    const std::size_t stride = ((bitmap.width * bitmap.bits + 31) >> 3) & ~std::size_t{3};
    unpack_rows(source, bitmap, source.bytes.subspan(static_cast<std::size_t>(bitmap.data)), stride, image);
  }
  return image;
}

}  // namespace vise::images

// PNG by zlib and our own row filters, as Pillow decodes it (ZipDecode.c): no checksum of the image data is looked at,
// rows that are missing at a proper end of the zlib stream stay black, and the order in which zlib gets its bytes is
// Pillow's, since that decides which damaged files are errors.
#include <zlib.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "extract/images/decode/codec.h"
#include "extract/images/decode/png_chunks.h"

namespace vise::images {
namespace {

// Adam7. Columns and rows of pass p start at first_* and step by step_*.
constexpr std::array<std::uint32_t, 7> kFirstColumn{0, 4, 0, 2, 0, 1, 0}, kStepColumn{8, 8, 4, 4, 2, 2, 1},
    kFirstRow{0, 0, 4, 0, 2, 0, 1}, kStepRow{8, 8, 8, 4, 4, 2, 2};

// By colour type: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha (PNG specification, table 11.1).
int samples_of(int colour) { return colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1; }

// Undoes a row's filter in place; row[0] is the filter's number. False for an unknown one.
// `length` and `pixel` are in bytes; filters work on bytes, and pixels of less than a byte count as one (9.2).
bool unfilter(std::uint8_t* row, const std::uint8_t* above, std::size_t length, std::size_t pixel) {
  // The first pixel has no neighbour on its left, which counts as 0.
  const std::size_t lead = std::min(pixel, length);
  switch (row[0]) {
    case 0:
      return true;
    case 1:
      for (std::size_t i = lead + 1; i <= length; ++i) row[i] = static_cast<std::uint8_t>(row[i] + row[i - pixel]);
      return true;
    case 2:
      for (std::size_t i = 1; i <= length; ++i) row[i] = static_cast<std::uint8_t>(row[i] + above[i]);
      return true;
    // The average is taken without carry out of 8 bits, hence in int.
    case 3:
      for (std::size_t i = 1; i <= lead; ++i) row[i] = static_cast<std::uint8_t>(row[i] + above[i] / 2);
      for (std::size_t i = lead + 1; i <= length; ++i) {
        row[i] = static_cast<std::uint8_t>(row[i] + (row[i - pixel] + above[i]) / 2);
      }
      return true;
    // Paeth (PNG specification, 9.4): of left, above and above left the one nearest to left
    // + above - above left; ties in that order.
    case 4:
      for (std::size_t i = 1; i <= lead; ++i) row[i] = static_cast<std::uint8_t>(row[i] + above[i]);
      for (std::size_t i = lead + 1; i <= length; ++i) {
        const int a = row[i - pixel], b = above[i], c = above[i - pixel];
        const int pa = std::abs(b - c), pb = std::abs(a - c), pc = std::abs(a + b - 2 * c);
        row[i] = static_cast<std::uint8_t>(row[i] + (pa <= pb && pa <= pc ? a : pb <= pc ? b : c));
      }
      return true;
    default:
      return false;
  }
}

// Stored samples to RGB: what Pillow's unpackers followed by convert("RGB") give.
class Pixels {
 public:
  explicit Pixels(const PngChunks& png)
      : depth_(png.depth()), colour_(png.colour()), samples_(samples_of(png.colour())) {
    for (std::size_t i = 0; i < 256; ++i)
      palette_[i] = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i)};
    const std::size_t entries = png.palette().size() / 3;
    if (entries) std::memcpy(palette_.data(), png.palette().data(), std::min<std::size_t>(entries, 256) * 3);
  }

  // Pixels that no row reaches are sample 0: black, or the palette's first colour.
  void clear(Image& image) const {
    if (colour_ != 3) return;
    for (std::size_t i = 0; i < image.pixels.size(); i += 3) std::memcpy(&image.pixels[i], palette_[0].data(), 3);
  }

  std::size_t bits() const { return static_cast<std::size_t>(depth_ * samples_); }
  std::size_t row_bytes(std::size_t pixels) const { return (pixels * bits() + 7) / 8; }

  // `count` pixels from a row to out, out + step, ...
  void put(const std::uint8_t* row, std::size_t count, std::uint8_t* out, std::size_t step) const {
    if (depth_ == 8 && colour_ == 2 && step == 3) {
      std::memcpy(out, row, count * 3);
      return;
    }
    for (std::size_t x = 0; x < count; ++x, out += step) put_pixel(row, x, out);
  }

 private:
  void put_pixel(const std::uint8_t* row, std::size_t x, std::uint8_t* out) const {
    if (depth_ < 8) return put_small(row, x, out);
    // Of 16 bits the high byte, which comes first, is kept, except for grey (Pillow's RGB;16B, LA;16B, RGBA;16B).
    const std::size_t width = static_cast<std::size_t>(depth_ / 8);
    const std::uint8_t* pixel = row + x * width * static_cast<std::size_t>(samples_);
    if (colour_ == 3) {
      std::memcpy(out, palette_[pixel[0]].data(), 3);
    } else if (colour_ == 0 && depth_ == 16) {
      std::memset(out, pixel[0] ? 255 : pixel[1], 3);  // clipped, not scaled
    } else if (colour_ == 0 || colour_ == 4) {
      std::memset(out, pixel[0], 3);
    } else {
      for (std::size_t c = 0; c < 3; ++c) out[c] = pixel[c * width];
    }
  }

  void put_small(const std::uint8_t* row, std::size_t x, std::uint8_t* out) const {
    // The leftmost pixel is in the highest bits of its byte (PNG specification, 7.2).
    const std::size_t bit = x * static_cast<std::size_t>(depth_);
    const int most = (1 << depth_) - 1;
    const int value = row[bit / 8] >> (8 - depth_ - static_cast<int>(bit % 8)) & most;
    if (colour_ == 3) {
      std::memcpy(out, palette_[static_cast<std::size_t>(value)].data(), 3);
    } else {
      // 255 is a multiple of 1, 3 and 15, so the scaling of 1, 2 and 4 bits is exact.
      std::memset(out, value * (255 / most), 3);
    }
  }

  int depth_, colour_, samples_;
  std::array<std::array<std::uint8_t, 3>, 256> palette_;
};

// The rows of one frame, from zlib to their place in the picture.
class Rows {
 public:
  Rows(const Source& source, const PngChunks& png, Image& image)
      : source_(source),
        image_(image),
        pixels_(png),
        frame_(png.frame()),
        interlaced_(png.interlaced()),
        row_(pixels_.row_bytes(frame_.width) + 1),
        above_(row_.size()) {
    if (inflateInit(&stream_) != Z_OK) source.refuse("zlib could not be set up");
    pixels_.clear(image);
    width_ = interlaced_ ? pass_width() : frame_.width;
  }
  ~Rows() { inflateEnd(&stream_); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  // Decodes all of `data`; true once the picture is whole or zlib's stream has ended with a row.
  bool feed(ByteView data) {
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(data.data()));
    stream_.avail_in = static_cast<uInt>(data.size());
    while (stream_.avail_in > 0) {
      const std::size_t length = pixels_.row_bytes(width_), wanted = length + 1;
      stream_.next_out = row_.data() + filled_;
      stream_.avail_out = static_cast<uInt>(wanted - filled_);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status < 0) source_.refuse("the PNG's image data are broken");
      filled_ = wanted - stream_.avail_out;
      // A row is unfiltered only when all its bytes are there; the rest comes with the next piece.
      if (filled_ < wanted) return false;
      if (!unfilter(row_.data(), above_.data(), length, (pixels_.bits() + 7) / 8)) {
        source_.refuse("the PNG has a row of an unknown filter");
      }
      store();
      filled_ = 0;
      // A stream may end before the last row, but not within one: the row is then never filled, and next_data() runs
      // out of chunks.
      if (y_ >= frame_.height || status == Z_STREAM_END) return true;
      // The row just done is what the next one's filter refers to.
      std::swap(row_, above_);
    }
    return false;
  }

 private:
  // Rounded up. A pass for which the picture is too narrow has width 0 and nothing in the stream, not even filters
  // (PNG specification, 8.2).
  std::uint32_t pass_width() const {
    return (frame_.width + kStepColumn[pass_] - 1 - kFirstColumn[pass_]) / kStepColumn[pass_];
  }

  std::uint8_t* place(std::uint32_t x, std::uint32_t y) {
    return image_.pixels.data() + (std::size_t{y} * image_.width + x) * 3;
  }

  void store() {
    if (!interlaced_) {
      pixels_.put(row_.data() + 1, width_, place(frame_.left, frame_.top + y_), 3);
      ++y_;
      return;
    }
    // Pillow places interlaced rows without the frame's offset.
    pixels_.put(row_.data() + 1, width_, place(kFirstColumn[pass_], y_), kStepColumn[pass_] * 3);
    y_ += kStepRow[pass_];
    while (y_ >= frame_.height || width_ == 0) {
      if (++pass_ == 7) {
        y_ = frame_.height;
        return;
      }
      y_ = kFirstRow[pass_];
      width_ = pass_width();
      // A pass begins as if a row of zeros were above it.
      std::fill(row_.begin(), row_.end(), std::uint8_t{0});
    }
  }

  const Source& source_;
  Image& image_;
  const Pixels pixels_;
  const PngFrame frame_;
  const bool interlaced_;
  std::vector<std::uint8_t> row_, above_;  // the filter's number and the row's bytes
  std::size_t filled_ = 0;
  std::size_t pass_ = 0;
  std::uint32_t width_ = 0, y_ = 0;
  z_stream stream_{};
};

}  // namespace

ImageHeader png_header(const Source& source) {
  PngChunks png(source);
  ImageHeader header{ImageFormat::png, png.mode(), png.width(), png.height(), std::nullopt};
  try {
    if (png.has_data()) png.finish();  // EXIF may follow the image data, and a second header, which says nothing
  } catch (const Error&) {             // whether the rest is sound is for decode_png() to say
  }
  header.exif_orientation = png.orientation();
  return header;
}

Image decode_png(const Source& source) {
  PngChunks png(source);
  // Pillow opens these too and fails when it loads them, so png_header() has let them pass.
  if (!png.has_data()) source.refuse("the PNG has no image data");
  if (png.palette().size() / 3 > 256) source.refuse("the PNG's palette has more than 256 colours");
  if (!png.frame().width || !png.frame().height) source.refuse("the PNG's first animation frame is empty");
  Image image = source.make_image(png.width(), png.height());
  {
    Rows rows(source, png, image);
    while (!rows.feed(png.next_data())) {
    }
  }
  // A broken chunk behind the pixels makes load_end() raise, so a picture that is complete may still be refused.
  png.finish();
  return image;
}

}  // namespace vise::images

// TIFF by libtiff, for the kinds whose pixels are the same as Pillow's beyond doubt: 1 to 8 bits of grey or palette, 16
// bits of grey (clipped, as Pillow does), 8 and 16 bits of RGB with or without unassociated alpha, 8 bits of CMYK;
// strips or tiles, planes together or apart; turned as the orientation tag says, which Pillow does for TIFF alone.
// Everything else (floats, Lab, associated alpha, reversed bits) is refused: convert it.
#include <tiffio.h>

#include <array>
#include <cstring>
#include <memory>

#include "extract/images/decode/codec.h"

namespace vise::images {
namespace {

// Bytes of one strip or tile, and of anything that libtiff allocates in one piece.
// An RGB picture of Pillow's largest size in a single strip, 537 MB, is within it.
constexpr std::int64_t kMaxPiece = std::int64_t{1} << 30;

// A Source as libtiff's file.
struct Memory {
  const Source* source;
  std::uint64_t at = 0;
  bool complained = false;  // libtiff has found something wrong, however small
};

tmsize_t read_memory(thandle_t handle, void* out, tmsize_t size) {
  Memory& memory = *static_cast<Memory*>(handle);
  Cursor cursor(*memory.source);
  // libtiff seeks past the end in damaged files and expects a short read rather than an error.
  cursor.seek(memory.at);
  const ByteView view = cursor.read(static_cast<std::uint64_t>(size));
  if (!view.empty()) std::memcpy(out, view.data(), view.size());
  memory.at += view.size();
  return static_cast<tmsize_t>(view.size());
}
tmsize_t write_nothing(thandle_t, void*, tmsize_t) { return 0; }
toff_t seek_memory(thandle_t handle, toff_t offset, int whence) {
  Memory& memory = *static_cast<Memory*>(handle);
  const std::uint64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory.at : memory.source->size();
  // A negative offset arrives as its complement and is right by unsigned arithmetic.
  return memory.at = base + offset;
}
int close_nothing(thandle_t) { return 0; }
toff_t size_of_memory(thandle_t handle) { return static_cast<Memory*>(handle)->source->size(); }
// libtiff continues after many faults, and what it then makes of the data is not always what Pillow shows.
int note_complaint(TIFF*, void* memory, const char*, const char* message, va_list) {
  const bool private_tag = std::strstr(message, "Unknown field") != nullptr;  // lawful, and of no concern
  if (!private_tag) static_cast<Memory*>(memory)->complained = true;
  return 1;  // nothing is printed
}

struct Close {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using Handle = std::unique_ptr<TIFF, Close>;

[[noreturn]] void unsupported(const Source& source, std::string_view what) { source.refuse(what, "convert it to PNG"); }

// Where a directory names a tag twice, libtiff takes the first and Pillow the last.
// Only the first directory is looked at: the later ones are pages, and the first is the picture.
void refuse_repeated_tags(const Source& source) {
  const bool big_endian = starts_with(source.bytes, "MM"), big_tiff = Cursor::byte(source.bytes, 2) == 43;
  Cursor cursor(source, 4);
  const auto number = [&](std::size_t bytes) {
    const ByteView view = cursor.take(bytes);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | Cursor::byte(view, big_endian ? i : bytes - 1 - i);
    return value;
  };
  // The first directory's offset is at 4 in TIFF (6.0, section 2) and, eight bytes long, at 8 in BigTIFF.
  if (big_tiff) cursor.seek(8);
  cursor.seek(number(big_tiff ? 8 : 4));
  std::vector<bool> seen(65536);
  for (std::uint64_t left = number(big_tiff ? 8 : 2); left > 0; --left) {
    const auto tag = static_cast<std::size_t>(number(2));
    if (seen[tag]) unsupported(source, "a TIFF that gives a tag twice");
    seen[tag] = true;
    // Type, count and value of an entry: 2 + 4 + 4 bytes, of a BigTIFF 2 + 8 + 8.
    cursor.take(big_tiff ? 18 : 10);
  }
}

Handle open(const Source& source, Memory& memory) {
  // Pillow stumbles over big-endian BigTIFF.
  if (starts_with(source.bytes, std::string_view("MM\0\x2b", 4))) source.refuse("big-endian BigTIFF is not read");
  refuse_repeated_tags(source);
  TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
  if (!options) source.refuse("libtiff could not be set up");
  // Sizes in a directory are a stranger's words; libtiff would allocate what they ask for.
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, kMaxPiece);
  TIFFOpenOptionsSetErrorHandlerExtR(options, note_complaint, &memory);
  TIFFOpenOptionsSetWarningHandlerExtR(options, note_complaint, &memory);
  // "r" to read and "m" against mapping the file, which is in memory already.
  Handle tiff(TIFFClientOpenExt("image", "rm", &memory, read_memory, write_nothing, seek_memory, close_nothing,
                                size_of_memory, nullptr, nullptr, options));
  TIFFOpenOptionsFree(options);
  if (!tiff) source.refuse("the TIFF's directory is broken");
  return tiff;
}

template <typename T>
T field(TIFF* tiff, std::uint32_t tag, T otherwise) {
  T value = otherwise;
  return TIFFGetField(tiff, tag, &value) ? value : otherwise;
}

// What of the directory decides how samples become RGB.
struct Kind {
  std::uint32_t width = 0, height = 0;
  std::size_t bits = 1, samples = 1;
  int photometric = -1;
  std::string mode;
  std::optional<int> orientation;
  bool apart = false;  // a plane for each sample

  bool is_turned() const { return orientation.value_or(1) >= 5; }  // width and height change places
};

// The rows of TiffImagePlugin.OPEN_INFO whose unpackers are reproduced here; every other row is refused.
std::string mode_of(const Source& source, TIFF* tiff, const Kind& kind) {
  std::uint16_t extras = 0, *extra_kinds = nullptr;
  TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &extras, &extra_kinds);
  const bool wide = kind.bits == 16, byte = kind.bits == 8, small = kind.bits == 1 || kind.bits == 2 || kind.bits == 4;
  switch (kind.photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
      if (kind.samples != 1 || extras) break;
      if (kind.bits == 1) return "1";
      if (byte || small) return "L";
      if (wide && kind.photometric == PHOTOMETRIC_MINISBLACK) return TIFFIsBigEndian(tiff) ? "I;16B" : "I;16";
      break;
    case PHOTOMETRIC_PALETTE:
      if (kind.samples == 1 && !extras && (byte || small)) return "P";
      break;
    case PHOTOMETRIC_RGB:
      if ((byte || wide) && kind.samples == 3 && !extras) return "RGB";
      // ExtraSamples is required for a fourth sample, but often missing; Pillow then takes it for alpha.
      if ((byte || wide) && kind.samples == 4 && !extras) return "RGBA";
      if ((byte || wide) && kind.samples == 4 && extras == 1 && extra_kinds[0] != EXTRASAMPLE_ASSOCALPHA) {
        return extra_kinds[0] == EXTRASAMPLE_UNASSALPHA ? "RGBA" : "RGBX";
      }
      break;
    case PHOTOMETRIC_SEPARATED:
      if (byte && kind.samples == 4 && !extras) return "CMYK";
      break;
    default:
      break;
  }
  unsupported(source, "a TIFF with samples of a kind that is not read");
}

bool known_compression(int compression, std::size_t bits) {
  switch (compression) {
    case COMPRESSION_CCITTFAX3:
    case COMPRESSION_CCITTFAX4:
      return bits == 1;
    case COMPRESSION_NONE:
    case COMPRESSION_LZW:
    case COMPRESSION_JPEG:
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE:
    case COMPRESSION_PACKBITS:
      return true;
    default:
      return false;
  }
}

Kind examine(const Source& source, TIFF* tiff) {
  Kind kind;
  kind.width = field<std::uint32_t>(tiff, TIFFTAG_IMAGEWIDTH, 0);
  kind.height = field<std::uint32_t>(tiff, TIFFTAG_IMAGELENGTH, 0);
  source.check_size(kind.width, kind.height);
  // Where a tag is missing TIFF 6.0's default counts. A photometric interpretation has none; 0xffff is no such kind.
  kind.bits = field<std::uint16_t>(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  kind.samples = field<std::uint16_t>(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  kind.photometric = field<std::uint16_t>(tiff, TIFFTAG_PHOTOMETRIC, 0xffff);
  const int compression = field<std::uint16_t>(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  if (!known_compression(compression, kind.bits)) unsupported(source, "a TIFF compressed in a way that is not read");
  kind.apart = kind.samples > 1 && field<std::uint16_t>(tiff, TIFFTAG_PLANARCONFIG, 1) != PLANARCONFIG_CONTIG;
  if (kind.apart && compression == COMPRESSION_JPEG) unsupported(source, "a JPEG TIFF with its planes apart");
  // Pillow's raw decoder takes each byte of such a plane for a sample.
  if (kind.apart && compression == COMPRESSION_NONE && kind.bits == 16)
    unsupported(source, "an uncompressed 16-bit TIFF with its planes apart");
  if (field<std::uint16_t>(tiff, TIFFTAG_SAMPLEFORMAT, 1) != SAMPLEFORMAT_UINT) {
    unsupported(source, "a TIFF with signed or floating-point samples");
  }
  if (field<std::uint16_t>(tiff, TIFFTAG_FILLORDER, 1) != 1) unsupported(source, "a TIFF with its bits reversed");
  if (const int orientation = field<std::uint16_t>(tiff, TIFFTAG_ORIENTATION, 0)) {
    kind.orientation = orientation;
    if (orientation > 8) unsupported(source, "a TIFF of unknown orientation");
  }
  if (kind.photometric == PHOTOMETRIC_YCBCR && compression == COMPRESSION_JPEG && kind.samples == 3 && kind.bits == 8) {
    // libjpeg inside libtiff converts YCbCr to RGB, which is how Pillow reads such files.
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    kind.photometric = PHOTOMETRIC_RGB;
  }
  kind.mode = mode_of(source, tiff, kind);
  return kind;
}

class Pixels {
 public:
  Pixels(const Source& source, TIFF* tiff, const Kind& kind) : kind_(kind) {
    std::uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
    for (std::size_t i = 0; i < 256; ++i) colours_[i].fill(static_cast<std::uint8_t>(i));
    if (kind.photometric == PHOTOMETRIC_PALETTE) {
      if (!TIFFGetField(tiff, TIFFTAG_COLORMAP, &red, &green, &blue)) source.refuse("the TIFF has no palette");
      for (std::size_t i = 0; i < std::size_t{1} << kind.bits; ++i) {
        // Palettes have 16 bits a colour; Pillow takes the high byte.
        colours_[i] = {static_cast<std::uint8_t>(red[i] >> 8), static_cast<std::uint8_t>(green[i] >> 8),
                       static_cast<std::uint8_t>(blue[i] >> 8)};
      }
    } else if (kind.bits <= 8 && kind.samples == 1) {
      const std::size_t most = (std::size_t{1} << kind.bits) - 1;
      for (std::size_t i = 0; i <= most; ++i) {
        // Exact, as 255 is a multiple of 1, 3, 15 and 255.
        const std::size_t grey = i * (255 / most);
        colours_[i].fill(static_cast<std::uint8_t>(kind.photometric == PHOTOMETRIC_MINISWHITE ? 255 - grey : grey));
      }
    }
  }

  void put(const std::uint8_t* row, std::size_t count, std::uint8_t* rgb) const {
    for (std::size_t x = 0; x < count; ++x, rgb += 3) put_pixel(row, x, rgb);
  }

 private:
  void put_pixel(const std::uint8_t* row, std::size_t x, std::uint8_t* rgb) const {
    if (kind_.bits == 16) return put_wide(row + x * kind_.samples * 2, rgb);
    if (kind_.samples == 1) {
      const std::size_t bit = x * kind_.bits;
      const std::size_t value = row[bit / 8] >> (8 - kind_.bits - bit % 8) & ((std::size_t{1} << kind_.bits) - 1);
      std::memcpy(rgb, colours_[value].data(), 3);
    } else if (kind_.photometric == PHOTOMETRIC_SEPARATED) {
      // Here 255 is full ink, which is what cmyk_to_rgb() takes; only JPEG files are taken as inverted.
      cmyk_to_rgb(row + x * 4, rgb);
    } else {
      std::memcpy(rgb, row + x * kind_.samples, 3);
    }
  }

  // libtiff gives 16-bit samples in this machine's order.
  void put_wide(const std::uint8_t* pixel, std::uint8_t* rgb) const {
    std::uint16_t values[3] = {};
    std::memcpy(values, pixel, kind_.samples == 1 ? 2 : 6);
    if (kind_.samples == 1) {
      std::memset(rgb, std::min<int>(values[0], 255), 3);
    } else {
      for (std::size_t c = 0; c < 3; ++c) rgb[c] = static_cast<std::uint8_t>(values[c] >> 8);
    }
  }

  const Kind& kind_;
  std::array<std::array<std::uint8_t, 3>, 256> colours_;
};

// Of one plane into every kind.samples-th place, from `sample` on.
void spread(const Kind& kind, const std::uint8_t* plane, std::size_t sample, std::size_t count, std::uint8_t* pixels) {
  // mode_of() lets several samples pass only where each has whole bytes.
  const std::size_t bytes = kind.bits / 8;
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(pixels + (i * kind.samples + sample) * bytes, plane + i * bytes, bytes);
}

// Strips and tiles alike: pieces of width x height pixels, row after row.
void read_pieces(const Source& source, TIFF* tiff, const Kind& kind, Image& image) {
  const Pixels pixels(source, tiff, kind);
  const bool tiled = TIFFIsTiled(tiff);
  std::uint32_t piece_width = kind.width, piece_height = kind.height;
  if (tiled) {
    piece_width = field<std::uint32_t>(tiff, TIFFTAG_TILEWIDTH, 0);
    piece_height = field<std::uint32_t>(tiff, TIFFTAG_TILELENGTH, 0);
  } else {
    // The tag's default, 2^32 - 1, means that all rows are in one strip.
    piece_height = std::min(piece_height, field<std::uint32_t>(tiff, TIFFTAG_ROWSPERSTRIP, kind.height));
  }
  const std::int64_t size = tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
  const std::size_t planes = kind.apart ? kind.samples : 1;
  const std::size_t row_bytes = (std::size_t{piece_width} * kind.bits * kind.samples / planes + 7) / 8;
  // The buffer must hold what the loop below reads of it, whatever the directory says of strips and tiles.
  if (!piece_width || !piece_height || size <= 0 || size > kMaxPiece / static_cast<std::int64_t>(planes) ||
      static_cast<std::uint64_t>(size) < std::uint64_t{row_bytes} * piece_height) {
    source.refuse("the TIFF's strips or tiles have no sensible size");
  }
  std::vector<std::uint8_t> piece(static_cast<std::size_t>(size)), together(kind.apart ? piece.size() * planes : 0);
  for (std::uint32_t y = 0; y < kind.height; y += piece_height) {
    const std::uint32_t rows = std::min(piece_height, kind.height - y);
    for (std::uint32_t x = 0; x < kind.width; x += piece_width) {
      // The last strip is shorter where its height doesn't divide the picture's; tiles are always whole.
      const tmsize_t wanted = tiled ? size : static_cast<tmsize_t>(row_bytes * rows);
      for (std::size_t plane = 0; plane < planes; ++plane) {
        const auto sample = static_cast<std::uint16_t>(plane);
        const tmsize_t got = tiled
                                 ? TIFFReadTile(tiff, piece.data(), x, y, 0, sample)
                                 : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, sample), piece.data(), wanted);
        if (got < wanted) source.refuse("the TIFF's data are broken or cut short");
        if (kind.apart) spread(kind, piece.data(), plane, std::size_t{piece_width} * rows, together.data());
      }
      const std::vector<std::uint8_t>& whole = kind.apart ? together : piece;
      const std::uint32_t columns = std::min(piece_width, kind.width - x);
      for (std::uint32_t r = 0; r < rows; ++r) {
        pixels.put(whole.data() + r * row_bytes * planes, columns,
                   &image.pixels[(std::size_t{y + r} * kind.width + x) * 3]);
      }
    }
  }
}

// As the tag says where row 0 and column 0 are (TIFF 6.0, Orientation; 2 mirrors, 3 turns by half, 5 transposes ...).
Image turned(const Source& source, const Image& stored, const Kind& kind) {
  const int orientation = kind.orientation.value_or(1);
  const std::uint32_t w = stored.width, h = stored.height;
  Image image = kind.is_turned() ? source.make_image(h, w) : source.make_image(w, h);
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  // For each pixel of the result, the stored one that it shows.
  for (std::uint32_t y = 0; y < image.height; ++y)
    for (std::uint32_t x = 0; x < image.width; ++x) {
      const std::uint32_t column = kind.is_turned() ? y : x, row = kind.is_turned() ? x : y;
      const std::size_t from =
          std::size_t{from_bottom ? h - 1 - row : row} * w + (from_right ? w - 1 - column : column);
      std::memcpy(&image.pixels[(std::size_t{y} * image.width + x) * 3], &stored.pixels[from * 3], 3);
    }
  return image;
}

}  // namespace

ImageHeader tiff_header(const Source& source) {
  Memory memory{&source};
  const Handle tiff = open(source, memory);
  const Kind kind = examine(source, tiff.get());
  const auto [width, height] =
      kind.is_turned() ? std::pair(kind.height, kind.width) : std::pair(kind.width, kind.height);
  return {ImageFormat::tiff, kind.mode, width, height, kind.orientation};
}

Image decode_tiff(const Source& source) {
  Memory memory{&source};
  const Handle tiff = open(source, memory);
  const Kind kind = examine(source, tiff.get());
  Image image = source.make_image(kind.width, kind.height);
  read_pieces(source, tiff.get(), kind, image);
  // After the pixels were read: complaints come with the data too, not only with the directory.
  if (memory.complained) unsupported(source, "the TIFF is damaged");
  return kind.orientation.value_or(1) == 1 ? std::move(image) : turned(source, image, kind);
}

}  // namespace vise::images

// JPEG by libjpeg-turbo with its defaults (slow integer DCT, fancy upsampling), which are what Pillow uses.
//
// Which damaged files are errors is decided by two things in Pillow, and both are followed here: its own walk over the
// markers up to the first scan (JpegImagePlugin.py), and how it feeds libjpeg: blocks of 64 KB with a source that
// suspends (JpegDecode.c, ImageFile.load). A picture is whole when libjpeg has given its last row before the bytes ran
// out. Corrupt entropy-coded data is only a warning of libjpeg's, as there.
#include <cstdio>  // jpeglib.h needs FILE and size_t

#include <jpeglib.h>

#include <csetjmp>
#include <memory>

#include "extract/images/decode/codec.h"
#include "extract/images/decode/exif.h"

namespace vise::images {
namespace {

// ImageFile.MAXBLOCK.
constexpr std::size_t kBlock = 65536;

// Pillow's walk over the markers.
class Markers {
 public:
  // Behind FF D8 FF, of which the last byte already begins the first marker.
  explicit Markers(const Source& source) : source_(source), cursor_(source, 3) {
    header_.format = ImageFormat::jpeg;
    walk();
    // Without a mode ImageFile takes the file for none of this format.
    if (header_.mode.empty()) refuse("no frame header before the first scan");
    source.check_size(header_.width, header_.height);
  }

  const ImageHeader& header() const { return header_; }

 private:
  [[noreturn]] void refuse(std::string_view what) const { source_.refuse(what); }

  void walk() {
    // Pillow's loop: it looks at two bytes, takes them for a marker if the first is 0xff,
    // and otherwise moves on by one.
    int last = 0xff;
    for (;;) {
      if (last != 0xff) {
        last = cursor_.u8();
        continue;
      }
      const int code = cursor_.u8();
      if (code == 0xff) continue;  // fill byte
      // 0xff00 is a data byte and no marker.
      if (code != 0) {
        // Pillow's table of markers (MARKER) has all from 0xc0 on and none below.
        if (code < 0xc0) refuse("an unknown JPEG marker before the first scan");
        segment(code);
        // Start of scan: what follows is libjpeg's.
        if (code == 0xda) return;
      }
      last = cursor_.u8();
    }
  }

  void segment(int code) {
    // Start-of-frame markers (T.81, table B.1) without DHT, JPG and DAC, which share their range.
    // 0xde, DHP, announces a hierarchical picture; Pillow hands it to SOF() too.
    const bool frame = (code >= 0xc0 && code <= 0xcf && code != 0xc4 && code != 0xc8 && code != 0xcc) || code == 0xde;
    // Restart markers, SOI, EOI and reserved ones have no length behind them.
    const bool bare = (code >= 0xd0 && code <= 0xd9) || (code >= 0xf0 && code <= 0xfd) || code == 0xc8;
    if (bare) return;
    const int length = cursor_.u16be() - 2;
    // A length below 2 counts as nothing, as in Pillow's _safe_read().
    const ByteView body = length > 0 ? cursor_.take(static_cast<std::uint64_t>(length)) : ByteView();
    if (frame) frame_header(body);
    if (code == 0xdb) quantisation(body);
    if (code >= 0xe0 && code <= 0xef) application(code, body);
  }

  void frame_header(ByteView body) {
    if (body.size() < 6 || (body.size() - 6) % 3 != 0) refuse("a JPEG frame header of a wrong length");
    if (Cursor::byte(body, 0) != 8) refuse("a JPEG of other than 8 bits a sample");
    // A height of 0, which a DNL marker after the scan would correct (T.81, B.2.5), is refused with the size.
    header_.height = Cursor::be16(body, 1);
    header_.width = Cursor::be16(body, 3);
    const int components = Cursor::byte(body, 5);
    // Pillow names the mode by the number of components, whatever colour space an Adobe marker declares.
    if (components != 1 && components != 3 && components != 4) refuse("a JPEG of other than 1, 3 or 4 components");
    header_.mode = components == 1 ? "L" : components == 3 ? "RGB" : "CMYK";
    // SOF() is where Pillow puts the profile's segments together, by the two numbers behind their name.
    if (short_profile_) refuse("a JPEG colour profile segment that is cut short");
  }

  // The values are for libjpeg. This is Pillow's DQT(), which refuses a short table before libjpeg has seen it.
  void quantisation(ByteView body) const {
    while (!body.empty()) {
      // A table's first byte holds its precision in the upper half: 64 values of one byte or of two.
      const std::size_t length = Cursor::byte(body, 0) < 16 ? 65 : 129;
      if (body.size() < length) refuse("a JPEG quantisation table that is cut short");
      body = body.subspan(length);
    }
  }

  void application(int code, ByteView body) {
    using namespace std::string_view_literals;
    if (code == 0xe0 && starts_with(body, "JFIF")) {
      if (body.size() < 7) refuse("a JFIF segment that is cut short");
      // Only dots per inch, unit 1, set the "dpi" that Pillow looks for before it turns to EXIF.
      density_known_ = density_known_ || (body.size() >= 12 && Cursor::byte(body, 7) == 1);
    } else if (code == 0xe1 && starts_with(body, "Exif\0"sv)) {
      // Several EXIF segments occur; Pillow keeps the first.
      if (exif_.empty()) exif_ = body;
      header_.exif_orientation = exif_orientation(exif_);
    } else if (code == 0xe2 && starts_with(body, "ICC_PROFILE\0"sv)) {
      short_profile_ = short_profile_ || body.size() < 14;
    } else if (code == 0xed && starts_with(body, "Photoshop 3.0\0"sv)) {
      photoshop(body);
    } else if (code == 0xee && starts_with(body, "Adobe") && body.size() < 7) {
      refuse("an Adobe segment that is cut short");
    }
    exif_density();
  }

  // Pillow reads the resolution from EXIF where JFIF has none, and gives up on the file if the block ends within its
  // eight bytes of header.
  void exif_density() {
    using namespace std::string_view_literals;
    if (density_known_ || exif_.empty()) return;
    density_known_ = true;
    const ByteView block = starts_with(exif_, "Exif\0\0"sv) ? exif_.subspan(6) : exif_;
    const bool tiff = starts_with(block, "MM\0\x2a"sv) || starts_with(block, "II\x2a\0"sv) ||
                      starts_with(block, "MM\x2a\0"sv) || starts_with(block, "II\0\x2a"sv) ||
                      starts_with(block, "MM\0\x2b"sv);
    // Exif.load() hands over eight bytes. A little-endian BigTIFF's offset comes after them, so Pillow fails; a
    // big-endian one it takes for a TIFF, since it looks for the 43 in the third byte alone.
    if ((tiff && block.size() < 8) || starts_with(block, "II\x2b\0"sv)) refuse("an EXIF block that is cut short");
  }

  // Image resources: a missing name length is the one fault that Pillow does not forgive.
  void photoshop(ByteView body) const {
    std::size_t at = 14;
    while (at + 4 <= body.size() && starts_with(body.subspan(at), "8BIM")) {
      if (at + 6 > body.size()) return;
      const std::size_t name = at + 6;
      if (name >= body.size()) refuse("a Photoshop segment that is cut short");
      at = name + 1 + Cursor::byte(body, name);
      at += at & 1;
      if (at + 4 > body.size()) return;
      const std::uint64_t size = Cursor::be32(body, at);
      at += 4;
      // ResolutionInfo is unpacked at once; where it is too short, Pillow drops the later resources in silence.
      if (Cursor::be16(body, name - 2) == 0x03ed && (size < 14 || at + 14 > body.size())) return;
      if (size > body.size()) return;
      at += static_cast<std::size_t>(size);
      at += at & 1;
    }
  }

  const Source& source_;
  Cursor cursor_;
  ImageHeader header_;
  ByteView exif_;
  bool density_known_ = false, short_profile_ = false;
};

// libjpeg's state with a suspending source, in C's manner since libjpeg leaves by longjmp: nothing below feed() may
// need a destructor.
struct Decoder {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr input{};
  std::jmp_buf failed;
  std::size_t to_skip = 0;
  enum { created, header, started, rows, finishing } stage = created;
  bool cmyk = false, wrong_size = false;
  std::uint32_t width = 0, height = 0, row = 0;
  std::uint8_t* out = nullptr;   // RGB
  std::uint8_t* line = nullptr;  // one row of 1 or 4 samples a pixel, null for RGB
};

Decoder& decoder_of(j_decompress_ptr jpeg) { return *static_cast<Decoder*>(jpeg->client_data); }

void ignore(j_decompress_ptr) {}
void ignore_message(j_common_ptr) {}
boolean suspend(j_decompress_ptr) { return FALSE; }
[[noreturn]] void fail(j_common_ptr jpeg) { std::longjmp(static_cast<Decoder*>(jpeg->client_data)->failed, 1); }

void skip(j_decompress_ptr jpeg, long count) {
  if (count <= 0) return;
  jpeg_source_mgr& input = *jpeg->src;
  const auto wanted = static_cast<std::size_t>(count), now = std::min(wanted, input.bytes_in_buffer);
  // libjpeg may skip past what is in the buffer. The remainder is kept and skipped from the next block.
  decoder_of(jpeg).to_skip = wanted - now;
  input.next_input_byte += now;
  input.bytes_in_buffer -= now;
}

void store_row(Decoder& d) {
  std::uint8_t* rgb = d.out + std::size_t{d.row} * d.width * 3;
  for (std::uint32_t x = 0; x < d.width; ++x, rgb += 3) {
    if (d.cmyk) {
      // Pillow unpacks CMYK as inverted with or without an Adobe marker (the raw mode CMYK;I).
      std::uint8_t inverted[4];
      for (int c = 0; c < 4; ++c) inverted[c] = static_cast<std::uint8_t>(~d.line[x * 4 + static_cast<unsigned>(c)]);
      cmyk_to_rgb(inverted, rgb);
    } else {
      rgb[0] = rgb[1] = rgb[2] = d.line[x];
    }
  }
}

bool read_header(Decoder& d) {
  int result;
  // A stream may begin with tables alone (T.81, B.5); the picture's header comes after them.
  do {
    result = jpeg_read_header(&d.jpeg, FALSE);
  } while (result == JPEG_HEADER_TABLES_ONLY);
  if (result == JPEG_SUSPENDED) return false;
  // Whether that means a conversion from YCbCr or YCCK libjpeg decides by the JFIF and Adobe markers and the
  // components' numbers.
  d.jpeg.out_color_space = d.cmyk ? JCS_CMYK : d.line ? JCS_GRAYSCALE : JCS_RGB;
  return true;
}

bool read_rows(Decoder& d) {
  // A call that is suspended gives no part of a row; it is made again with the next block.
  while (d.row < d.height) {
    JSAMPROW row = d.line ? d.line : d.out + std::size_t{d.row} * d.width * 3;
    if (jpeg_read_scanlines(&d.jpeg, &row, 1) != 1) return false;
    if (d.line) store_row(d);
    ++d.row;
  }
  return true;
}

enum class Fed { more, done, broken };

// Decodes as far as the bytes allow and moves `begin` past what was used up.
Fed feed(Decoder& d, const std::uint8_t*& begin, const std::uint8_t* end) {
  // Every object with a destructor is in decode_jpeg(), outside what longjmp leaves.
  if (setjmp(d.failed)) return Fed::broken;
  d.input.next_input_byte = begin;
  d.input.bytes_in_buffer = static_cast<std::size_t>(end - begin);
  if (d.to_skip) skip(&d.jpeg, static_cast<long>(d.to_skip));
  Fed result = Fed::more;
  if (!d.to_skip) {
    // Each stage may run out of bytes and is entered again with the next block, as
    // libjpeg's suspension mode demands.
    if (d.stage == Decoder::created && read_header(d)) d.stage = Decoder::header;
    // Of a progressive file all scans are decoded here, before the first row.
    if (d.stage == Decoder::header && jpeg_start_decompress(&d.jpeg)) {
      d.stage = Decoder::rows;
      // Rows are written into a picture of the size that Pillow's walk found, so libjpeg
      // must have found the same.
      d.wrong_size = d.jpeg.output_width != d.width || d.jpeg.output_height != d.height;
      if (d.wrong_size) return Fed::broken;
    }
    if (d.stage == Decoder::rows && read_rows(d)) {
      jpeg_finish_decompress(&d.jpeg);  // may want more bytes; the picture is whole
      result = Fed::done;
    }
  }
  // What libjpeg did not use up is offered again, with the next block behind it.
  begin = d.input.next_input_byte;
  return result;
}

// Creation can fail too (library version mismatch), by the same way out.
bool create(Decoder& d) {
  d.jpeg.err = jpeg_std_error(&d.errors);
  d.errors.error_exit = fail;
  d.errors.output_message = ignore_message;
  d.jpeg.client_data = &d;
  if (setjmp(d.failed)) return false;
  jpeg_create_decompress(&d.jpeg);
  d.input.init_source = ignore;
  d.input.fill_input_buffer = suspend;
  d.input.skip_input_data = skip;
  d.input.resync_to_restart = jpeg_resync_to_restart;
  d.input.term_source = ignore;
  d.jpeg.src = &d.input;
  return true;
}

}  // namespace

ImageHeader jpeg_header(const Source& source) { return Markers(source).header(); }

Image decode_jpeg(const Source& source) {
  const ImageHeader header = Markers(source).header();
  struct Destroy {
    void operator()(Decoder* d) const {
      jpeg_destroy_decompress(&d->jpeg);
      delete d;
    }
  };
  const std::unique_ptr<Decoder, Destroy> decoder(new Decoder);
  if (!create(*decoder)) source.refuse("libjpeg could not be set up");
  // Allocated before decoding begins, since nothing may be allocated between setjmp and a longjmp.
  Image image = source.make_image(header.width, header.height);
  std::vector<std::uint8_t> line;
  if (header.mode != "RGB") line.resize(std::size_t{header.width} * (header.mode == "L" ? 1 : 4));
  decoder->cmyk = header.mode == "CMYK";
  decoder->width = header.width;
  decoder->height = header.height;
  decoder->out = image.pixels.data();
  decoder->line = line.empty() ? nullptr : line.data();

  const std::uint8_t *begin = source.data(), *const end = begin + source.size(), *fed = begin;
  for (;;) {
    if (fed == end) source.refuse("the JPEG is cut short");
    fed += std::min<std::size_t>(kBlock, static_cast<std::size_t>(end - fed));
    const Fed state = feed(*decoder, begin, fed);
    if (state == Fed::done) return image;
    if (state == Fed::broken) {
      source.refuse(decoder->wrong_size ? "the JPEG's size changes within the file" : "the JPEG's data are broken");
    }
  }
}

}  // namespace vise::images

#include "extract/images/decode/png_chunks.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cctype>

#include "extract/images/decode/exif.h"
#include "extract/images/decode/zlib_text.h"

namespace vise::images {
namespace {

constexpr std::uint64_t kMaxText = 1 << 20, kMaxAllText = 64 << 20;  // PngImagePlugin.MAX_TEXT_CHUNK, _MEMORY

// Table 11.1 of the PNG specification. Pillow leaves a header with another pair without a mode
// instead of refusing it, so a later IHDR may still be lawful.
bool known_pair(int depth, int colour) {
  switch (colour) {
    case 0:
      return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case 3:
      return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case 2:
    case 4:
    case 6:
      return depth == 8 || depth == 16;
    default:
      return false;
  }
}

std::string_view text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

ByteView rest_of(ByteView bytes, std::size_t from) { return from < bytes.size() ? bytes.subspan(from) : ByteView(); }

// As PngImagePlugin.load_read() has it; DDAT is in no version of PNG.
bool is_image_data(const std::string& name) { return name == "IDAT" || name == "DDAT" || name == "fdAT"; }

}  // namespace

PngChunks::PngChunks(const Source& source) : source_(source), cursor_(source, 8) {
  for (;;) {
    const auto chunk = next_chunk();
    if (!chunk) refuse("the PNG's chunks are broken");
    if (chunk->name == "IEND") break;
    ByteView body;
    // The first image data end the opening; next_data() reads on from there.
    if (!handle(*chunk, body)) break;
    check_crc(*chunk, body);
  }
  // Image data before the first frame's control chunk are a picture of their own, shown by programs without animation.
  animated_ = frames_ && (*frames_ > 1 || !bounds_);
  if (colour_ < 0) refuse("the PNG has no lawful header");
  source.check_size(width_, height_);
}

std::string PngChunks::mode() const {
  // Pillow has no mode for grey with alpha or colour at 16 bits and reads them into 8-bit modes;
  // grey becomes 32-bit integers, which convert("RGB") then clips.
  if (depth_ == 16) return colour_ == 0 ? "I" : colour_ == 2 ? "RGB" : "RGBA";
  switch (colour_) {
    case 0:
      return depth_ == 1 ? "1" : "L";
    case 2:
      return "RGB";
    case 3:
      return "P";
    case 4:
      return "LA";
    default:
      return "RGBA";
  }
}

std::optional<PngChunks::Chunk> PngChunks::next_chunk() {
  const ByteView head = cursor_.read(8);
  if (head.size() < 8) return std::nullopt;
  Chunk chunk{std::string(text_of(head.subspan(4))), Cursor::be32(head, 0)};
  for (const char c : chunk.name) {
    // Pillow's test of a chunk's name (is_cid): letters, digits and underscores, of any case.
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') return std::nullopt;
  }
  return chunk;
}

void PngChunks::check_crc(const Chunk& chunk, ByteView body) {
  // The checksum covers the name and the body, not the length.
  auto crc = crc32(0, reinterpret_cast<const Bytef*>(chunk.name.data()), 4);
  crc = crc32_z(crc, reinterpret_cast<const Bytef*>(body.data()), body.size());
  const ByteView stored = cursor_.read(4);
  if (stored.size() < 4 || Cursor::be32(stored, 0) != crc) {
    refuse(fmt::format("the checksum of the PNG's chunk {} is wrong", chunk.name));
  }
}

bool PngChunks::handle(const Chunk& chunk, ByteView& body) {
  if (chunk.name == "IDAT" || chunk.name == "fdAT") {
    data_left_ = chunk.length;
    if (chunk.name == "fdAT") {
      require(chunk, 4);
      frame_data_number();
      data_left_ -= 4;
    }
    // Of an animation the first frame may be smaller than the picture; of a still picture it is the whole.
    if (!has_data_) frame_ = bounds_.value_or(PngFrame{0, 0, width_, height_});
    has_data_ = true;
    return false;
  }
  // A chunk of unknown name has no effect, but its bytes must be there.
  body = cursor_.take(chunk.length);
  handle_body(chunk, body);
  return true;
}

void PngChunks::require(const Chunk& chunk, std::size_t length) const {
  if (chunk.length < length) refuse(fmt::format("the PNG's chunk {} is too short", chunk.name));
}

void PngChunks::handle_body(const Chunk& chunk, ByteView body) {
  const std::string& name = chunk.name;
  if (name == "IHDR") {
    require(chunk, 13);
    header(body);
  }
  // With other colour types a palette is only a suggestion (PNG specification, 11.2.3); before IHDR Pillow ignores it.
  if (name == "PLTE" && colour_ == 3) palette_ = body;
  if (name == "tRNS") transparency(body);
  if (name == "iCCP") profile(body);
  // The chunks below change no pixel. Their lengths are looked at because Pillow fails on short ones.
  if (name == "gAMA") require(chunk, 4);
  if (name == "cHRM" && chunk.length % 4) refuse("the PNG's chunk cHRM has a wrong length");
  if (name == "sRGB") require(chunk, 1);
  if (name == "pHYs") require(chunk, 9);
  if (name == "tEXt") {
    const std::string_view text = text_of(body);
    const std::size_t key = std::min(text.find('\0'), text.size());
    add_text(text.substr(0, key), key < text.size() ? text.substr(key + 1) : std::string_view());
  }
  if (name == "zTXt") compressed_text(body);
  if (name == "iTXt") international_text(body);
  if (name == "eXIf") exif_ = body;
  if (name == "acTL") {
    require(chunk, 8);
    animation(body);
  }
  if (name == "fcTL") {
    require(chunk, 26);
    frame_control(body);
  }
}

// Pillow takes a second IHDR too: the sides are replaced, depth and colour only by a known pair, and interlacing, once
// set, stays. The compression method, byte 10, is not looked at.
void PngChunks::header(ByteView body) {
  width_ = Cursor::be32(body, 0);
  height_ = Cursor::be32(body, 4);
  if (known_pair(Cursor::byte(body, 8), Cursor::byte(body, 9))) {
    depth_ = Cursor::byte(body, 8);
    colour_ = Cursor::byte(body, 9);
  }
  interlaced_ = interlaced_ || Cursor::byte(body, 12) != 0;
  if (Cursor::byte(body, 11) != 0) refuse("the PNG's filter method is unknown");
}

// Alpha is dropped, so the values don't matter; but Pillow unpacks one 16-bit number for grey and three for RGB.
void PngChunks::transparency(ByteView body) const {
  const bool one = colour_ == 0, three = colour_ == 2;
  if ((one && body.size() < 2) || (three && body.size() < 6)) refuse("the PNG's chunk tRNS is too short");
}

// Pillow looks for the compression method in the name's final NUL, so that only a profile without name can be wrong.
void PngChunks::profile(ByteView body) const {
  if (body.empty()) refuse("the PNG's chunk iCCP is empty");
  const std::size_t end = text_of(body).find('\0');
  if (end == std::string_view::npos && Cursor::byte(body, body.size() - 1) != 0) {
    refuse("the PNG's colour profile is compressed in an unknown way");
  }
  if (inflated_size(rest_of(body, end == std::string_view::npos ? 1 : end + 2), kMaxText) > kMaxText) {
    refuse("the PNG's colour profile inflates to more than 1 MB");
  }
}

// zTXt: keyword, NUL, compression method, zlib stream (PNG specification, 11.3.4.4).
void PngChunks::compressed_text(ByteView body) {
  const std::string_view text = text_of(body);
  const std::size_t key = std::min(text.find('\0'), text.size());
  const ByteView value = rest_of(body, key + 1);
  if (!value.empty() && Cursor::byte(value, 0) != 0) refuse("the PNG's text is compressed in an unknown way");
  std::string inflated;
  if (inflated_size(rest_of(value, 1), kMaxText, &inflated) > kMaxText) {
    refuse("the PNG's text inflates to more than 1 MB");
  }
  add_text(text.substr(0, key), inflated);
}

// iTXt: keyword, NUL, compressed or not, method, language, NUL, keyword in that language, NUL, text (11.3.4.5). Where
// one of these is missing Pillow drops the chunk without an error.
void PngChunks::international_text(ByteView body) {
  const std::string_view text = text_of(body);
  const std::size_t key = text.find('\0');
  if (key == std::string_view::npos || text.size() - key - 1 < 2) return;
  const bool compressed = text[key + 1] != 0, zlib = text[key + 2] == 0;
  const std::size_t language = text.find('\0', key + 3);
  const std::size_t keyword = language == std::string_view::npos ? language : text.find('\0', language + 1);
  if (keyword == std::string_view::npos || (compressed && !zlib)) return;
  if (!compressed) return add_text(text.substr(0, key), text.substr(keyword + 1));
  std::string inflated;
  if (inflated_size(body.subspan(keyword + 1), kMaxText, &inflated) > kMaxText) {
    refuse("the PNG's text inflates to more than 1 MB");
  }
  add_text(text.substr(0, key), inflated);
}

void PngChunks::add_text(std::string_view key, std::string_view text) {
  if (key.empty()) return;
  text_bytes_ += text.size();
  if (text_bytes_ > kMaxAllText) refuse("the PNG's texts are larger than 64 MB");
  // Of all texts only XMP matters: it may hold the orientation.
  if (key == "XML:com.adobe.xmp") xmp_ = text;
}

void PngChunks::animation(ByteView body) {
  const std::uint32_t frames = Cursor::be32(body, 0);
  // A second acTL makes Pillow treat the file as not animated.
  if (frames_) {
    frames_.reset();
  } else if (frames != 0 && frames <= 0x80000000u) {
    frames_ = frames;
  }
}

void PngChunks::frame_control(ByteView body) {
  const std::uint32_t number = Cursor::be32(body, 0);
  // Control and data chunks of an APNG share one sequence of numbers (APNG specification, fcTL).
  if (sequence_ ? *sequence_ + 1 != number : number != 0) refuse("the PNG's animation frames are out of order");
  sequence_ = number;
  const PngFrame frame{Cursor::be32(body, 12), Cursor::be32(body, 16), Cursor::be32(body, 4), Cursor::be32(body, 8)};
  if (std::uint64_t{frame.left} + frame.width > width_ || std::uint64_t{frame.top} + frame.height > height_) {
    refuse("the PNG's animation frame reaches outside the picture");
  }
  bounds_ = frame;
}

void PngChunks::frame_data_number() {
  const std::uint32_t number = cursor_.u32be();
  if (!sequence_ || *sequence_ + 1 != number) refuse("the PNG's animation frames are out of order");
  sequence_ = number;
}

ByteView PngChunks::next_data() {
  // Chunks of no bytes are lawful.
  while (data_left_ == 0) {
    cursor_.read(4);  // the checksum of image data is not looked at
    const auto chunk = next_chunk();
    if (!chunk || !is_image_data(chunk->name)) refuse("the PNG's image data are cut short");
    data_left_ = chunk->length;
    if (chunk->name == "fdAT") {
      require(*chunk, 4);
      frame_data_number();
      data_left_ -= 4;
    }
  }
  // Pieces of at most 64 KB, as ImageFile.load() reads them, so that zlib notices a fault at the same byte.
  const std::uint32_t wanted = std::min<std::uint32_t>(65536, data_left_);
  data_left_ -= wanted;
  const ByteView data = cursor_.read(wanted);
  if (data.empty()) refuse("the PNG is cut short");
  return data;
}

void PngChunks::finish() {
  // What the rows did not need of the last data chunk is passed over; the chunks behind it must
  // still be sound, since Pillow's load_end() reads them.
  cursor_.read(data_left_);
  // Checksums are passed over here, and what is no chunk's name ends the walk without an error.
  for (;;) {
    cursor_.read(4);
    const auto chunk = next_chunk();
    if (!chunk || chunk->name == "IEND") return;
    if (chunk->name == "fcTL" && animated_) return;  // the next frame of an animation
    ByteView body;
    if (!handle(*chunk, body)) cursor_.take(data_left_);
  }
}

std::optional<int> PngChunks::orientation() const {
  if (!exif_.empty()) {
    if (const auto found = exif_orientation(exif_)) return found;
  }
  const std::size_t at = xmp_.find("tiff:Orientation");
  if (at == std::string::npos) return std::nullopt;
  const std::string_view value = std::string_view(xmp_).substr(at + 16);
  // XMP is XML: tiff:Orientation is an attribute or an element. Pillow finds it with the
  // same pattern when EXIF says nothing.
  const std::size_t digit = value.starts_with("=\"") ? 2 : value.starts_with(">") ? 1 : value.size();
  if (digit >= value.size() || value[digit] < '0' || value[digit] > '9') return std::nullopt;
  return value[digit] - '0';
}

}  // namespace vise::images

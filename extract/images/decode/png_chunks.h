// A PNG's chunks as Pillow's PngStream goes through them: which faults it forgives and which it does not. Private to
// extract/decode.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "extract/images/decode/codec.h"

namespace vise::images {

// The rectangle of the picture that the image data fill (an animation's first frame may be smaller).
struct PngFrame {
  std::uint32_t left = 0, top = 0, width = 0, height = 0;
};

class PngChunks {
 public:
  // Goes through the chunks up to the first image data; refuses as Image.open() does.
  explicit PngChunks(const Source& source);

  // bits a sample and colour type of IHDR; a pair that PNG knows.
  int depth() const { return depth_; }
  int colour() const { return colour_; }
  std::string mode() const;
  bool interlaced() const { return interlaced_; }
  std::uint32_t width() const { return width_; }
  std::uint32_t height() const { return height_; }
  const PngFrame& frame() const { return frame_; }
  bool has_data() const { return has_data_; }
  ByteView palette() const { return palette_; }

  // The next block of image data, at most 64 KB and never across chunks, as ImageFile.load() reads them; refuses at
  // their end.
  ByteView next_data();
  // Goes through what follows the image data; refuses as load_end() does.
  void finish();

  // EXIF orientation from what has been gone through so far.
  std::optional<int> orientation() const;

 private:
  struct Chunk {
    std::string name;
    std::uint32_t length = 0;
  };

  [[noreturn]] void refuse(std::string_view what) const { source_.refuse(what); }
  // The next chunk's head, nothing where it is none.
  std::optional<Chunk> next_chunk();
  void check_crc(const Chunk& chunk, ByteView body);
  // The body, taken and looked at; false for a chunk of image data, of which nothing (of fdAT four bytes) is taken.
  bool handle(const Chunk& chunk, ByteView& body);
  void handle_body(const Chunk& chunk, ByteView body);
  void require(const Chunk& chunk, std::size_t length) const;
  void header(ByteView body);
  void transparency(ByteView body) const;
  void profile(ByteView body) const;
  void compressed_text(ByteView body);
  void international_text(ByteView body);
  void add_text(std::string_view key, std::string_view text);
  void animation(ByteView body);
  void frame_control(ByteView body);
  void frame_data_number();

  const Source& source_;
  Cursor cursor_;
  int depth_ = 0, colour_ = -1;
  bool interlaced_ = false, has_data_ = false, animated_ = false;
  std::uint32_t width_ = 0, height_ = 0;
  std::optional<PngFrame> bounds_;  // of the last fcTL
  PngFrame frame_;
  ByteView palette_, exif_;
  std::string xmp_;
  std::optional<std::uint32_t> frames_, sequence_;
  std::uint32_t data_left_ = 0;  // of the current chunk of image data
  std::uint64_t text_bytes_ = 0;
};

}  // namespace vise::images

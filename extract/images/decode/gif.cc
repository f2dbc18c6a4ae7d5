// GIF, first frame, by our own reader: giflib refuses files that Pillow reads and the other way round (LZW data that
// end early, frames larger than the screen, missing palettes). Follows GifImagePlugin.py and GifDecode.c.
#include <array>
#include <cstring>
#include <optional>

#include "extract/images/decode/codec.h"

namespace vise::images {
namespace {

// GIF89a, appendix F: codes have at most 12 bits. A block is ImageFile.MAXBLOCK.
constexpr int kMaxBits = 12;
constexpr std::size_t kTable = 1 << kMaxBits, kBlock = 65536;

struct Rectangle {
  std::uint32_t left = 0, top = 0, right = 0, bottom = 0;
};

// What precedes the first frame's data.
struct FirstFrame {
  std::uint32_t width = 0, height = 0;  // of the picture: the screen, enlarged where the frame reaches outside it
  Rectangle place;
  bool interlaced = false, frame_has_palette = false;
  ByteView screen_palette, frame_palette;  // empty where there is none or it is the grey ramp
  std::optional<std::uint8_t> transparent;
  int bits = 0;
  std::size_t data = 0;
};

// Pillow treats a palette that only says (i, i, i) as none.
bool is_grey_ramp(ByteView palette) {
  for (std::size_t i = 0; i < palette.size(); ++i) {
    if (Cursor::byte(palette, i) != i / 3) return false;
  }
  return true;
}

class Opening {
 public:
  explicit Opening(const Source& source) : source_(source), cursor_(source, 6) {
    frame_.width = cursor_.u16le();
    frame_.height = cursor_.u16le();
    const int flags = cursor_.u8();
    // The background's index and the pixels' aspect are without effect in Pillow's first frame.
    cursor_.take(2);
    if (flags & 128) frame_.screen_palette = palette(flags);
    while (!block()) {
    }
    source.check_size(frame_.width, frame_.height);
  }

  const FirstFrame& frame() const { return frame_; }

 private:
  ByteView palette(int flags) {
    // The lowest three bits n say that the palette has 2^(n + 1) colours.
    const ByteView entries = cursor_.take(std::uint64_t{3} << ((flags & 7) + 1));
    return is_grey_ramp(entries) ? ByteView() : entries;
  }

  // At most 255 bytes. Empty at the end of a chain, which is a length of 0, and at the end of the file: Pillow's data()
  // treats them alike.
  ByteView sub_block() {
    const ByteView length = cursor_.read(1);
    return length.empty() ? ByteView() : cursor_.read(Cursor::byte(length, 0));
  }

  // True once the frame's data are reached. Unknown bytes between blocks are skipped.
  bool block() {
    if (!cursor_.left()) source_.refuse("the GIF has no picture");
    const std::uint8_t kind = cursor_.u8();
    if (kind == ';') source_.refuse("the GIF has no picture");
    if (kind == '!') extension();
    if (kind != ',') return false;
    image();
    return true;
  }

  void extension() {
    const std::uint8_t label = cursor_.u8();
    ByteView data = sub_block();
    // Graphic control: flags, delay, and the transparent index if the flags' lowest bit is set.
    if (label == 249) {
      // Where a byte is missing, Pillow's indexing raises and the file is not identified.
      if (data.size() < 3 || ((Cursor::byte(data, 0) & 1) && data.size() < 4)) {
        source_.refuse("the GIF's graphic control block is cut short");
      }
      if (Cursor::byte(data, 0) & 1) transparent_ = Cursor::byte(data, 3);
    } else if (label == 255) {
      if (data.empty()) source_.refuse("the GIF's application block is empty");
      if (starts_with(data, "NETSCAPE2.0") && sub_block().empty()) source_.refuse("the GIF's loop block is empty");
    } else if (label == 254 && data.empty()) {
      return;  // an empty comment
    }
    // For any label but a comment's, Pillow reads a further chain even if the first block was empty.
    while (!sub_block().empty()) {
    }
  }

  void image() {
    Rectangle& place = frame_.place;
    place.left = cursor_.u16le();
    place.top = cursor_.u16le();
    place.right = place.left + cursor_.u16le();
    place.bottom = place.top + cursor_.u16le();
    // Pillow enlarges the picture where a frame reaches past the screen.
    frame_.width = std::max(frame_.width, place.right);
    frame_.height = std::max(frame_.height, place.bottom);
    const int flags = cursor_.u8();
    frame_.interlaced = flags & 64;
    frame_.frame_has_palette = flags & 128;
    if (frame_.frame_has_palette) frame_.frame_palette = palette(flags);
    frame_.bits = cursor_.u8();
    frame_.data = cursor_.tell();
    frame_.transparent = transparent_;
  }

  const Source& source_;
  Cursor cursor_;
  FirstFrame frame_;
  std::optional<std::uint8_t> transparent_;
};

// LZW to palette indices. Codes are cut out of the stream as GifDecode.c does it, oddities included: the end code only
// pauses (decoding continues with what follows, as long as the picture isn't full), and a code may be one above the
// table.
class Lzw {
 public:
  enum class State { more, done, broken };

  Lzw(const FirstFrame& frame, std::uint8_t* indices)
      : clear_(1 << frame.bits), bits_(frame.bits), place_(frame.place), indices_(indices), stride_(frame.width) {
    // A frame of no width at the left edge stands for the whole picture.
    if (place_.left == 0 && place_.right == 0) place_ = {0, 0, frame.width, frame.height};  // decode.c, _setimage
    pass_ = frame.interlaced ? 1 : 0;
    step_ = frame.interlaced ? 8 : 1;
    restart();
  }

  // Takes whole sub-blocks only and moves `begin` past what was used.
  State feed(const std::uint8_t*& begin, const std::uint8_t* end) {
    for (;;) {
      // Codes are packed from the lowest bit on and may begin in one byte, or sub-block, and end in the next.
      while (bit_count_ < code_size_) {
        if (!next_byte(begin, end)) return State::more;
      }
      const int code = static_cast<int>(bit_buffer_ & ((1u << code_size_) - 1));
      bit_buffer_ >>= code_size_;
      bit_count_ -= code_size_;
      if (code == clear_) {
        restart();
      } else if (code == clear_ + 1) {
        return State::more;
      } else {
        const State state = expand(code);
        if (state != State::more) return state;
      }
    }
  }

 private:
  bool next_byte(const std::uint8_t*& begin, const std::uint8_t* end) {
    if (block_left_ > 0) {
      bit_buffer_ |= static_cast<std::uint32_t>(*begin++) << bit_count_;
      bit_count_ += 8;
      --block_left_;
      return true;
    }
    // A sub-block is begun only when all of it is there, so of one that the file's end cuts off no pixel is seen.
    if (begin == end || end - begin < *begin + 1) return false;
    block_left_ = *begin++;
    return true;
  }

  void restart() {
    next_ = clear_ + 2;
    code_size_ = bits_ + 1;
    first_ = true;
  }

  State expand(int code) {
    if (first_) {
      // The first code after a reset must be a colour, for there is nothing yet that it could refer to.
      if (code > clear_) return State::broken;
      first_ = false;
      last_code_ = code;
      last_value_ = static_cast<std::uint8_t>(code);
      return put(last_value_) ? State::done : State::more;
    }
    // A code may name the entry that this step makes, but none beyond it.
    if (code > next_) return State::broken;
    std::size_t top = kTable;
    int c = code;
    // The code that this step is about to define: its string is the last one followed
    // by that one's first letter.
    if (c == next_) {
      string_[--top] = last_value_;
      c = last_code_;
    }
    // Strings are stored as a last letter and a link to the rest, so they are read backwards onto a stack.
    while (c >= clear_) {
      // Links lead to smaller codes only, so the walk ends.
      if (top == 0 || c >= static_cast<int>(kTable)) return State::broken;
      string_[--top] = value_[static_cast<std::size_t>(c)];
      c = link_[static_cast<std::size_t>(c)];
    }
    last_value_ = static_cast<std::uint8_t>(c);
    remember(c);
    last_code_ = code;
    if (put(last_value_)) return State::done;
    for (; top < kTable; ++top) {
      if (put(string_[top])) return State::done;
    }
    return State::more;
  }

  void remember(int value) {
    // A full table stays as it is until the clear code.
    if (next_ >= static_cast<int>(kTable)) return;
    value_[static_cast<std::size_t>(next_)] = static_cast<std::uint8_t>(value);
    link_[static_cast<std::size_t>(next_)] = static_cast<std::uint16_t>(last_code_);
    // When the entry just made has the last number of this width, the next code has a bit more.
    if (next_ == (1 << code_size_) - 1 && code_size_ < kMaxBits) ++code_size_;
    ++next_;
  }

  // True when the last row is full.
  bool put(std::uint8_t index) {
    indices_[std::size_t{place_.top + y_} * stride_ + place_.left + x_] = index;
    if (++x_ < place_.right - place_.left) return false;
    x_ = 0;
    y_ += step_;
    // Four passes: rows 0, 8, 16 ..., then 4, 12 ..., then 2, 6 ..., then 1, 3 ... A frame
    // of few rows may skip a whole pass.
    while (y_ >= place_.bottom - place_.top) {
      switch (pass_) {
        case 1:
          y_ = 4;
          pass_ = 2;
          break;
        case 2:
          step_ = 4;
          y_ = 2;
          pass_ = 3;
          break;
        case 3:
          step_ = 2;
          y_ = 1;
          pass_ = 0;
          break;
        default:
          return true;
      }
    }
    return false;
  }

  const int clear_, bits_;
  Rectangle place_;
  std::uint8_t* indices_;
  std::size_t stride_;
  int pass_ = 0;
  std::uint32_t step_ = 1, x_ = 0, y_ = 0;
  std::uint32_t bit_buffer_ = 0;
  int bit_count_ = 0, code_size_ = 0, block_left_ = 0;
  int next_ = 0, last_code_ = 0;
  std::uint8_t last_value_ = 0;
  bool first_ = true;
  std::array<std::uint8_t, kTable> value_{}, string_{};
  std::array<std::uint16_t, kTable> link_{};
};

void look_up(const FirstFrame& frame, const std::vector<std::uint8_t>& indices, Image& image) {
  std::array<std::array<std::uint8_t, 3>, 256> colours;
  for (std::size_t i = 0; i < 256; ++i) colours[i].fill(static_cast<std::uint8_t>(i));
  // A frame whose own palette is the grey ramp gets the screen's where there is one: Pillow opens it as L, then gives
  // it that palette (GifImagePlugin._seek). Indices past the end of a palette are greys.
  const ByteView palette = frame.frame_palette.empty() ? frame.screen_palette : frame.frame_palette;
  if (!palette.empty()) std::memcpy(colours.data(), palette.data(), palette.size());
  for (std::size_t i = 0; i < indices.size(); ++i) std::memcpy(&image.pixels[i * 3], colours[indices[i]].data(), 3);
}

}  // namespace

ImageHeader gif_header(const Source& source) {
  const FirstFrame frame = Opening(source).frame();
  const bool palette = frame.frame_has_palette ? !frame.frame_palette.empty() : !frame.screen_palette.empty();
  return {ImageFormat::gif, palette ? "P" : "L", frame.width, frame.height, std::nullopt};
}

Image decode_gif(const Source& source) {
  const FirstFrame frame = Opening(source).frame();
  if (frame.bits > kMaxBits) source.refuse("the GIF has codes of more than 12 bits");
  const Rectangle& place = frame.place;
  // The case that Lzw takes for the whole picture; any other frame without pixels Pillow's decoder refuses.
  const bool whole = place.left == 0 && place.right == 0;
  if (!whole && (place.left == place.right || place.top == place.bottom)) source.refuse("the GIF's frame is empty");
  // What the frame doesn't cover has the transparent index, or 0.
  std::vector<std::uint8_t> indices(std::size_t{frame.width} * frame.height, frame.transparent.value_or(0));
  Lzw lzw(frame, indices.data());
  const std::uint8_t *begin = source.data() + frame.data, *fed = begin, *const end = source.data() + source.size();
  for (;;) {
    if (fed == end) source.refuse("the GIF is cut short");
    // Bytes are offered as ImageFile.load() offers them, 64 KB more at a time: whether a damaged
    // file counts as cut short or as broken depends on it.
    fed += std::min<std::size_t>(kBlock, static_cast<std::size_t>(end - fed));
    const Lzw::State state = lzw.feed(begin, fed);
    if (state == Lzw::State::broken) source.refuse("the GIF's data are broken");
    if (state == Lzw::State::done) break;
  }
  Image image = source.make_image(frame.width, frame.height);
  look_up(frame, indices, image);
  return image;
}

}  // namespace vise::images

#include "extract/images/decode/decode.h"

#include <string>

#include "base/error.h"
#include "base/random.h"
#include "extract/images/parity_images.h"
#include "tests/shared.h"

namespace vise::images {
namespace {

std::string reason(std::string_view bytes, const DecodeOptions& options = {}) {
  try {
    decode_image(as_byte_view(bytes), "picture", options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "accepted";
}

TEST(Decode, NamesWhatIsNoPicture) {
  using namespace std::string_view_literals;
  EXPECT_EQ(reason(""), "picture: the file is empty");
  EXPECT_EQ(reason("<!DOCTYPE html><html>"), "picture: this is an HTML page, no image");
  EXPECT_EQ(reason("version https://git-lfs.github.com/spec/v1\n"),
            "picture: this is a Git LFS pointer, not the image itself");
  EXPECT_EQ(reason("\0\0\1\0\1\0"sv), "picture: not a JPEG, PNG, WebP, GIF, BMP, PBM/PGM/PPM or TIFF file");
  EXPECT_EQ(reason("\xff\xd8\xff"), "picture: the file is cut short");
}

TEST(Decode, SniffsByContent) {
  EXPECT_EQ(sniff_image(as_byte_view("\xff\xd8\xff\xe0")), ImageFormat::jpeg);
  EXPECT_EQ(sniff_image(as_byte_view("\x89PNG\r\n\x1a\n")), ImageFormat::png);
  EXPECT_EQ(sniff_image(as_byte_view("\n\xff\xd8\xff\xe0")), std::nullopt);
  EXPECT_EQ(sniff_image({}), std::nullopt);
}

std::string text_of(const ParityImage& known) {
  return {reinterpret_cast<const char*>(known.file.data()), known.file.size()};
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// 2 x 2 pixels, palette (200, 10, 20), (1, 2, 3), and a zlib stream that ends properly after the first row, 1 0.
// Pillow 9.4 gives the rest index 0, so not black; found by comparing damaged files with it.
TEST(Decode, RowsMissingFromAPalettePngHaveItsFirstColour) {
  const std::string png = from_hex(
      "89504e470d0a1a0a0000000d49484452000000020000000208030000004568fd1600000006504c5445c80a1401020367eaa4700000000b"
      "49444154789c636064000000050002d16633780000000049454e44ae426082");
  const Image image = decode_image(as_byte_view(png), "png");
  EXPECT_EQ(image.pixels, (std::vector<std::uint8_t>{1, 2, 3, 200, 10, 20, 200, 10, 20, 200, 10, 20}));
}

// 2 x 1 grey pixels, then a second header of 5 x 6 RGB. Found by fuzzing: the header read was the second one.
TEST(Decode, ASecondPngHeaderBehindTheImageSaysNothing) {
  const std::string png = from_hex(
      "89504e470d0a1a0a0000000d4948445200000002000000010800000000d14920560000000b49444154789c63e0640700001c"
      "001108115f3b0000000d49484452000000050000000608020000008499c31c0000000049454e44ae426082");
  const ImageHeader header = read_image_header(as_byte_view(png), "png");
  EXPECT_EQ(header.width, 2u);
  EXPECT_EQ(header.height, 1u);
  EXPECT_EQ(header.mode, "L");
  EXPECT_EQ(decode_image(as_byte_view(png), "png").pixels, (std::vector<std::uint8_t>{9, 9, 9, 7, 7, 7}));
}

std::vector<int> red_of(std::string_view file) {
  const Image image = decode_image(as_byte_view(file), "picture");
  std::vector<int> red;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) red.push_back(image.pixels[i]);
  return red;
}

// Results of Pillow 9.4 on the same bytes.
TEST(Decode, PnmFollowsPillow) {
  EXPECT_EQ(red_of("P1 3 2 101\n0#x\n10"), (std::vector<int>{0, 255, 0, 255, 0, 255}));
  EXPECT_EQ(red_of("P2 # c\n3 1 255\n5 6"), (std::vector<int>{5, 6, 6}));  // the last number again
  EXPECT_EQ(red_of("P2 2 1 15\n3 +1_0\n"), (std::vector<int>{51, 170}));
  EXPECT_EQ(red_of("P2 2 1 65535\n256 7\n"), (std::vector<int>{255, 7}));  // clipped, not scaled
  EXPECT_EQ(red_of("P2 2 1 2\n1 2\n"), (std::vector<int>{128, 255}));      // 127.5 to even
  EXPECT_EQ(red_of("P5 2 1 255\nAB"), (std::vector<int>{65, 66}));
  EXPECT_EQ(red_of("P4 3 1\n\x5f"), (std::vector<int>{255, 0, 255}));
  EXPECT_EQ(reason("P5 2 1 255\nA"), "picture: the file is cut short");
  EXPECT_EQ(reason("P2 2 1 255\n1 256\n"), "picture: a value is above the largest one that the header gives");
  EXPECT_EQ(reason("P7\nWIDTH 1\n"), "picture: not a JPEG, PNG, WebP, GIF, BMP, PBM/PGM/PPM or TIFF file");
}

TEST(Decode, APictureCutShortIsAnErrorOrWhole) {
  for (const ParityImage& known : parity_images()) {
    const std::string file = text_of(known);
    const Image whole = decode_image(as_byte_view(file), known.name);
    for (std::size_t length = 0; length < file.size(); ++length) {
      try {
        const Image part = decode_image(as_byte_view(std::string_view(file).substr(0, length)), known.name);
        EXPECT_EQ(part.pixels, whole.pixels) << known.name << " cut at " << length;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
      }
    }
  }
}

TEST(Decode, DamagedBytesGiveAPictureOrAnError) {
  RandomStream random("damaged pictures", 0);
  for (const ParityImage& known : parity_images()) {
    for (int i = 0; i < 1000; ++i) {
      std::string file = text_of(known);
      for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
        file[random.below(file.size())] = static_cast<char>(random.below(256));
      }
      try {
        const Image image = decode_image(as_byte_view(file), known.name, {1'000'000});
        EXPECT_EQ(image.pixels.size(), std::size_t{image.width} * image.height * 3);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
      }
    }
  }
}

TEST(Decode, TheLimitOnPixelsHoldsForEveryFormat) {
  for (const ParityImage& known : parity_images()) {
    const std::string file = text_of(known);
    const Image whole = decode_image(as_byte_view(file), known.name);
    const std::uint64_t pixels = std::uint64_t{whole.width} * whole.height;
    EXPECT_NO_THROW(decode_image(as_byte_view(file), known.name, {pixels}));
    EXPECT_NE(reason(file, {pixels - 1}).find("more than the limit"), std::string::npos) << known.name;
  }
}

}  // namespace
}  // namespace vise::images

#include "extract/decode/decode.h"

#include <string>

#include "base/error.h"
#include "tests/shared.h"

namespace vise {
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

}  // namespace
}  // namespace vise

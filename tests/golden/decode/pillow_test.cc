// Every picture of ../shared/data/images against what Pillow 9.4 and torchvision 0.14.1 made of it (pillow.csv):
// decoded bytes, both 224 x 224 results, size, mode and orientation where Pillow reads the file, an Error{input} where
// it doesn't. There are no exceptions for JPEG, PNG, WebP, GIF, BMP and PNM; TIFF and other formats may be refused.
#include <fmt/format.h>

#include <map>

#include "base/csv.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/threads.h"
#include "extract/images/decode/decode.h"
#include "extract/images/transform/transform.h"
#include "tests/shared.h"

namespace vise {
namespace {

enum class Verdict { equal, both_refuse, refused, wrongly_accepted, different };

struct Outcome {
  Verdict verdict;
  std::string detail;
};

std::string sha_of(const Transform& transform, const Image& image) {
  std::vector<std::uint8_t> rgb(transform.bytes());
  transform.pixels(image, rgb);
  return sha256_hex(std::as_bytes(std::span(rgb)));
}

class Golden : public testing::Test {
 protected:
  static const CsvTable& table() {
    static const CsvTable csv =
        CsvTable::parse(read_text_file(test::shared_dir() / "data/golden/pillow.csv"), "pillow.csv");
    return csv;
  }
  static const std::string& cell(std::size_t row, const char* column) {
    return table().cell(row, table().column(column));
  }

  static Outcome judge(std::size_t row) {
    const std::string& path = cell(row, "path");
    const auto bytes = read_file(test::shared_dir() / "data" / path);
    Image image;
    try {
      image = decode_image(bytes, path);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) return {Verdict::different, "error of the wrong kind"};
      if (cell(row, "status") != "ok") return {Verdict::both_refuse, error.what()};
      if (error.hint().find("convert it") == std::string::npos) return {Verdict::different, "refused without the hint"};
      return {Verdict::refused, error.what()};
    }
    if (cell(row, "status") != "ok") return {Verdict::wrongly_accepted, cell(row, "error")};
    return compare(row, bytes, image);
  }

  static Outcome compare(std::size_t row, ByteView bytes, const Image& image) {
    static const Transform bilinear = Transform::parse("imagenet"), bicubic = Transform::parse("clip");
    const ImageHeader header = read_image_header(bytes, "");
    std::string differs;
    const auto check = [&](const char* column, const std::string& ours) {
      if (ours != cell(row, column)) differs += fmt::format(" {} {} not {}", column, ours, cell(row, column));
    };
    check("width", std::to_string(image.width));
    check("height", std::to_string(image.height));
    check("width", std::to_string(header.width));
    check("height", std::to_string(header.height));
    check("mode", header.mode);
    // Pillow shows the last frame's tags, or none, once the frames of a TIFF have been counted.
    if (cell(row, "frames") == "1")
      check("exif_orientation", header.exif_orientation ? std::to_string(*header.exif_orientation) : "");
    check("rgb_sha256", sha256_hex(std::as_bytes(std::span(image.pixels))));
    check("resize256_bilinear_crop224", sha_of(bilinear, image));
    check("resize224_bicubic_crop224", sha_of(bicubic, image));
    return {differs.empty() ? Verdict::equal : Verdict::different, differs};
  }

  // Checks all rows of the formats, prints the counts.
  static void run(const std::vector<std::string>& formats, bool may_refuse, int least_equal = 0) {
    std::vector<std::size_t> rows;
    for (std::size_t r = 0; r < table().rows(); ++r) {
      if (std::find(formats.begin(), formats.end(), cell(r, "format")) != formats.end()) rows.push_back(r);
    }
    std::vector<Outcome> outcomes(rows.size());
    parallel_for(available_cores(), rows.size(), [&](std::size_t i) { outcomes[i] = judge(rows[i]); });
    std::map<Verdict, int> counts;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string& path = cell(rows[i], "path");
      const Outcome& outcome = outcomes[i];
      ++counts[outcome.verdict];
      EXPECT_NE(outcome.verdict, Verdict::different) << path << ":" << outcome.detail;
      EXPECT_NE(outcome.verdict, Verdict::wrongly_accepted) << path << ": Pillow says " << outcome.detail;
      EXPECT_TRUE(may_refuse || outcome.verdict != Verdict::refused) << outcome.detail;
    }
    fmt::print("[ counts   ] {}: {} rows: {} equal, {} refused by both, {} refused only here\n", formats.front(),
               rows.size(), counts[Verdict::equal], counts[Verdict::both_refuse], counts[Verdict::refused]);
    EXPECT_FALSE(rows.empty());
    EXPECT_GE(counts[Verdict::equal], least_equal);
  }
};

TEST_F(Golden, JpegEqualsPillow) {
  VISE_NEEDS_SHARED();
  run({"JPEG", "MPO"}, false);
}

TEST_F(Golden, PngEqualsPillow) {
  VISE_NEEDS_SHARED();
  run({"PNG"}, false);
}

TEST_F(Golden, WebpEqualsPillow) {
  VISE_NEEDS_SHARED();
  run({"WEBP"}, false);
}

TEST_F(Golden, GifEqualsPillow) {
  VISE_NEEDS_SHARED();
  run({"GIF"}, false);
}

TEST_F(Golden, BmpEqualsPillow) {
  VISE_NEEDS_SHARED();
  run({"BMP"}, false);
}

TEST_F(Golden, PnmEqualsPillow) {
  VISE_NEEDS_SHARED();
  run({"PPM"}, false);
}

TEST_F(Golden, TiffEqualsPillowOrIsRefused) {
  VISE_NEEDS_SHARED();
  run({"TIFF"}, true, 79);
}

TEST_F(Golden, OtherFormatsAreRefused) {
  VISE_NEEDS_SHARED();
  run({"TGA", "ICO", "CUR"}, true);
}

TEST_F(Golden, WhatPillowCannotIdentifyIsRefused) {
  VISE_NEEDS_SHARED();
  run({""}, false);
}

}  // namespace
}  // namespace vise

// Every picture of the golden pack and of ../shared/data/images against what Pillow 9.4 and torchvision 0.14.1 made of
// it (pillow.csv): decoded bytes, both 224 x 224 results, size, mode and orientation where Pillow reads the file, an
// Error{input} where it doesn't. There are no exceptions for JPEG, PNG, WebP, GIF, BMP and PNM; TIFF and other formats
// may be refused.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <optional>

#include "base/csv.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/threads.h"
#include "extract/images/decode/decode.h"
#include "extract/images/transform/transform.h"
#include "reports/compare.h"
#include "tests/shared.h"

namespace vise {
namespace {

enum class Verdict { equal, both_refuse, refused, wrongly_accepted, different };

struct Outcome {
  Verdict verdict;
  std::string detail;
};

std::string sha_of(const images::Transform& transform, const images::Image& image) {
  std::vector<std::uint8_t> rgb(transform.bytes());
  transform.pixels(image, rgb);
  return sha256_hex(std::as_bytes(std::span(rgb)));
}

// Pictures below a folder, and the table of what Pillow makes of them.
class Golden : public testing::Test {
 protected:
  explicit Golden(Path folder = test::shared_dir() / "data", const char* table = "golden/pillow.csv")
      : folder_(std::move(folder)), file_(table) {}

  void SetUp() override {
    if (!std::filesystem::exists(folder_ / file_)) GTEST_SKIP() << "skipped: ../shared not found";
    table_ = CsvTable::parse(read_text_file(folder_ / file_), "pillow.csv");
  }

  const std::string& cell(std::size_t row, const char* column) const {
    return table_->cell(row, table_->column(column));
  }

  Outcome judge(std::size_t row) const {
    const std::string& path = cell(row, "path");
    const auto bytes = read_file(folder_ / path);
    images::Image image;
    try {
      image = images::decode_image(bytes, path);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) return {Verdict::different, "error of the wrong kind"};
      if (cell(row, "status") != "ok") return {Verdict::both_refuse, error.what()};
      if (error.hint().find("convert it") == std::string::npos) return {Verdict::different, "refused without the hint"};
      return {Verdict::refused, error.what()};
    }
    if (cell(row, "status") != "ok") return {Verdict::wrongly_accepted, cell(row, "error")};
    return compare(row, bytes, image);
  }

  Outcome compare(std::size_t row, ByteView bytes, const images::Image& image) const {
    static const images::Transform bilinear = images::Transform::parse("imagenet"),
                                   bicubic = images::Transform::parse("clip");
    const images::ImageHeader header = images::read_image_header(bytes, "");
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
  void run(const std::vector<std::string>& formats, bool may_refuse, int least_equal = 0) const {
    std::vector<std::size_t> rows;
    for (std::size_t r = 0; r < table_->rows(); ++r) {
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

 private:
  const Path folder_;
  const char* const file_;
  std::optional<CsvTable> table_;
};

class GoldenPack : public Golden {
 protected:
  GoldenPack() : Golden(test::golden_pack(), "pillow.csv") {}
};

TEST_F(GoldenPack, EqualsPillow) { run({"JPEG", "PNG", "WEBP", "GIF", "BMP", "PPM", "TIFF", ""}, false, 34); }

TEST_F(Golden, JpegEqualsPillow) { run({"JPEG", "MPO"}, false); }

TEST_F(Golden, PngEqualsPillow) { run({"PNG"}, false); }

TEST_F(Golden, WebpEqualsPillow) { run({"WEBP"}, false); }

TEST_F(Golden, GifEqualsPillow) { run({"GIF"}, false); }

TEST_F(Golden, BmpEqualsPillow) { run({"BMP"}, false); }

TEST_F(Golden, PnmEqualsPillow) { run({"PPM"}, false); }

TEST_F(Golden, TiffEqualsPillowOrIsRefused) { run({"TIFF"}, true, 79); }

TEST_F(Golden, OtherFormatsAreRefused) { run({"TGA", "ICO", "CUR"}, true); }

TEST_F(Golden, WhatPillowCannotIdentifyIsRefused) { run({""}, false); }

}  // namespace
}  // namespace vise

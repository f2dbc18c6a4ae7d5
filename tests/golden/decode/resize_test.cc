// The resampler against Pillow's Image.resize on made-up pictures (the golden pack's resize.csv and ../shared's), on
// every set of kernels of this CPU.
#include <fmt/format.h>

#include "base/csv.h"
#include "base/hash.h"
#include "extract/images/transform/kernels.h"
#include "extract/images/transform/resample.h"
#include "tests/shared.h"

namespace vise {
namespace {

// The patterns of ../shared/data/golden/README-pillow.md; arithmetic is on unsigned 32-bit values that wrap.
std::uint8_t sample(const std::string& pattern, std::uint32_t s, std::uint32_t x, std::uint32_t y, std::uint32_t c) {
  if (pattern == "ramp") return static_cast<std::uint8_t>((3 + c) * x + (5 + 2 * c) * y + 37 * c + s);
  if (pattern == "checker") return (x / (1 + s % 3) + y / (1 + s % 2) + c) % 2 == 0 ? 255 : 0;
  std::uint32_t k = (x * 73856093u) ^ (y * 19349663u) ^ (c * 83492791u + s);
  k = (k ^ (k >> 13)) * 1274126177u;
  k ^= k >> 16;
  if (pattern == "noise") return static_cast<std::uint8_t>(k);
  return (k & 63) == 0 ? 255 : 0;
}

class ResizeTable : public testing::Test {
 protected:
  void check_all(const Path& file, const images::ResampleKernels& kernels) {
    const CsvTable csv = CsvTable::parse(read_text_file(file), "resize.csv");
    for (std::size_t row = 0; row < csv.rows(); ++row) {
      const auto text = [&](const char* name) { return csv.cell(row, csv.column(name)); };
      const auto number = [&](const char* name) { return static_cast<std::uint32_t>(std::stoul(text(name))); };
      const std::uint32_t w = number("in_w"), h = number("in_h"), bands = number("bands"), seed = number("seed");
      const std::string pattern = text("pattern");
      std::vector<std::uint8_t> in;
      for (std::uint32_t y = 0; y < h; ++y) {
        for (std::uint32_t x = 0; x < w; ++x) {
          for (std::uint32_t c = 0; c < bands; ++c) in.push_back(sample(pattern, seed, x, y, c));
        }
      }
      ASSERT_EQ(sha256_hex(std::as_bytes(std::span(in))), text("in_sha256"));
      const std::uint32_t out_w = number("out_w"), out_h = number("out_h");
      std::vector<std::uint8_t> out(std::size_t{out_w} * out_h * bands);
      images::resize_into({w, h, bands, in}, out_w, out_h,
                          text("filter") == "bilinear" ? images::Filter::bilinear : images::Filter::bicubic,
                          {0, 0, out_w, out_h}, out.data(), std::size_t{out_w} * bands, kernels);
      EXPECT_EQ(sha256_hex(std::as_bytes(std::span(out))), text("out_sha256")) << "resize.csv row " << csv.line(row);
    }
    fmt::print("[ counts   ] resize.csv, {} kernels: {} rows\n", kernels.name, csv.rows());
  }
};

TEST_F(ResizeTable, EveryKernelEqualsPillowOnThePack) {
  check_all(test::golden_pack() / "resize.csv", images::kScalarKernels);
  if (images::avx2_kernels()) check_all(test::golden_pack() / "resize.csv", *images::avx2_kernels());
}

TEST_F(ResizeTable, ScalarKernelsEqualPillow) {
  VISE_NEEDS_SHARED();
  check_all(test::shared_dir() / "data/golden/resize.csv", images::kScalarKernels);
}

TEST_F(ResizeTable, Avx2KernelsEqualPillow) {
  VISE_NEEDS_SHARED();
  if (!images::avx2_kernels()) GTEST_SKIP() << "this CPU has no AVX2";
  check_all(test::shared_dir() / "data/golden/resize.csv", *images::avx2_kernels());
}

}  // namespace
}  // namespace vise

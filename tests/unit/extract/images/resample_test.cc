// The resampler against a slow reference in double precision, over thousands of random sizes.
#include "extract/images/transform/resample.h"
#include "base/random.h"
#include "extract/images/transform/kernels.h"
#include "tests/shared.h"

#include <cmath>

namespace vise::images {
namespace {

double filter_value(Filter filter, double x) {
  x = std::fabs(x);
  if (filter == Filter::bilinear) return x < 1 ? 1 - x : 0;
  if (x < 1) return 1.5 * x * x * x - 2.5 * x * x + 1;
  if (x < 2) return -0.5 * (x * x * x - 5 * x * x + 8 * x - 4);
  return 0;
}

// One axis: out[i] = sum of in[j] * w(j), the filter stretched when shrinking, weights normalised.
std::vector<double> reference_line(const std::vector<double>& in, std::uint32_t out_size, Filter filter) {
  const double scale = static_cast<double>(in.size()) / out_size, stretch = std::max(scale, 1.0);
  const double support = (filter == Filter::bilinear ? 1.0 : 2.0) * stretch;
  std::vector<double> out;
  for (std::uint32_t i = 0; i < out_size; ++i) {
    const double centre = (i + 0.5) * scale;
    const double begin = std::max(0.0, std::floor(centre - support + 0.5));
    const double end = std::min(static_cast<double>(in.size()), std::floor(centre + support + 0.5));
    double sum = 0, weights = 0;
    for (double j = begin; j < end; ++j) {
      const double w = filter_value(filter, (j - centre + 0.5) / stretch);
      sum += w * in[static_cast<std::size_t>(j)];
      weights += w;
    }
    out.push_back(std::clamp(std::floor(sum / weights + 0.5), 0.0, 255.0));
  }
  return out;
}

std::vector<double> reference(const std::vector<std::uint8_t>& in, std::uint32_t w, std::uint32_t h,
                              std::uint32_t bands, std::uint32_t out_w, std::uint32_t out_h, Filter filter) {
  std::vector<double> middle(std::size_t{h} * out_w * bands), out(std::size_t{out_h} * out_w * bands);
  for (std::uint32_t b = 0; b < bands; ++b) {
    for (std::uint32_t y = 0; y < h; ++y) {
      std::vector<double> line;
      for (std::uint32_t x = 0; x < w; ++x) line.push_back(in[(std::size_t{y} * w + x) * bands + b]);
      const auto result = reference_line(line, out_w, filter);
      for (std::uint32_t x = 0; x < out_w; ++x) middle[(std::size_t{y} * out_w + x) * bands + b] = result[x];
    }
    for (std::uint32_t x = 0; x < out_w; ++x) {
      std::vector<double> line;
      for (std::uint32_t y = 0; y < h; ++y) line.push_back(middle[(std::size_t{y} * out_w + x) * bands + b]);
      const auto result = reference_line(line, out_h, filter);
      for (std::uint32_t y = 0; y < out_h; ++y) out[(std::size_t{y} * out_w + x) * bands + b] = result[y];
    }
  }
  return out;
}

struct Case {
  std::uint32_t w, h, out_w, out_h, bands;
  Filter filter;
  std::vector<std::uint8_t> in;
};

// Mostly small sides (where borders matter most), often 1, now and then a few hundred.
Case random_case(RandomStream& random) {
  const auto side = [&] {
    const auto kind = random.below(16);
    return static_cast<std::uint32_t>(1 + (kind < 2 ? 0 : kind < 15 ? random.below(40) : random.below(300)));
  };
  Case c{
      side(), side(), side(), side(), random.below(3) ? 3u : 1u, random.below(2) ? Filter::bilinear : Filter::bicubic,
      {}};
  c.in.resize(std::size_t{c.w} * c.h * c.bands);
  const auto pattern = random.below(3);
  for (auto& v : c.in) {
    v = static_cast<std::uint8_t>(pattern == 0 ? random.below(256) : pattern == 1 ? random.below(2) * 255 : 200);
  }
  return c;
}

std::vector<std::uint8_t> run(const Case& c, const SourceWindow& window, const ResampleKernels& kernels) {
  std::vector<std::uint8_t> out(std::size_t{window.width} * window.height * c.bands);
  resize_into({c.w, c.h, c.bands, c.in}, c.out_w, c.out_h, c.filter, window, out.data(),
              std::size_t{window.width} * c.bands, kernels);
  return out;
}

// Fixed point against double: a value at .5 (pictures of 0 and 255 have many) may be rounded the other way in the
// horizontal pass, which moves the result by at most the largest vertical weight (about 1.2), so by at most 2.
TEST(Resampler, EqualsASlowReferenceWithinRounding) {
  RandomStream random("resampler against reference", 0);
  std::size_t samples = 0, off_by_one = 0;
  for (int i = 0; i < 3000; ++i) {
    const Case c = random_case(random);
    const auto ours = run(c, {0, 0, c.out_w, c.out_h}, best_kernels());
    const auto expected = reference(c.in, c.w, c.h, c.bands, c.out_w, c.out_h, c.filter);
    for (std::size_t k = 0; k < ours.size(); ++k) {
      const double error = std::fabs(ours[k] - expected[k]);
      ASSERT_LE(error, 2) << c.w << " x " << c.h << " to " << c.out_w << " x " << c.out_h << ", sample " << k;
      off_by_one += error > 0;
    }
    samples += ours.size();
  }
  EXPECT_LT(static_cast<double>(off_by_one), 0.01 * static_cast<double>(samples));
}

TEST(Resampler, KernelsAgreeToTheBit) {
  if (!avx2_kernels()) GTEST_SKIP() << "this CPU has no AVX2";
  RandomStream random("resampler kernels", 0);
  for (int i = 0; i < 3000; ++i) {
    const Case c = random_case(random);
    const SourceWindow all{0, 0, c.out_w, c.out_h};
    ASSERT_EQ(run(c, all, *avx2_kernels()), run(c, all, kScalarKernels))
        << c.w << " x " << c.h << " to " << c.out_w << " x " << c.out_h;
  }
}

TEST(Resampler, AWindowEqualsTheSamePartOfTheWhole) {
  RandomStream random("resampler windows", 0);
  for (int i = 0; i < 1000; ++i) {
    const Case c = random_case(random);
    SourceWindow window{static_cast<std::uint32_t>(random.below(c.out_w)),
                        static_cast<std::uint32_t>(random.below(c.out_h)), 0, 0};
    window.width = static_cast<std::uint32_t>(1 + random.below(c.out_w - window.left));
    window.height = static_cast<std::uint32_t>(1 + random.below(c.out_h - window.top));
    const auto whole = run(c, {0, 0, c.out_w, c.out_h}, best_kernels()), part = run(c, window, best_kernels());
    for (std::uint32_t y = 0; y < window.height; ++y) {
      const auto* from = whole.data() + ((std::size_t{window.top} + y) * c.out_w + window.left) * c.bands;
      const std::size_t bytes = std::size_t{window.width} * c.bands;
      ASSERT_TRUE(std::equal(from, from + bytes, part.data() + y * bytes));
    }
  }
}

TEST(Resampler, CopiesWhenNoSizeChanges) {
  RandomStream random("resampler copies", 0);
  Case c = random_case(random);
  c.out_w = c.w;
  c.out_h = c.h;
  EXPECT_EQ(run(c, {0, 0, c.w, c.h}, best_kernels()), c.in);
}

// 1,000,000 columns to 2: half a million taps a pixel; sums stay exact because weights are normalised.
TEST(Resampler, HandlesAMillionTaps) {
  const Image image{1'000'000, 1, std::vector<std::uint8_t>(3'000'000, 77)};
  for (const Filter filter : {Filter::bilinear, Filter::bicubic}) {
    const Image small = resize(image, 2, 2, filter);
    // Each weight is rounded to 2^-22; half a million of them can be off by 6% together, as in Pillow.
    for (const auto v : small.pixels) EXPECT_NEAR(v, 77, 8);
  }
}

}  // namespace
}  // namespace vise::images

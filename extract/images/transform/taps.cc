#include "extract/images/transform/taps.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace vise::images {
namespace {

double triangle(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double cubic(double x) {
  // Keys' cubic convolution (1981). OpenCV, and PyTorch without antialiasing, have -0.75 here,
  // which is one reason why their bicubic differs.
  constexpr double a = -0.5;
  x = std::fabs(x);
  // Factored as in bicubic_filter() of Resample.c: the same polynomial in another order rounds otherwise.
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

// One pass' geometry. The order of operations is Pillow's precompute_coeffs(): a double rounded elsewhere moves bits.
struct Geometry {
  double scale, filter_scale, support;
  std::uint32_t in_size;
  double (*weigh)(double);

  Geometry(std::uint32_t in, std::uint32_t out, Filter filter)
      : scale(static_cast<double>(static_cast<float>(in)) / out),  // Pillow's box is made of floats
        // When a picture shrinks the filter grows with the step, so every source pixel counts;
        // when it grows the filter keeps its own width. PyTorch and OpenCV do not widen it
        // by default, hence their aliasing.
        filter_scale(std::max(scale, 1.0)),
        support((filter == Filter::bilinear ? 1.0 : 2.0) * filter_scale),
        in_size(in),
        weigh(filter == Filter::bilinear ? triangle : cubic) {}

  // Pixel i covers [i, i + 1), so its centre is at i + 1/2: edges are aligned, not the outer pixels' centres.
  double centre(std::uint32_t out) const { return (out + 0.5) * scale; }
  // The cast truncates, so that with + 0.5 it rounds; what is below 0, where it wouldn't, becomes 0.
  std::uint32_t first(std::uint32_t out) const {
    return static_cast<std::uint32_t>(
        std::max<std::int64_t>(0, static_cast<std::int64_t>(centre(out) - support + 0.5)));
  }
  std::uint32_t count(std::uint32_t out) const {
    const auto end = static_cast<std::int64_t>(centre(out) + support + 0.5);
    return static_cast<std::uint32_t>(std::min<std::int64_t>(end, in_size) - first(out));
  }
};

// The normalised weights of one output position.
void weigh_taps(const Geometry& geometry, std::uint32_t out, std::uint32_t first, std::span<double> weights) {
  const double centre = geometry.centre(out), step = 1.0 / geometry.filter_scale;
  double sum = 0.0;
  for (std::size_t x = 0; x < weights.size(); ++x) {
    weights[x] = geometry.weigh((static_cast<double>(x + first) - centre + 0.5) * step);
    sum += weights[x];
  }
  // Cut off at the picture's edge the weights no longer add up to 1, so they are normalised,
  // in double, before they become integers.
  if (sum != 0.0) {
    for (double& w : weights) w /= sum;
  }
}

void store(std::span<const double> weights, std::int16_t* halves) {
  for (std::size_t x = 0; x < weights.size(); ++x) {
    const double scaled = weights[x] * (1 << kWeightBits);
    // Rounded away from zero at halves, by truncation towards zero, as normalize_coeffs_8bpc() has it.
    const auto k = static_cast<std::int32_t>(weights[x] < 0 ? -0.5 + scaled : 0.5 + scaled);
    std::int16_t* group = halves + x / 4 * 8;
    // The low half has 15 bits, so that it is never negative as a signed 16-bit factor; the
    // shift of the high half keeps the sign.
    group[x % 4] = static_cast<std::int16_t>(k & 32767);
    group[4 + x % 4] = static_cast<std::int16_t>(k >> 15);
  }
}

}  // namespace

Taps make_taps(std::uint32_t in_size, std::uint32_t out_size, Filter filter, std::uint32_t begin,
               std::uint32_t length) {
  const Geometry geometry(in_size, out_size, filter);
  Taps taps;
  taps.first.resize(length);
  taps.count.resize(length);
  for (std::uint32_t i = 0; i < length; ++i) {
    taps.first[i] = geometry.first(begin + i);
    taps.count[i] = geometry.count(begin + i);
    taps.most = std::max(taps.most, taps.count[i]);
  }
  taps.groups = (std::size_t{taps.most} + 3) / 4;
  taps.halves.assign(length * taps.groups * 8, 0);
  std::vector<double> weights(taps.most);
  for (std::uint32_t i = 0; i < length; ++i) {
    const std::span<double> used(weights.data(), taps.count[i]);
    weigh_taps(geometry, begin + i, taps.first[i], used);
    store(used, taps.halves.data() + i * taps.groups * 8);
  }
  return taps;
}

}  // namespace vise::images

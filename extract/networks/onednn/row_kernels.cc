#include "extract/networks/onednn/row_kernels.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

// Loops below are written so that the compiler vectorises them for each of these.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define VISE_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VISE_CLONES
#endif

namespace vise::networks {
namespace {

// Eight sums side by side, added up in one order on every CPU.
constexpr std::size_t kLanes = 8;

inline double total(const std::array<double, kLanes>& lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

// exp(x) = 2^n exp(r), |r| <= log(2) / 2, the second by its Taylor polynomial of degree 7; log(2) in two parts (Cody
// and Waite 1980). Below -87.3 it is 2^-126 and not less, above 88 it is 2^127: no infinities.
inline float exponential(float x) {
  constexpr float kLog2e = 1.44269504F, kHigh = 0.693359375F, kLow = -2.12194440e-4F;
  x = x < -87.3F ? -87.3F : x > 88.0F ? 88.0F : x;
  // Adding and taking away 1.5 2^23 rounds to the nearest whole number.
  const float magic = 12582912.0F, n = (x * kLog2e + magic) - magic;
  const float r = (x - n * kHigh) - n * kLow;
  float p = 1.0F / 5040;
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const auto power = static_cast<std::uint32_t>(static_cast<std::int32_t>(n) + 127) << 23;
  return p * std::bit_cast<float>(power);
}

inline float sigmoid(float x) { return 1.0F / (1.0F + exponential(-x)); }

inline float apply(float x, Activation function) {
  switch (function) {
    case Activation::relu:
      return x > 0 ? x : 0;
    case Activation::silu:
      return x * sigmoid(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::gelu_quick:
      return x * sigmoid(1.702F * x);
    case Activation::gelu_tanh: {
      // The tanh form (Hendrycks and Gimpel 2016); (1 + tanh(u)) / 2 is sigmoid(2 u).
      const float u = 0.7978845608F * (x + 0.044715F * x * x * x);
      return x * sigmoid(2 * u);
    }
    case Activation::gelu_exact:
      return 0.5F * x * (1 + std::erf(x * 0.7071067812F));
  }
  return x;
}

}  // namespace

VISE_CLONES void widen_bf16(const Bf16* from, std::size_t n, float* to) {
  for (std::size_t i = 0; i < n; ++i) to[i] = std::bit_cast<float>(static_cast<std::uint32_t>(from[i]) << 16);
}

VISE_CLONES void narrow_bf16(const float* from, std::size_t n, Bf16* to) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(from[i]);
    // Round to nearest, halves to even: half a unit less one, and one more where the last kept bit is odd.
    to[i] = static_cast<Bf16>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
  }
}

VISE_CLONES void layer_norm_row(const float* x, const float* weight, const float* bias, double eps, std::size_t n,
                                float* y) {
  std::array<double, kLanes> sums{}, squares{};
  const std::size_t whole = n / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += static_cast<double>(x[i + lane]);
  for (std::size_t i = whole; i < n; ++i) sums[0] += static_cast<double>(x[i]);
  // Two passes, mean first: the one-pass formula E[x^2] - E[x]^2 cancels where a channel's
  // mean is large, as in ViTs' residual streams.
  const double mean = total(sums) / static_cast<double>(n);
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double d = static_cast<double>(x[i + lane]) - mean;
      squares[lane] += d * d;
    }
  for (std::size_t i = whole; i < n; ++i) {
    const double d = static_cast<double>(x[i]) - mean;
    squares[0] += d * d;
  }
  const double scale = 1 / std::sqrt(total(squares) / static_cast<double>(n) + eps);
  for (std::size_t i = 0; i < n; ++i)
    y[i] = static_cast<float>((static_cast<double>(x[i]) - mean) * scale * static_cast<double>(weight[i]) +
                              static_cast<double>(bias[i]));
}

VISE_CLONES void softmax_row(float* x, const float* bias, float scale, std::size_t n) {
  if (bias)
    for (std::size_t i = 0; i < n; ++i) x[i] = x[i] * scale + bias[i];
  else
    for (std::size_t i = 0; i < n; ++i) x[i] *= scale;
  // Less the highest, no exponent is above 0 and the sum is at least 1.
  float highest = x[0];
  for (std::size_t i = 1; i < n; ++i) highest = x[i] > highest ? x[i] : highest;
  for (std::size_t i = 0; i < n; ++i) x[i] = exponential(x[i] - highest);
  std::array<double, kLanes> sums{};
  const std::size_t whole = n / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += static_cast<double>(x[i + lane]);
  for (std::size_t i = whole; i < n; ++i) sums[0] += static_cast<double>(x[i]);
  const auto inverse = static_cast<float>(1 / total(sums));
  for (std::size_t i = 0; i < n; ++i) x[i] *= inverse;
}

VISE_CLONES void gate_row(const float* a, const float* b, Activation function, std::size_t n, float* y) {
  if (function == Activation::silu)
    for (std::size_t i = 0; i < n; ++i) y[i] = a[i] * sigmoid(a[i]) * b[i];
  else
    for (std::size_t i = 0; i < n; ++i) y[i] = apply(a[i], function) * b[i];
}

VISE_CLONES void activate_row(float* x, Activation function, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] = apply(x[i], function);
}

VISE_CLONES void affine_row(const float* x, const float* scale, const float* shift, std::size_t n, float* y) {
  if (shift)
    for (std::size_t i = 0; i < n; ++i) y[i] = x[i] * scale[i] + shift[i];
  else
    for (std::size_t i = 0; i < n; ++i) y[i] = x[i] * scale[i];
}

// In double, place after place: a mean doesn't depend on how many images are computed together.
VISE_CLONES void add_row(const float* x, std::size_t n, double* sums) {
  for (std::size_t i = 0; i < n; ++i) sums[i] += static_cast<double>(x[i]);
}

VISE_CLONES void add_squares_row(const float* x, std::size_t n, double* sums) {
  for (std::size_t i = 0; i < n; ++i) sums[i] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
}

VISE_CLONES void rotate_row(float* x, const float* cos, const float* sin, Rope::Pairing pairing, std::size_t n) {
  if (pairing == Rope::Pairing::halves) {
    const std::size_t half = n / 2;
    for (std::size_t i = 0; i < half; ++i) {
      const float low = x[i], high = x[i + half];
      x[i] = low * cos[i] - high * sin[i];
      x[i + half] = high * cos[i + half] + low * sin[i + half];
    }
  } else {
    for (std::size_t i = 0; i + 1 < n; i += 2) {
      const float first = x[i], second = x[i + 1];
      x[i] = first * cos[i] - second * sin[i];
      x[i + 1] = second * cos[i + 1] + first * sin[i + 1];
    }
  }
}

VISE_CLONES double dot(const float* a, const float* b, std::size_t n) {
  std::array<double, kLanes> sums{};
  const std::size_t whole = n / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      sums[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
  for (std::size_t i = whole; i < n; ++i) sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return total(sums);
}

}  // namespace vise::networks

// Image.resize() of Pillow 9.4, to the bit: antialiased triangle and cubic filters on 8-bit samples.
//
//   Image small = resize(image, 341, 256, Filter::bilinear);
//   Image middle = resize(image, 341, 256, Filter::bilinear, {58, 16, 224, 224});   // the same bits, resized then
//   cropped
//
// Pillow turns the filter's weights into integers with 22 fractional bits, sums in 32-bit integers and rounds to 8 bits
// after each of its two passes, horizontal first (libImaging/Resample.c); so does this, only on the rows and columns
// that the window needs. On CPUs with AVX2 the sums run on vector units; integers make both ways bit-equal.
//
// Sources of the rules: Pillow's Resample.c at 9.4.0 and ../shared/data/golden/resize.csv. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "extract/images/image.h"
#include "extract/images/transform/filter.h"

namespace vise::images {

struct ResampleKernels;

// A part of a resized image, in its pixels.
struct SourceWindow {
  std::uint32_t left = 0, top = 0, width = 0, height = 0;
};

// Samples in memory: rows top to bottom without padding, `bands` (1 or 3) interleaved 8-bit samples a pixel. No owner.
struct PixelView {
  std::uint32_t width = 0, height = 0, bands = 3;
  std::span<const std::uint8_t> samples;
};

// The whole resized image. Sizes must be at least 1 (asserted) and at most 2^31 - 1.
Image resize(const Image& image, std::uint32_t width, std::uint32_t height, Filter filter);

// Only the window, whose edges must be within width x height (asserted).
Image resize(const Image& image, std::uint32_t width, std::uint32_t height, Filter filter, const SourceWindow& window);

// The same into memory of the caller, row y of the window at out + y * stride; stride >= window.width * bands.
void resize_into(const PixelView& source, std::uint32_t width, std::uint32_t height, Filter filter,
                 const SourceWindow& window, std::uint8_t* out, std::size_t stride);

// resize_into() on chosen kernels, so that tests can compare them.
void resize_into(const PixelView& source, std::uint32_t width, std::uint32_t height, Filter filter,
                 const SourceWindow& window, std::uint8_t* out, std::size_t stride, const ResampleKernels& kernels);

// Which kernels resize_into() runs on this machine: "avx2" or "scalar".
std::string_view resample_kernels_in_use();

}  // namespace vise::images

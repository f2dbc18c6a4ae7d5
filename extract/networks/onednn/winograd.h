// 3x3 convolutions of stride 1 as Winograd's F(4x4, 3x3), for CPUs with AVX2 and without AVX-512, where oneDNN has
// direct kernels only: a 4x4 tile of results takes 36 products a pair of channels instead of 144.
//
//   const WinogradConv conv{.batch = 4, .in = 64, .out = 64, .side = 56, .sum = false};
//   const auto packed = winograd_weights(weights, 64, 64);                          // once a network
//   winograd_convolve(conv, source, packed, bias, target, scratch);                 // any number of times
//
// Source: A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks (CVPR 2016). Its transforms are
// those of the interpolation points 0, 1, -1, 2, -2 and infinity; here they are 0, +-5/8, +-3/2 and infinity, which
// halve the rounding error and bring it close to a direct convolution's (figures in winograd.cc).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace vise::networks {

// Activations are batch x channels/8 x side x side x 8 (oneDNN's nChw8c), zero-padded by one pixel; ReLU comes last.
struct WinogradConv {
  int batch = 0, in = 0, out = 0, side = 0;
  bool sum = false;  // the target holds a residual that is added
  bool relu = true;
};

// Whether this CPU runs it and the channels suit its registers: `in` a multiple of 8, `out` of 16.
bool has_winograd(int in, int out);

// Weights out x in x 3 x 3 as 36 matrices G w G', transformed in double and rounded once; each in panels of 16 output
// channels: 36 x out/16 x in x 16.
std::vector<float> winograd_weights(std::span<const float> weights, int out, int in);

// Floats of scratch that one convolution needs.
std::size_t winograd_scratch(const WinogradConv& conv);

// On the calling thread. An image's result doesn't depend on its place in the batch. All pointers 32-byte aligned.
void winograd_convolve(const WinogradConv& conv, const float* source, const float* weights, const float* bias,
                       float* target, float* scratch);

}  // namespace vise::networks

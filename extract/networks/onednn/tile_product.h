// The matrix product below our Winograd convolution, for CPUs with AVX2: tiles x in times in x out, on oneDNN's blocked
// layout, whose eight channels fill a register. Six tiles by sixteen output channels are summed in registers over the
// whole depth, so a result's bits don't depend on how many tiles are multiplied together.
#pragma once

#include <cstddef>

namespace vise::networks {

inline constexpr std::size_t kBlockChannels = 8;   // channels of a block, floats of a register
inline constexpr std::size_t kPanelChannels = 16;  // output channels that are summed at once

// Whether the CPU has AVX2 and FMA.
bool has_tile_product();

struct TileProduct {
  std::size_t tiles = 0, in = 0, out = 0;  // in: a multiple of kBlockChannels, out: of kPanelChannels
  std::size_t block = 0;                   // floats from one block of 8 channels to the next, in both operands
};

// results[o/8][tile][o%8] = sum over i of values[i/8][tile][i%8] * panels[o/16][i][o%16]. All pointers 32-byte aligned.
// Only where has_tile_product().
void multiply_tiles(const TileProduct& product, const float* values, const float* panels, float* results);

}  // namespace vise::networks

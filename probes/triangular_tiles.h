// A lower triangular float32 matrix for products with few columns, in square tiles that lie one after the other. So it
// streams from memory; row by row, each row would begin on a page of its own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "probes/narrow_product.h"

namespace vise {

class TriangularTiles {
 public:
  TriangularTiles() = default;
  // From `a` (n x n, row-major), whose upper triangle is zero.
  TriangularTiles(std::span<const float> a, std::size_t n, int threads);

  std::size_t tiles() const { return (n_ + kTile - 1) / kTile; }
  std::size_t begin(std::size_t tile) const { return tile * kTile; }
  std::size_t count(std::size_t tile) const { return std::min(kTile, n_ - begin(tile)); }

  // z (count(tile) x columns) += rows of tile `tile` times g (n x columns); both as in narrow_product.h.
  void times(std::size_t tile, const float* g, std::size_t columns, double* z) const;
  // u (columns x count(tile)) += (columns of tile `tile`)' t (n x columns).
  void transposed_times(std::size_t tile, const float* t, std::size_t columns, double* u) const;

 private:
  static constexpr std::size_t kTile = 128;
  const float* at(std::size_t row, std::size_t column) const {
    return &values_[(row * (row + 1) / 2 + column) * kTile * kTile];
  }

  std::size_t n_ = 0;
  NarrowVector<float> values_;  // tile by tile, rows of tiles one after the other
};

}  // namespace vise

#include "probes/triangular_tiles.h"

#include "base/threads.h"

namespace vise {

TriangularTiles::TriangularTiles(std::span<const float> a, std::size_t n, int threads)
    : n_(n), values_(tiles() * (tiles() + 1) / 2 * kTile * kTile) {
  parallel_for(threads, tiles(), [&](std::size_t tile) {
    for (std::size_t column = 0; column <= tile; ++column) {
      float* const to = &values_[(tile * (tile + 1) / 2 + column) * kTile * kTile];
      for (std::size_t i = 0; i < count(tile); ++i)
        std::copy_n(&a[(begin(tile) + i) * n + begin(column)], count(column), to + i * kTile);
    }
  });
}

void TriangularTiles::times(std::size_t tile, const float* g, std::size_t columns, double* z) const {
  for (std::size_t j = 0; j <= tile; ++j)
    narrow_forward(at(tile, j), kTile, count(tile), count(j), g + begin(j) * narrow_stride(columns), columns, z);
}

void TriangularTiles::transposed_times(std::size_t tile, const float* t, std::size_t columns, double* u) const {
  for (std::size_t i = tile; i < tiles(); ++i)
    narrow_backward(at(i, tile), kTile, count(i), count(tile), t + begin(i) * narrow_stride(columns), columns, u,
                    count(tile));
}

}  // namespace vise

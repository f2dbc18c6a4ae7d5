#include "probes/logistic/triangular_tiles.h"

#include "base/threads.h"

namespace vise::probes {
namespace {

// Some rows of a matrix, without a copy.
ConstView<float> rows_of(const ConstView<float>& m, std::size_t begin, std::size_t count) {
  const auto stride = static_cast<std::size_t>(m.outerStride());
  return view(m.data() + begin * stride, count, static_cast<std::size_t>(m.cols()), stride);
}

}  // namespace

// Only tiles on and below the diagonal are kept, in the order of rows; the square may be freed afterwards.
TriangularTiles::TriangularTiles(const Matrix<float>& a, int threads)
    : n_(static_cast<std::size_t>(a.rows())), values_(tiles() * (tiles() + 1) / 2 * kTile * kTile) {
  parallel_for(threads, tiles(), [&](std::size_t tile) {
    for (std::size_t column = 0; column <= tile; ++column) {
      float* const to = &values_[(tile * (tile + 1) / 2 + column) * kTile * kTile];
      view(to, count(tile), count(column), kTile) = a.block(begin(tile), begin(column), count(tile), count(column));
    }
  });
}

// Row `tile` of the triangle ends at its diagonal tile.
void TriangularTiles::times(std::size_t tile, const ConstView<float>& g, View<double> z) const {
  for (std::size_t j = 0; j <= tile; ++j) narrow_forward(at(tile, j), rows_of(g, begin(j), count(j)), z);
}

// Column `tile` of the triangle begins at its diagonal tile.
void TriangularTiles::transposed_times(std::size_t tile, const ConstView<float>& t, View<double> u) const {
  for (std::size_t i = tile; i < tiles(); ++i) narrow_backward(at(i, tile), rows_of(t, begin(i), count(i)), u);
}

}  // namespace vise::probes

#include "extract/images/transform/resample.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "extract/images/transform/kernels.h"

namespace vise::images {
namespace {

// Horizontally resampled rows, made as the vertical pass asks for them and kept only as long as it needs them: a few
// rows that stay in the cache, instead of a whole intermediate image.
class HorizontalPass {
 public:
  HorizontalPass(const PixelView& source, std::uint32_t width, Filter filter, const SourceWindow& window,
                 const ResampleKernels& kernels, std::uint32_t first_row, std::uint32_t end_row,
                 std::uint32_t live_rows)
      : source_(source),
        kernels_(kernels),
        row_bytes_(std::size_t{source.width} * source.bands),
        left_(std::size_t{window.left} * source.bands),
        out_bytes_(std::size_t{window.width} * source.bands),
        copies_(width == source.width),
        taps_(copies_ ? Taps() : make_taps(source.width, width, filter, window.left, window.width)),
        // Whole vectors, since the vertical kernel reads rows 32 bytes at a time.
        stride_((out_bytes_ + kRowSlack + 31) / 32 * 32),
        slots_(std::size_t{live_rows} + kRowsAtOnce),
        made_(first_row),
        end_(end_row),
        ring_(slots_ * stride_) {}

  // Rows below `end` become available.
  void make_rows(std::uint32_t end) {
    while (made_ < end) {
      // Up to kRowsAtOnce rows beyond the `end` that was asked for may be made: the ring has that many
      // slots more than the vertical pass needs at once, so none of its rows is overwritten.
      const auto n = std::min<std::uint32_t>(kRowsAtOnce, end_ - made_);
      if (copies_) {
        for (std::uint32_t r = 0; r < n; ++r) std::memcpy(slot(made_ + r), source_row(made_ + r) + left_, out_bytes_);
      } else {
        resample(n);
      }
      made_ += n;
    }
  }

  // Row y is valid until row y + slots_ is made in its place.
  const std::uint8_t* row(std::uint32_t y) const { return ring_.data() + y % slots_ * stride_; }

 private:
  std::uint8_t* slot(std::uint32_t y) { return ring_.data() + y % slots_ * stride_; }
  const std::uint8_t* source_row(std::uint32_t y) const { return source_.samples.data() + y * row_bytes_; }

  // The kernel always takes kRowsAtOnce rows; where fewer are left, the last is done again into its own place.
  void resample(std::uint32_t n) {
    const std::uint8_t* in[kRowsAtOnce];
    std::uint8_t* out[kRowsAtOnce];
    for (std::uint32_t r = 0; r < kRowsAtOnce; ++r) {
      const std::uint32_t y = made_ + std::min(r, n - 1);
      in[r] = r < n ? readable(y, r) : in[n - 1];
      out[r] = slot(y);
    }
    (source_.bands == 3 ? kernels_.horizontal_rgb : kernels_.horizontal_grey)(in, taps_, out);
  }

  // The row, or, near the end of the picture, a copy of it with room for the kernel to read past its end.
  const std::uint8_t* readable(std::uint32_t y, std::uint32_t r) {
    // Only the last rows can lack the slack: any other is followed by more of the picture.
    const std::size_t left_after = source_.samples.size() - (std::size_t{y} + 1) * row_bytes_;
    if (left_after >= kRowSlack) return source_row(y);
    const std::size_t padded = row_bytes_ + kRowSlack;
    // The size never changes, so earlier rows of the same call stay where they are.
    last_rows_.resize(kRowsAtOnce * padded);
    std::memcpy(last_rows_.data() + r * padded, source_row(y), row_bytes_);
    return last_rows_.data() + r * padded;
  }

  const PixelView& source_;
  const ResampleKernels& kernels_;
  const std::size_t row_bytes_, left_, out_bytes_;
  const bool copies_;  // Pillow leaves out a pass that changes no size
  const Taps taps_;
  const std::size_t stride_, slots_;
  std::uint32_t made_;
  const std::uint32_t end_;
  std::vector<std::uint8_t> ring_, last_rows_;
};

void copy_rows(const PixelView& source, std::uint32_t width, Filter filter, const SourceWindow& window,
               std::uint8_t* out, std::size_t stride, const ResampleKernels& kernels) {
  const std::uint32_t end = window.top + window.height;
  HorizontalPass horizontal(source, width, filter, window, kernels, window.top, end, 1);
  for (std::uint32_t y = 0; y < window.height; ++y) {
    horizontal.make_rows(window.top + y + 1);
    std::memcpy(out + y * stride, horizontal.row(window.top + y), std::size_t{window.width} * source.bands);
  }
}

}  // namespace

void resize_into(const PixelView& source, std::uint32_t width, std::uint32_t height, Filter filter,
                 const SourceWindow& window, std::uint8_t* out, std::size_t stride, const ResampleKernels& kernels) {
  assert(source.width && source.height && width && height && (source.bands == 1 || source.bands == 3));
  assert(source.samples.size() == std::size_t{source.width} * source.height * source.bands);
  assert(std::uint64_t{window.left} + window.width <= width && std::uint64_t{window.top} + window.height <= height);
  if (!window.width || !window.height) return;
  // Pillow skips a pass that changes no size.
  if (height == source.height) return copy_rows(source, width, filter, window, out, stride, kernels);

  const Taps taps = make_taps(source.height, height, filter, window.top, window.height);
  // Rows above the first tap and below the last one are never made: a crop out of a large
  // picture costs what it shows.
  const std::uint32_t end = taps.first.back() + taps.count.back();
  // Rows are rounded to 8 bits between the passes, so the vertical one first would give other bits.
  HorizontalPass horizontal(source, width, filter, window, kernels, taps.first.front(), end, taps.most);
  std::vector<const std::uint8_t*> rows(std::size_t{taps.most} + 1);
  for (std::uint32_t y = 0; y < window.height; ++y) {
    const std::uint32_t first = taps.first[y], count = taps.count[y];
    // `first` and its end never decrease with y, so a row that has left the ring is not asked for again.
    horizontal.make_rows(first + count);
    for (std::uint32_t t = 0; t < count; ++t) rows[t] = horizontal.row(first + t);
    // The vector kernel takes taps in pairs. An odd last one is paired with any readable
    // row, since its weight is 0.
    rows[count] = rows[0];
    kernels.vertical(rows.data(), taps.at(y), count, std::size_t{window.width} * source.bands, out + y * stride);
  }
}

void resize_into(const PixelView& source, std::uint32_t width, std::uint32_t height, Filter filter,
                 const SourceWindow& window, std::uint8_t* out, std::size_t stride) {
  resize_into(source, width, height, filter, window, out, stride, best_kernels());
}

Image resize(const Image& image, std::uint32_t width, std::uint32_t height, Filter filter, const SourceWindow& window) {
  Image result{window.width, window.height, {}};
  result.pixels.resize(std::size_t{window.width} * window.height * 3);
  resize_into({image.width, image.height, 3, image.pixels}, width, height, filter, window, result.pixels.data(),
              std::size_t{window.width} * 3);
  return result;
}

Image resize(const Image& image, std::uint32_t width, std::uint32_t height, Filter filter) {
  return resize(image, width, height, filter, {0, 0, width, height});
}

std::string_view filter_name(Filter filter) { return filter == Filter::bilinear ? "bilinear" : "bicubic"; }

std::string_view resample_kernels_in_use() { return best_kernels().name; }

}  // namespace vise::images

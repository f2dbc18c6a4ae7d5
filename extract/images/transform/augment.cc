#include "extract/images/transform/augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/error.h"
#include "extract/images/mat_view.h"

namespace vise::images {
namespace {

constexpr int kLeftToRight = 1;  // cv::flip's code
// RandomResizedCrop's default `ratio`, width by height.
constexpr double kNarrowest = 3.0 / 4, kWidest = 4.0 / 3;

// Python's round(): halves to even, as nearbyint() does by default.
std::uint32_t rounded(double value) { return static_cast<std::uint32_t>(std::nearbyint(value)); }

// The fallback of RandomResizedCrop.get_params(): the whole picture where its aspect is allowed.
SourceWindow largest_central(std::uint32_t width, std::uint32_t height) {
  const double aspect = static_cast<double>(width) / static_cast<double>(height);
  SourceWindow window{0, 0, width, height};
  if (aspect < kNarrowest) window.height = rounded(static_cast<double>(width) / kNarrowest);
  if (aspect > kWidest) window.width = rounded(static_cast<double>(height) * kWidest);
  window.left = (width - window.width) / 2;
  window.top = (height - window.height) / 2;
  return window;
}

Image part_of(const Image& image, const SourceWindow& window) {
  Image part{window.width, window.height, std::vector<std::uint8_t>(std::size_t{window.width} * window.height * 3)};
  cv::Mat copy = mat_view(part);
  const cv::Rect rows_and_columns(static_cast<int>(window.left), static_cast<int>(window.top), copy.cols, copy.rows);
  mat_view(image)(rows_and_columns).copyTo(copy);
  return part;
}

void crop_to(const Image& image, const Transform& transform, const CropDraws& draws, std::span<std::uint8_t> rgb) {
  const TransformSpec& spec = transform.spec();
  const std::uint32_t size = transform.width();
  const PictureSize last = transform.before_crop({image.width, image.height});
  if (last.width < size || last.height < size)
    throw Error(ErrorKind::input,
                fmt::format("a picture of {} x {} is smaller than the crop of {}", last.width, last.height, size),
                "give the backbone a transform that resizes first, or use augment=resized-crop");
  const SourceWindow window = random_crop(last.width, last.height, size, draws);
  // A padded picture's window may reach into the border, so the whole has to be made before it is cut.
  if (spec.pad) {
    const Image part = part_of(transform.resized(image), window);
    std::copy(part.pixels.begin(), part.pixels.end(), rgb.begin());
    return;
  }
  Image middle;
  if (spec.resize && spec.squash) {
    const PictureSize first = shorter_edge_to(*spec.resize, {image.width, image.height});
    middle = resize(image, first.width, first.height, spec.filter);
  }
  const Image& from = middle.pixels.empty() ? image : middle;
  // Resize, then cut, as torchvision orders it; only the window's pixels are computed.
  resize_into({from.width, from.height, 3, from.pixels}, last.width, last.height, spec.filter, window, rgb.data(),
              std::size_t{size} * 3);
}

}  // namespace

SourceWindow random_crop(std::uint32_t width, std::uint32_t height, std::uint32_t size, const CropDraws& draws) {
  assert(width >= size && height >= size);
  // RandomCrop draws nothing in this case, and the draws after it must not move.
  if (width == size && height == size) return {0, 0, size, size};
  SourceWindow window{0, 0, size, size};
  // The row before the column, as get_params() draws them; so below.
  window.top = draws.below(height - size + 1);
  window.left = draws.below(width - size + 1);
  return window;
}

SourceWindow random_resized_crop(std::uint32_t width, std::uint32_t height, double least_area, const CropDraws& draws) {
  constexpr int kTries = 10;
  const double area = static_cast<double>(width) * static_cast<double>(height);
  for (int i = 0; i < kTries; ++i) {
    // Area uniform, aspect uniform in its logarithm, so that 3/4 and 4/3 are equally likely.
    const double wanted = area * (least_area + (1 - least_area) * draws.uniform());
    const double aspect = std::exp(std::log(kNarrowest) + (std::log(kWidest) - std::log(kNarrowest)) * draws.uniform());
    SourceWindow window{0, 0, rounded(std::sqrt(wanted * aspect)), rounded(std::sqrt(wanted / aspect))};
    // A draw that doesn't fit is dropped and both numbers are drawn anew, which favours small
    // parts of oblong pictures, as in torchvision.
    if (window.width == 0 || window.height == 0 || window.width > width || window.height > height) continue;
    window.top = draws.below(height - window.height + 1);
    window.left = draws.below(width - window.width + 1);
    return window;
  }
  return largest_central(width, height);
}

void augmented_pixels(const Image& image, const Transform& transform, const Augmentation& augmentation,
                      RandomStream& random, std::span<std::uint8_t> rgb) {
  assert(rgb.size() == transform.bytes());
  const CropDraws draws{[&] { return random.uniform(); },
                        [&](std::uint32_t limit) { return static_cast<std::uint32_t>(random.below(limit)); }};
  const std::uint32_t size = transform.width();
  switch (augmentation.cropping) {
    case Cropping::none:
      transform.pixels(image, rgb);
      break;
    case Cropping::crop:
      crop_to(image, transform, draws, rgb);
      break;
    case Cropping::resized_crop: {
      const Image part = part_of(image, random_resized_crop(image.width, image.height, augmentation.least_area, draws));
      resize_into({part.width, part.height, 3, part.pixels}, size, size, transform.spec().filter, {0, 0, size, size},
                  rgb.data(), std::size_t{size} * 3);
    }
  }
  // The flip's draw comes last, as RandomHorizontalFlip follows the crop in torchvision's reference training.
  if (augmentation.flip && random.uniform() < 0.5) {
    cv::Mat pixels = mat_view(rgb, size);
    cv::flip(pixels, pixels, kLeftToRight);
  }
}

}  // namespace vise::images

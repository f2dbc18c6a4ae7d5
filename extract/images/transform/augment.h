// Random crops and flips for training, as torchvision draws them, on Pillow's pixels.
//
//   RandomStream random("augment/7", seed);
//   augmented_pixels(image, transform, {.cropping = Cropping::resized_crop}, random, rgb);   // in place of pixels()
//
// RandomResizedCrop(size, scale=(least_area, 1), ratio=(3/4, 4/3)): a part of the picture of that share of its area and
// that aspect, resized to the transform's size. RandomCrop: the transform's resize, then a window of its crop's size
// anywhere. RandomHorizontalFlip: half of them. Each takes its draws in the order in which torchvision makes them; the
// numbers are our own streams'.
//
// Source: torchvision 0.14.1, transforms/transforms.py (RandomCrop.get_params, RandomResizedCrop.get_params).
// Thread-safe: no state.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/random.h"
#include "extract/images/image.h"
#include "extract/images/transform/transform.h"

namespace vise::images {

enum class Cropping {
  none,  // the transform as it is
  crop,
  resized_crop
};

struct Augmentation {
  Cropping cropping = Cropping::resized_crop;
  double least_area = 0.08;  // of resized_crop
  bool flip = true;
};

// Where a crop's numbers come from: uniform in [0, 1), and a whole number below a limit.
struct CropDraws {
  std::function<double()> uniform;
  std::function<std::uint32_t(std::uint32_t)> below;
};

// RandomCrop: a window of size x size in a picture at least as large (asserted).
SourceWindow random_crop(std::uint32_t width, std::uint32_t height, std::uint32_t size, const CropDraws& draws);
// RandomResizedCrop: ten tries, then the largest central part of an allowed aspect.
SourceWindow random_resized_crop(std::uint32_t width, std::uint32_t height, double least_area, const CropDraws& draws);

// Fills `rgb` (transform.bytes(), asserted) with an augmented view of the image. Error{input} where a picture is
// smaller than the crop that is to be taken from it.
void augmented_pixels(const Image& image, const Transform& transform, const Augmentation& augmentation,
                      RandomStream& random, std::span<std::uint8_t> rgb);

}  // namespace vise::images

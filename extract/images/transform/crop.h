// Where torchvision 0.14 and transformers put crops.
#pragma once

#include <cstdint>

namespace vise::images {

// One axis of a centre crop: output pixels [skip, skip + length) show input pixels from `begin` on, the rest is 0.
struct Centre {
  std::uint32_t skip, begin, length;
};

// How the crop of an odd excess is placed.
enum class CentreRule {
  nearest,  // torchvision's center_crop
  down      // transformers' center_crop on NumPy arrays (image_transforms.py)
};

// nearest: torchvision's center_crop: pads with zeros first (the odd one after), then int(round(excess / 2.0)), which
// in Python rounds halves to even. down: the crop begins at excess // 2, and of an odd padding the larger part comes
// before.
inline Centre centre_crop(std::uint32_t in, std::uint32_t crop, CentreRule rule = CentreRule::nearest) {
  const bool down = rule == CentreRule::down;
  if (crop >= in) return {(crop - in + (down ? 1 : 0)) / 2, 0, in};
  const std::uint32_t excess = in - crop, half = excess / 2;
  return {0, !down && excess % 2 && half % 2 ? half + 1 : half, crop};
}

}  // namespace vise::images

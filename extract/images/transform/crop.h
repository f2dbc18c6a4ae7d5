// Where torchvision 0.14 puts crops.
#pragma once

#include <cstdint>

namespace vise {

// One axis of a centre crop: output pixels [skip, skip + length) show input pixels from `begin` on, the rest is 0.
struct Centre {
  std::uint32_t skip, begin, length;
};

// torchvision's center_crop: pads with zeros first (the odd one after), then int(round(excess / 2.0)), which in Python
// rounds halves to even.
inline Centre centre_crop(std::uint32_t in, std::uint32_t crop) {
  if (crop >= in) return {(crop - in) / 2, 0, in};
  const std::uint32_t excess = in - crop, half = excess / 2;
  return {0, excess % 2 && half % 2 ? half + 1 : half, crop};
}

}  // namespace vise

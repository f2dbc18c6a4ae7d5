// What happens to a picture before a network sees it: resize, centre crop, scale to [0, 1], normalise; torchvision's
// rules on Pillow's pixels.
//
//   const Transform transform = Transform::parse("imagenet");
//   std::vector<std::uint8_t> rgb(transform.bytes());        // height x width x 3
//   transform.pixels(decode_image(file.bytes(), path), rgb);
//   std::vector<float> chw(transform.bytes());               // 3 x height x width
//   transform.normalise(rgb, chw.data());
//
// Text form: a preset's name, or comma-separated settings; a preset's name may come first and settings change it:
//
//   resize=N        shorter edge to N, longer edge to int(N * long / short)         squash=N   both edges to N
//   longest=N       longer edge to N, shorter edge rounded; a crop pads what is missing
//   pad=N           the picture as large as fits into N x N, in its middle, `fill` around it (Pillow's ImageOps.pad)
//   filter=bilinear|bicubic      crop=N|none   centre N x N, `fill` where the picture is smaller
//   centre=nearest|down          where a crop begins whose excess is odd: as torchvision has it, or transformers
//   fill=V or R/G/B              0 to 255
//   mean=R/G/B  std=R/G/B        of values in [0, 1]
//   order=rgb|bgr                of the planes that a network is given; Caffe's were trained on blue, green, red
//
// "resize=232,filter=bicubic,crop=224,mean=0.485/0.456/0.406,std=0.229/0.224/0.225"; resize, then squash, then crop
// where several are given; of resize, longest and pad one. Left out: no resizing, bilinear, crop 224, centre nearest,
// fill 0, mean 0, std 1, order rgb.
//
// Sources: torchvision 0.14.1 transforms/functional.py (resize, center_crop, to_tensor, normalize), open_clip
// transform.py (longest: ResizeKeepRatio and CenterCropOrPad), Pillow 9.4 ImageOps.py (pad), transformers
// image_transforms.py (centre=down) and ../shared/data/golden/pillow.csv. Immutable, so thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "extract/images/image.h"
#include "extract/images/transform/resample.h"
#include "extract/images/transform/transform_spec.h"

namespace vise::images {

struct PictureSize {
  std::uint32_t width = 0, height = 0;
};

// torchvision's Resize(N) of a picture: its edges when the shorter one becomes `target`. Error{input} for a picture
// whose longer edge would pass 2^31 - 1, where Pillow gives up too.
PictureSize shorter_edge_to(std::uint32_t target, PictureSize in);

// open_clip's ResizeKeepRatio(N, longest=1): its edges when the longer one becomes `target`, halves to even.
// Error{input} for a picture whose shorter edge would vanish.
PictureSize longer_edge_to(std::uint32_t target, PictureSize in);

class Transform {
 public:
  // Error{usage} with the accepted forms, or the nearest preset, when `text` is none of them; also when the result's
  // size would depend on the picture (neither crop nor squash) or exceeds 4096.
  static Transform parse(std::string_view text);
  explicit Transform(const TransformSpec& spec, std::string name = {});

  // The preset's name if it is one, else the settings; parse(name()) is the same transform.
  const std::string& name() const { return name_; }
  const TransformSpec& spec() const { return spec_; }
  // Everything that the result depends on, as part of the features' key: equal results give equal descriptions
  // whatever the name.
  Json describe() const;

  // The same for another side of the result: crop (else squash or pad) becomes `side`, and every other edge E becomes
  // floor(side / f), where f is the part of E that is kept, as people state it: of the decimals with
  // floor(crop / f) = E those of the fewest digits, and of these the largest. So 256 and 224 (f = 0.875) become 384 and
  // 336, and 248 and 224 (timm's 0.9) 373 and 336. Error{usage} for a side that no transform has.
  Transform scaled_to(std::uint32_t side) const;

  // The result's edges (equal: crop or squash size).
  std::uint32_t width() const { return size_; }
  std::uint32_t height() const { return size_; }
  // A picture's edges after the resizes.
  PictureSize before_crop(PictureSize in) const;
  std::size_t bytes() const { return std::size_t{size_} * size_ * 3; }

  // Resizes and crops to height x width x 3 bytes, rows top to bottom. `rgb` must hold bytes() (asserted).
  // Error{input} for a picture whose resized longer edge would pass 2^31 - 1, where Pillow gives up too.
  void pixels(const Image& image, std::span<std::uint8_t> rgb) const;

  // The whole picture before the crop. Errors as pixels().
  Image resized(const Image& image) const;

  // ((v / 255) - mean) / std in float32, in that order, as ToTensor and Normalize compute it. Planar: channel c,
  // row y, column x at chw[(c * height + y) * width + x]; channels in the spec's order.
  void normalise(std::span<const std::uint8_t> rgb, float* chw) const;

 private:
  std::string name_;
  TransformSpec spec_;
  std::uint32_t size_;
  Image padded(const Image& image) const;

  std::array<std::array<float, 256>, 3> table_;  // normalised value of each byte, per channel
};

}  // namespace vise::images

#include "extract/images/transform/transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/text.h"
#include "extract/images/transform/crop.h"
#include "extract/images/transform/transform_presets.h"

namespace vise {
namespace {

// The last resize and the crop in one step: only the window's pixels are computed.
void resize_and_crop(const Image& image, PictureSize to, Filter filter, std::uint32_t crop,
                     std::span<std::uint8_t> rgb) {
  const Centre x = centre_crop(to.width, crop), y = centre_crop(to.height, crop);
  if (x.length < crop || y.length < crop) std::fill(rgb.begin(), rgb.end(), std::uint8_t{0});
  const std::size_t stride = std::size_t{crop} * 3;
  resize_into({image.width, image.height, 3, image.pixels}, to.width, to.height, filter,
              {x.begin, y.begin, x.length, y.length}, rgb.data() + y.skip * stride + std::size_t{x.skip} * 3, stride);
}

std::array<std::array<float, 256>, 3> value_table(const TransformSpec& spec) {
  std::array<std::array<float, 256>, 3> table;
  for (std::size_t c = 0; c < 3; ++c) {
    const auto mean = static_cast<float>(spec.mean[c]), deviation = static_cast<float>(spec.std[c]);
    for (int v = 0; v < 256; ++v) {
      const float scaled = static_cast<float>(v) / 255.0f;
      const float centred = scaled - mean;
      table[c][static_cast<std::size_t>(v)] = centred / deviation;
    }
  }
  return table;
}

std::uint32_t result_size(const TransformSpec& spec) {
  const auto size = spec.crop ? spec.crop : spec.squash;
  if (!size) {
    throw Error(ErrorKind::usage, "a transform without crop and squash gives pictures of differing size",
                "add crop=224 or squash=224");
  }
  for (const auto& edge : {spec.resize, spec.squash, spec.crop}) {
    if (edge && (*edge < 1 || *edge > 4096)) {
      throw Error(ErrorKind::usage, fmt::format("a transform's edge of {} pixels", *edge),
                  "edges are 1 to 4096 pixels");
    }
  }
  for (std::size_t c = 0; c < 3; ++c) {
    if (!std::isfinite(spec.mean[c]) || !std::isfinite(spec.std[c]) || !(spec.std[c] > 0)) {
      throw Error(ErrorKind::usage, "a transform's mean must be finite and its std above 0");
    }
  }
  return *size;
}

}  // namespace

// torchvision's _compute_resized_image_output_size: the longer edge is truncated from a double.
PictureSize shorter_edge_to(std::uint32_t target, PictureSize in) {
  const std::uint64_t shorter = std::min(in.width, in.height), longer = std::max(in.width, in.height);
  const double scaled = static_cast<double>(target * longer) / static_cast<double>(shorter);
  if (scaled > 2147483647.0) {
    throw Error(ErrorKind::input,
                fmt::format("a picture of {} x {} pixels is too narrow to resize", in.width, in.height),
                "crop it, or leave it out");
  }
  const auto long_edge = static_cast<std::uint32_t>(scaled);
  return in.width <= in.height ? PictureSize{target, long_edge} : PictureSize{long_edge, target};
}

Transform::Transform(const TransformSpec& spec, std::string name)
    : name_(std::move(name)), spec_(spec), size_(result_size(spec)), table_(value_table(spec)) {
  if (name_.empty()) name_ = settings_text(spec_);
}

Transform Transform::parse(std::string_view text) {
  const TransformSpec spec = parse_transform_spec(text);
  return Transform(spec, preset_name(spec));
}

Json Transform::describe() const {
  Json json = {{"resampler", "Pillow 9.4, 8 bits a channel"},
               {"geometry", "torchvision 0.14"},
               {"exif_orientation", "ignored"},
               {"filter", filter_name(spec_.filter)},
               {"mean", spec_.mean},
               {"std", spec_.std},
               {"normalisation", "((v/255)-mean)/std in float32"}};
  json["resize_shorter_edge"] = spec_.resize ? Json(*spec_.resize) : Json();
  json["squash"] = spec_.squash ? Json(*spec_.squash) : Json();
  json["centre_crop"] = spec_.crop ? Json(*spec_.crop) : Json();
  return json;
}

PictureSize Transform::before_crop(PictureSize in) const {
  if (spec_.squash) return {*spec_.squash, *spec_.squash};
  return spec_.resize ? shorter_edge_to(*spec_.resize, in) : in;
}

void Transform::pixels(const Image& image, std::span<std::uint8_t> rgb) const {
  assert(rgb.size() == bytes());
  assert(image.width && image.height);
  const PictureSize in{image.width, image.height};
  const PictureSize first = spec_.resize ? shorter_edge_to(*spec_.resize, in) : in;
  if (!spec_.squash) return resize_and_crop(image, first, spec_.filter, size_, rgb);
  const PictureSize last{*spec_.squash, *spec_.squash};
  if (!spec_.resize) return resize_and_crop(image, last, spec_.filter, size_, rgb);
  resize_and_crop(resize(image, first.width, first.height, spec_.filter), last, spec_.filter, size_, rgb);
}

Image Transform::resized(const Image& image) const {
  assert(image.width && image.height);
  Image result = image;
  if (spec_.resize) {
    const PictureSize to = shorter_edge_to(*spec_.resize, {image.width, image.height});
    result = resize(result, to.width, to.height, spec_.filter);
  }
  return spec_.squash ? resize(result, *spec_.squash, *spec_.squash, spec_.filter) : result;
}

void Transform::normalise(std::span<const std::uint8_t> rgb, float* chw) const {
  assert(rgb.size() == bytes());
  const std::size_t plane = std::size_t{size_} * size_;
  const float *red = table_[0].data(), *green = table_[1].data(), *blue = table_[2].data();
  for (std::size_t i = 0; i < plane; ++i) {
    chw[i] = red[rgb[i * 3]];
    chw[plane + i] = green[rgb[i * 3 + 1]];
    chw[2 * plane + i] = blue[rgb[i * 3 + 2]];
  }
}

}  // namespace vise

#include "extract/images/transform/transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace vise::images {
namespace {

void fill_with(std::span<std::uint8_t> rgb, const std::array<std::uint8_t, 3>& colour) {
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = colour[i % 3];
}

// The last resize and the crop in one step: only the window's pixels are computed.
void resize_and_crop(const Image& image, PictureSize to, const TransformSpec& spec, std::uint32_t crop,
                     std::span<std::uint8_t> rgb) {
  const Centre x = centre_crop(to.width, crop, spec.centre), y = centre_crop(to.height, crop, spec.centre);
  // A picture smaller than the crop is laid into its middle, and what it doesn't reach keeps the fill.
  if (x.length < crop || y.length < crop) fill_with(rgb, spec.fill);
  const std::size_t stride = std::size_t{crop} * 3;
  resize_into({image.width, image.height, 3, image.pixels}, to.width, to.height, spec.filter,
              {x.begin, y.begin, x.length, y.length}, rgb.data() + y.skip * stride + std::size_t{x.skip} * 3, stride);
}

std::array<std::array<float, 256>, 3> value_table(const TransformSpec& spec) {
  std::array<std::array<float, 256>, 3> table;
  for (std::size_t c = 0; c < 3; ++c) {
    const auto mean = static_cast<float>(spec.mean[c]), deviation = static_cast<float>(spec.std[c]);
    for (int v = 0; v < 256; ++v) {
      // ToTensor divides and Normalize subtracts and divides, each rounded to float32; a product with
      // reciprocals would differ in the last bit. A byte has 256 values, so a table has them all.
      const float scaled = static_cast<float>(v) / 255.0f;
      const float centred = scaled - mean;
      table[c][static_cast<std::size_t>(v)] = centred / deviation;
    }
  }
  return table;
}

std::uint32_t result_size(const TransformSpec& spec) {
  // The last step decides, and a crop comes last.
  const auto size = spec.crop ? spec.crop : spec.pad ? spec.pad : spec.squash;
  if (!size) {
    throw Error(ErrorKind::usage, "a transform without crop and squash gives pictures of differing size",
                "add crop=224 or squash=224");
  }
  // Only resize then squash has a meaning that is published (vissl); every other pair would
  // depend on an order that the text form doesn't have.
  if (spec.resize.has_value() + spec.longest.has_value() + spec.pad.has_value() > 1 ||
      (spec.squash && (spec.longest || spec.pad))) {
    throw Error(ErrorKind::usage, "a transform that resizes a picture in two ways",
                "give one of resize, longest, pad and squash; squash may follow resize");
  }
  for (const auto& edge : {spec.resize, spec.squash, spec.longest, spec.pad, spec.crop}) {
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

[[noreturn]] void refuse_narrow(PictureSize in) {
  throw Error(ErrorKind::input, fmt::format("a picture of {} x {} pixels is too narrow to resize", in.width, in.height),
              "crop it, or leave it out");
}

// Pillow's ImageOps.contain: the edges of the largest picture of that shape in a square of `side`.
PictureSize contained_in(std::uint32_t side, PictureSize in) {
  const double width = in.width, height = in.height;
  PictureSize to{side, side};
  // Python's round() again, halves to even.
  if (in.width > in.height) to.height = static_cast<std::uint32_t>(std::nearbyint(height / width * side));
  if (in.width < in.height) to.width = static_cast<std::uint32_t>(std::nearbyint(width / height * side));
  if (to.width == 0 || to.height == 0) refuse_narrow(in);
  return to;
}

// The part of `edge` that a crop keeps, as people state it (Transform::scaled_to).
double stated_fraction(std::uint32_t edge, std::uint32_t crop) {
  const double exact = static_cast<double>(crop) / edge;
  double power = 1;
  // People write 0.875, not 224 / 256, and 0.9 where 224 / 248 is 0.903...; the shortest decimal
  // that leads back to the same edge is taken for what was meant.
  for (int digits = 0; digits < 9; ++digits, power *= 10) {
    // The largest decimal of so many digits that is not above the exact one; 1e-9 forgives the division's rounding.
    const double fraction = std::floor(exact * power + 1e-9) / power;
    if (fraction > 0 && std::floor(crop / fraction + 1e-9) == edge) return fraction;
  }
  return exact;
}

std::uint32_t scaled_edge(std::uint32_t edge, std::uint32_t crop, std::uint32_t side) {
  return static_cast<std::uint32_t>(std::floor(side / stated_fraction(edge, crop) + 1e-9));
}

}  // namespace

// torchvision's _compute_resized_image_output_size: the longer edge is truncated from a double.
PictureSize shorter_edge_to(std::uint32_t target, PictureSize in) {
  const std::uint64_t shorter = std::min(in.width, in.height), longer = std::max(in.width, in.height);
  // With edges of at most 4096 the product is exact in double, and one division rounds as Python's of integers does.
  const double scaled = static_cast<double>(target * longer) / static_cast<double>(shorter);
  if (scaled > 2147483647.0) refuse_narrow(in);
  const auto long_edge = static_cast<std::uint32_t>(scaled);
  return in.width <= in.height ? PictureSize{target, long_edge} : PictureSize{long_edge, target};
}

PictureSize longer_edge_to(std::uint32_t target, PictureSize in) {
  const double ratio = std::max(in.width / static_cast<double>(target), in.height / static_cast<double>(target));
  // Divided by the ratio, as open_clip does: edge * target / longest may fall on the other side of a half.
  const auto scaled = [&](std::uint32_t edge) { return static_cast<std::uint32_t>(std::nearbyint(edge / ratio)); };
  const PictureSize to{scaled(in.width), scaled(in.height)};
  if (to.width == 0 || to.height == 0) refuse_narrow(in);
  return to;
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
  // This goes into the features' key, so a word that is changed here makes every stored feature another one.
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
  // Only where they change anything: earlier features' keys are without.
  if (spec_.longest) json["longest"] = *spec_.longest;
  if (spec_.pad) json["pad"] = *spec_.pad;
  if (spec_.centre == CentreRule::down) json["crop_offset"] = "rounded down";
  if (spec_.fill != std::array<std::uint8_t, 3>{}) json["fill"] = spec_.fill;
  if (spec_.order == ChannelOrder::bgr) json["channel_order"] = "blue, green, red";
  return json;
}

Transform Transform::scaled_to(std::uint32_t side) const {
  TransformSpec spec = spec_;
  for (auto* const edge : {&spec.resize, &spec.longest, &spec.squash, &spec.pad, &spec.crop})
    if (*edge) *edge = scaled_edge(**edge, size_, side);
  if (spec.crop) spec.crop = side;
  return Transform(spec, preset_name(spec));
}

PictureSize Transform::before_crop(PictureSize in) const {
  if (spec_.squash) return {*spec_.squash, *spec_.squash};
  if (spec_.pad) return {*spec_.pad, *spec_.pad};
  if (spec_.longest) return longer_edge_to(*spec_.longest, in);
  return spec_.resize ? shorter_edge_to(*spec_.resize, in) : in;
}

void Transform::pixels(const Image& image, std::span<std::uint8_t> rgb) const {
  assert(rgb.size() == bytes());
  assert(image.width && image.height);
  if (spec_.pad) return resize_and_crop(padded(image), {*spec_.pad, *spec_.pad}, spec_, size_, rgb);
  const PictureSize in{image.width, image.height}, last = before_crop(in);
  // With both, the first resize has to be carried out in full: its rounding to 8 bits shows in the second.
  if (!spec_.squash || !spec_.resize) return resize_and_crop(image, last, spec_, size_, rgb);
  const PictureSize first = shorter_edge_to(*spec_.resize, in);
  resize_and_crop(resize(image, first.width, first.height, spec_.filter), last, spec_, size_, rgb);
}

Image Transform::resized(const Image& image) const {
  assert(image.width && image.height);
  if (spec_.pad) return padded(image);
  const PictureSize in{image.width, image.height}, last = before_crop(in);
  Image result = image;
  if (spec_.resize && spec_.squash) {
    const PictureSize first = shorter_edge_to(*spec_.resize, in);
    result = resize(result, first.width, first.height, spec_.filter);
  }
  return spec_.resize || spec_.squash || spec_.longest ? resize(result, last.width, last.height, spec_.filter) : result;
}

// Pillow's ImageOps.pad, whose paste rounds halves to even.
Image Transform::padded(const Image& image) const {
  const std::uint32_t side = *spec_.pad;
  const PictureSize inner = contained_in(side, {image.width, image.height});
  Image result{side, side, std::vector<std::uint8_t>(std::size_t{side} * side * 3)};
  fill_with(result.pixels, spec_.fill);
  const auto left = static_cast<std::size_t>(std::nearbyint((side - inner.width) * 0.5));
  const auto top = static_cast<std::size_t>(std::nearbyint((side - inner.height) * 0.5));
  const std::size_t stride = std::size_t{side} * 3;
  resize_into({image.width, image.height, 3, image.pixels}, inner.width, inner.height, spec_.filter,
              {0, 0, inner.width, inner.height}, result.pixels.data() + top * stride + left * 3, stride);
  return result;
}

void Transform::normalise(std::span<const std::uint8_t> rgb, float* chw) const {
  assert(rgb.size() == bytes());
  // PyTorch's layout, one plane a channel, which both engines take.
  const std::size_t plane = std::size_t{size_} * size_;
  const float *red = table_[0].data(), *green = table_[1].data(), *blue = table_[2].data();
  const bool is_rgb = spec_.order == ChannelOrder::rgb;
  float *const reds = chw + (is_rgb ? 0 : 2 * plane), *const blues = chw + (is_rgb ? 2 * plane : 0);
  for (std::size_t i = 0; i < plane; ++i) {
    reds[i] = red[rgb[i * 3]];
    chw[plane + i] = green[rgb[i * 3 + 1]];
    blues[i] = blue[rgb[i * 3 + 2]];
  }
}

}  // namespace vise::images

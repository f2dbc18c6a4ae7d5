#include "extract/images/transform/transform_spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace vise::images {
namespace {

// Those with which torchvision's networks, and most later ones, were trained; of values in [0, 1].
constexpr std::array<double, 3> kImageNetMean{0.485, 0.456, 0.406}, kImageNetStd{0.229, 0.224, 0.225};
constexpr Filter kBilinear = Filter::bilinear, kBicubic = Filter::bicubic;
constexpr std::nullopt_t kNone = std::nullopt;

constexpr std::array<double, 3> kHalf{0.5, 0.5, 0.5};

// The mean pixel of Caffe's ilsvrc_2012_mean.npy, taken from values of 0 to 255 that are not scaled further.
constexpr std::array<double, 3> kCaffeMean{122.67891434 / 255, 116.66876762 / 255, 104.00698793 / 255};
constexpr std::array<double, 3> kCaffeStd{1. / 255, 1. / 255, 1. / 255};

struct Preset {
  const char* name;
  TransformSpec spec;
};

const std::vector<std::string> kSettings{"resize", "squash", "longest", "pad", "filter", "crop",
                                         "centre", "fill",   "mean",    "std", "order"};

// Of bvlc_reference_caffenet, with Pillow's resize in the place of Caffe's, which does not smooth.
TransformSpec caffe_spec() {
  TransformSpec spec{kNone, 256, kBilinear, 224, kCaffeMean, kCaffeStd};
  // OpenCV reads pictures as blue, green, red, and Caffe's networks were trained on what it read.
  spec.order = ChannelOrder::bgr;
  return spec;
}

// PROTOCOL.md sections 2 and 4 and ENCODERS.md sections 8 to 10 name the source of each other row. Where two are equal,
// the first one's name is shown.
const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = {
      // The first six fields: resize, squash, filter, crop, mean, std.
      {"imagenet", {256, kNone, kBilinear, 224, kImageNetMean, kImageNetStd}},
      {"imagenet-v2", {232, kNone, kBilinear, 224, kImageNetMean, kImageNetStd}},
      {"dino", {256, kNone, kBicubic, 224, kImageNetMean, kImageNetStd}},
      {"dinov2", {224, kNone, kBicubic, 224, kImageNetMean, kImageNetStd}},
      {"clip", {224, kNone, kBicubic, 224, {0.48145466, 0.4578275, 0.40821073}, {0.26862954, 0.26130258, 0.27577711}}},
      {"places", {kNone, 256, kBilinear, 224, kImageNetMean, kImageNetStd}},
      // 0.228 is no slip of ours: SwAV's linear evaluation has it (eval_linear.py).
      {"swav", {256, kNone, kBilinear, 224, kImageNetMean, {0.228, 0.224, 0.225}}},
      // timm states the part of the edge that the crop keeps: floor(224 / 0.95) is 235, floor(224 / 0.9) is 248.
      {"timm-a1", {235, kNone, kBicubic, 224, kImageNetMean, kImageNetStd}},
      {"simclr", {256, kNone, kBilinear, 224, {0, 0, 0}, {1, 1, 1}}},
      {"vissl-squash", {256, 224, kBilinear, kNone, kImageNetMean, kImageNetStd}},
      {"politics", {kNone, 224, kBilinear, kNone, kImageNetMean, kImageNetStd}},
      {"hateful-memes", {kNone, 256, kBilinear, 224, {0.4678, 0.4453, 0.4066}, {0.1222, 0.1215, 0.1438}}},
      {"siglip", {kNone, 224, kBicubic, kNone, kHalf, kHalf}},
      {"augreg", {248, kNone, kBicubic, 224, kHalf, kHalf}},
      {"deit", {248, kNone, kBicubic, 224, kImageNetMean, kImageNetStd}},
      {"caffe", caffe_spec()},
  };
  return all;
}

[[noreturn]] void refuse(std::string_view text, const std::string& what) {
  throw Error(
      ErrorKind::usage, fmt::format("transform '{}': {}", text, what),
      "give a preset (" + join(transform_names(), ", ") +
          ") or settings such as resize=256,filter=bilinear,crop=224,mean=0.485/0.456/0.406,std=0.229/0.224/0.225");
}

std::uint32_t edge(std::string_view text, std::string_view value) {
  std::int64_t number = 0;
  if (!parse_int(value, number) || number < 1 || number > 4096) {
    refuse(text, fmt::format("'{}' is no number of pixels from 1 to 4096", value));
  }
  return static_cast<std::uint32_t>(number);
}

std::array<double, 3> three(std::string_view text, std::string_view value) {
  std::array<double, 3> result{};
  const auto parts = split(value, '/');
  if (parts.size() != 3) refuse(text, fmt::format("'{}' must be three numbers with / between", value));
  for (std::size_t c = 0; c < 3; ++c) {
    if (!parse_double(parts[c], result[c])) refuse(text, fmt::format("'{}' is no number", parts[c]));
  }
  return result;
}

std::array<std::uint8_t, 3> colour(std::string_view text, std::string_view value) {
  const auto parts = split(value, '/');
  if (parts.size() != 1 && parts.size() != 3) refuse(text, fmt::format("'{}' is no grey and no R/G/B", value));
  std::array<std::uint8_t, 3> result{};
  for (std::size_t c = 0; c < 3; ++c) {
    std::int64_t level = 0;
    const std::string& part = parts[parts.size() == 1 ? 0 : c];
    if (!parse_int(part, level) || level < 0 || level > 255) refuse(text, fmt::format("'{}' is not 0 to 255", part));
    result[c] = static_cast<std::uint8_t>(level);
  }
  return result;
}

void apply(std::string_view text, std::string_view key, std::string_view value, TransformSpec& spec) {
  if (key == "resize") {
    spec.resize = edge(text, value);
  } else if (key == "squash") {
    spec.squash = edge(text, value);
  } else if (key == "longest") {
    spec.longest = edge(text, value);
  } else if (key == "pad") {
    spec.pad = edge(text, value);
  } else if (key == "fill") {
    spec.fill = colour(text, value);
  } else if (key == "centre") {
    if (value != "nearest" && value != "down") refuse(text, fmt::format("centre '{}': nearest or down", value));
    spec.centre = value == "down" ? CentreRule::down : CentreRule::nearest;
  } else if (key == "crop") {
    if (value == "none") {
      spec.crop.reset();
    } else {
      spec.crop = edge(text, value);
    }
  } else if (key == "filter") {
    if (value != "bilinear" && value != "bicubic") refuse(text, fmt::format("filter '{}'", value));
    spec.filter = value == "bilinear" ? kBilinear : kBicubic;
  } else if (key == "mean") {
    spec.mean = three(text, value);
  } else if (key == "std") {
    spec.std = three(text, value);
  } else if (key == "order") {
    if (value != "rgb" && value != "bgr") refuse(text, fmt::format("order '{}': rgb or bgr", value));
    spec.order = value == "bgr" ? ChannelOrder::bgr : ChannelOrder::rgb;
  } else {
    throw Error(ErrorKind::usage, fmt::format("transform '{}': no setting '{}'", text, key), suggest(key, kSettings));
  }
}

std::string three_text(const std::array<double, 3>& values) {
  return number(values[0]) + "/" + number(values[1]) + "/" + number(values[2]);
}

}  // namespace

TransformSpec parse_transform_spec(std::string_view text) {
  TransformSpec spec;
  bool first = true;
  for (const std::string& part : split(text, ',')) {
    const std::string_view setting = trim(part);
    const std::size_t equals = setting.find('=');
    if (equals != std::string_view::npos) {
      apply(text, trim(setting.substr(0, equals)), trim(setting.substr(equals + 1)), spec);
    } else {
      const auto found =
          std::find_if(presets().begin(), presets().end(), [&](const Preset& p) { return p.name == setting; });
      // A preset sets every field, so after a setting it would undo it.
      if (found == presets().end() || !first) {
        throw Error(ErrorKind::usage, fmt::format("no transform '{}'", setting), suggest(setting, transform_names()));
      }
      spec = found->spec;
    }
    first = false;
  }
  return spec;
}

// Parsed again this gives the same spec; what has its default and came later than 0.1 is left
// out, so that names in older results stay the same.
std::string settings_text(const TransformSpec& spec) {
  std::string text;
  if (spec.resize) text += fmt::format("resize={},", *spec.resize);
  if (spec.squash) text += fmt::format("squash={},", *spec.squash);
  if (spec.longest) text += fmt::format("longest={},", *spec.longest);
  if (spec.pad) text += fmt::format("pad={},", *spec.pad);
  text += fmt::format("filter={},crop={},", filter_name(spec.filter), spec.crop ? std::to_string(*spec.crop) : "none");
  if (spec.centre == CentreRule::down) text += "centre=down,";
  if (spec.fill != std::array<std::uint8_t, 3>{})
    text += fmt::format("fill={}/{}/{},", spec.fill[0], spec.fill[1], spec.fill[2]);
  text += "mean=" + three_text(spec.mean) + ",std=" + three_text(spec.std);
  return spec.order == ChannelOrder::bgr ? text + ",order=bgr" : text;
}

std::string preset_name(const TransformSpec& spec) {
  for (const Preset& preset : presets()) {
    // Compared by value: settings that amount to a preset are shown under its name.
    if (preset.spec == spec) return preset.name;
  }
  return {};
}

const std::vector<std::string>& transform_setting_names() { return kSettings; }

std::vector<std::string> transform_names() {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.emplace_back(preset.name);
  return names;
}

}  // namespace vise::images

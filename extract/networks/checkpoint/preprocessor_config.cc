// transformers' preprocessor_config.json, as its image processors read it (models/*/image_processing_*.py,
// image_transforms.py).
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/checkpoint/config_readers.h"

namespace vise::networks {
namespace {

// What a size that is one number means to a processor of that name.
enum class Meaning { unknown, shorter_edge, both_edges };
Meaning meaning_of(std::string_view type) {
  // get_size_dict()'s default_to_square, as each processor's __init__ passes it; a processor whose value
  // is not known here is refused rather than guessed, since the two readings give different crops.
  for (const char* start : {"CLIP", "Bit", "ConvNext", "ConvNeXT"})
    if (type.starts_with(start)) return Meaning::shorter_edge;
  for (const char* start : {"ViT", "DeiT", "Siglip", "DINOv3", "Beit"})
    if (type.starts_with(start)) return Meaning::both_edges;
  return Meaning::unknown;
}

std::int64_t edge(const ConfigObject& object, std::string_view key) {
  const std::optional<std::int64_t> pixels = object.whole(key);
  if (!pixels || *pixels < 1 || *pixels > 4096) object.refuse(key, "is no number of pixels from 1 to 4096");
  return *pixels;
}

// Edges of `size` or `crop_size`: {"height": 224, "width": 224}.
std::int64_t square(const ConfigObject& size) {
  const std::int64_t height = edge(size, "height");
  if (edge(size, "width") != height) size.refuse("width", "is another than the height");
  return height;
}

// The number of pixels, and which edges it is of.
struct Size {
  std::int64_t pixels = 0;
  Meaning meaning = Meaning::unknown;
};

Size size_of(const ConfigObject& json, const std::string& type) {
  if (!json.is_object("size")) {
    const Meaning meaning = meaning_of(type);
    if (meaning == Meaning::unknown)
      json.refuse("size",
                  fmt::format("is one number, and whether '{}' takes it for the shorter edge isn't known", type));
    return {edge(json, "size"), meaning};
  }
  const ConfigObject size = *json.object("size");
  if (size.has("longest_edge")) size.refuse("longest_edge", "is set, and how it bounds the other isn't computed here");
  if (size.has("shortest_edge")) return {edge(size, "shortest_edge"), Meaning::shorter_edge};
  return {square(size), Meaning::both_edges};
}

// ConvNeXt's: below 384 the shorter edge goes to size / crop_pct and `size` is cut out, else both edges to `size`.
void resize_and_crop(const ConfigObject& json, const std::string& type, bool down, TransformText& text) {
  const Size size = size_of(json, type);
  if (type.starts_with("ConvNe")) {
    if (size.meaning != Meaning::shorter_edge) json.refuse("size", "is no shorter edge");
    if (size.pixels >= 384) {
      text.resizing = fmt::format("squash={}", size.pixels);
      return;
    }
    const double fraction = json.real("crop_pct").value_or(0.875);
    if (fraction < 0.1 || fraction > 1) json.refuse("crop_pct", fmt::format("is {}", number(fraction)));
    // int(shortest_edge / crop_pct), truncated as Python's int() does.
    text.resizing = fmt::format("resize={}", static_cast<std::int64_t>(static_cast<double>(size.pixels) / fraction));
    text.crop = std::to_string(size.pixels);
    if (down) text.more = "centre=down,";
    return;
  }
  text.resizing = fmt::format("{}={}", size.meaning == Meaning::both_edges ? "squash" : "resize", size.pixels);
}

void crop(const ConfigObject& json, bool down, TransformText& text) {
  const std::int64_t side = json.is_object("crop_size") ? square(*json.object("crop_size")) : edge(json, "crop_size");
  text.crop = std::to_string(side);
  if (down) text.more = "centre=down,";
}

// One number is used for all three channels.
std::vector<double> channels(const ConfigObject& json, std::string_view key) {
  if (json.has(key) && !json.is_list(key)) return std::vector<double>(3, *json.real(key));
  const auto values = json.reals(key);
  if (!values || values->size() != 3) json.refuse(key, "doesn't hold three numbers");
  return *values;
}

// Pixels must come as the engines expect them: 0 to 255 by 1/255, and nothing padded.
void check_rescaling(const ConfigObject& json) {
  if (!json.boolean("do_rescale").value_or(true))
    json.refuse("do_rescale", "is false: values aren't brought to [0, 1]");
  const double factor = json.real("rescale_factor").value_or(1.0 / 255);
  // The factor is written as 0.00392156862745098, so it is compared with a tolerance.
  if (std::abs(factor * 255 - 1) > 1e-6) json.refuse("rescale_factor", fmt::format("is {}, not 1/255", number(factor)));
  if (json.boolean("do_pad").value_or(false)) json.refuse("do_pad", "is true");
}

std::string filter_of(const ConfigObject& json) {
  const std::optional<std::int64_t> resample = json.whole("resample");
  // Pillow's numbers of its filters, as PIL.Image.Resampling has them.
  if (resample == 2) return "bilinear";
  if (resample == 3) return "bicubic";
  json.refuse("resample", resample ? fmt::format("is {}; 2 (bilinear) and 3 (bicubic) are computed here", *resample)
                                   : std::string("isn't there"));
}

// In the order in which a processor works: resize, crop, rescale, normalise.
TransformText transform_of(const ConfigObject& json) {
  std::string type = json.text("image_processor_type").value_or(json.text("feature_extractor_type").value_or(""));
  // The processors of NumPy round a crop's offset down; those of torchvision ("Fast") as torchvision does.
  const bool down = !type.ends_with("Fast");
  check_rescaling(json);
  TransformText text;
  text.filter = "bilinear";
  if (json.boolean("do_resize").value_or(true)) {
    text.filter = filter_of(json);
    resize_and_crop(json, type, down, text);
  }
  if (json.boolean("do_center_crop").value_or(false)) crop(json, down, text);
  if (text.crop == "none" && !text.resizing.starts_with("squash"))
    json.refuse("do_center_crop", "is not true: pictures would be of differing size");
  const bool normalised = json.boolean("do_normalize").value_or(true);
  text.mean = normalised ? channels(json, "image_mean") : std::vector<double>(3, 0.0);
  text.std = normalised ? channels(json, "image_std") : std::vector<double>(3, 1.0);
  for (const double deviation : text.std)
    if (!(deviation > 0)) json.refuse("image_std", "isn't above 0");
  return text;
}

}  // namespace

// A transform that can't be had is a note: the user may say another.
void read_preprocessor(const ConfigObject& json, HubConfig& config) {
  try {
    config.transform = transform_of(json).str();
    config.transform_source = "preprocessor_config.json";
  } catch (const Error& e) {
    config.notes.push_back(e.message());
  }
}

}  // namespace vise::networks

// timm's config.json (`architecture`, `pretrained_cfg`) and what its code says of a model by its name.
//
// Sources: timm/models/vision_transformer.py, eva.py, convnext.py and swin_transformer.py for epsilons and activations,
// timm/data/transforms_factory.py for the transform.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/checkpoint/config_readers.h"

namespace vise::networks {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Which SigLIP towers timm runs with the tanh form; all others with the exact one.
bool siglip_is_tanh(std::string_view model) {
  constexpr std::array<std::string_view, 4> tanh{"vit_base_patch32_siglip_", "vit_large_patch16_siglip_512",
                                                 "vit_so400m_patch16_siglip_", "vit_giantopt_patch16_siglip_"};
  return std::ranges::any_of(tanh, [&](std::string_view start) { return model.starts_with(start); });
}

// What timm's code fixes for a model; positions: whether it has a table that is resized.
struct TimmFacts {
  std::string_view act, eps;
  bool positions = false;
};

// vit_SIZE_patchN_REST. Names with anything else in them (_gap_, _xp_, _rpn_ ...) have networks of their own.
std::optional<TimmFacts> vit_facts(const std::string& model) {
  const std::vector<std::string> parts = split(model, '_');
  if (parts.size() < 4 || parts[0] != "vit" || !parts[2].starts_with("patch")) return std::nullopt;
  const std::string rest = join(std::span(parts).subspan(3), "_");
  // DINOv2's names have no edge at the end; its registers are part of the name.
  if (rest == "dinov2" || rest == "reg4_dinov2") return TimmFacts{"exact", "1e-06", true};
  if (rest == "dinov3") return TimmFacts{"exact", "1e-05", false};
  // The last part is the input's edge: vit_base_patch16_224, vit_base_patch16_siglip_384.
  if (!all_digits(parts.back())) return std::nullopt;
  const std::string kind = join(std::span(parts).subspan(3, parts.size() - 4), "_");
  if (kind.empty()) return TimmFacts{"exact", "1e-06", true};
  if (kind == "clip") return TimmFacts{"exact", "1e-05", true};
  if (kind == "clip_quickgelu") return TimmFacts{"quick", "1e-05", true};
  if (kind == "siglip") return TimmFacts{siglip_is_tanh(model) ? "tanh" : "exact", "1e-06", true};
  return std::nullopt;
}

// Families by the beginning of their names; nothing for names that are not known for certain.
std::optional<TimmFacts> facts_of(const std::string& model) {
  if (model.starts_with("deit_") || model.starts_with("deit3_")) return TimmFacts{"exact", "1e-06", true};
  if (model.starts_with("eva02_") && model.find("_clip_") != std::string::npos) return TimmFacts{"silu", "1e-06", true};
  if (model.starts_with("swin_")) return TimmFacts{"exact", "1e-05", false};
  if (model.starts_with("convnext") && model.find("xxlarge") == std::string::npos)
    return TimmFacts{"exact", "1e-06", false};
  return vit_facts(model);
}

// Per channel, as timm writes them.
std::vector<double> channels(const ConfigObject& object, std::string_view key) {
  const auto values = object.reals(key);
  if (!values || values->size() != 3) object.refuse(key, "doesn't hold three numbers");
  return *values;
}

// [3, side, side].
std::int64_t input_side(const ConfigObject& pretrained) {
  const auto size = pretrained.reals("input_size");
  if (!size || size->size() != 3 || (*size)[0] != 3 || (*size)[1] != (*size)[2] || (*size)[1] < 1 || (*size)[1] > 4096)
    pretrained.refuse("input_size", "is not 3 channels of a square");
  return static_cast<std::int64_t>((*size)[1]);
}

void read_transform(const ConfigObject& pretrained, HubConfig& config) {
  const std::int64_t side = input_side(pretrained);
  const double fraction = pretrained.real("crop_pct").value_or(0.875);
  if (fraction < 0.1 || fraction > 2) pretrained.refuse("crop_pct", fmt::format("is {}", number(fraction)));
  // timm's transforms_imagenet_eval: scale_size = floor(img_size / crop_pct), then the crop.
  const auto scaled = static_cast<std::int64_t>(std::floor(static_cast<double>(side) / fraction));
  if (scaled > 4096) pretrained.refuse("crop_pct", fmt::format("makes a resize of {} pixels", scaled));
  const std::string mode = pretrained.text("crop_mode").value_or("center");
  TransformText text;
  text.filter = pretrained.text("interpolation").value_or("bilinear");
  // A mode that isn't known is a note and no error, since a transform can be given by the user.
  if ((mode != "center" && mode != "squash") || (text.filter != "bicubic" && text.filter != "bilinear")) {
    config.notes.push_back(fmt::format(
        "config.json: crop_mode '{}' with interpolation '{}' is no transform that is known", mode, text.filter));
    return;
  }
  text.resizing = fmt::format("{}={}", mode == "squash" ? "squash" : "resize", scaled);
  text.crop = mode == "squash" && scaled == side ? "none" : std::to_string(side);
  text.mean = channels(pretrained, "mean");
  text.std = channels(pretrained, "std");
  config.transform = text.str();
  config.transform_source = "config.json";
}

}  // namespace

void say_timm_facts(const std::string& model, const std::string& source, HubConfig& config) {
  // A name may carry the tag of its weights behind a dot ("vit_base_patch16_224.augreg_in21k"),
  // which doesn't change the network.
  const std::optional<TimmFacts> facts = facts_of(model.substr(0, model.find('.')));
  if (!facts) {
    config.notes.push_back(fmt::format("nothing is known of timm's model '{}'", model));
    return;
  }
  say_once(config, "act", std::string(facts->act), source);
  say_once(config, "eps", std::string(facts->eps), source);
  if (facts->positions) say_once(config, "positions", "antialias", source);
}

void read_timm_config(const ConfigObject& json, HubConfig& config) {
  const std::string model = json.text("architecture").value_or("");
  if (model.empty())
    config.notes.emplace_back("config.json: no architecture beside pretrained_cfg");
  else
    say_timm_facts(model, fmt::format("timm's code for {}, by config.json", model), config);
  if (config.model.empty() && !model.empty()) config.model = model + " (timm)";
  // These arguments replace a layer's class, by which the tables above no longer hold.
  if (const auto arguments = json.object("model_args"))
    for (const char* key : {"act_layer", "norm_layer", "mlp_layer"})
      if (arguments->has(key)) arguments->refuse(key, "is set, so what timm's code says of this model need not hold");
  const ConfigObject pretrained = *json.object("pretrained_cfg");
  if (!config.transform.empty()) return;
  try {
    read_transform(pretrained, config);
  } catch (const Error& e) {
    config.notes.push_back(e.message());  // the user may say another
  }
}

}  // namespace vise::networks

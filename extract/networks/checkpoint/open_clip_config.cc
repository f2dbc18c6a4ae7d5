// open_clip_config.json: `model_cfg` (open_clip's CLIPVisionCfg) and `preprocess_cfg` (its PreprocessCfg).
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/checkpoint/config_readers.h"

namespace vise::networks {
namespace {

constexpr const char* kFile = "open_clip_config.json";
constexpr const char* kCode = "open_clip's code";

// Settings that make another network of its own vision tower than the one that is computed here.
void check_variant(const ConfigObject& vision) {
  for (const char* flag : {"attentional_pool", "no_ln_pre", "final_ln_after_pool", "input_patchnorm", "qk_norm",
                           "scaled_cosine_attn", "scale_heads", "scale_attn_inner", "scale_attn", "scale_fc"})
    if (vision.boolean(flag).value_or(false)) vision.refuse(flag, "is true, and such a tower is not computed here");
  const std::string pool = vision.text("pool_type").value_or("tok");
  if (pool != "tok") vision.refuse("pool_type", fmt::format("is '{}'; only 'tok' is computed here", pool));
  const std::string positions = vision.text("pos_embed_type").value_or("learnable");
  if (positions != "learnable" && positions != "sin_cos_2d")
    vision.refuse("pos_embed_type", fmt::format("is '{}', which is not computed here", positions));
}

// The tower is open_clip's own VisionTransformer: activation, epsilon, heads and the rule of positions.
void say_own_tower(const ConfigObject& model, const ConfigObject& vision, HubConfig& config) {
  check_variant(vision);
  const bool quick = model.boolean("quick_gelu").value_or(false);
  const auto act = vision.object("act_kwargs");
  const std::string approximate = act ? act->text("approximate").value_or("none") : "none";
  if (approximate != "none" && approximate != "tanh") act->refuse("approximate", fmt::format("is '{}'", approximate));
  // open_clip's _build_vision_tower: quick_gelu chooses the layer, act_kwargs are passed to nn.GELU.
  say_once(config, "act",
           quick                   ? "quick"
           : approximate == "tanh" ? "tanh"
                                   : "exact",
           model.has("quick_gelu") ? kFile : "open_clip's default, open_clip_config.json being silent");
  const auto norm = vision.object("norm_kwargs");
  const std::optional<double> eps = norm ? norm->real("eps") : std::nullopt;
  if (eps && (*eps <= 0 || *eps > 0.1)) norm->refuse("eps", fmt::format("is {}, not between 0 and 0.1", number(*eps)));
  // 1e-5 is nn.LayerNorm's default, which open_clip leaves as it is.
  say_once(config, "eps", epsilon_text(eps.value_or(1e-5)), eps ? kFile : kCode);
  // CLIPVisionCfg's defaults.
  const std::int64_t width = vision.whole("width").value_or(768), head = vision.whole("head_width").value_or(64);
  if (head < 1 || width < 1 || width % head != 0)
    vision.refuse("head_width", fmt::format("is {}, which doesn't divide the width of {}", head, width));
  // A bound that no published tower comes near.
  if (width / head > 1024) vision.refuse("head_width", fmt::format("is {}", head));
  say_once(config, "heads", std::to_string(width / head), kFile);
  // resize_pos_embed() interpolates bicubically with antialias=True.
  say_once(config, "positions", "antialias", kCode);
}

// One size for both edges.
std::int64_t square(const ConfigObject& object, std::string_view key, std::int64_t otherwise) {
  if (!object.is_list(key)) return object.whole(key).value_or(otherwise);
  const std::vector<double> edges = *object.reals(key);
  if (edges.size() != 2 || edges[0] != edges[1] || edges[0] < 1 || edges[0] > 4096 ||
      edges[0] != std::int64_t(edges[0]))
    object.refuse(key, "is no square");
  return static_cast<std::int64_t>(edges[0]);
}

// open_clip takes one number for all channels too.
std::vector<double> channels(const ConfigObject& object, std::string_view key, std::vector<double> otherwise) {
  if (!object.has(key)) return otherwise;
  if (!object.is_list(key)) return std::vector<double>(3, *object.real(key));
  std::vector<double> values = *object.reals(key);
  if (values.size() != 3) object.refuse(key, "doesn't hold three numbers");
  return values;
}

// open_clip's image_transform() for evaluation: `shortest` resizes the shorter edge and crops, `longest` fits and pads,
// `squash` changes the proportions.
void read_transform(const ConfigObject& preprocess, std::int64_t image_size, HubConfig& config) {
  if (!config.transform.empty()) return;
  const std::int64_t side = square(preprocess, "size", image_size);
  if (side < 1 || side > 4096) preprocess.refuse("size", fmt::format("is {}", side));
  const std::string mode = preprocess.text("resize_mode").value_or("shortest");
  TransformText text;
  if (mode != "shortest" && mode != "squash" && mode != "longest")
    preprocess.refuse("resize_mode", fmt::format("is '{}', not shortest, longest or squash", mode));
  text.resizing = fmt::format("{}={}", mode == "shortest" ? "resize" : mode, side);
  // After `squash` the picture has its size already.
  text.crop = mode == "squash" ? "none" : std::to_string(side);
  text.filter = preprocess.text("interpolation").value_or("bicubic");
  if (text.filter == "random") text.filter = "bicubic";  // of training alone: open_clip evaluates with bicubic
  if (text.filter != "bicubic" && text.filter != "bilinear")
    preprocess.refuse("interpolation", fmt::format("is '{}', neither bicubic nor bilinear", text.filter));
  const std::int64_t fill = preprocess.whole("fill_color").value_or(0);
  if (fill > 255) preprocess.refuse("fill_color", fmt::format("is {}, more than 255", fill));
  if (mode == "longest" && fill > 0) text.more = fmt::format("fill={},", fill);
  // OPENAI_DATASET_MEAN and _STD, which PreprocessCfg has as defaults.
  text.mean = channels(preprocess, "mean", {0.48145466, 0.4578275, 0.40821073});
  text.std = channels(preprocess, "std", {0.26862954, 0.26130258, 0.27577711});
  config.transform = text.str();
  config.transform_source = kFile;
}

}  // namespace

void read_open_clip_config(const ConfigObject& json, HubConfig& config) {
  const auto model = json.object("model_cfg");
  const auto vision = model ? model->object("vision_cfg") : std::nullopt;
  if (!vision) {
    config.notes.emplace_back("open_clip_config.json has no model_cfg with a vision_cfg, so it says nothing");
    return;
  }
  const std::optional<std::string> timm = vision->text("timm_model_name");
  if (config.model.empty())
    config.model = timm ? fmt::format("open_clip with timm's {}", *timm) : std::string("open_clip");
  // Three kinds of towers: timm's, a ResNet, whose depths are a list, and its own.
  if (timm)
    say_timm_facts(*timm, fmt::format("timm's code for {}, by open_clip_config.json", *timm), config);
  else if (vision->is_list("layers"))
    config.notes.emplace_back("open_clip_config.json describes a ResNet, which leaves nothing open");
  else
    say_own_tower(*model, *vision, config);
  const Json nothing = Json::object();
  const auto preprocess = json.object("preprocess_cfg");
  // The facts above stay valid where the transform can't be read.
  try {
    read_transform(preprocess.value_or(ConfigObject(nothing, kFile)), square(*vision, "image_size", 224), config);
  } catch (const Error& e) {
    config.notes.push_back(e.message());  // the user may say another
  }
}

}  // namespace vise::networks

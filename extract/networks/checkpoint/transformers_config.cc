// transformers' config.json. Defaults: the classes in its models/*/configuration_*.py; what the code itself fixes: its
// models/*/modeling_*.py.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "extract/networks/checkpoint/config_readers.h"

namespace vise::networks {
namespace {

// What transformers' classes fix for a type of model, where its config is silent.
struct ModelType {
  std::string_view name;
  std::string_view section;    // where the vision tower's fields are; empty: at the top
  std::string_view act;        // the class's default
  double eps;                  // the class's default; 0: it changed between releases, so nothing is taken from it
  std::string_view positions;  // the rule of its code; empty: it has no table
  int heads;                   // the class's default; 0: no attention
};

constexpr std::array<ModelType, 10> kTypes{{{"clip", "vision_config", "quick_gelu", 1e-5, "size", 12},
                                            {"clip_vision_model", "", "quick_gelu", 1e-5, "size", 12},
                                            {"siglip", "vision_config", "gelu_pytorch_tanh", 1e-6, "size", 12},
                                            {"siglip_vision_model", "", "gelu_pytorch_tanh", 1e-6, "size", 12},
                                            {"dinov2", "", "gelu", 0, "size", 12},
                                            {"dinov2_with_registers", "", "gelu", 1e-6, "antialias", 12},
                                            {"dinov3_vit", "", "gelu", 1e-5, "", 6},
                                            {"vit", "", "gelu", 1e-12, "size", 12},
                                            {"convnext", "", "gelu", 1e-12, "", 0},
                                            {"convnextv2", "", "gelu", 1e-12, "", 0}}};
// The base of the rotary frequencies.
constexpr double kDinov3Theta = 100;

std::string default_source(const ModelType& type) {
  return fmt::format("transformers' default for {}, config.json being silent", type.name);
}
std::string code_source(const ModelType& type) { return fmt::format("transformers' code for {}", type.name); }

// A name that isn't known is a note: the fact stays open, and the user is asked for it.
void say_activation(const ModelType& type, const ConfigObject& fields, HubConfig& config) {
  const std::optional<std::string> name = fields.text("hidden_act");
  if (!name) return say_once(config, "act", activation_of(type.act), default_source(type));
  const std::string act = activation_of(*name);
  if (act.empty())
    config.notes.push_back(fmt::format("config.json: hidden_act '{}' is none that is known here", *name));
  else
    say_once(config, "act", act, "config.json");
}

void check_eps(const ConfigObject& fields, double eps) {
  if (eps <= 0 || eps > 0.1) fields.refuse("layer_norm_eps", fmt::format("is {}, not between 0 and 0.1", number(eps)));
}

// ConvNeXt's field is the last norm's alone: the blocks' is 1e-6 in the code.
void say_eps(const ModelType& type, const ConfigObject& fields, HubConfig& config) {
  const bool convnext = type.name.starts_with("convnext");
  if (convnext) say_once(config, "eps", "1e-06", code_source(type));
  const char* const name = convnext ? "final-eps" : "eps";
  if (const std::optional<double> eps = fields.real("layer_norm_eps")) {
    check_eps(fields, *eps);
    say_once(config, name, epsilon_text(*eps), "config.json");
  } else if (type.eps > 0) {
    say_once(config, name, epsilon_text(type.eps), default_source(type));
  }
}

// The number of heads is nowhere in the tensors of most types.
void say_heads(const ModelType& type, const ConfigObject& fields, HubConfig& config) {
  if (type.heads == 0) return;
  const std::optional<std::int64_t> heads = fields.whole("num_attention_heads");
  if (heads && (*heads < 1 || *heads > 1024)) fields.refuse("num_attention_heads", fmt::format("is {}", *heads));
  say_once(config, "heads", std::to_string(heads.value_or(type.heads)), heads ? "config.json" : default_source(type));
}

// What would make another network of the same tensors.
void check_variant(const ModelType& type, const ConfigObject& fields) {
  if (type.name != "dinov3_vit") return;
  std::optional<double> theta = fields.real("rope_theta");
  if (const auto rope = fields.object("rope_parameters"); rope && !theta) theta = rope->real("rope_theta");
  if (theta && *theta != kDinov3Theta)
    fields.refuse("rope_theta", fmt::format("is {}; only 100, as in all published ones, is computed here", *theta));
}

}  // namespace

// A config that names a model nobody knows leaves everything open; it isn't guessed from similar ones.
void read_transformers_config(const ConfigObject& json, HubConfig& config) {
  const std::string name = json.text("model_type").value_or("");
  const auto type = std::ranges::find(kTypes, name, &ModelType::name);
  if (type == kTypes.end()) {
    config.notes.push_back(name.empty() ? "config.json names no model_type, so it says nothing of the network"
                                        : fmt::format("config.json: nothing is known of the model type '{}'", name));
    return;
  }
  if (config.model.empty()) config.model = name + " (transformers)";
  // A model of text and images has the tower's fields in a section; a config that omits it means all defaults.
  const std::optional<ConfigObject> section = type->section.empty() ? json : json.object(type->section);
  const Json nothing = Json::object();
  const ConfigObject fields = section.value_or(ConfigObject(nothing, "config.json"));
  check_variant(*type, fields);
  say_activation(*type, fields, config);
  say_eps(*type, fields, config);
  say_heads(*type, fields, config);
  if (!type->positions.empty()) say_once(config, "positions", std::string(type->positions), code_source(*type));
}

}  // namespace vise::networks

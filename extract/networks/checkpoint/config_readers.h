// The readers of one config each, for hub_config.cc. Not for use outside this folder.
#pragma once

#include <array>

#include "extract/networks/checkpoint/config_object.h"
#include "extract/networks/checkpoint/hub_config.h"

namespace vise::networks {

// A fact that nobody has said yet; the first stays.
void say_once(HubConfig& config, std::string_view name, std::string value, std::string source);
// act= of a name that transformers or torch have for it ("gelu_new"); empty for others.
std::string activation_of(std::string_view name);
std::string epsilon_text(double eps);

// A transform's settings, put together in the order of settings_text (extract/images).
struct TransformText {
  std::string resizing;                                 // "resize=224", "squash=224", "resize=256"
  std::string filter = "bicubic", crop = "none", more;  // more: "centre=down"
  std::vector<double> mean, std;

  std::string str() const;
};

void read_transformers_config(const ConfigObject& json, HubConfig& config);
void read_timm_config(const ConfigObject& json, HubConfig& config);
// What timm's code says of a model of that name ("vit_base_patch16_siglip_224").
void say_timm_facts(const std::string& model, const std::string& source, HubConfig& config);
void read_open_clip_config(const ConfigObject& json, HubConfig& config);
void read_preprocessor(const ConfigObject& json, HubConfig& config);

}  // namespace vise::networks

// What the configs beside a published model's weights say of it: what its tensors don't, and its input transform.
//
//   if (const auto config = config_beside("hf-clip-vit-base-patch32")) {
//     config->facts;          // {{"act", "quick", "config.json"}, {"eps", "1e-05", "config.json"}, ...}: facts.h
//     config->transform;      // "resize=224,filter=bicubic,crop=224,mean=...,std=...": what transform= takes
//   }
//
// Read are transformers' config.json and preprocessor_config.json, timm's config.json (`pretrained_cfg`) and
// open_clip's open_clip_config.json. Where transformers leaves a field out, its class's default holds, and the source
// says so. A config of a kind that isn't known says nothing (`notes` has why), so that what is open is asked for. A
// network that a config turns into one that isn't computed here (pooling by attention, another RoPE) is Error{input}.
// docs/formats/checkpoints.md has the table; the sources are the projects' own readers of these files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "extract/networks/facts.h"

namespace vise {

struct HubConfig {
  std::string model;               // "clip (transformers)", "vit_base_patch16_224 (timm)", "open_clip"
  std::vector<Fact> facts;         // names and values as Facts::say takes them
  std::string transform;           // empty: nothing says it
  std::string transform_source;    // "preprocessor_config.json"
  std::vector<std::string> notes;  // what is there and tells nothing, and why: of a transform that can't be had, too
};

// Of a folder's own weights: configs of the weights' kind (open_clip's of open_clip's) speak first. Nothing beside a
// file whose name is none of those that such a folder has, and nothing without configs.
std::optional<HubConfig> config_beside(const Path& folder_or_file);

// From texts, by the files' names; empty: not there. `open_clip_first`: the weights are open_clip's.
struct ConfigTexts {
  std::string config{}, preprocessor{}, open_clip{};
  bool open_clip_first = false;
};
HubConfig read_configs(const ConfigTexts& texts);

}  // namespace vise

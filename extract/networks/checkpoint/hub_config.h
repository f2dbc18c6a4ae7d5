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

#include <string>
#include <vector>

#include "extract/networks/facts.h"

namespace vise::networks {

struct HubConfig {
  std::string model;               // "clip (transformers)", "vit_base_patch16_224 (timm)", "open_clip"
  std::vector<Fact> facts;         // names and values as Facts::say takes them
  std::string transform;           // empty: nothing says it
  std::string transform_source;    // "preprocessor_config.json"
  std::vector<std::string> notes;  // what is there and tells nothing, and why: of a transform that can't be had, too
};

}  // namespace vise::networks

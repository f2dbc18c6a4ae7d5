// The configs beside a model's weights, or their texts, to what they say (hub_config.h).
#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "extract/networks/checkpoint/hub_config.h"

namespace vise::networks {

// Of a folder's own weights: configs of the weights' kind (open_clip's of open_clip's) speak first. Nothing beside a
// file whose name is none of those that such a folder has, and nothing without configs.
std::optional<HubConfig> config_beside(const Path& folder_or_file);

// From texts, by the files' names; empty: not there. `open_clip_first`: the weights are open_clip's.
struct ConfigTexts {
  std::string config{}, preprocessor{}, open_clip{};
  bool open_clip_first = false;
};
HubConfig read_configs(const ConfigTexts& texts);

}  // namespace vise::networks

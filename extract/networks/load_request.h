// What somebody says of a weights file beside its path, and what was found in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/facts.h"
#include "extract/networks/key_map.h"
#include "extract/networks/key_matcher.h"

namespace vise::networks {

// The architecture of graphs: TorchScript archives that are run as they are, on LibTorch.
inline constexpr std::string_view kTorchScript = "torchscript";

struct LoadRequest {
  std::string architecture{};       // empty: as the shapes say
  std::string branch{};             // "encoder_k", "student" ...: a component of the place's prefix; empty: the rule
  std::vector<std::string> drop{};  // of further keys to leave out: a component, or several ("online_net.1")
  Facts facts{};                    // said before the file speaks: by the user and by the registry's row
};

struct LoadReport {
  std::string architecture;
  std::string prefix;       // "state_dict.module.encoder_q."
  std::string layout;       // "torchvision", "vise-sequential", "openai"
  std::size_t matched = 0;  // tensors of the file that belong to the network
  std::vector<DroppedKeys> dropped;
  std::vector<std::string> absent;       // allowed to be, by their names in the file
  std::vector<std::string> passed_over;  // prefixes of the networks that were not chosen
};

struct NetworkRequest {
  LoadRequest load{};  // architecture "torchscript": the archive as a graph, whatever its attributes look like
  ReadOptions read{};
  KeyMap key_map{};
  // Whether an archive that fits no family may be taken as a graph without having been asked for as one: it will run
  // what is in the file.
  bool run_torchscript = false;
  Path prototxt{};  // of a Caffe network's weights
  int side = 224;   // of a graph that takes any: where its layers' widths are measured
};

}  // namespace vise::networks

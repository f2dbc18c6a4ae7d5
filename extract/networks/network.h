// Any network that the program can run, and what is known of its kind by name alone.
//
//   const Network network = load_network(path, {.load = {.architecture = "resnet50"}});
//   architecture_of(network);                           // "resnet50", "clip-rn50", "torchscript"
//   layer_dim("clip-rn50", "attnpool");                 // 1024
//
// Values own their memory; safe to read from many threads.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "extract/networks/clip_resnet.h"
#include "extract/networks/key_map.h"
#include "extract/networks/load_resnet.h"
#include "extract/networks/resnet.h"

namespace vise {

// The architecture of programs: TorchScript archives that are run as they are, on LibTorch.
inline constexpr std::string_view kTorchScript = "torchscript";

// Nothing is known of its inside: it takes batch x 3 x side x side and gives batch x D or batch x D x H x W.
struct TorchProgram {
  Path file;
  std::string sha256;  // of the file
};

using Network = std::variant<ResNet, ClipResNet, TorchProgram>;

struct NetworkRequest {
  LoadRequest load{};  // architecture "torchscript": the archive as a program, whatever its attributes look like
  ReadOptions read{};
  KeyMap key_map{};
  // Whether an archive that fits no architecture may be taken as a program without having been asked for as one: it
  // will run what stands in the file.
  bool programs = false;
};

// Error{input}, Error{usage} as load_resnet and load_clip_resnet; for a TorchScript archive that fits no architecture
// and isn't to be run, Error{input} that says how it could be.
Network load_network(const Path& file, const NetworkRequest& request = {}, LoadReport* report = nullptr);
// Of a checkpoint that was read, by its own layout: never a program.
Network load_network(const Checkpoint& checkpoint, const LoadRequest& request = {}, LoadReport* report = nullptr);

// What load_network says of an archive that fits no architecture and isn't to be run. `mismatch`: why it fits none.
[[noreturn]] void refuse_program(const Checkpoint& checkpoint, const std::string& mismatch);

std::string architecture_of(const Network& network);
// As ResNet::parameters_hash; of a program empty, since only the engine sees its parameters.
std::string parameters_hash(const Network& network);

// By name of the architecture. Error{usage} with the nearest name for an unknown one.
std::vector<std::string> network_architectures();
std::vector<std::string> layers_of(const std::string& architecture);  // in forward order
std::string final_layer(const std::string& architecture);             // what is published as the network's feature
bool is_torch_only(const std::string& architecture);                  // LibTorch alone runs it
// Channels of a layer's map; a vector counts as a map of 1 x 1. Error{usage} for an unknown layer. 0 for a program's.
std::size_t layer_dim(const std::string& architecture, const std::string& layer);

}  // namespace vise

// A network from a weights file: strictly, with a report of what was found.
//
//   LoadReport report;
//   const Network network = load_network(path, {.load = {.architecture = "resnet50"}}, &report);
//
// The network is found by structure (place.h), what it is by its shapes, and what its tensors don't say by facts.h.
// Every key of the network must be there with its shape and finite values; every other key must fall under a rule of
// the explicit list in docs/formats/checkpoints.md or in LoadRequest::drop.
#pragma once

#include <string>
#include <vector>

#include "extract/networks/facts.h"
#include "extract/networks/family.h"
#include "extract/networks/key_map.h"

namespace vise {

// The architecture of programs: TorchScript archives that are run as they are, on LibTorch.
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
  LoadRequest load{};  // architecture "torchscript": the archive as a program, whatever its attributes look like
  ReadOptions read{};
  KeyMap key_map{};
  // Whether an archive that fits no family may be taken as a program without having been asked for as one: it will run
  // what stands in the file.
  bool programs = false;
  Path prototxt{};  // of a Caffe network's weights
  int side = 224;   // of a graph that takes any: where its layers' widths are measured
};

// An ONNX graph or a Caffe network (told by their bytes) is a program of OpenCV's: no code runs, so none asks for it.
// Error{input} for anything missing, unexpected or of a wrong shape, with the first few and the counts, and for what
// nobody says (facts.h); Error{usage} for an unknown architecture or branch; for a TorchScript archive that fits no
// family and isn't to be run, Error{input} that says how it could be.
Network load_network(const Path& file, const NetworkRequest& request = {}, LoadReport* report = nullptr);
// Of a checkpoint that was read, by its own layout: never a program.
Network load_network(const Checkpoint& checkpoint, const LoadRequest& request = {}, LoadReport* report = nullptr);

// What load_network says of an archive that fits no family and isn't to be run. `mismatch`: why it fits none.
[[noreturn]] void refuse_program(const Checkpoint& checkpoint, const std::string& mismatch);

}  // namespace vise

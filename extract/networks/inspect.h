// What a weights file is, for people and for tests: `backbone inspect` as a library.
//
//   const CheckpointInspection seen = inspect_checkpoint(path);
//   puts(to_text(seen, false).c_str());                  // or to_json(seen, true).dump()
//
// A folder of Hugging Face's is inspected as one checkpoint, with what its configs say and what they leave open. Works
// on any checkpoint, also one of no known architecture: `match` is empty then, and `mismatch` says why. A TorchScript
// archive is a graph, not a state dict, and what its attributes mean is known only if they fit an architecture: else
// it is refused, unless `run_torchscript` asks for a description all the same.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "extract/networks/checkpoint/folder.h"
#include "extract/networks/checkpoint/hub_config.h"
#include "extract/networks/checkpoint/state_dict.h"
#include "extract/networks/load.h"

namespace vise::networks {

// torch.hub's habit: "resnet50-0676ba61.pth" carries the first digits of its SHA-256.
struct NameHash {
  std::string digits;  // lower case, at least 8; empty: the name carries none
  bool agrees = false;
};
NameHash hash_in_name(const Path& path, std::string_view sha256);

struct CheckpointInspection {
  Checkpoint checkpoint;
  NameHash name_hash;
  std::optional<LoadReport> match;
  std::string parameters_hash;     // of the matched network
  std::optional<Outline> outline;  // of it: layers, and what its tensors don't say
  std::string mismatch;            // why nothing matched, with what was missing, unexpected or of a wrong shape
  std::string hint;                // what to do about it; may be empty
  std::optional<ModelFolder> folder;
  std::optional<HubConfig> config;  // what is stored beside the weights
};

// What else is known of a file, by the SHA-256 of its weights (of each file of a folder).
using KnownFacts = std::function<std::vector<Fact>(const Checkpoint&)>;

// What the tensors don't say is taken from the request first, then from the configs beside the weights, then from
// `known`. Throws as read_checkpoint does, Error{input} for a config that is none, and Error{usage} for an unknown
// branch or architecture.
CheckpointInspection inspect_checkpoint(const Path& path, const NetworkRequest& request = {},
                                        const KnownFacts& known = {});

// One object; with `tensors` each tensor's name, pointer, dtype, shape, sum (double; "nan", "inf", "-inf" as text;
// [real, imaginary] if complex) and the SHA-256 of its row-major little-endian bytes.
Json to_json(const CheckpointInspection& inspection, bool tensors);
// Some lines of text, ending in a newline; with `tensors` one more for each tensor.
std::string to_text(const CheckpointInspection& inspection, bool tensors);

}  // namespace vise::networks

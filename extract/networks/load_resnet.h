// A ResNet from a checkpoint: strictly, with a report of what was found.
//
//   LoadReport report;
//   const ResNet net = load_resnet(read_checkpoint(path), {.architecture = "resnet50"}, &report);
//
// The trunk is found by structure (trunk_place.h), the architecture by its shapes. Every key of the trunk must be there
// with its shape and finite values; only num_batches_tracked may be absent, and a classifier is never wanted. Every
// other key must fall under a rule of the explicit list in docs/formats/checkpoints.md or in LoadRequest::drop.
#pragma once

#include <string>
#include <vector>

#include "extract/networks/key_matcher.h"
#include "extract/networks/resnet.h"

namespace vise {

struct LoadRequest {
  std::string architecture{};       // empty: as the shapes say
  std::string branch{};             // "encoder_k", "student" ...: a component of the trunk's prefix; empty: the rule
  std::vector<std::string> drop{};  // first components of further keys to leave out
};

struct LoadReport {
  std::string architecture;
  std::string prefix;       // "state_dict.module.encoder_q."
  std::string layout;       // "torchvision", "vise-sequential", "clip"
  std::size_t matched = 0;  // tensors of the file that belong to the trunk
  std::vector<DroppedKeys> dropped;
  std::vector<std::string> absent;       // allowed to be, by their names in the file
  std::vector<std::string> passed_over;  // prefixes of the networks that were not chosen
};

// Error{input} for anything missing, unexpected or of a wrong shape, with the first few and the counts; Error{usage}
// for an unknown architecture or branch.
ResNet load_resnet(const Checkpoint& checkpoint, const LoadRequest& request = {}, LoadReport* report = nullptr);

// The architecture that the shapes below `place` fit. Error{input} with what they look like if none does.
const ResNetSpec& detect_resnet(const Checkpoint& checkpoint, const TrunkPlace& place);

}  // namespace vise

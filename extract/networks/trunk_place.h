// Where in a checkpoint a network's trunk stands.
//
// Found by structure: every prefix below which the first block of the first stage and the stem stand is a place,
// whatever its name ("state_dict.module.encoder_q.", "teacher.module.backbone.", ""). One place: taken. Several: those
// with the component `branch`, if one was asked for; else the documented rule
//
//   encoder_q over encoder_k (MoCo: the key encoder is the query encoder's running average, and not what is published)
//   base_encoder over momentum_encoder (MoCo v3, the same)
//   teacher over student (DINO evaluates the teacher)
//
// decides between places that differ in that component alone; what is still several after it is an error that lists
// them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/checkpoint/state_dict.h"

namespace vise {

enum class KeyLayout {
  torchvision,      // conv1, bn1, layer1 ... layer4
  vise_sequential,  // 0, 1, 4 ... 7: nn.Sequential(*resnet.children()[:-2])
  clip              // conv1 ... conv3, layer1 ... layer4, attnpool
};
std::string_view key_layout_name(KeyLayout layout);

struct TrunkPlace {
  std::string prefix;  // "" or ending in '.'
  KeyLayout layout = KeyLayout::torchvision;
};

// All places in the file's order.
std::vector<TrunkPlace> find_trunks(const Checkpoint& checkpoint);

// The one that is meant. Error{input} when there is none, or several and no rule; Error{usage} when none has `branch`.
TrunkPlace choose_trunk(const Checkpoint& checkpoint, const std::vector<TrunkPlace>& places, std::string_view branch);

}  // namespace vise

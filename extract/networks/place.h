// Where in a checkpoint a network is, and which of several is meant.
//
// Families find places by structure, whatever the prefix is called ("state_dict.module.encoder_q.",
// "teacher.module.backbone.", ""). One place: taken. Several: those with the component `branch`, if one was asked for;
// else a documented rule (beside.h) decides between places that differ in that component alone (encoder_q over
// encoder_k, teacher over student ...), and of copies that are equal tensor for tensor the first is taken; what is
// still several after it is an error that lists them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/key_index.h"

namespace vise::networks {

// All families' places, in the file's order a family.
std::vector<Place> find_places(const KeyIndex& keys);

// The one that is meant; one that has a component of `drop` isn't. Error{input} when there is none, or several and no
// rule; Error{usage} when none has `branch`.
Place choose_place(const KeyIndex& keys, const std::vector<Place>& places, std::string_view branch,
                   const std::vector<std::string>& drop = {});

}  // namespace vise::networks

// Renaming a checkpoint's keys by an explicit list, for conversions that call a network's layers by names of their own.
//
//   # SimCLR, converted with a prefix and blocks counted from 1
//   resnet.conv1.      conv1.
//   resnet.layer1.1.   layer1.0.
//   model.             -
//
// One rule a line: the start of a key and what to put in its place ("-": nothing), with blanks between; "#" begins a
// comment. The first rule whose start a key has is applied to it, once; a key without a rule keeps its name.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extract/networks/checkpoint/state_dict.h"

namespace vise::networks {

struct KeyMap {
  std::vector<std::pair<std::string, std::string>> rules;
  std::string sha256;  // of the rules, for the feature key; empty without any

  bool empty() const { return rules.empty(); }
};

// Error{input} with the line that isn't two words.
KeyMap parse_key_map(std::string_view text, std::string_view name_for_messages);
// Of a file; an empty path is the empty map.
KeyMap read_key_map(const Path& path);

// Error{input} when no rule applies to any key (the map is for another file), or two keys come to the same name.
void rename_keys(Checkpoint& checkpoint, const KeyMap& map);

}  // namespace vise::networks

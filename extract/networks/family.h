// A family of networks: everything that is known of the key names, shapes and unsaid facts of its published files.
//
// A family lives in a folder of its own below families/, and is known by one line in families/families.cc. It has
// three questions to answer: where in a checkpoint are networks of its kind, what are they, and what would a
// random one be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/checkpoint/state_dict.h"
#include "extract/networks/key_index.h"
#include "extract/networks/key_matcher.h"
#include "extract/networks/network.h"

namespace vise::networks {

struct Family {
  std::string name;  // "resnet"
  // Names that `arch=` and `random` take, smallest first. A file may hold another of the family: load() names it.
  std::vector<std::string> architectures;
  // Every place of such a network, in the file's order; `layout` is the family's own name for its keys.
  std::vector<Place> (*find)(const KeyIndex& keys) = nullptr;
  // Takes the network's tensors out of `keys`; keys.finish() is the caller's. Error{input} for shapes that are none of
  // the family's, or for facts that nobody said.
  Network (*load)(KeyMatcher& keys, const Place& place, Facts& facts) = nullptr;
  // By one of `architectures`. Values from `weights`: random ones, or shapes alone.
  Network (*build)(std::string_view architecture, WeightSource& weights) = nullptr;
  // Keys that may accompany such a network, as first component -> what it is ("CLIP's text encoder").
  std::vector<std::pair<std::string, std::string>> beside = {};
  // Whether an architecture's name and its tensors say everything: no facts are ever asked.
  bool tensors_say_all = false;
};

}  // namespace vise::networks

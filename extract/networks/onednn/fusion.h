// Which operations of a network become one step of oneDNN.
//
// A convolution or a linear layer takes with it what follows it and nobody else reads: a batch norm or a scale (folded
// into its weights), the sum with a value that is there already, an activation. Every other operation is a group of its
// own. What no asked value needs is left out.
#pragma once

#include <optional>
#include <vector>

#include "extract/networks/network.h"

namespace vise::networks {

struct FusedGroup {
  std::size_t op = 0;                          // index of the first operation
  std::optional<std::size_t> norm{}, scale{};  // of the batch norm and the scale that are folded
  std::optional<int> sum{};                    // the value that is added to the product
  std::optional<Activation> activation{};      // after the sum
  int out = 0;                                 // the value that the group makes
};

struct FusionPlan {
  std::vector<FusedGroup> groups;  // in an order in which every input is there
  std::vector<int> last_reader;    // by value: the index of the last group that reads it; -1: none
};

// `wanted`: the values that are taken from the network.
FusionPlan fuse(const Network& network, const std::vector<int>& wanted);

}  // namespace vise::networks

// Which values of a network make the rows of which tap: layers and pools as somebody asked for them, made definite.
#pragma once

#include <string>
#include <vector>

#include "extract/features/feature_request.h"
#include "extract/networks/pooling.h"

namespace vise::features {

struct PlannedTap {
  FeatureTap tap;  // by its own names
  networks::Pooling pooling;
  std::vector<std::size_t> layers;  // that the pooling reads, into TapPlan::layers
  std::size_t dim = 0;              // numbers a row
  std::size_t tokens = 1;           // a row is so many rows of dim / tokens numbers
};

struct TapPlan {
  std::vector<std::string> layers;  // distinct, as the trunk taps them
  std::vector<PlannedTap> taps;     // each once: two stores of one key would wait for each other's lock
};

// `side`: height and width of the network's input, which decides how many tokens there are. `usual`: the backbone's own
// tap, as its row says; "default" in it is the network's own. Tokens of a layer "default" are the last that the network
// has. Error{usage} for a layer or a pool that the network doesn't have, or that don't go together.
TapPlan plan_taps(const networks::Outline& network, const std::vector<FeatureTap>& asked, const FeatureTap& usual,
                  int side);

}  // namespace vise::features

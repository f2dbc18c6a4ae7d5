// What a transformer's class token looks at in chosen images: networks/attention_weights.h has the formulas.
//
//   AttentionSource source(request, options, context);      // Error{usage}, with the reason, where there is no such
//   thing for (const AttentionMap& map : source(dataset, items)) ... map.rollout ...
//
// It is the network's own attention, before any probe: of no class, and no evidence of what a probe found.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "datasets/dataset.h"
#include "extract/features/features.h"

namespace vise::features {

// Over the network's places, height x width, row by row. Empty for an image that can't be read, where options skip
// those. Shares of 1, the rest of which goes to the class token itself and to registers.
struct AttentionMap {
  std::uint32_t item = 0;
  int height = 0, width = 0;
  std::vector<float> class_token;  // of the last block before the layer, the mean over its heads
  std::vector<float> rollout;      // attention rollout through all blocks up to it
};

// A network that is built once and asked several times. Not thread-safe; uses context.threads threads.
class AttentionSource {
 public:
  // Up to the layer of the request's first tap. Error{usage} for floors, and for networks without a class token or with
  // attention within windows; else as extract_features().
  AttentionSource(const FeatureRequest& request, const ExtractOptions& options, const Context& context);
  ~AttentionSource();

  // One map an item, in the items' order. Errors as MapSource.
  std::vector<AttentionMap> operator()(const datasets::Dataset& dataset, std::span<const std::uint32_t> items);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vise::features

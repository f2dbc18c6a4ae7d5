// Feature maps before pooling, of chosen images: what a class activation map is made of.
//
//   MapSource source(request, options, context);
//   for (const ImageMap& map : source(dataset, items)) ... map.values ...
//
// A map costs the image's forward pass again: the store keeps pooled rows only. Means over a map's positions are the
// image's row under pooling "avg" (to float32's rounding).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "datasets/dataset.h"
#include "extract/features.h"

namespace vise {

// One image's map: height x width x channels, float32, channels innermost. A vector (CLIP's attnpool, some programs) is
// a map of 1 x 1.
struct ImageMap {
  std::uint32_t item = 0;
  int height = 0, width = 0, channels = 0;
  std::vector<float> values;  // empty for an image that can't be read, where options skip those
};

// A network that is built once and asked several times. Not thread-safe; uses context.threads threads.
class MapSource {
 public:
  // Of the layer of the request's first tap ("final": the network's own last one). Error{usage} for floors, which have
  // no network; else as extract_features().
  MapSource(const FeatureRequest& request, const ExtractOptions& options, const Context& context);
  ~MapSource();

  // One map an item, in the items' order; all of them are held in memory (ResNet-50: 400 kB each).
  // Error{missing|input} for images as extract_features() has it; Error{interrupted} after a stop.
  std::vector<ImageMap> operator()(const Dataset& dataset, std::span<const std::uint32_t> items);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vise

// Feature maps before pooling, of chosen images: what a class activation map is made of.
//
//   const std::vector<std::uint32_t> items{3, 17};
//   for (const ImageMap& map : compute_maps(dataset, items, request, options, context))
//     ... map.at(y, x)[c] ...                           // score map of class k: the sum over c of weight[k][c] * at(y,
//     x)[c]
//
// A map costs the image's forward pass again: the store keeps pooled rows only. save_maps() writes them to a file.
// Means over a map's positions are the image's row under pooling "avg" (to float32's rounding). Of the views only the
// centre crop is computed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "datasets/dataset.h"
#include "extract/features/features.h"

namespace vise::features {

// One image's map: height x width x channels, float32, channels innermost. A vector (CLIP's attnpool, some programs) is
// a map of 1 x 1.
struct ImageMap {
  std::uint32_t item = 0;
  int height = 0, width = 0, channels = 0;
  std::vector<float> values;  // empty for an image that can't be read, where options skip those

  std::span<const float> at(int y, int x) const {
    const auto size = static_cast<std::size_t>(channels);
    return std::span(values).subspan(
        (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) * size, size);
  }
};

// A network that is built once and asked several times. Not thread-safe; uses context.threads threads.
class MapSource {
 public:
  // Of the layer of the request's first tap ("final": the network's own last one). Error{usage} for floors, which have
  // no network; else as extract_features().
  MapSource(const FeatureRequest& request, const ExtractOptions& options, const Context& context);
  ~MapSource();

  // One map an item, in the items' order. Error{missing|input} for images as extract_features() has it;
  // Error{interrupted} after a stop.
  std::vector<ImageMap> operator()(const datasets::Dataset& dataset, std::span<const std::uint32_t> items);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct MapShape {
  int channels = 0, height = 0, width = 0;
};

// Writes <folder>/maps.npy (float16, items x channels x height x width, C order) and <folder>/maps.csv (row,id), each
// atomically, holding few maps in memory at a time. A value beyond float16's 65504 becomes infinity. Every item's image
// must be readable. Errors as MapSource.
MapShape save_maps(const datasets::Dataset& dataset, std::span<const std::uint32_t> items,
                   const FeatureRequest& request, const ExtractOptions& options, const Path& folder,
                   const Context& context);

// For a handful of images: all maps are held in memory (ResNet-50: 400 kB each).
std::vector<ImageMap> compute_maps(const datasets::Dataset& dataset, std::span<const std::uint32_t> items,
                                   const FeatureRequest& request, const ExtractOptions& options,
                                   const Context& context);

}  // namespace vise::features

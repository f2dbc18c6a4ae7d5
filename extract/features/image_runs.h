// Chosen images through a network, outside the store: what maps and attention are looked at with.
//
//   ImageRuns runs(recipe, recipe.network(), recipe.trunk_request(), options, context);
//   runs(dataset, items, [&](std::size_t i, Trunk& trunk, int place) { ... trunk.maps(0) ... });
//
// The network is built once and asked several times. Not thread-safe; uses context.threads threads.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "datasets/dataset.h"
#include "extract/features/recipe.h"

namespace vise::features {

class ImageRuns {
 public:
  // Of a recipe with a network. Errors as make_trunk().
  ImageRuns(const Recipe& recipe, const networks::Network& network, const networks::TrunkRequest& request,
            const ExtractOptions& options, const Context& context);

  // `take` gets each item's number in `items`, the trunk that ran it and its place in the trunk's batch; it is called
  // from several threads, for each item once, but not for images that can't be read where options skip those. Of the
  // views only the centre crop is run. Error{missing|input} for images as extract_features() has it;
  // Error{interrupted} after a stop.
  using Take = std::function<void(std::size_t i, networks::Trunk& trunk, int place)>;
  void operator()(const datasets::Dataset& dataset, std::span<const std::uint32_t> items, const Take& take);

 private:
  bool load(const datasets::Dataset& dataset, std::uint32_t item, std::span<std::uint8_t> rgb, float* chw) const;
  void run_batch(networks::Trunk& trunk, const datasets::Dataset& dataset, std::span<const std::uint32_t> items,
                 std::size_t first, const Take& take) const;

  images::Transform transform_;
  ExtractOptions options_;
  Context context_;
  std::vector<std::unique_ptr<networks::Trunk>> trunks_;  // a thread uses one
};

}  // namespace vise::features

// A feature request made definite: which weights, which architecture, which layers and pools, and the key that follows.
//
//   const Recipe recipe = make_recipe(request, options, context);
//   FeatureStore store(options.cache, recipe.key(tap), context.log);
//   const auto trunk = make_trunk(recipe.network(), recipe.trunk_request());
//
// Cheap: weights are found (or fetched) and what is learnt about them is remembered by their file's identity; no
// network is built, and a warm one opens no checkpoint.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "extract/features/feature_request.h"
#include "extract/features/taps.h"
#include "extract/images/transform/transform.h"

namespace vise::features {

// A value. What is said of taps holds for the tap's place in request.taps.
struct Recipe {
  FeatureRequest request;                      // its engine made definite, its taps by their own names, each once
  std::optional<images::Transform> transform;  // none for floors, which take the decoded image
  std::string
      geometry;  // equal for two recipes that want the same views and pixels, whatever their mean, std and order
  networks::Outline outline;  // of the network
  TapPlan taps;
  FoundWeights weights;
  Json base_key;  // equal for two recipes that make the same rows
  std::vector<std::string> notes;

  bool is_floor() const { return !transform; }
  // A network in fp32 that its engine could compute in bf16 too, where the CPU has it (networks/bf16.h).
  bool could_be_bf16() const;
  FeatureKey key(std::size_t tap) const;
  // Reads the weights. Not for floors.
  networks::Network network() const;
  networks::TrunkRequest trunk_request() const;  // of the batch that suits its device
};

// Error{missing} for weights that aren't there, Error{usage} for an unknown layer, pool or transform, Error{input} for
// a file that fits no architecture.
Recipe make_recipe(const FeatureRequest& request, const ExtractOptions& options, const Context& context);

}  // namespace vise::features

#include "extract/features/attention_maps.h"

#include <fmt/format.h>

#include "base/error.h"
#include "extract/features/image_runs.h"
#include "extract/networks/attention_weights.h"

namespace vise::features {
namespace {

// Refused here, since a floor's recipe has neither a network nor layers.
Recipe recipe_of(const FeatureRequest& request, const ExtractOptions& options, const Context& context) {
  Recipe recipe = make_recipe(request, options, context);
  if (recipe.is_floor())
    throw Error(ErrorKind::usage, fmt::format("{}: is no network, so it attends to nothing", request.backbone.name));
  // Read first, since a floor has no layers to read attention from.
  return recipe;
}

// One image at a time: the queries, keys and values of all blocks of a ViT-L at 336 pixels are 170 MB.
networks::TrunkRequest request_for(const Recipe& recipe, const std::vector<networks::AttentionTap>& taps) {
  networks::TrunkRequest request = recipe.trunk_request();
  request.batch = 1;
  request.layers.clear();
  for (const networks::AttentionTap& tap : taps) request.layers.push_back(tap.layer);
  return request;
}

}  // namespace

// The recipe's first tap says up to which layer; each block before it is read where its attention is computed.
struct AttentionSource::State {
  State(const FeatureRequest& request, const ExtractOptions& options, const Context& context)
      : recipe(recipe_of(request, options, context)),
        network(recipe.network()),
        taps(networks::tap_attentions(network, recipe.taps.layers[recipe.taps.taps[0].layers.back()])),
        runs(recipe, network, request_for(recipe, taps), options, context) {}

  // One image's attention, from the blocks that one forward pass has left in the trunk.
  void read(networks::Trunk& trunk, int place, AttentionMap& map) const {
    std::vector<networks::AttentionMatrix> blocks;
    for (std::size_t i = 0; i < taps.size(); ++i) {
      const networks::FeatureMaps values = trunk.maps(i);
      map.height = values.height;
      map.width = values.width;
      blocks.push_back(networks::head_mean(networks::attention_weights(taps[i], values, place)));
    }
    // Rollout (Abnar and Zuidema, 2020) multiplies the blocks' matrices, so all of them are read;
    // the class token's attention is that of the last block alone.
    const auto places = static_cast<std::size_t>(map.height * map.width);
    const std::vector<double> last = networks::class_token_attention(blocks.back(), places);
    const std::vector<double> rollout = networks::attention_rollout(blocks, places);
    map.class_token.assign(last.begin(), last.end());
    map.rollout.assign(rollout.begin(), rollout.end());
  }

  Recipe recipe;
  networks::Network network;
  std::vector<networks::AttentionTap> taps;
  ImageRuns runs;
};

AttentionSource::AttentionSource(const FeatureRequest& request, const ExtractOptions& options, const Context& context)
    : state_(std::make_unique<State>(request, options, context)) {}
AttentionSource::~AttentionSource() = default;

std::vector<AttentionMap> AttentionSource::operator()(const datasets::Dataset& dataset,
                                                      std::span<const std::uint32_t> items) {
  std::vector<AttentionMap> maps(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) maps[i].item = items[i];
  state_->runs(dataset, items,
               [&](std::size_t i, networks::Trunk& trunk, int place) { state_->read(trunk, place, maps[i]); });
  return maps;
}

}  // namespace vise::features

#include "extract/features/taps.h"

#include <algorithm>

namespace vise::features {
namespace {

constexpr std::string_view kTokens = "tokens";

// A layer by the network's own name. "final" is what a network gives last where it has no layer of that name.
std::string layer_named(const networks::Outline& network, const std::string& asked, const FeatureTap& usual) {
  const std::string name = asked == "default" ? usual.layer : asked;
  const bool has_final =
      std::ranges::find(network.layers, "final", &networks::LayerOutline::name) != network.layers.end();
  if (name == "default" || (name == "final" && !has_final)) return network.default_layer;
  return network.layer(name).name;
}

// What was asked for, else what the row says, else what is usual for the layer.
networks::Pooling pooling_named(const networks::Outline& network, const FeatureTap& asked, const std::string& layer,
                                const FeatureTap& usual) {
  if (asked.pool != "default") return networks::Pooling::parse(asked.pool);
  // The row's pooling is meant for the row's layer; another layer gets what is usual for it.
  if (usual.pool != "default" && layer == layer_named(network, "default", usual))
    return networks::Pooling::parse(usual.pool);
  return networks::Pooling::usual(network, layer);
}

// Where nobody names a layer, tokens are the network's last that it has: what is usually probed may be a vector that
// was made of them (CLIP's projection, SigLIP's pooling).
std::string layer_of(const networks::Outline& network, const FeatureTap& asked, const FeatureTap& usual) {
  const std::string layer = layer_named(network, asked.layer, usual);
  if (asked.layer != "default" || asked.pool != kTokens || !network.layer(layer).vector) return layer;
  const std::vector<std::string> names = network.layer_names();
  const auto last =
      std::find_if(names.rbegin(), names.rend(), [&](const auto& name) { return !network.layer(name).vector; });
  return last == names.rend() ? layer : *last;
}

// The layer's place in the list, which gets it where it isn't there.
std::size_t place_of(std::vector<std::string>& layers, const std::string& layer) {
  // Layers that several taps read are computed and copied out once.
  const auto known = std::ranges::find(layers, layer);
  const auto place = static_cast<std::size_t>(known - layers.begin());
  if (known == layers.end()) layers.push_back(layer);
  return place;
}

// Resolves one tap: its layer, its pooling, and which layers that pooling reads.
void add_tap(TapPlan& plan, const networks::Outline& network, const FeatureTap& asked, const FeatureTap& usual,
             int side) {
  const std::string layer = layer_of(network, asked, usual);
  const networks::Pooling pooling = pooling_named(network, asked, layer, usual);
  PlannedTap planned{
      {layer, pooling.name()}, pooling, {}, pooling.dim(network, layer, side), pooling.tokens(network, layer, side)};
  // "all" and a layer by its name, or "final" and the layer that it is, may ask for the same rows twice.
  if (std::ranges::any_of(plan.taps, [&](const PlannedTap& other) {
        return other.tap.layer == planned.tap.layer && other.tap.pool == planned.tap.pool;
      }))
    return;
  for (const std::string& read : pooling.layers(network, layer)) planned.layers.push_back(place_of(plan.layers, read));
  plan.taps.push_back(std::move(planned));
}

}  // namespace

TapPlan plan_taps(const networks::Outline& network, const std::vector<FeatureTap>& asked, const FeatureTap& usual,
                  int side) {
  TapPlan plan;
  for (const FeatureTap& tap : asked) {
    if (tap.layer != "all") {
      add_tap(plan, network, tap, usual, side);
      continue;
    }
    for (const std::string& layer : network.layer_names())
      if (tap.pool != kTokens || !network.layer(layer).vector) add_tap(plan, network, {layer, tap.pool}, usual, side);
  }
  return plan;
}

}  // namespace vise::features

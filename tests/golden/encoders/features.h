// From a reference encoder's checkpoint and pictures to its rows, as the golden rows were made.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "extract/images/decode/decode.h"
#include "extract/images/transform/transform.h"
#include "extract/networks/checkpoint/hub_config.h"
#include "extract/networks/checkpoint/read_checkpoint.h"
#include "extract/networks/checkpoint/read_hub_config.h"
#include "extract/networks/load.h"
#include "extract/networks/pooling.h"
#include "tests/golden/encoders/manifest.h"

namespace vise::test {

// Facts of a folder are its configs' alone; of a file what the manifest lists as not in its tensors.
inline networks::Network load_case(const GoldenCase& golden, const Path& path) {
  networks::LoadRequest request;
  const std::optional<networks::HubConfig> config = networks::config_beside(path);
  for (const networks::Fact& fact : config ? config->facts : golden.facts)
    request.facts.say(fact.name, fact.value, fact.source);
  return networks::load_network(networks::read_checkpoint(path), request);
}

// A folder's own transform, at the size it was made for.
inline images::Transform transform_of(const GoldenCase& golden, const Path& path) {
  const std::optional<networks::HubConfig> config = networks::config_beside(path);
  const bool is_own_size = golden.name == golden.checkpoint();
  return images::Transform::parse(config && is_own_size ? config->transform : golden.transform);
}

// Images x 3 x side x side, normalised.
inline std::vector<float> pixels_of(const images::Transform& transform, const std::vector<Path>& images) {
  std::vector<float> all;
  for (const Path& path : images) {
    const MappedFile file(path);
    std::vector<std::uint8_t> rgb(transform.bytes());
    transform.pixels(images::decode_image(file.bytes(), path.string()), rgb);
    all.resize(all.size() + transform.bytes());
    transform.normalise(rgb, all.data() + all.size() - transform.bytes());
  }
  return all;
}

// The layers that the taps read, each once.
inline std::vector<std::string> layers_of(const networks::Network& network, const std::vector<GoldenTap>& taps) {
  std::vector<std::string> layers;
  for (const GoldenTap& tap : taps)
    for (const std::string& layer : networks::Pooling::parse(tap.pool).layers(networks::outline(network), tap.layer))
      if (std::ranges::find(layers, layer) == layers.end()) layers.push_back(layer);
  return layers;
}

// A tap's rows of a trunk that has run and gives out `layers`.
inline std::vector<float> rows_of(const networks::Network& network, const GoldenTap& tap, networks::Trunk& trunk,
                                  const std::vector<std::string>& layers) {
  const networks::Outline seen = networks::outline(network);
  const networks::Pooling pooling = networks::Pooling::parse(tap.pool);
  std::vector<networks::FeatureMaps> maps;
  for (const std::string& layer : pooling.layers(seen, tap.layer))
    maps.push_back(trunk.maps(static_cast<std::size_t>(std::ranges::find(layers, layer) - layers.begin())));
  std::vector<float> rows(static_cast<std::size_t>(trunk.batch()) * pooling.dim(seen, tap.layer));
  pooling(maps, rows);
  return rows;
}

// |row - golden| / |golden|, L2.
inline double relative_error(std::span<const float> row, std::span<const double> golden) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < golden.size(); ++i) {
    difference += (row[i] - golden[i]) * (row[i] - golden[i]);
    norm += golden[i] * golden[i];
  }
  return std::sqrt(difference / norm);
}

}  // namespace vise::test

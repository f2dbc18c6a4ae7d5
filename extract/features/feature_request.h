// Which features are wanted, and how they may be had.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "extract/features/backbone.h"
#include "extract/features/store.h"
#include "extract/images/transform/views.h"
#include "extract/networks/trunk.h"

namespace vise::features {

// Where features are taken from a network, and how its map becomes a row.
struct FeatureTap {
  // "default": the backbone's own, what its authors probe. "final": the network's last; "all": each that it has.
  std::string layer = "default";
  std::string pool = "default";  // networks/pooling.h has the others
};

struct FeatureRequest {
  Backbone backbone;
  std::optional<networks::Engine> engine = {};  // none: the device's own
  networks::Precision precision = networks::Precision::fp32;
  std::vector<FeatureTap> taps = {FeatureTap{}};
  images::Views views = images::Views::one;  // a row is the mean over the views' rows; floors have one view
  Storage storage = Storage::fp32;
  networks::Device device = {};
};

enum class BadImagePolicy {
  fail,  // the first image that can't be read ends the run with its name and reason
  skip   // it gets no row under any backbone, and is listed
};

struct ExtractOptions {
  Path cache;
  // Of a shard: the cache that new rows go to instead, where `cache` lacks them; empty: `cache` itself.
  Path into = {};
  WeightsSearch weights;
  BadImagePolicy on_bad_image = BadImagePolicy::fail;
  std::uint64_t max_pixels = 178'956'970;  // where Pillow refuses
};

}  // namespace vise::features

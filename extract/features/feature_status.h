// What extract_features() would have to do, without doing it: for --dry-run and for checks of warm features.
//
//   for (const FeatureStatus& status : feature_status(dataset, requests, options, context))
//     status.missing;                         // images that would go through the network
//
// Decodes no image, builds no network and fetches nothing. Images whose content the path cache doesn't know (new, moved
// or touched files) are counted in `unread`: only a read can tell whether their rows exist. `read_unknown` reads them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "extract/features/features.h"

namespace vise::features {

// One request and tap.
struct FeatureStatus {
  std::string backbone;
  FeatureTap tap;
  std::string problem;  // why there can be no features: "no weights for vise-250m ..."; then all else is empty
  std::string fetched_from = {};  // the weights aren't here, but would be fetched; then the key isn't known
  FeatureKey key = {};
  std::size_t known = 0, missing = 0, unread = 0;
  std::vector<ContentHash> contents = {};  // by item, where nothing is unread; else empty
  // Thread-seconds of the network an image, and of reading, decoding and resizing one, as last measured in this cache
  // for this architecture, engine and precision.
  std::optional<double> forward_seconds = {}, image_seconds = {};
  // Of fp32 that could be bf16 (Recipe::could_be_bf16): what it would take in that, if it was measured here.
  bool could_be_bf16 = false;
  std::optional<double> bf16_forward_seconds = {};
};

// One a request and tap, in that order. Error{missing} for an image file that isn't there.
std::vector<FeatureStatus> feature_status(const datasets::Dataset& dataset, const std::vector<FeatureRequest>& requests,
                                          const ExtractOptions& options, const Context& context,
                                          bool read_unknown = false);

}  // namespace vise::features

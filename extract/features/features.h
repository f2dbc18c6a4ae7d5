// Features of a data set's images: from the store where they are known, computed where they are not.
//
//   const std::vector<Features> all = extract_features(dataset, requests, options, context);
//   all[b].values(item);                       // the row of that item under backbone b
//
// All requests share one pass over the files: an image is read once, decoded once, resized once per distinct transform,
// and goes through every network that lacks its row. A run whose rows are all known opens no image and builds no
// network.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "extract/features/feature_request.h"

namespace vise::features {

struct Features {
  std::size_t request = 0;  // whose features these are
  std::string backbone;
  FeatureTap tap;
  FeatureKey key;
  Path folder;  // of the store
  std::size_t dim = 0;
  std::size_t tokens = 1;  // of pool `tokens`: a row is so many tokens of dim / tokens numbers, one after the other
  // float32 whatever the storage, but of pool `tokens` halves as they are stored; rows stay valid as long as this
  // lives.
  std::shared_ptr<const FeatureMap> map;
  std::vector<std::uint32_t> rows;                  // by item: its row in the map, or kNoRow
  std::vector<ContentHash> contents;                // by item
  std::map<std::uint32_t, std::string> unreadable;  // item -> reason
  std::vector<std::string> notes;                   // for the table's foot
  std::map<std::string, double> seconds;  // thread-seconds by stage, and "wall"; empty when nothing was computed
  std::size_t computed = 0;               // images that went through the network in this run
  std::size_t decoded = 0, resized = 0;   // in this run, for all its requests: images; images times distinct geometries

  std::span<const float> values(std::size_t item) const { return map->values.subspan(rows[item] * dim, dim); }
  // The same of pool `tokens`.
  std::span<const std::uint16_t> halves(std::size_t item) const { return map->halves.subspan(rows[item] * dim, dim); }
};

// One Features a request and tap, in that order; layer "all" is as many taps as the network has layers. Error{missing}
// for weights or images that aren't there, Error{input} for bad ones, Error{verification} should a network's parameters
// change while it runs, Error{interrupted} after a stop: what was finished is stored in every case.
std::vector<Features> extract_features(const datasets::Dataset& dataset, const std::vector<FeatureRequest>& requests,
                                       const ExtractOptions& options, const Context& context);

// The same work with nothing handed back: afterwards every row is in options.cache or in options.into.
void extract_missing(const datasets::Dataset& dataset, const std::vector<FeatureRequest>& requests,
                     const ExtractOptions& options, const Context& context);

}  // namespace vise::features

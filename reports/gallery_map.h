// What is laid over the gallery's images: class activation maps, and a transformer's own attention.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace vise::reports {

// A row of the section, an image's id, and the class whose evidence is shown.
using MapKey = std::tuple<std::size_t, std::string, int>;

struct GalleryMap {
  std::string picture;  // data URI: the thumbnail with the map over it (overlay.h)
  double score = 0;     // the class's logit less the mean over classes
  float strongest = 0;  // place of the map, for or against the class
};

using GalleryMaps = std::map<MapKey, GalleryMap>;

// What a network's class token takes from each place of an image, laid over its thumbnail: of no class and before any
// probe. Shares of 1; `sum` is less where other tokens take the rest.
struct AttentionPicture {
  std::string picture;  // data URI (overlay.h)
  float least = 0, most = 0;
  double sum = 0;
};

struct ImageAttention {
  AttentionPicture class_token;  // of the last block, the mean over its heads
  AttentionPicture rollout;      // attention rollout (Abnar and Zuidema, ACL 2020)
};

// Of one network up to a layer.
struct NetworkAttention {
  std::string none;                              // why it has no such attention, in words; else empty
  std::map<std::string, ImageAttention> images;  // by id
};

// By backbone and layer, as the table's rows name them.
using GalleryAttention = std::map<std::pair<std::string, std::string>, NetworkAttention>;

}  // namespace vise::reports

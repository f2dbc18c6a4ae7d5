// What is laid over the gallery's images: class activation maps, and a transformer's own attention.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "reports/activation.h"

namespace vise {

// A row of the section, an image's id, and the class whose evidence is shown.
using MapKey = std::tuple<std::size_t, std::string, int>;

struct GalleryMap {
  ClassMap map;
  // The network saw the image's middle square less this share of its edge on every side: 1/16 for a crop of 224 from
  // 256.
  double inset = 0;
};

using GalleryMaps = std::map<MapKey, GalleryMap>;

// What a network's class token takes from each place of an image, height x width: of no class and before any probe.
struct AttentionPicture {
  int height = 0, width = 0;
  std::vector<float> class_token;  // of the last block, the mean over its heads
  std::vector<float> rollout;      // attention rollout (Abnar and Zuidema, ACL 2020)
};

// Of one network up to a layer.
struct NetworkAttention {
  std::string none;                                // why it has no such attention, in words; else empty
  double inset = 0;                                // as a GalleryMap's
  std::map<std::string, AttentionPicture> images;  // by id
};

// By backbone and layer, as the table's rows name them.
using GalleryAttention = std::map<std::pair<std::string, std::string>, NetworkAttention>;

}  // namespace vise

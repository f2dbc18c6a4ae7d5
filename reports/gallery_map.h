// Class activation maps of the gallery's images.
#pragma once

#include <map>
#include <string>
#include <tuple>

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

}  // namespace vise

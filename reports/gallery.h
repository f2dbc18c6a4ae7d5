// What a row is most sure of: its most confident right and wrong test images.
//
//   const RowGallery gallery = row_gallery(evidence, row, 6);
//   gallery.wrong.front().id;                     // to be drawn with its thumbnail
//
// Of the row's first seed, by the softmax probability of the predicted class.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "reports/evidence.h"
#include "reports/gallery_map.h"

namespace vise::reports {

struct GalleryItem {
  std::string id;
  int truth = 0, predicted = 0;
  double confidence = 0;
};

struct RowGallery {
  std::vector<GalleryItem> right, wrong;  // the most confident first
};

// Empty for targets other than classes and for rows without scores.
RowGallery row_gallery(const SectionEvidence& evidence, std::size_t row, std::size_t most);

// The maps that a section's gallery would show: of every row's images the evidence for the class it predicted, in its
// own network and in that of the row it is compared with.
std::set<MapKey> wanted_maps(const TableSection& section, const SectionEvidence& evidence, std::size_t most);

}  // namespace vise::reports

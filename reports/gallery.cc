#include "reports/gallery.h"

#include <algorithm>

namespace vise::reports {

RowGallery row_gallery(const SectionEvidence& evidence, std::size_t row, std::size_t most) {
  RowGallery gallery;
  const std::vector<SeedEvidence>& seeds = evidence.rows()[row].seeds;
  if (seeds.empty() || !seeds.front().predictions) return gallery;
  const ClassPredictions& predictions = *seeds.front().predictions;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const int truth = predictions.truth[i], predicted = predictions.predicted[i];
    std::vector<GalleryItem>& side = truth == predicted ? gallery.right : gallery.wrong;
    side.push_back({evidence.ids()[i], truth, predicted, seeds.front().confidence[i]});
  }
  for (std::vector<GalleryItem>* side : {&gallery.right, &gallery.wrong}) {
    // The surest first, on both sides: sure and wrong is where labels or probes are worth a look.
    std::ranges::stable_sort(*side, std::greater{}, &GalleryItem::confidence);
    side->resize(std::min(most, side->size()));
  }
  return gallery;
}

// For each image of a gallery two maps: the row's own network and its baseline's, both for the class that the row
// predicted, so that the two can be seen side by side.
std::set<MapKey> wanted_maps(const TableSection& section, const SectionEvidence& evidence, std::size_t most) {
  std::set<MapKey> wanted;
  for (std::size_t row = 0; row < section.rows.size(); ++row) {
    const RowGallery gallery = row_gallery(evidence, row, most);
    for (const auto* side : {&gallery.right, &gallery.wrong})
      for (const GalleryItem& item : *side) {
        wanted.emplace(row, item.id, item.predicted);
        if (section.rows[row].difference) wanted.emplace(section.rows[row].compared_with, item.id, item.predicted);
      }
  }
  return wanted;
}

}  // namespace vise::reports

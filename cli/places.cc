#include "cli/places.h"

namespace vise::cli {

void add_places(const Places& places, RunRequest& request) {
  std::vector<Path> roots = places.data_roots();
  roots.insert(roots.end(), request.data_roots.begin(), request.data_roots.end());
  request.data_roots = std::move(roots);
  const std::vector<Path> weights = request.extract.weights.folders;
  const ExtractOptions of_study = request.extract;
  request.extract = places.extract_options();
  if (places.on_bad_image == "fail") request.extract.on_bad_image = of_study.on_bad_image;
  if (places.max_pixels == Places{}.max_pixels) request.extract.max_pixels = of_study.max_pixels;
  // Fetched weights go into the last folder: a study's come before that.
  std::vector<Path>& folders = request.extract.weights.folders;
  folders.insert(folders.empty() ? folders.end() : folders.end() - 1, weights.begin(), weights.end());
}

}  // namespace vise::cli

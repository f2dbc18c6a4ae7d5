// The registry: rows of published models (backbones/*.yaml), floors, and what a program adds.
#include "extract/features/backbone.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "extract/features/backbone_rows.h"
#include "extract/networks/family_registry.h"

namespace vise::features {
namespace {

Backbone random_network(std::string name, std::string architecture) {
  Backbone b;
  b.name = std::move(name);
  b.title = "random " + architecture + " (seeded), the floor of architecture alone";
  b.kind = BackboneKind::random;
  b.architecture = std::move(architecture);
  b.licence = "none";
  return b;
}

// The licence is "none" as there is no file that could have one.
Backbone floor(std::string name, std::string title, ImageFunction function) {
  Backbone b;
  b.name = std::move(name);
  b.title = std::move(title);
  b.kind = BackboneKind::image_function;
  b.transform = "";
  b.licence = "none";
  b.function = std::make_shared<const ImageFunction>(std::move(function));
  return b;
}

// The key's `numerics` is raised when the numbers of a floor change, so that stored rows of the old ones aren't
// taken.
Backbone colour_histogram_floor() {
  return floor("colour-histogram", "8 x 8 x 8 RGB histogram of the decoded image: the floor of colour alone",
               {{{"floor", "colour-histogram"}, {"cells", "8x8x8 RGB, square roots"}, {"numerics", 1}},
                kColourHistogramDim,
                [](const DecodedFile& file) { return colour_histogram(file.image); }});
}

Backbone image_metadata_floor() {
  return floor("image-metadata", "size, aspect, bytes and JPEG quality of the file: the floor of no picture at all",
               {{{"floor", "image-metadata"}, {"numerics", 1}}, kImageMetadataDim, image_metadata});
}

// The published models, then what needs code: floors and random networks.
std::vector<Backbone> make_rows() {
  std::vector<Backbone> rows = published_backbones();
  rows.push_back(random_network("random", "resnet50"));
  rows.push_back(random_network("random-resnet18", "resnet18"));
  rows.push_back(colour_histogram_floor());
  rows.push_back(image_metadata_floor());
  return rows;
}

// Made at first use, after all files' static objects: rows come from files embedded in another source.
std::vector<Backbone>& list() {
  static std::vector<Backbone> rows = make_rows();
  return rows;
}

}  // namespace

const std::vector<Backbone>& registry_backbones() { return list(); }

const Backbone* backbone_of_sha256(std::string_view sha256) {
  // Rows may state the first digits alone, as torchvision's file names do; such a prefix identifies nothing.
  constexpr std::size_t kWhole = 64;
  const auto found = std::ranges::find_if(
      list(), [&](const Backbone& row) { return row.sha256.size() == kWhole && row.sha256 == sha256; });
  return found == list().end() ? nullptr : &*found;
}

void add_backbone(Backbone row) {
  if (std::ranges::any_of(list(), [&](const Backbone& known) { return known.name == row.name; }))
    throw Error(ErrorKind::usage, fmt::format("there is a backbone '{}' already", row.name), "give yours another name");
  list().push_back(std::move(row));
}

}  // namespace vise::features

#include "extract/features/maps.h"

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/half.h"
#include "base/npy.h"
#include "extract/features/image_runs.h"

namespace vise::features {

namespace {

// Refused here, before a forward pass is planned.
Recipe recipe_of(const FeatureRequest& request, const ExtractOptions& options, const Context& context) {
  Recipe recipe = make_recipe(request, options, context);
  if (recipe.is_floor())
    throw Error(ErrorKind::usage, fmt::format("{}: is no network, so it has no maps", request.backbone.name));
  return recipe;
}

}  // namespace

// The layer is the first tap's; pooling reads it last, so its place is the last of the tap's layers.
struct MapSource::State {
  State(const FeatureRequest& request, const ExtractOptions& options, const Context& context)
      : recipe(recipe_of(request, options, context)),
        runs(recipe, recipe.network(), recipe.trunk_request(), options, context) {}

  void read(networks::Trunk& trunk, int place, ImageMap& map) const {
    const networks::FeatureMaps all = trunk.maps(recipe.taps.taps[0].layers.back());
    const std::size_t size = all.values.size() / static_cast<std::size_t>(all.batch);
    // The grid's places: tokens that stand for none have no place in a map.
    const auto prefix = static_cast<std::size_t>(all.prefix) * static_cast<std::size_t>(all.channels);
    const auto values = all.values.subspan(static_cast<std::size_t>(place) * size + prefix, size - prefix);
    map.height = all.height;
    map.width = all.width;
    map.channels = all.channels;
    map.values.assign(values.begin(), values.end());
  }

  Recipe recipe;
  ImageRuns runs;
};

MapSource::MapSource(const FeatureRequest& request, const ExtractOptions& options, const Context& context)
    : state_(std::make_unique<State>(request, options, context)) {}
MapSource::~MapSource() = default;

std::vector<ImageMap> MapSource::operator()(const datasets::Dataset& dataset, std::span<const std::uint32_t> items) {
  std::vector<ImageMap> maps(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) maps[i].item = items[i];
  state_->runs(dataset, items,
               [&](std::size_t i, networks::Trunk& trunk, int place) { state_->read(trunk, place, maps[i]); });
  return maps;
}

namespace {

// Channels outermost, as PyTorch users expect a map.
std::vector<std::uint16_t> planar_halves(const ImageMap& map) {
  const auto channels = static_cast<std::size_t>(map.channels);
  const std::size_t places = map.values.size() / channels;
  std::vector<float> planar(map.values.size());
  for (std::size_t place = 0; place < places; ++place)
    for (std::size_t c = 0; c < channels; ++c) planar[c * places + place] = map.values[place * channels + c];
  std::vector<std::uint16_t> halves(planar.size());
  narrow(planar, halves);
  return halves;
}

}  // namespace

MapShape save_maps(const datasets::Dataset& dataset, std::span<const std::uint32_t> items,
                   const FeatureRequest& request, const ExtractOptions& options, const Path& folder,
                   const Context& context) {
  const networks::TrunkPlan plan = networks::trunk_plan(request.device, std::max(1, context.threads));
  // Maps are large (7 x 7 x 2048 floats are 400 kB), so they are computed and written some batches at a time.
  const auto at_once = static_cast<std::size_t>(4 * plan.batch * plan.trunks);
  ExtractOptions strict = options;
  // Every item has its place in one array, so an image without a map can't be skipped.
  strict.on_bad_image = BadImagePolicy::fail;
  MapSource source(request, strict, context);
  AtomicFile npy(folder / "maps.npy");
  std::string manifest = "row,id\n";
  MapShape shape;
  for (std::size_t done = 0; done < items.size(); done += at_once) {
    for (const ImageMap& map : source(dataset, items.subspan(done, std::min(at_once, items.size() - done)))) {
      // The shape is known with the first map, and npy's header goes before the data.
      if (shape.channels == 0) {
        shape = {map.channels, map.height, map.width};
        npy.write(npy_header("f2", std::vector<std::uint64_t>{items.size(), static_cast<std::uint64_t>(map.channels),
                                                              static_cast<std::uint64_t>(map.height),
                                                              static_cast<std::uint64_t>(map.width)}));
      }
      const std::vector<std::uint16_t> halves = planar_halves(map);
      npy.write(std::as_bytes(std::span(halves)));
    }
    context.log.progress("maps", std::min(items.size(), done + at_once), items.size());
  }
  if (items.empty()) npy.write(npy_header("f2", std::vector<std::uint64_t>{0, 0, 0, 0}));
  for (std::size_t row = 0; row < items.size(); ++row)
    manifest += csv_line(std::vector<std::string>{std::to_string(row), dataset.ids[items[row]]});
  npy.commit();
  write_file_atomically(folder / "maps.csv", manifest);
  return shape;
}

std::vector<ImageMap> compute_maps(const datasets::Dataset& dataset, std::span<const std::uint32_t> items,
                                   const FeatureRequest& request, const ExtractOptions& options,
                                   const Context& context) {
  return MapSource(request, options, context)(dataset, items);
}

}  // namespace vise::features

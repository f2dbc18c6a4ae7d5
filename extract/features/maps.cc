#include "extract/features/maps.h"

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/half.h"
#include "base/npy.h"
#include "base/threads.h"
#include "extract/features/recipe.h"
#include "extract/images/decode/decode.h"

namespace vise {

struct MapSource::State {
  State(const FeatureRequest& request, const ExtractOptions& given, const Context& with)
      : recipe(make_recipe(request, given, with)), options(given), context(with) {
    if (recipe.is_floor())
      throw Error(ErrorKind::usage, fmt::format("{}: is no network, so it has no maps", request.backbone.name));
    trunks.resize(static_cast<std::size_t>(trunk_plan(recipe.request.device, std::max(1, context.threads)).trunks));
    trunks[0] = make_trunk(recipe.network(), recipe.trunk_request());
    for (std::size_t i = 1; i < trunks.size(); ++i) trunks[i] = trunks[0]->replicate();
  }

  // Whether there is an image to run: its normalised pixels are in `chw`.
  bool load(const Path& path, std::span<std::uint8_t> rgb, float* chw) const {
    try {
      const Image image = decode_image(read_file(path), path.string(), {.max_pixels = options.max_pixels});
      recipe.transform->pixels(image, rgb);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::input || options.on_bad_image == BadImagePolicy::fail) throw;
      return false;
    }
    recipe.transform->normalise(rgb, chw);
    return true;
  }

  // At most a batch of maps; places that hold no image keep the pixels of an earlier one, which change nothing.
  void run_batch(Trunk& trunk, const Dataset& dataset, std::span<ImageMap> maps) const {
    const std::span<float> input = trunk.input();
    const std::size_t per_image = input.size() / static_cast<std::size_t>(trunk.batch());
    std::vector<std::uint8_t> rgb(recipe.transform->bytes());
    std::vector<bool> loaded;
    for (std::size_t i = 0; i < maps.size(); ++i)
      loaded.push_back(load(dataset.path(maps[i].item), rgb, input.data() + i * per_image));
    trunk.forward();
    const FeatureMaps all = trunk.maps(recipe.taps.taps[0].layers.back());
    const std::size_t size = all.values.size() / static_cast<std::size_t>(all.batch);
    for (std::size_t i = 0; i < maps.size(); ++i) {
      if (!loaded[i]) continue;
      // The grid's places: tokens that stand for none have no place in a map.
      const auto prefix = static_cast<std::size_t>(all.prefix) * static_cast<std::size_t>(all.channels);
      const auto values = all.values.subspan(i * size + prefix, size - prefix);
      maps[i].height = all.height;
      maps[i].width = all.width;
      maps[i].channels = all.channels;
      maps[i].values.assign(values.begin(), values.end());
    }
  }

  Recipe recipe;
  ExtractOptions options;
  Context context;
  std::vector<std::unique_ptr<Trunk>> trunks;  // a thread uses one
};

MapSource::MapSource(const FeatureRequest& request, const ExtractOptions& options, const Context& context)
    : state_(std::make_unique<State>(request, options, context)) {}
MapSource::~MapSource() = default;

std::vector<ImageMap> MapSource::operator()(const Dataset& dataset, std::span<const std::uint32_t> items) {
  std::vector<ImageMap> maps(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) maps[i].item = items[i];
  const auto batch = static_cast<std::size_t>(state_->trunks[0]->batch());
  const std::size_t batches = (items.size() + batch - 1) / batch, lanes = state_->trunks.size();
  parallel_for(static_cast<int>(lanes), lanes, [&](std::size_t lane) {
    for (std::size_t b = lane; b < batches; b += lanes) {
      state_->context.throw_if_stopped();
      const auto part = std::span(maps).subspan(b * batch, std::min(batch, maps.size() - b * batch));
      state_->run_batch(*state_->trunks[lane], dataset, part);
    }
  });
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

MapShape save_maps(const Dataset& dataset, std::span<const std::uint32_t> items, const FeatureRequest& request,
                   const ExtractOptions& options, const Path& folder, const Context& context) {
  const TrunkPlan plan = trunk_plan(request.device, std::max(1, context.threads));
  const auto at_once = static_cast<std::size_t>(4 * plan.batch * plan.trunks);
  ExtractOptions strict = options;
  strict.on_bad_image = BadImagePolicy::fail;
  MapSource source(request, strict, context);
  AtomicFile npy(folder / "maps.npy");
  std::string manifest = "row,id\n";
  MapShape shape;
  for (std::size_t done = 0; done < items.size(); done += at_once) {
    for (const ImageMap& map : source(dataset, items.subspan(done, std::min(at_once, items.size() - done)))) {
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

std::vector<ImageMap> compute_maps(const Dataset& dataset, std::span<const std::uint32_t> items,
                                   const FeatureRequest& request, const ExtractOptions& options,
                                   const Context& context) {
  return MapSource(request, options, context)(dataset, items);
}

}  // namespace vise

#include "extract/maps.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/threads.h"
#include "extract/architecture/network.h"
#include "extract/decode/decode.h"
#include "extract/path_cache.h"
#include "extract/transform/transform.h"

namespace vise {
namespace {

Network network_of(const FeatureRequest& request, const ExtractOptions& options, const Context& context) {
  const Backbone& backbone = request.backbone;
  if (backbone.kind == BackboneKind::colour_histogram)
    throw Error(ErrorKind::usage, fmt::format("{} is no network, so it has no maps", backbone.name));
  if (backbone.kind == BackboneKind::random) return random_resnet(backbone.architecture, backbone.seed);
  PathCache known(options.cache / "paths" / "weights");
  const FoundWeights weights = find_weights(backbone, options.weights, known, context.log);
  return load_network(weights.file, {{backbone.architecture, backbone.branch, backbone.drop},
                                     {.skip_foreign = backbone.skip_foreign},
                                     read_key_map(backbone.key_map),
                                     request.engine == Engine::torch});
}

}  // namespace

struct MapSource::State {
  State(const FeatureRequest& request, const ExtractOptions& given, const Context& with)
      : transform(Transform::parse(request.backbone.transform)), options(given), context(with) {
    const Network network = network_of(request, options, context);
    const std::string architecture = architecture_of(network);
    std::string layer = request.taps.front().layer;
    if (layer == "final") layer = final_layer(architecture);
    const Engine engine = is_torch_only(architecture) ? Engine::torch : request.engine;
    trunks.push_back(
        make_trunk(network, {engine, request.precision, {layer}, kTrunkBatch, static_cast<int>(transform.width())}));
    while (trunks.size() < static_cast<std::size_t>(std::max(1, context.threads)))
      trunks.push_back(trunks[0]->replicate());
  }

  // Whether there is an image to run: its normalised pixels are in `chw`.
  bool load(const Path& path, float* chw) const {
    std::vector<std::uint8_t> rgb(transform.bytes());
    try {
      transform.pixels(decode_image(read_file(path), path.string(), {options.max_pixels}), rgb);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::input || options.on_bad_image == BadImagePolicy::fail) throw;
      return false;
    }
    transform.normalise(rgb, chw);
    return true;
  }

  // At most a batch of maps. Places without an image keep the pixels of an earlier one, which change nothing.
  void run_batch(Trunk& trunk, const Dataset& dataset, std::span<ImageMap> maps) const {
    const std::span<float> input = trunk.input();
    const std::size_t per_image = input.size() / static_cast<std::size_t>(trunk.batch());
    std::vector<bool> loaded;
    for (std::size_t i = 0; i < maps.size(); ++i)
      loaded.push_back(load(dataset.path(maps[i].item), input.data() + i * per_image));
    trunk.forward();
    const FeatureMaps all = trunk.maps(0);
    const std::size_t size = all.values.size() / static_cast<std::size_t>(all.batch);
    for (std::size_t i = 0; i < maps.size(); ++i) {
      if (!loaded[i]) continue;
      const auto values = all.values.subspan(i * size, size);
      maps[i] = {maps[i].item, all.height, all.width, all.channels, {values.begin(), values.end()}};
    }
  }

  Transform transform;
  ExtractOptions options;
  Context context;
  std::vector<std::unique_ptr<Trunk>> trunks;  // one a thread
};

MapSource::MapSource(const FeatureRequest& request, const ExtractOptions& options, const Context& context)
    : state_(std::make_unique<State>(request, options, context)) {}
MapSource::~MapSource() = default;

std::vector<ImageMap> MapSource::operator()(const Dataset& dataset, std::span<const std::uint32_t> items) {
  std::vector<ImageMap> maps(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) maps[i].item = items[i];
  const auto batch = static_cast<std::size_t>(kTrunkBatch);
  const std::size_t batches = (items.size() + batch - 1) / batch, lanes = state_->trunks.size();
  parallel_for(static_cast<int>(lanes), lanes, [&](std::size_t lane) {
    for (std::size_t b = lane; b < batches; b += lanes) {
      state_->context.throw_if_stopped();
      const std::size_t first = b * batch;
      state_->run_batch(*state_->trunks[lane], dataset,
                        std::span(maps).subspan(first, std::min(batch, maps.size() - first)));
    }
  });
  return maps;
}

}  // namespace vise

#include "extract/features/recipe.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "extract/networks/network.h"

namespace vise {
namespace {

// What is found out about a weights file is remembered by its identity: a warm run must not open the checkpoint.
template <typename Find>
std::string remembered(const Path& file, const Path& folder, Find find) {
  PathCache known(folder);
  const FileIdentity identity = FileIdentity::of(file);
  if (const std::string* value = known.find(identity)) return *value;
  const std::string value = find();
  known.put(identity, value);
  known.save();
  return value;
}

// Which of the file's networks is meant decides what it is.
std::string detect_architecture(const Path& file, const NetworkRequest& request, const Path& cache) {
  const std::string folder =
      request.load.branch.empty() && request.key_map.empty()
          ? "architectures"
          : "architectures-" + sha256_hex(request.load.branch + "\n" + request.key_map.sha256).substr(0, 16);
  return remembered(file, cache / "paths" / folder, [&] { return architecture_of(load_network(file, request)); });
}

NetworkRequest network_request(const FeatureRequest& request) {
  const Backbone& backbone = request.backbone;
  return {{backbone.architecture, backbone.branch, backbone.drop},
          {.skip_foreign = backbone.skip_foreign},
          read_key_map(backbone.key_map),
          request.engine == Engine::torch};
}

// The rows of a dimension that the weights alone can tell.
std::size_t measured_program_dim(const Recipe& recipe, const Path& cache) {
  const int side = static_cast<int>(recipe.transform->width());
  const FoundWeights& weights = recipe.weights;
  return std::stoul(remembered(weights.file, cache / "paths" / fmt::format("programs-{}", side), [&] {
    return std::to_string(program_dim({weights.file, weights.sha256}, side));
  }));
}

void resolve_weights(Recipe& recipe, const ExtractOptions& options, const Context& context) {
  Backbone& backbone = recipe.request.backbone;
  PathCache known(options.cache / "paths" / "weights");
  recipe.weights = find_weights(backbone, options.weights, known, context);
  recipe.notes.insert(recipe.notes.end(), recipe.weights.notes.begin(), recipe.weights.notes.end());
  const NetworkRequest wanted = network_request(recipe.request);
  if (backbone.architecture.empty())
    backbone.architecture = detect_architecture(recipe.weights.file, wanted, options.cache);
  if (is_torch_only(backbone.architecture) && recipe.request.engine != Engine::torch) {
    recipe.request.engine = Engine::torch;
    recipe.notes.push_back(fmt::format("{}: {} runs on LibTorch only", backbone.name, backbone.architecture));
  }
  if (backbone.architecture == kTorchScript) recipe.program_dim = measured_program_dim(recipe, options.cache);
  recipe.base_key["weights"] = recipe.weights.sha256;
  if (!backbone.branch.empty()) recipe.base_key["branch"] = backbone.branch;
  if (!wanted.key_map.empty()) recipe.base_key["key_map"] = wanted.key_map.sha256;
}

// Layers by their own names, and each tap once: two stores of one key would wait for each other's lock.
void resolve_taps(Recipe& recipe) {
  const Backbone& backbone = recipe.request.backbone;
  std::vector<FeatureTap> taps;
  for (FeatureTap tap : recipe.request.taps) {
    if (tap.layer == "final") tap.layer = final_layer(backbone.architecture);
    const Pool pool = Pool::parse(tap.pool);
    const auto same = [&](const FeatureTap& other) { return other.layer == tap.layer && other.pool == tap.pool; };
    if (std::any_of(taps.begin(), taps.end(), same)) continue;
    if (tap.layer == "attnpool" && pool.name() != "avg")
      throw Error(ErrorKind::usage, fmt::format("{}: attnpool gives one vector an image", backbone.name),
                  "leave --pool at avg, or name a layer with a map: --layer layer4");
    const auto known = std::find(recipe.layers.begin(), recipe.layers.end(), tap.layer);
    recipe.layer_of_tap.push_back(static_cast<std::size_t>(known - recipe.layers.begin()));
    if (known == recipe.layers.end()) recipe.layers.push_back(tap.layer);
    recipe.pools.push_back(pool);
    taps.push_back(std::move(tap));
  }
  recipe.request.taps = std::move(taps);
}

void resolve_transform(Recipe& recipe) {
  recipe.transform = Transform::parse(recipe.request.backbone.transform);
  TransformSpec geometry = recipe.transform->spec();
  geometry.mean = {0, 0, 0};
  geometry.std = {1, 1, 1};
  const Views views = recipe.request.views;
  check_views(*recipe.transform, views);
  recipe.geometry = fmt::format("{} {}", views_name(views), canonical_json(Transform(geometry).describe()));
  if (views == Views::one) return;
  recipe.base_key["views"] = views_name(views);
  recipe.notes.push_back(fmt::format(
      "{}: features are means over {}", recipe.request.backbone.name,
      views == Views::hflip ? "a picture's crop and its mirror image"
                            : "ten crops of a picture: its corners and centre, and those of its mirror image"));
}

}  // namespace

Recipe make_recipe(const FeatureRequest& request, const ExtractOptions& options, const Context& context) {
  Recipe recipe;
  recipe.request = request;
  recipe.request.engine = request.engine.value_or(default_engine(request.device));
  Backbone& backbone = recipe.request.backbone;
  recipe.notes = backbone.notes;
  if (request.storage == Storage::fp16) recipe.base_key["storage"] = storage_name(request.storage);
  if (backbone.kind == BackboneKind::image_function) {
    recipe.request.taps = {FeatureTap{"image", backbone.name}};
    recipe.base_key.update(backbone.function->key);
    return recipe;
  }
  check_combination(*recipe.request.engine, request.precision, request.device);
  resolve_transform(recipe);
  if (backbone.kind == BackboneKind::random)
    recipe.base_key["weights"] = fmt::format("random, seed {}", backbone.seed);
  else
    resolve_weights(recipe, options, context);
  resolve_taps(recipe);
  recipe.base_key["architecture"] = backbone.architecture;
  recipe.base_key["transform"] = recipe.transform->describe();
  recipe.base_key["engine"] = engine_name(*recipe.request.engine);
  recipe.base_key["precision"] = precision_name(recipe.request.precision);
  recipe.base_key["numerics"] = kNumericsVersion;
  if (request.device.is_cuda()) recipe.base_key["device"] = request.device.kind_name();
  return recipe;
}

FeatureKey Recipe::key(std::size_t tap) const {
  FeatureKey key{base_key, is_floor() ? request.backbone.function->dim : 0};
  if (is_floor()) return key;
  key.parts["layer"] = request.taps[tap].layer;
  key.parts["pool"] = pools[tap].name();
  key.dim = layer_dim(request.backbone.architecture, request.taps[tap].layer);
  if (key.dim == 0) key.dim = program_dim;
  return key;
}

Network Recipe::network() const {
  const Backbone& backbone = request.backbone;
  if (backbone.kind == BackboneKind::random) return random_resnet(backbone.architecture, backbone.seed);
  return load_network(weights.file, network_request(request));
}

TrunkRequest Recipe::trunk_request() const {
  return {*request.engine,
          request.precision,
          layers,
          trunk_plan(request.device, 1).batch,
          static_cast<int>(transform->width()),
          request.device};
}

}  // namespace vise

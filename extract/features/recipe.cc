#include "extract/features/recipe.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "extract/images/transform/transform_spec.h"
#include "extract/networks/family_registry.h"
#include "extract/networks/load.h"
#include "extract/networks/make_trunk.h"

namespace vise::features {
namespace {

// From a request to a recipe: weights are found and what is known of them learnt, the transform resolved, the file's
// outline taken (from memory, where it was seen before), then facts and taps; all that decides a row's bytes enters
// base_key on the way.

// Raised when an outline says more or other things.
constexpr int kOutlineVersion = 3;

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

// How the file is to be read, by the request's options.
networks::NetworkRequest network_request(const FeatureRequest& request) {
  const Backbone& backbone = request.backbone;
  return {load_request(backbone),
          {.skip_foreign = backbone.skip_foreign},
          networks::read_key_map(backbone.key_map),
          request.engine == networks::Engine::torch,
          backbone.prototxt};
}

// Everything that decides what a file's network is: of its several networks the one that is meant, and what was said of
// it.
std::string outline_folder(const Recipe& recipe, const networks::NetworkRequest& request) {
  const Backbone& backbone = recipe.request.backbone;
  // A folder's hash covers its configs, which change without the file that is remembered.
  std::string text =
      recipe.weights.sha256 + "\n" + backbone.architecture + "\n" + backbone.branch + "\n" + request.key_map.sha256;
  for (const std::string& key : backbone.drop) text += "\ndrop " + key;
  // Of graphs; their layers' widths may depend on the input's, and what they can be on OpenCV.
  text += fmt::format("\nside {}\nopencv {}", request.side, networks::opencv_version());
  if (!backbone.prototxt.empty()) text += "\nprototxt " + sha256_hex(read_text_file(backbone.prototxt));
  for (const networks::Fact& fact : backbone.facts)
    text += fmt::format("\n{}={} ({})", fact.name, fact.value, fact.source);
  return fmt::format("outlines-{}-{}", kOutlineVersion, sha256_hex(text).substr(0, 16));
}

networks::Outline outline_of_file(const Recipe& recipe, const networks::NetworkRequest& request, const Path& cache) {
  const Backbone& backbone = recipe.request.backbone;
  if (!backbone.architecture.empty() && backbone.architecture != networks::kTorchScript &&
      networks::family_of(backbone.architecture).tensors_say_all && backbone.facts.empty())
    // The usual case needs no file at all: the architecture's name says everything about the layers.
    return networks::outline_of(backbone.architecture);
  const Path& file = recipe.weights.file;
  return networks::outline_from_json(parse_json(
      remembered(recipe.weights.anchor, cache / "paths" / outline_folder(recipe, request),
                 [&] { return networks::to_json(networks::outline(networks::load_network(file, request))).dump(); }),
      "the cache's outline of a network"));
}

// The dimension of a graph's rows, which only running it tells.
int measured_graph_dim(const Recipe& recipe, const Path& cache) {
  const int side = static_cast<int>(recipe.transform->width());
  const FoundWeights& weights = recipe.weights;
  return std::stoi(remembered(weights.anchor, cache / "paths" / fmt::format("programs-{}", side), [&] {
    networks::Network graph;
    graph.family = graph.architecture = networks::kTorchScript;
    graph.graph = networks::torchscript_graph(weights.file, weights.sha256);
    return std::to_string(networks::graph_dim(graph, side));
  }));
}

// What the tensors don't say decides the numbers, so it is part of the key, and is printed with who said it. How
// positions are resized matters at other sizes than their own only.
void add_facts(Recipe& recipe) {
  const Backbone& backbone = recipe.request.backbone;
  if (!recipe.outline.assumed.empty())
    recipe.notes.push_back(fmt::format("{}: assumed: {}", backbone.name, recipe.outline.assumed));
  const bool resizes = static_cast<int>(recipe.transform->width()) != recipe.outline.side;
  std::vector<std::string> said;
  for (const networks::Fact& fact : recipe.outline.facts) {
    if (fact.name == "positions" && !resizes) continue;
    // The value enters the key, not who said it: a fact that is first assumed and then
    // confirmed keeps its rows.
    recipe.base_key["facts"][fact.name] = fact.value;
    said.push_back(fmt::format("{}={} ({})", fact.name, fact.value, fact.source));
  }
  if (said.empty()) return;
  said.push_back(fmt::format("transform={} ({})", backbone.transform,
                             backbone.transform_source.empty() ? "assumed" : backbone.transform_source));
  recipe.notes.push_back(fmt::format("{}: what its tensors do not say: {}", backbone.name, join(said, ", ")));
}

// The registry's row becomes this file's: user, configs and published hashes say what it is (find_weights.h).
void find_and_learn(Recipe& recipe, const ExtractOptions& options, const Context& context) {
  Backbone& backbone = recipe.request.backbone;
  PathCache known(options.cache / "paths" / "weights");
  recipe.weights = find_weights(backbone, options.weights, known, context);
  learn_from_weights(backbone, recipe.weights);
}

// Whether a network may be given ImageNet's transform where nobody says one: ResNets and graphs were before others
// were read here. All other families disagree among themselves, so it is asked for.
void check_transform_is_known(const Recipe& recipe) {
  const Backbone& backbone = recipe.request.backbone;
  const std::optional<networks::GraphKind> graph = recipe.outline.graph;
  if (!backbone.transform_source.empty() || recipe.outline.family == "resnet") return;
  if (graph == networks::GraphKind::torchscript) return;
  if (graph)
    throw Error(ErrorKind::input,
                fmt::format("{}: its graph does not say how pictures are prepared for it (size, crop, filter and "
                            "normalisation), which changes features by up to a fifth",
                            recipe.weights.file.string()),
                fmt::format("say it: --backbone NAME=FILE,transform=T, T one of {} or settings such as "
                            "resize=256,filter=bicubic,crop=224; Caffe's networks take blue, green, red: "
                            "transform=caffe, or order=bgr among the settings",
                            join(images::transform_names(), ", ")));
  throw Error(
      ErrorKind::input,
      fmt::format("{}: its tensors do not say how pictures are prepared for it: published networks of the family {} "
                  "differ in size, crop, filter and normalisation, which changes features by up to a fifth",
                  recipe.weights.file.string(), recipe.outline.family),
      fmt::format("say it: --backbone NAME=FILE,transform=T, T one of {} or settings such as "
                  "resize=256,filter=bicubic,crop=224; the name of the registry's row that it is, as NAME=FILE, or the "
                  "preprocessor_config.json beside the file says it too",
                  join(images::transform_names(), ", ")));
}

// A graph has one engine that runs it; another that was asked for is replaced, and a note says so.
void choose_engine(Recipe& recipe) {
  const networks::Engine engine = networks::engine_of(*recipe.outline.graph);
  if (recipe.request.engine == engine) return;
  recipe.request.engine = engine;
  recipe.notes.push_back(fmt::format("{}: {} runs on {} only", recipe.request.backbone.name,
                                     recipe.outline.architecture, networks::library_name(engine)));
}

// What a graph's numbers depend on beside its file.
void add_graph(Recipe& recipe) {
  const Backbone& backbone = recipe.request.backbone;
  networks::check_combination(*recipe.request.engine, recipe.request.precision, recipe.request.device);
  for (const networks::Fact& fact : backbone.facts)
    if (fact.source == kUserSource)
      throw Error(ErrorKind::usage,
                  fmt::format("{}: is a graph, which says itself what it computes: '{}={}' is of checkpoints",
                              backbone.name, fact.name, fact.value),
                  "leave it out");
  const auto side = static_cast<int>(recipe.transform->width());
  if (!recipe.outline.any_side && recipe.outline.side != side)
    throw Error(ErrorKind::usage,
                fmt::format("{}: the graph takes pictures of {} x {}, and the transform gives {} x {}", backbone.name,
                            recipe.outline.side, recipe.outline.side, side, side),
                fmt::format("the same one scaled is side={0}; transform={1},crop={0} changes the crop alone",
                            recipe.outline.side, backbone.transform));
  recipe.notes.push_back(fmt::format("{}: what its graph does not say: transform={} ({})", backbone.name,
                                     backbone.transform, backbone.transform_source));
  // OpenCV's own kernels run the graph, and they may change from version to version.
  recipe.base_key["opencv"] = networks::opencv_version();
  if (!backbone.prototxt.empty()) recipe.base_key["prototxt"] = sha256_hex(read_text_file(backbone.prototxt));
}

// What the weights say, as far as it decides rows: outline, engine, facts, hash.
void resolve_network(Recipe& recipe, const ExtractOptions& options) {
  Backbone& backbone = recipe.request.backbone;
  recipe.notes.insert(recipe.notes.end(), backbone.notes.begin(), backbone.notes.end());
  recipe.notes.insert(recipe.notes.end(), recipe.weights.notes.begin(), recipe.weights.notes.end());
  networks::NetworkRequest wanted = network_request(recipe.request);
  wanted.side = static_cast<int>(recipe.transform->width());
  recipe.outline = outline_of_file(recipe, wanted, options.cache);
  check_transform_is_known(recipe);
  if (recipe.outline.graph) choose_engine(recipe);
  if (recipe.outline.graph == networks::GraphKind::torchscript)
    recipe.outline.layers.front().channels = measured_graph_dim(recipe, options.cache);
  else if (recipe.outline.graph)
    add_graph(recipe);
  add_facts(recipe);
  recipe.base_key["weights"] = recipe.weights.sha256;
  if (!backbone.branch.empty()) recipe.base_key["branch"] = backbone.branch;
  if (!wanted.key_map.empty()) recipe.base_key["key_map"] = wanted.key_map.sha256;
}

// "default", "final" and "all" become the network's own names, each tap once.
void resolve_taps(Recipe& recipe) {
  const Backbone& backbone = recipe.request.backbone;
  recipe.taps = plan_taps(recipe.outline, recipe.request.taps, {backbone.layer, backbone.pool},
                          static_cast<int>(recipe.transform->width()));
  recipe.request.taps.clear();
  for (const PlannedTap& planned : recipe.taps.taps) recipe.request.taps.push_back(planned.tap);
}

// The transform in the size that was asked for, and what of it decides the resized bytes.
void resolve_transform(Recipe& recipe) {
  const Backbone& backbone = recipe.request.backbone;
  recipe.transform = images::Transform::parse(backbone.transform);
  if (backbone.side > 0) recipe.transform = recipe.transform->scaled_to(static_cast<std::uint32_t>(backbone.side));
  images::TransformSpec geometry = recipe.transform->spec();
  // What doesn't touch the resized bytes is made equal, so that passes which differ in
  // it alone have one geometry.
  geometry.mean = {0, 0, 0};
  geometry.std = {1, 1, 1};
  geometry.order = images::ChannelOrder::rgb;
  const images::Views views = recipe.request.views;
  images::check_views(*recipe.transform, views);
  recipe.geometry =
      fmt::format("{} {}", images::views_name(views), canonical_json(images::Transform(geometry).describe()));
  // Parts enter a key only where they differ from what was always done: keys of rows made
  // before the option existed stay what they were.
  if (views == images::Views::one) return;
  recipe.base_key["views"] = images::views_name(views);
  recipe.notes.push_back(fmt::format(
      "{}: features are means over {}", backbone.name,
      views == images::Views::hflip ? "a picture's crop and its mirror image"
                                    : "ten crops of a picture: its corners and centre, and those of its mirror image"));
}

}  // namespace

Recipe make_recipe(const FeatureRequest& request, const ExtractOptions& options, const Context& context) {
  Recipe recipe;
  recipe.request = request;
  recipe.request.engine = request.engine.value_or(networks::default_engine(request.device));
  Backbone& backbone = recipe.request.backbone;
  if (backbone.kind != BackboneKind::weights) recipe.notes = backbone.notes;  // the others learn more first
  if (request.storage == Storage::fp16) recipe.base_key["storage"] = storage_name(request.storage);
  if (backbone.kind == BackboneKind::image_function) {
    recipe.request.taps = {FeatureTap{"image", backbone.name}};
    recipe.base_key.update(backbone.function->key);
    return recipe;
  }
  networks::check_combination(*recipe.request.engine, request.precision, request.device);
  if (backbone.kind == BackboneKind::weights) find_and_learn(recipe, options, context);
  resolve_transform(recipe);
  if (backbone.kind == BackboneKind::random) {
    recipe.base_key["weights"] = fmt::format("random, seed {}", backbone.seed);
    recipe.outline = networks::outline_of(backbone.architecture);
  } else {
    resolve_network(recipe, options);
  }
  resolve_taps(recipe);
  recipe.base_key["architecture"] = recipe.outline.architecture;
  // Raised when the description of the same file comes to other last bits (network.h); 0
  // is left out, so that older keys stay.
  if (recipe.outline.revision > 0) recipe.base_key["revision"] = recipe.outline.revision;
  recipe.base_key["transform"] = recipe.transform->describe();
  recipe.base_key["engine"] = networks::engine_name(*recipe.request.engine);
  recipe.base_key["precision"] = networks::precision_name(recipe.request.precision);
  recipe.base_key["numerics"] = networks::kNumericsVersion;
  // A GPU sums in another order, so its rows are kept apart from a CPU's.
  if (request.device.is_cuda()) recipe.base_key["device"] = request.device.kind_name();
  return recipe;
}

// Whether another precision would be worth mentioning.
bool Recipe::could_be_bf16() const {
  return !is_floor() && request.precision == networks::Precision::fp32 && request.engine == networks::Engine::onednn &&
         !request.device.is_cuda();
}

FeatureKey Recipe::key(std::size_t tap) const {
  FeatureKey key{base_key, is_floor() ? request.backbone.function->dim : 0};
  if (is_floor()) return key;
  const PlannedTap& planned = taps.taps[tap];
  key.parts["layer"] = planned.tap.layer;
  key.parts["pool"] = planned.tap.pool;
  key.dim = planned.dim;
  if (planned.tokens > 1) key.parts["storage"] = storage_name(Storage::fp16);
  return key;
}

// Read anew at each call: the caller builds its engine from it and lets it go.
networks::Network Recipe::network() const {
  const Backbone& backbone = request.backbone;
  if (backbone.kind == BackboneKind::random) return networks::random_network(backbone.architecture, backbone.seed);
  networks::NetworkRequest wanted = network_request(request);
  wanted.side = static_cast<int>(transform->width());
  return networks::load_network(weights.file, wanted);
}

networks::TrunkRequest Recipe::trunk_request() const {
  return {*request.engine,
          request.precision,
          taps.layers,
          networks::trunk_plan(request.device, 1).batch,
          static_cast<int>(transform->width()),
          request.device};
}

}  // namespace vise::features

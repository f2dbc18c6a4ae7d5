#include "extract/pass.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "extract/architecture/network.h"
#include "extract/floor.h"
#include "extract/load_backbone.h"

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

}  // namespace

Pass::Pass(const FeatureRequest& request, const ExtractOptions& options, const Context& context) : request_(request) {
  notes_ = request_.backbone.notes;
  resolve_key(options, context);
  for (std::size_t tap = 0; tap < request_.taps.size(); ++tap) {
    FeatureKey key;
    key.parts = base_key_;
    if (request_.backbone.kind == BackboneKind::colour_histogram) {
      key.dim = kColourHistogramDim;
    } else {
      key.parts["layer"] = request_.taps[tap].layer;
      key.parts["pool"] = pools_[tap].name();
      key.dim = layer_dim(request_.backbone.architecture, request_.taps[tap].layer);
      if (key.dim == 0) key.dim = program_dim_;
    }
    stores_.emplace_back(options.cache, key, context.log);
  }
}

void Pass::resolve_key(const ExtractOptions& options, const Context& context) {
  Backbone& backbone = request_.backbone;
  if (backbone.kind == BackboneKind::colour_histogram) {
    request_.taps = {FeatureTap{"image", "colour-histogram"}};
    base_key_ = {{"floor", "colour-histogram"}, {"cells", "8x8x8 RGB, square roots"}, {"numerics", 1}};
    return;
  }
  transform_ = Transform::parse(backbone.transform);
  TransformSpec geometry = transform_->spec();
  geometry.mean = {0, 0, 0};
  geometry.std = {1, 1, 1};
  geometry_ = canonical_json(Transform(geometry).describe());
  if (backbone.kind == BackboneKind::random)
    base_key_["weights"] = fmt::format("random, seed {}", backbone.seed);
  else
    resolve_network(options, context);
  resolve_taps();
  base_key_["architecture"] = backbone.architecture;
  base_key_["transform"] = transform_->describe();
  base_key_["engine"] = engine_name(request_.engine);
  base_key_["precision"] = precision_name(request_.precision);
  base_key_["numerics"] = kNumericsVersion;
}

void Pass::resolve_network(const ExtractOptions& options, const Context& context) {
  Backbone& backbone = request_.backbone;
  PathCache known(options.cache / "paths" / "weights");
  weights_ = find_weights(backbone, options.weights, known, context.log);
  notes_.insert(notes_.end(), weights_.notes.begin(), weights_.notes.end());
  const NetworkRequest wanted = network_request(request_.backbone, request_.engine);
  if (backbone.architecture.empty()) backbone.architecture = detect_architecture(weights_.file, wanted, options.cache);
  if (is_torch_only(backbone.architecture) && request_.engine != Engine::torch) {
    request_.engine = Engine::torch;
    notes_.push_back(fmt::format("{}: {} runs on LibTorch only", backbone.name, backbone.architecture));
  }
  if (backbone.architecture == kTorchScript) {
    const int side = static_cast<int>(transform_->width());
    const std::string dim = remembered(weights_.file, options.cache / "paths" / fmt::format("programs-{}", side), [&] {
      return std::to_string(program_dim({weights_.file, weights_.sha256}, side));
    });
    program_dim_ = std::stoul(dim);
  }
  base_key_["weights"] = weights_.sha256;
  if (!backbone.branch.empty()) base_key_["branch"] = backbone.branch;
  if (!wanted.key_map.empty()) base_key_["key_map"] = wanted.key_map.sha256;
}

// Layers by their own names, and each tap once: two stores of one key would wait for each other's lock.
void Pass::resolve_taps() {
  std::vector<FeatureTap> taps;
  for (FeatureTap tap : request_.taps) {
    if (tap.layer == "final") tap.layer = final_layer(request_.backbone.architecture);
    const Pool pool = Pool::parse(tap.pool);
    const auto same = [&](const FeatureTap& other) { return other.layer == tap.layer && other.pool == tap.pool; };
    if (std::any_of(taps.begin(), taps.end(), same)) continue;
    if (tap.layer == "attnpool" && pool.name() != "avg")
      throw Error(ErrorKind::usage, fmt::format("{}: attnpool gives one vector an image", request_.backbone.name),
                  "leave --pool at avg, or name a layer with a map: --layer layer4");
    const auto known = std::find(layers_.begin(), layers_.end(), tap.layer);
    layer_of_tap_.push_back(static_cast<std::size_t>(known - layers_.begin()));
    if (known == layers_.end()) layers_.push_back(tap.layer);
    pools_.push_back(pool);
    taps.push_back(std::move(tap));
  }
  request_.taps = std::move(taps);
}

bool Pass::has(const ContentHash& content) const {
  const std::lock_guard lock(writer_mutex_);
  return std::all_of(stores_.begin(), stores_.end(),
                     [&](const FeatureStore& store) { return store.find(content) != nullptr; });
}

void Pass::start(std::vector<std::unique_ptr<FeatureWriter>> writers, int workers) {
  writers_ = std::move(writers);
  if (request_.backbone.kind == BackboneKind::colour_histogram) return;
  trunks_.resize(static_cast<std::size_t>(workers));
  build_network();
}

void Pass::build_network() {
  const Backbone& backbone = request_.backbone;
  const Network network = backbone.kind == BackboneKind::random
                              ? Network(random_resnet(backbone.architecture, backbone.seed))
                              : load_network(weights_.file, network_request(request_.backbone, request_.engine));
  trunks_[0] = make_trunk(
      network, {request_.engine, request_.precision, layers_, kTrunkBatch, static_cast<int>(transform_->width())});
  state_before_ = trunks_[0]->state_hash();
  parameters_hash_ = backbone.architecture == kTorchScript ? state_before_ : parameters_hash(network);
  engine_text_ = trunks_[0]->description();
}

Trunk& Pass::trunk_of(std::size_t worker) {
  if (!trunks_[worker]) {
    const std::lock_guard lock(trunk_mutex_);
    trunks_[worker] = trunks_[0]->replicate();
  }
  return *trunks_[worker];
}

void Pass::give(const ImageSource& source, std::shared_ptr<const Pixels> pixels, std::size_t worker) {
  std::vector<Pending> batch;
  {
    const std::lock_guard lock(pending_mutex_);
    pending_.push_back({source, std::move(pixels)});
    if (pending_.size() < static_cast<std::size_t>(kTrunkBatch)) return;
    batch.swap(pending_);
  }
  run_batch(batch, worker);
}

void Pass::run_rest() {
  if (pending_.empty()) return;
  std::vector<Pending> batch;
  batch.swap(pending_);
  run_batch(batch, 0);
}

// A short batch is padded with its first image: the batch shape never changes (see trunk.h).
void Pass::run_batch(const std::vector<Pending>& batch, std::size_t worker) {
  Trunk& trunk = trunk_of(worker);
  const Stopwatch watch;
  const std::span<float> input = trunk.input();
  const std::size_t per_image = input.size() / static_cast<std::size_t>(trunk.batch());
  for (std::size_t i = 0; i < static_cast<std::size_t>(trunk.batch()); ++i)
    transform_->normalise(*batch[i < batch.size() ? i : 0].pixels, input.data() + i * per_image);
  trunk.forward();
  for (std::size_t tap = 0; tap < stores_.size(); ++tap) {
    const FeatureMaps maps = trunk.maps(layer_of_tap_[tap]);
    const std::size_t dim = stores_[tap].key().dim;
    std::vector<float> rows(static_cast<std::size_t>(maps.batch) * dim);
    pools_[tap](maps, rows);
    for (std::size_t i = 0; i < batch.size(); ++i)
      store_rows(batch[i].source, tap, std::span(rows).subspan(i * dim, dim));
  }
  forward_seconds_ += watch.seconds();
  computed_ += batch.size();
}

void Pass::store_rows(const ImageSource& source, std::size_t store, std::span<const float> row) {
  const std::lock_guard lock(writer_mutex_);
  writers_[store]->add(source.content, source.bytes, row);
}

void Pass::give(const ImageSource& source, const Image& image) {
  store_rows(source, 0, colour_histogram(image));
  ++computed_;
}

void Pass::give_unreadable(const ImageSource& source, const std::string& reason) {
  const std::lock_guard lock(writer_mutex_);
  for (const auto& writer : writers_) writer->add_unreadable(source.content, source.bytes, reason);
}

void Pass::flush() {
  const std::lock_guard lock(writer_mutex_);
  for (const auto& writer : writers_) writer->flush();
}

void Pass::finish(std::map<std::string, double> seconds) {
  Json facts = {{"seconds", seconds}, {"images", computed_.load()}};
  if (!trunks_.empty()) {
    const std::string after = trunks_[0]->state_hash();
    if (after != state_before_)
      throw Error(ErrorKind::verification,
                  fmt::format("{}: the network's parameters changed during extraction", request_.backbone.name),
                  "these features are not of a frozen network; this is a bug or failing memory");
    facts["parameters_sha256"] = parameters_hash_;
    facts["state_sha256_before"] = state_before_;
    facts["state_sha256_after"] = after;
    facts["engine"] = engine_text_;
    facts["weights_file"] = weights_.file.filename().string();
  }
  for (const auto& writer : writers_) writer->finish(facts);
  writers_.clear();
  trunks_.clear();
}

}  // namespace vise

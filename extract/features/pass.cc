#include "extract/features/pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "extract/networks/make_trunk.h"

namespace vise::features {

Pass::Pass(const FeatureRequest& request, const ExtractOptions& options, const Context& context)
    : recipe_(make_recipe(request, options, context)) {
  const bool is_shard = !options.into.empty();
  for (std::size_t tap = 0; tap < recipe_.request.taps.size(); ++tap) {
    stores_.emplace_back(is_shard ? options.into : options.cache, recipe_.key(tap), context.log);
    // A shard writes to its own folder and only looks up the common cache, so that many
    // machines can share that one read-only.
    if (is_shard) cached_.emplace_back(options.cache, recipe_.key(tap), context.log);
  }
}

bool Pass::has(std::size_t tap, const ContentHash& content) const {
  return stores_[tap].has(content) || (!cached_.empty() && cached_[tap].has(content));
}

bool Pass::has(const ContentHash& content) const {
  const std::lock_guard lock(writer_mutex_);
  for (std::size_t tap = 0; tap < stores_.size(); ++tap)
    if (!has(tap, content)) return false;
  return true;
}

bool Pass::has_rows() const {
  const auto holds_some = [](const FeatureStore& store) { return store.size() > 0; };
  return std::ranges::any_of(stores_, holds_some) || std::ranges::any_of(cached_, holds_some);
}

// Writers first: they hold the locks, and a network takes seconds to build.
void Pass::start(std::vector<std::unique_ptr<FeatureWriter>> writers, const networks::TrunkPlan& plan) {
  writers_ = std::move(writers);
  if (!recipe_.is_floor()) build_network(plan);
}

// One trunk is made and replicated; their number is the plan's.
void Pass::build_network(const networks::TrunkPlan& plan) {
  const networks::Network network = recipe_.network();
  networks::TrunkRequest request = recipe_.trunk_request();
  request.batch = plan.batch;
  plan_ = plan;
  try {
    trunks_.emplace(networks::make_trunk(network, request), plan.trunks);
  } catch (const Error& e) {
    throw Error(e.kind(), fmt::format("{}: {}", recipe_.request.backbone.name, e.message()), e.hint());
  }
  // The hash before and after extraction shows that the network was frozen: a batch norm left
  // in training mode, or memory that fails, would change it.
  state_before_ = trunks_->first().state_hash();
  parameters_hash_ = network.graph ? state_before_ : networks::parameters_hash(network);
  engine_text_ = trunks_->first().description();
}

// Workers that wait for a GPU don't decode meanwhile, so as many more are started.
int Pass::waiting_workers() const { return trunks_ && recipe_.request.device.is_cuda() ? plan_.trunks : 0; }

Pass::Batch Pass::give(const ImageSource& source, std::shared_ptr<const Pixels> pixels) {
  const std::lock_guard lock(pending_mutex_);
  pending_.push_back({source, std::move(pixels)});
  // The images are handed out under the lock and run outside of it.
  return pending_.size() < static_cast<std::size_t>(plan_.batch) ? Batch{} : std::exchange(pending_, {});
}

Pass::Batch Pass::rest() {
  const std::lock_guard lock(pending_mutex_);
  return std::exchange(pending_, {});
}

// A short batch is padded with its first image: the batch shape never changes (see trunk.h).
void Pass::run_view(networks::Trunk& trunk, const Batch& batch, std::size_t view) {
  const images::Transform& transform = *recipe_.transform;
  const std::span<float> input = trunk.input();
  const std::size_t per_image = input.size() / static_cast<std::size_t>(trunk.batch());
  for (std::size_t i = 0; i < static_cast<std::size_t>(trunk.batch()); ++i) {
    const std::span<const std::uint8_t> pixels = *batch[i < batch.size() ? i : 0].pixels;
    transform.normalise(pixels.subspan(view * transform.bytes(), transform.bytes()), input.data() + i * per_image);
  }
  trunk.forward();
}

// From a batch's pixels to rows in the stores: forward pass, pooling of each tap, mean over views.
void Pass::run(const Batch& batch, std::size_t worker) {
  const networks::TrunkPool::Lease trunk = trunks_->borrow(worker);
  const Stopwatch watch;
  const std::size_t views = images::view_count(recipe_.request.views);
  // In double, so that a mean of views rounds once, and one view's row is returned to the bit.
  std::vector<std::vector<double>> sums(stores_.size());
  std::vector<float> rows;
  std::vector<networks::FeatureMaps> maps;
  // Views outermost: the trunk's maps are overwritten by each forward pass, so every tap
  // is pooled before the next view runs.
  for (std::size_t view = 0; view < views; ++view) {
    run_view(*trunk, batch, view);
    for (std::size_t tap = 0; tap < stores_.size(); ++tap) {
      maps.clear();
      for (const std::size_t layer : recipe_.taps.taps[tap].layers) maps.push_back(trunk->maps(layer));
      rows.resize(static_cast<std::size_t>(trunk->batch()) * stores_[tap].key().dim);
      recipe_.taps.taps[tap].pooling(maps, rows);
      sums[tap].resize(rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) sums[tap][i] += static_cast<double>(rows[i]);
    }
  }
  for (std::size_t tap = 0; tap < stores_.size(); ++tap) {
    const std::size_t dim = stores_[tap].key().dim;
    rows.assign(sums[tap].size(), 0);
    for (std::size_t i = 0; i < rows.size(); ++i)
      rows[i] = static_cast<float>(sums[tap][i] / static_cast<double>(views));
    for (std::size_t i = 0; i < batch.size(); ++i)
      store_rows(batch[i].source, tap, std::span(rows).subspan(i * dim, dim));
  }
  forward_seconds_ += watch.seconds();
  computed_ += batch.size();
}

// Blocks of several stores may be whole at different moments of a kill, so a row is looked for in each.
void Pass::store_rows(const ImageSource& source, std::size_t store, std::span<const float> row) {
  const std::lock_guard lock(writer_mutex_);
  if (has(store, source.content)) return;  // one tap's block was whole when a kill took another's
  writers_[store]->add(source.content, source.bytes, row);
}

void Pass::give(const ImageSource& source, const DecodedFile& file) {
  const ImageFunction& function = *recipe_.request.backbone.function;
  const std::vector<float> row = function.compute(file);
  if (row.size() != function.dim)
    throw Error(ErrorKind::system, fmt::format("{} gave {} numbers for an image, not {}", recipe_.request.backbone.name,
                                               row.size(), function.dim));
  store_rows(source, 0, row);
  ++computed_;
}

void Pass::give_unreadable(const ImageSource& source, const std::string& reason) {
  const std::lock_guard lock(writer_mutex_);
  for (std::size_t store = 0; store < stores_.size(); ++store)
    if (!has(store, source.content)) writers_[store]->add_unreadable(source.content, source.bytes, reason);
}

// What each writer has in memory goes to disk; called after an error or a stop.
void Pass::flush() {
  const std::lock_guard lock(writer_mutex_);
  for (const auto& writer : writers_) writer->flush();
}

void Pass::finish(std::map<std::string, double> seconds) {
  Json facts = {{"seconds", seconds}, {"images", computed_.load()}};
  if (trunks_) {
    const std::string after = trunks_->first().state_hash();
    if (after != state_before_)
      throw Error(ErrorKind::verification,
                  fmt::format("{}: the network's parameters changed during extraction", recipe_.request.backbone.name),
                  "these features are not of a frozen network; this is a bug or failing memory");
    facts["parameters_sha256"] = parameters_hash_;
    facts["state_sha256_before"] = state_before_;
    facts["state_sha256_after"] = after;
    facts["engine"] = engine_text_;
    if (!recipe_.outline.facts.empty()) {
      facts["facts"] = Json::object();  // what the tensors don't say, and who said it
      for (const networks::Fact& fact : recipe_.outline.facts)
        facts["facts"][fact.name] = {{"value", fact.value}, {"source", fact.source}};
    }
    facts["weights_file"] = recipe_.weights.file.filename().string();
  }
  for (const auto& writer : writers_) writer->finish(facts);
  writers_.clear();
  trunks_.reset();
}

}  // namespace vise::features

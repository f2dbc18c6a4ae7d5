#include "extract/features/features.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "base/error.h"
#include "base/text.h"
#include "extract/features/bad_images.h"
#include "extract/features/pass.h"
#include "extract/features/pipeline.h"
#include "extract/networks/bf16.h"

namespace vise::features {
namespace {

// The requests' passes; two requests for the same rows (one file under two names) share one.
struct Passes {
  std::vector<std::unique_ptr<Pass>> distinct;
  std::vector<Pass*> of_request;
  std::vector<std::vector<std::string>> notes;  // by request: two names of one file have their own
};

// Weights are found and stores opened here; networks are built only when a row is missing.
Passes make_passes(const std::vector<FeatureRequest>& requests, const ExtractOptions& options, const Context& context) {
  Passes passes;
  for (const FeatureRequest& request : requests) {
    auto made = std::make_unique<Pass>(request, options, context);
    passes.notes.push_back(made->recipe().notes);
    // Compared without the taps, which are part of the stores' keys only. Two requests of
    // equal base keys have their taps in one plan.
    const auto same = std::find_if(passes.distinct.begin(), passes.distinct.end(), [&](const auto& pass) {
      return pass->recipe().base_key == made->recipe().base_key;
    });
    passes.of_request.push_back(same == passes.distinct.end() ? made.get() : same->get());
    if (same == passes.distinct.end()) passes.distinct.push_back(std::move(made));
  }
  return passes;
}

// The order of work: what files hold (path cache), which rows are missing (stores), one pipeline for all of them,
// then a check of every row that is handed out.
class Extraction {
 public:
  Extraction(const datasets::Dataset& dataset, const std::vector<FeatureRequest>& requests,
             const ExtractOptions& options, const Context& context)
      : dataset_(dataset),
        options_(options),
        context_(context),
        requests_(requests),
        passes_(make_passes(requests, options, context)),
        known_paths_(images_of(options.into.empty() ? options.cache : options.into)),
        cached_paths_(images_of(options.into.empty() ? Path() : options.cache)) {}

  std::vector<Features> run() {
    compute();
    return collect();
  }

  void compute() {
    identify_files();
    // A second round follows when rows that the journal promised turn out to be damaged.
    do compute_missing();
    while (check_rows() > 0);
  }

 private:
  static Path images_of(const Path& cache) { return cache.empty() ? Path() : cache / "paths" / "images"; }

  const std::string* known_content(const FileIdentity& identity) {
    const std::string* const known = known_paths_.find(identity);
    return known || options_.into.empty() ? known : cached_paths_.find(identity);
  }

  // One stat a file. After this contents_ is known for files that didn't change since a cache last saw them.
  void identify_files() {
    identities_.reserve(dataset_.size());
    contents_.resize(dataset_.size());
    known_.resize(dataset_.size());
    for (std::uint32_t item = 0; item < dataset_.size(); ++item) {
      identities_.push_back(identify(item));
      if (const std::string* content = known_content(identities_[item])) {
        contents_[item] = ContentHash::parse(*content);
        known_[item] = true;
      }
    }
  }

  // A missing file is named with its item and the root below which it is looked for.
  FileIdentity identify(std::uint32_t item) const {
    try {
      return dataset_.identity(item);
    } catch (const Error& e) {
      throw Error(e.kind(), fmt::format("{}: image '{}': {}", dataset_.name, dataset_.ids[item], e.message()),
                  fmt::format("images are looked for below {}", dataset_.root.string()));
    }
  }

  bool is_complete(std::uint32_t item) const {
    return known_[item] && (!dataset_.wants_features(item) ||
                            std::all_of(passes_.distinct.begin(), passes_.distinct.end(),
                                        [&](const auto& pass) { return pass->has(contents_[item]); }));
  }

  // Whose content, or whose row under some pass, is not known; in the order in which they are read.
  std::vector<std::uint32_t> open_items() const {
    std::vector<std::uint32_t> items;
    for (std::uint32_t item = 0; item < dataset_.size(); ++item)
      if (!is_complete(item)) items.push_back(item);
    dataset_.sort_for_reading(items);
    return items;
  }

  // A pass is started when it lacks a wanted row of a known content, or when that content is not known yet.
  std::vector<Pass*> passes_to_start(const std::vector<std::uint32_t>& items) const {
    std::vector<Pass*> started;
    for (const auto& pass : passes_.distinct)
      if (std::any_of(items.begin(), items.end(), [&](std::uint32_t item) {
            return dataset_.wants_features(item) && (!known_[item] || !pass->has(contents_[item]));
          }))
        started.push_back(pass.get());
    return started;
  }

  // Open items are listed three times: each step before may have made some of them known.
  void compute_missing() {
    std::vector<std::uint32_t> items = open_items();
    if (items.empty()) return;
    learn_contents(items);
    items = open_items();
    if (items.empty()) return;
    // Only now is a network built: a run that lacks nothing opens no checkpoint.
    const std::vector<Pass*> started = passes_to_start(items);
    say_what_tokens_cost(items, started);
    say_what_is_faster(started);
    // The locks are taken here, before the open items are listed again.
    start(started);
    items = open_items();  // another process may have computed some while we waited for its lock
    const Stopwatch wall;
    // All passes run in one pipeline, so that each file is read and decoded once for all backbones.
    const PipelineWork work = compute(items, started);
    decoded_ += work.decoded;
    resized_ += work.resized;
    for (Pass* pass : started) {
      seconds_[pass] = work.seconds;
      seconds_[pass]["forward"] = pass->forward_seconds();
      seconds_[pass]["wall"] = wall.seconds();
      pass->finish(seconds_[pass]);
    }
  }

  // Tokens take hundreds of times the room of pooled rows: said before the first is written.
  void say_what_tokens_cost(const std::vector<std::uint32_t>& items, const std::vector<Pass*>& started) const {
    for (const Pass* const pass : started)
      for (const PlannedTap& tap : pass->recipe().taps.taps) {
        if (tap.tokens == 1) continue;
        const std::size_t bytes = 2 * tap.dim;
        context_.log.info(
            fmt::format("{}: {} of {} are kept as {} tokens x {} channels in fp16: {} bytes an image, {:.1f} MB for {} "
                        "image(s), in {}",
                        pass->recipe().request.backbone.name, tap.tap.pool, tap.tap.layer, tap.tokens,
                        tap.dim / tap.tokens, bytes, 1e-6 * static_cast<double>(bytes * items.size()), items.size(),
                        (options_.into.empty() ? options_.cache : options_.into).string()));
      }
  }

  // Of fp32 on a CPU that computes bf16 much faster. Not said by warm runs, which compute nothing.
  void say_what_is_faster(const std::vector<Pass*>& started) const {
    const bool could = std::ranges::any_of(started, [](const Pass* pass) { return pass->recipe().could_be_bf16(); });
    if (!could || networks::bf16_gain() < networks::kMuchFaster) return;
    context_.log.info(fmt::format(
        "note: this CPU's bf16 products are {:.1f} times as fast as those of fp32 (measured now); --precision "
        "bf16 makes features of its own, rounded more",
        networks::bf16_gain()));
  }

  // What files hold is written down every few seconds: after a kill, too, nothing finished is read again.
  PipelineWork compute(const std::vector<std::uint32_t>& items, const std::vector<Pass*>& started) {
    constexpr double kSaveEvery = 10;
    Stopwatch since_save;
    const auto learn_and_save = [&](const ReadFile& read) {
      learn(read);
      if (since_save.seconds() < kSaveEvery) return;
      known_paths_.save();
      since_save = {};
    };
    try {
      PipelineWork work = run_pipeline(dataset_, items, started, learn_and_save, options_, context_);
      known_paths_.save();
      return work;
    } catch (...) {
      known_paths_.save();
      throw;
    }
  }

  // Files that were moved, copied or touched: one read each tells whether their rows exist, before any network is
  // built. The first picture without rows ends it: its network is needed anyhow, and the pipeline reads each file once.
  // Skipped in a first run, where the store is empty.
  void learn_contents(const std::vector<std::uint32_t>& items) {
    const bool some_rows = std::any_of(passes_.distinct.begin(), passes_.distinct.end(),
                                       [](const auto& pass) { return pass->has_rows(); });
    if (!some_rows) return;
    for (const std::uint32_t item : items) {
      if (known_[item]) continue;
      context_.throw_if_stopped();
      learn({item, content_hash(dataset_.read(item))});
      if (!is_complete(item)) break;
    }
    known_paths_.save();
  }

  void learn(const ReadFile& read) {
    contents_[read.item] = read.content;
    known_[read.item] = true;
    known_paths_.put(identities_[read.item], read.content.str());
  }

  // Locks are taken in the order of the keys, the same in every process, so that two processes can't wait for each
  // other.
  void start(const std::vector<Pass*>& started) {
    std::map<std::string, std::pair<Pass*, std::size_t>> by_key;
    for (Pass* pass : started)
      for (std::size_t tap = 0; tap < pass->stores().size(); ++tap)
        by_key[pass->stores()[tap].key().str()] = {pass, tap};
    std::map<Pass*, std::vector<std::unique_ptr<FeatureWriter>>> writers;
    for (Pass* pass : started) writers[pass].resize(pass->stores().size());
    for (const auto& [key, place] : by_key)
      writers[place.first][place.second] =
          std::make_unique<FeatureWriter>(place.first->stores()[place.second], context_);
    for (Pass* pass : started)
      pass->start(std::move(writers[pass]), networks::trunk_plan(pass->recipe().request.device, context_.threads));
  }

  // Row numbers by item, from the store's index.
  std::vector<std::uint32_t> rows_of(const FeatureStore& store) const {
    std::vector<std::uint32_t> rows(dataset_.size(), kNoRow);
    for (std::uint32_t item = 0; item < dataset_.size(); ++item) rows[item] = store.row(contents_[item]);
    return rows;
  }

  // Every block that holds a row of this run is read and compared with its checksum. Returns how many are damaged.
  std::size_t check_rows() {
    std::size_t failed = 0;
    for (const auto& pass : passes_.distinct)
      for (FeatureStore& store : pass->stores()) {
        failed += store.check_rows(rows_of(store), context_.log);
        mend(store);
      }
    return failed;
  }

  // What numpy and `extract --out` read beside the rows. A cache that can't be written stays as it is.
  void mend(FeatureStore& store) {
    if (store.size() == 0 || (store.has_sound_header() && store.has_sound_facts())) return;
    context_.log.warn(fmt::format("{}: the header of features.npy or features.json is damaged; written again",
                                  store.folder().string()));
    try {
      const FeatureWriter writer(store, context_);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::system) throw;
    }
  }

  std::vector<Features> collect() {
    std::vector<Features> all;
    for (std::size_t request = 0; request < requests_.size(); ++request)
      for (std::size_t tap = 0; tap < passes_.of_request[request]->stores().size(); ++tap)
        all.push_back(features_of(request, tap));
    return all;
  }

  // One request's view of a store: rows by item, and what the run has to say about it.
  Features features_of(std::size_t request, std::size_t tap) {
    Pass& pass = *passes_.of_request[request];
    const FeatureStore& store = pass.stores()[tap];
    Features features;
    features.request = request;
    features.backbone = requests_[request].backbone.name;
    features.tap = pass.recipe().request.taps[tap];
    features.key = store.key();
    features.folder = store.folder();
    features.dim = store.key().dim;
    if (!pass.recipe().is_floor()) features.tokens = pass.recipe().taps.taps[tap].tokens;
    // `cache gc` removes what wasn't used for longest.
    store.mark_used();
    features.rows = rows_of(store);
    features.contents = contents_;
    features.notes = passes_.notes[request];
    features.computed = pass.computed();
    features.decoded = decoded_;
    features.resized = resized_;
    if (const auto known = seconds_.find(&pass); known != seconds_.end()) features.seconds = known->second;
    for (std::uint32_t item = 0; item < dataset_.size(); ++item)
      if (features.rows[item] == kNoRow && dataset_.wants_features(item))
        // Every wanted content has an entry here: compute() repeats until nothing is missing, and
        // an image that couldn't be read was entered with its reason.
        features.unreadable[item] = store.find(contents_[item])->reason;
    refuse_unreadable(features);
    // With no row at all there may be no file to map.
    if (features.unreadable.size() < dataset_.size())
      features.map =
          std::make_shared<const FeatureMap>(features.tokens > 1 ? store.halves() : store.map(features.rows));
    return features;
  }

  // The store may know an image as unreadable from an earlier run that skipped it.
  void refuse_unreadable(const Features& features) const {
    if (options_.on_bad_image == BadImagePolicy::skip || features.unreadable.empty()) return;
    std::vector<BadImage> bad;
    for (const auto& [item, reason] : features.unreadable) bad.push_back({dataset_.ids[item], reason, {}});
    throw_bad_images(std::move(bad));
  }

  const datasets::Dataset& dataset_;
  const ExtractOptions& options_;
  const Context& context_;
  const std::vector<FeatureRequest>& requests_;
  Passes passes_;
  PathCache known_paths_;   // where rows are written
  PathCache cached_paths_;  // of options.cache, where that is another
  std::vector<FileIdentity> identities_;
  std::vector<ContentHash> contents_;
  std::vector<bool> known_;
  std::map<const Pass*, std::map<std::string, double>> seconds_;
  std::size_t decoded_ = 0, resized_ = 0;
};

}  // namespace

std::vector<Features> extract_features(const datasets::Dataset& dataset, const std::vector<FeatureRequest>& requests,
                                       const ExtractOptions& options, const Context& context) {
  assert(options.into.empty());  // rows would be in two stores
  return Extraction(dataset, requests, options, context).run();
}

void extract_missing(const datasets::Dataset& dataset, const std::vector<FeatureRequest>& requests,
                     const ExtractOptions& options, const Context& context) {
  Extraction(dataset, requests, options, context).compute();
}

}  // namespace vise::features

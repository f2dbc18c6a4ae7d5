// One backbone on its way over the images: its weights, its keys and stores, and its network once somebody needs it.
//
// Life: construction resolves weights and opens the stores (cheap, no network); start() builds the network and takes
// the stores' write locks; then give() and run() may be called from many threads, each with its own number: give()
// hands out the batch that an image fills, and anyone may run it. rest() is the last batch, run padded; finish() closes
// the stores.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "extract/features/recipe.h"
#include "extract/images/image.h"
#include "extract/networks/trunk_pool.h"

namespace vise::features {

using Pixels = std::vector<std::uint8_t>;  // views x height x width x 3, after a transform

// An image's identity as its bytes were read.
struct ImageSource {
  ContentHash content;
  std::uint64_t bytes = 0;
};

class Pass {
 public:
  Pass(const FeatureRequest& request, const ExtractOptions& options, const Context& context);

  const Recipe& recipe() const { return recipe_; }
  std::vector<FeatureStore>& stores() { return stores_; }

  // Whether every store, or the cache's where the stores are a shard's, has this image as a row or as unreadable. Safe
  // beside give().
  bool has(const ContentHash& content) const;
  // Whether any image could be known.
  bool has_rows() const;

  // `writers`: one a store, locked by the caller in an order that is the same in every process.
  void start(std::vector<std::unique_ptr<FeatureWriter>> writers, const networks::TrunkPlan& plan);
  bool started() const { return !writers_.empty(); }
  // Workers that wait for another device than the CPU while they are in run(): so many more keep every core busy.
  int waiting_workers() const;
  struct BatchImage {
    ImageSource source;
    std::shared_ptr<const Pixels> pixels;
  };
  using Batch = std::vector<BatchImage>;
  // The batch that this image fills, or an empty one.
  Batch give(const ImageSource& source, std::shared_ptr<const Pixels> pixels);
  void give(const ImageSource& source, const DecodedFile& file);
  void give_unreadable(const ImageSource& source, const std::string& reason);
  // What is left after the last give(): fewer images than a batch, perhaps none.
  Batch rest();
  // The views of an image go through the network one after the other, each in the same place of its batch, and their
  // pooled rows are averaged: rows, not maps, so that the order of pooling and averaging is the published one.
  void run(const Batch& batch, std::size_t worker);
  // Error{verification} if the network's parameters changed. Writes features.json with the timings.
  void finish(std::map<std::string, double> seconds);
  // Keeps what was finished, after an error or a stop.
  void flush();

  double forward_seconds() const { return forward_seconds_; }
  std::size_t computed() const { return computed_; }

 private:
  void build_network(const networks::TrunkPlan& plan);
  void run_view(networks::Trunk& trunk, const Batch& batch, std::size_t view);
  void store_rows(const ImageSource& source, std::size_t store, std::span<const float> row);

  Recipe recipe_;
  bool has(std::size_t tap, const ContentHash& content) const;

  std::vector<FeatureStore> stores_;  // one a tap
  std::vector<FeatureStore> cached_;  // of a shard: what the cache has, by tap; only read

  networks::TrunkPlan plan_;
  std::optional<networks::TrunkPool> trunks_;
  std::string state_before_, parameters_hash_, engine_text_;
  std::mutex pending_mutex_;
  mutable std::mutex writer_mutex_;  // also guards the stores, which writers add to
  Batch pending_;
  std::vector<std::unique_ptr<FeatureWriter>> writers_;
  std::atomic<double> forward_seconds_{0};
  std::atomic<std::size_t> computed_{0};
};

}  // namespace vise::features

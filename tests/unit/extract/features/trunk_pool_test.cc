// Few trunks for many workers, as a CUDA device has them: the same code with networks on the CPU.
#include "extract/networks/trunk_pool.h"

#include <atomic>
#include <cmath>
#include <thread>

#include "extract/features/pipeline.h"
#include "tests/unit/extract/drawn.h"

namespace vise::features {
namespace {

// Does nothing, and knows which replica it is.
class NumberedTrunk final : public networks::Trunk {
 public:
  explicit NumberedTrunk(std::shared_ptr<std::atomic<int>> made) : made_(std::move(made)), number_((*made_)++) {}
  std::span<float> input() override { return {}; }
  void forward() override {}
  networks::FeatureMaps maps(std::size_t) override { return {}; }
  int batch() const override { return number_; }
  std::unique_ptr<networks::Trunk> replicate() const override { return std::make_unique<NumberedTrunk>(made_); }
  std::string state_hash() const override { return {}; }
  std::string description() const override { return {}; }

 private:
  std::shared_ptr<std::atomic<int>> made_;
  int number_;
};

std::unique_ptr<networks::Trunk> numbered(std::shared_ptr<std::atomic<int>> made) {
  return std::make_unique<NumberedTrunk>(std::move(made));
}

TEST(TrunkPool, KeepsAWorkersOwnTrunkForIt) {
  networks::TrunkPool pool(numbered(std::make_shared<std::atomic<int>>(0)), 3);
  const int of_two = pool.borrow(2)->batch();
  const networks::TrunkPool::Lease other = pool.borrow(0);
  EXPECT_EQ(pool.borrow(2)->batch(), of_two);
  EXPECT_NE(other->batch(), of_two);
}

TEST(TrunkPool, NeverLendsMoreThanItHas) {
  const auto made = std::make_shared<std::atomic<int>>(0);
  networks::TrunkPool pool(numbered(made), 2);
  std::atomic<int> lent = 0, most = 0, turns = 0;
  {
    std::vector<std::jthread> workers;
    for (std::size_t worker = 0; worker < 6; ++worker)
      workers.emplace_back([&, worker] {
        for (int turn = 0; turn < 50; ++turn) {
          const networks::TrunkPool::Lease trunk = pool.borrow(worker);
          most = std::max(most.load(), ++lent);
          std::this_thread::yield();
          --lent;
          ++turns;
        }
      });
  }
  EXPECT_EQ(turns, 300);
  EXPECT_LE(most, 2);
  EXPECT_LE(*made, 2);
}

TEST(TrunkPool, GivesATrunkBackAfterAnError) {
  networks::TrunkPool pool(numbered(std::make_shared<std::atomic<int>>(0)), 1);
  EXPECT_THROW(
      {
        const networks::TrunkPool::Lease trunk = pool.borrow(0);
        throw std::runtime_error("forward() failed");
      },
      std::runtime_error);
  EXPECT_EQ(pool.borrow(5)->batch(), 0);
}

class SharedTrunks : public test::DrawnImages, public testing::WithParamInterface<networks::Engine> {
 protected:
  // Every item's row, computed by the pipeline under another plan than the device's own.
  std::vector<std::vector<float>> rows_under(const networks::TrunkPlan& plan, const datasets::Dataset& dataset,
                                             int threads) {
    const test::ScratchDir cache;
    ExtractOptions options = options_;
    options.cache = cache.path();
    const Context context{log_, {}, threads};
    Pass pass({.backbone = parse_backbone("random-resnet18"), .engine = GetParam()}, options, context);
    std::vector<std::unique_ptr<FeatureWriter>> writers;
    writers.push_back(std::make_unique<FeatureWriter>(pass.stores()[0], context));
    pass.start(std::move(writers), plan);
    std::vector<std::uint32_t> items(dataset.size());
    for (std::uint32_t i = 0; i < items.size(); ++i) items[i] = i;
    std::vector<ContentHash> contents(items.size());
    run_pipeline(
        dataset, items, {&pass}, [&](const ReadFile& read) { contents[read.item] = read.content; }, options, context);
    pass.finish({});
    const FeatureMap map = pass.stores()[0].map();
    const std::size_t dim = pass.stores()[0].key().dim;
    std::vector<std::vector<float>> rows;
    for (const ContentHash& content : contents) {
      const auto values = map.values.subspan(pass.stores()[0].row(content) * dim, dim);
      rows.emplace_back(values.begin(), values.end());
    }
    return rows;
  }
};

double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(difference / norm);
}

// LibTorch's rows differ by up to 2.8e-7 (relative) between batches: another order of sums. The bar is the features'
// own.
TEST_P(SharedTrunks, GiveTheRowsOfOneTrunkAWorker) {
  if (GetParam() == networks::Engine::torch && !test::have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
  const datasets::Dataset data = dataset(put_several(11));  // a whole batch of 8, and a part
  const auto own = rows_under({networks::kTrunkBatch, 2}, data, 2);
  for (const networks::TrunkPlan& plan : {networks::TrunkPlan{8, 1}, networks::TrunkPlan{8, 2}}) {
    const auto shared = rows_under(plan, data, 4);
    for (std::size_t i = 0; i < own.size(); ++i) EXPECT_LE(relative_error(shared[i], own[i]), 1e-6) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, SharedTrunks, testing::Values(networks::Engine::onednn, networks::Engine::torch),
                         [](const auto& i) { return std::string(networks::engine_name(i.param)); });

}  // namespace
}  // namespace vise::features

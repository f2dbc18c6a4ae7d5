// Which of a network's parameters fine-tuning changes, how fast, and what its head reads: asked of the training state.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/module.h"
#include "base/random.h"
#include "experiments/torch/entry.h"
#include "extract/networks/checkpoint/read_checkpoint.h"
#include "extract/networks/checkpoint/state_dict.h"
#include "extract/networks/families/vit/vit.h"
#include "extract/networks/make_trunk.h"
#include "extract/networks/pooling.h"
#include "extract/networks/trunk.h"
#include "tests/shared.h"
#include "tests/torch_module.h"

namespace vise::experiments {
namespace {

constexpr int kSide = 32, kBlocks = 4;
constexpr std::size_t kImages = 4, kClasses = 3, kPixels = 3 * kSide * kSide;

class Training : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
    networks::RandomWeights weights("training-test", 0);
    networks::VitSpec spec;
    spec.width = 32;
    spec.depth = kBlocks;
    spec.heads = 2;
    spec.patch = 8;
    spec.hidden = 64;
    spec.grid = kSide / spec.patch;
    spec.distillation_token = true;
    network_ = networks::build_vit(spec, weights);
    RandomStream random("training-test/images", 0);
    for (float& v : images_) v = static_cast<float>(random.normal());
    for (std::size_t i = 0; i < kImages; ++i) targets_[i * kClasses + i % kClasses] = 1;
  }

  // One step of SGD: first moments are then its gradients.
  FinetuneResult train(const std::string& pool, std::int64_t blocks, double rate) {
    Silent log;
    const Context context{log, {}, 1};
    FinetuneJob job;
    job.network = &network_;
    job.layer = "final";
    job.pool = pool;
    job.settings = {.blocks = blocks,
                    .rate = rate,
                    .stage_rate = 0.5,
                    .weight_decay = 0,
                    .epochs = 1,
                    .warmup = 0,
                    .batch = kImages,
                    .cosine = false,
                    .metric = "",
                    .device = "cpu"};
    job.side = kSide;
    job.train = {kImages,
                 [&](std::size_t i, std::int64_t, float* chw) { std::copy_n(&images_[i * kPixels], kPixels, chw); }};
    job.test = job.train;
    job.targets = targets_;
    job.outputs = kClasses;
    job.checkpoint = dir_ / "state.safetensors";
    job.context = &context;
    std::filesystem::remove(job.checkpoint);
    FinetuneResult result;
    Module::torch().symbol<FinetuneEntry>("vise_torch_finetune")(job, result);
    state_ = networks::read_checkpoint(job.checkpoint);
    return result;
  }

  // Number `i` of the state; empty past its end.
  std::vector<float> kept(std::size_t i) const {
    const auto found = std::ranges::find(state_.tensors, fmt::format("now.{}", i), &networks::NamedTensor::name);
    return found == state_.tensors.end() ? std::vector<float>() : found->tensor.to_floats();
  }

  // Below the head: the last block, with the norm after it, 1; the first, with the tokens before it, 4.
  static int depth_of(const std::string& op) {
    if (op.starts_with("norm")) return 1;
    return op.starts_with("blocks.") ? kBlocks - (op[7] - '0') : kBlocks;
  }

  // The parameters down to a depth, each once, in forward order, and their depths. Norms after earlier blocks are the
  // last norm, and are needed where several blocks are read.
  std::vector<std::pair<const networks::Parameter*, int>> expected(std::int64_t blocks, bool of_several_blocks) const {
    std::vector<std::pair<const networks::Parameter*, int>> found;
    for (const networks::Op& op : network_.ops) {
      const int depth = depth_of(op.name);
      if (depth > blocks || (op.name.starts_with("norm-") && !of_several_blocks)) continue;
      for (const networks::Parameter* parameter : networks::parameters(op))
        if (std::ranges::none_of(
                found, [&](const auto& known) { return known.first->values().data() == parameter->values().data(); }))
          found.emplace_back(parameter, depth);
    }
    return found;
  }

  // The rows that features of that pool have.
  std::vector<float> rows(const networks::Pooling& pooling) const {
    const networks::Outline seen = networks::outline(network_);
    const std::vector<std::string> layers = pooling.layers(seen, "final");
    const auto trunk = networks::make_trunk(
        network_,
        {.engine = networks::Engine::torch, .layers = layers, .batch = static_cast<int>(kImages), .side = kSide});
    std::ranges::copy(images_, trunk->input().begin());
    trunk->forward();
    std::vector<networks::FeatureMaps> maps;
    for (std::size_t i = 0; i < layers.size(); ++i) maps.push_back(trunk->maps(i));
    std::vector<float> rows(kImages * pooling.dim(seen, "final"));
    pooling(maps, rows);
    return rows;
  }

  test::ScratchDir dir_;
  networks::Network network_;
  std::vector<float> images_ = std::vector<float>(kImages * kPixels);
  std::vector<float> targets_ = std::vector<float>(kImages * kClasses);
  networks::Checkpoint state_;
};

TEST_F(Training, ChangesTheLastBlocksAtRatesByDepth) {
  constexpr double kRate = 0.1;
  for (const std::string pool : {"cls+dist", "last4"})
    for (const std::int64_t blocks : {1, 3, 0}) {
      train(pool, blocks, kRate);
      const auto learned = expected(blocks == 0 ? kBlocks : blocks, pool == "last4");
      const std::size_t count = 2 + learned.size();  // the head's two first
      for (std::size_t i = 0; i < learned.size(); ++i) {
        const auto& [parameter, depth] = learned[i];
        const std::vector<float> after = kept(2 + i), gradient = kept(count + 2 + i);
        ASSERT_EQ(after.size(), parameter->size());
        ASSERT_EQ(gradient.size(), parameter->size());
        double difference = 0, norm = 0;
        for (std::size_t j = 0; j < after.size(); ++j) {
          const double step = kRate * std::pow(0.5, depth) * static_cast<double>(gradient[j]);
          const double moved = static_cast<double>(parameter->values()[j]) - static_cast<double>(after[j]);
          difference = std::max(difference, std::abs(moved - step));
          norm = std::max(norm, std::abs(static_cast<double>(gradient[j])));
        }
        EXPECT_LE(difference, 1e-7) << pool << " " << blocks << " " << i;  // a rounding of the value
        EXPECT_GT(norm, 0) << pool << " " << blocks << " " << i;
      }
      EXPECT_TRUE(kept(2 * count).empty()) << pool << " " << blocks;
    }
}

TEST_F(Training, ReadsTheRowsThatFeaturesAre) {
  for (const std::string pool : {"avg", "max", "gem:3", "cls", "cls+avg", "cls+dist", "last4", "last4+avg"}) {
    const FinetuneResult result = train(pool, 1, 0);
    const std::vector<float> read = rows(networks::Pooling::parse(pool)), weight = kept(0);
    const std::size_t dim = read.size() / kImages;
    ASSERT_EQ(weight.size(), kClasses * dim) << pool;
    for (std::size_t i = 0; i < kImages * kClasses; ++i) {
      double score = 0;
      for (std::size_t c = 0; c < dim; ++c)
        score +=
            static_cast<double>(read[i / kClasses * dim + c]) * static_cast<double>(weight[i % kClasses * dim + c]);
      EXPECT_NEAR(result.test_scores[i], score, 1e-6) << pool;
    }
  }
}

TEST_F(Training, RefusesMoreBlocksThanThereAre) {
  EXPECT_NO_THROW(train("cls", kBlocks, 0));
  EXPECT_THROW(train("cls", kBlocks + 1, 0), Error);
}

TEST(FinetuneSettings, CountBlocksFromTheEnd) {
  const auto blocks = [](const std::string& text) { return probes::parse_finetune({{{"unfreeze", text}}, 0}).blocks; };
  EXPECT_EQ(probes::parse_finetune({}).blocks, 1);
  EXPECT_EQ(blocks("last"), 1);
  EXPECT_EQ(blocks("7"), 7);
  EXPECT_EQ(blocks("all"), 0);
  for (const char* wrong : {"", "0", "-1", "layer3", "first", "1.5"}) EXPECT_THROW(blocks(wrong), Error) << wrong;
}

// A cell's key is made of identity(): what 0.1 computed stays valid.
TEST(FinetuneSettings, KeepTheWordsOf01InKeys) {
  const probes::FinetuneSettings last = probes::parse_finetune({{{"unfreeze", "layer4"}}, 0});
  EXPECT_EQ(last.blocks, 1);
  EXPECT_EQ(last.describe().at("unfreeze"), "last");
  EXPECT_EQ(last.identity().at("unfreeze"), "layer4");
  EXPECT_EQ(probes::parse_finetune({{{"unfreeze", "2"}}, 0}).identity().at("unfreeze"), "2");
}

}  // namespace
}  // namespace vise::experiments

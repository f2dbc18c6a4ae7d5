// The attentive probe as a cell of a run: its tokens beside the others' pooled rows, their cost, and what has no
// tokens.
#include <gtest/gtest.h>

#include <mutex>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "extract/features/taps.h"
#include "tests/torch_module.h"
#include "tests/unit/experiments/drawn_data.h"

namespace vise::experiments {
namespace {

constexpr const char* kProbe = "attentive,heads=3,epochs=4,warmup=1,lr=0.001,weight-decay=0.1";
constexpr const char* kVit = "random,arch=vit-ti16";

// Keeps the messages.
class Listener final : public Log {
 public:
  void info(std::string_view text) override { add(text); }
  void warn(std::string_view text) override { add(text); }
  void progress(std::string_view, std::uint64_t, std::uint64_t) override {}
  std::string said;

 private:
  void add(std::string_view text) {
    const std::lock_guard lock(mutex_);
    said += std::string(text) + "\n";
  }
  std::mutex mutex_;
};

class AttentiveRun : public testing::Test {
 protected:
  void SetUp() override {
    test::register_everything();
    if (!test::have_torch()) GTEST_SKIP() << "skipped: built without LibTorch";
    request_ = test::drawn_request(dir_ / "d", dir_ / "a");
    request_.backbones = {kVit};
  }
  RunOutcome go(int threads = 2) { return run(request_, Context{log_, {}, threads}); }
  const std::string& said() const { return log_.said; }

  test::ScratchDir dir_;
  Listener log_;
  RunRequest request_;
};

TEST_F(AttentiveRun, KeepsTokensInFp16BesideTheOthersRowsAndSaysWhatTheyCost) {
  request_.probes = {"logreg,C=1", kProbe};
  const RunOutcome outcome = go();
  ASSERT_EQ(outcome.results.size(), 2u);
  EXPECT_EQ(outcome.results[0].cell.pool, "cls");
  EXPECT_EQ(outcome.results[1].cell.pool, "tokens");
  EXPECT_TRUE(outcome.results[1].ok()) << outcome.results[1].error;
  // 14 x 14 patches of 192 channels and 2 bytes.
  EXPECT_NE(said().find("196 tokens x 192 channels in fp16: 75264 bytes an image, 3.6 MB for 48 image(s)"),
            std::string::npos)
      << said();
  std::size_t of_tokens = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(request_.extract.cache)) {
    if (entry.path().filename() != "features.json") continue;
    const Json facts = Json::parse(read_text_file(entry.path()));
    EXPECT_EQ(facts["rows"], 48);
    if (facts["key"].value("pool", "") != "tokens") continue;
    ++of_tokens;
    EXPECT_EQ(facts["key"]["storage"], "fp16");
    EXPECT_EQ(facts["dim"], 196 * 192);
  }
  EXPECT_EQ(of_tokens, 1u);
}

TEST_F(AttentiveRun, FitsNothingTwiceAndGivesTheSameWhateverTheThreads) {
  request_.probes = {kProbe};
  const RunOutcome first = go(1);
  ASSERT_TRUE(first.results.at(0).ok()) << first.results[0].error;
  EXPECT_EQ(go().reused, 1u);
  request_.out = dir_ / "b";
  log_.said.clear();
  const RunOutcome second = go(2);
  EXPECT_EQ(second.fitted, 1u);
  EXPECT_EQ(said().find("in fp16"), std::string::npos);  // nothing was written
  EXPECT_EQ(second.results[0].key, first.results[0].key);
  const Path scores = first.results[0].scores_file;
  EXPECT_EQ(read_text_file(dir_ / "a" / scores), read_text_file(dir_ / "b" / scores));
}

TEST_F(AttentiveRun, FailsTheCellsOfFloorsWithTheReason) {
  request_.backbones = {"colour-histogram", kVit};
  request_.probes = {kProbe};
  const RunOutcome outcome = go();
  ASSERT_EQ(outcome.results.size(), 2u);
  EXPECT_FALSE(outcome.results[0].ok());
  EXPECT_NE(outcome.results[0].error.find("these rows are pooled"), std::string::npos) << outcome.results[0].error;
  EXPECT_TRUE(outcome.results[1].ok());
}

TEST_F(AttentiveRun, TakesThePlacesOfAMapForTokens) {
  request_.backbones = {"random,arch=resnet18,side=64"};
  request_.probes = {"attentive,epochs=2,warmup=0,lr=0.001,weight-decay=0.1"};
  const RunOutcome outcome = go();
  EXPECT_TRUE(outcome.results.at(0).ok()) << outcome.results[0].error;
  EXPECT_NE(said().find("4 tokens x 512 channels"), std::string::npos) << said();
}

// What is usually probed may be a vector that was made of the tokens.
TEST_F(AttentiveRun, TakesTheLastTokensWhereNoLayerIsNamed) {
  networks::Outline clip;
  clip.layers = {{"block1", 8, 1, false, 2, 2},
                 {"final", 8, 1, false, 2, 2},
                 {"pre", 8, 0, true, 1, 1},
                 {"post", 4, 0, true, 1, 1}};
  clip.default_layer = "post";
  clip.default_pool = "avg";
  const auto layer = [&](const std::string& asked) {
    return features::plan_taps(clip, {{asked, "tokens"}}, {"default", "default"}, 224).taps.at(0).tap.layer;
  };
  EXPECT_EQ(layer("default"), "final");
  EXPECT_EQ(layer("block1"), "block1");
  EXPECT_THROW(layer("post"), Error);
  EXPECT_EQ(features::plan_taps(clip, {{"all", "tokens"}}, {"default", "default"}, 224).taps.size(), 2u);
}

TEST_F(AttentiveRun, RefusesVectorsAndTheOtherProbesTokens) {
  const auto refusal = [&] {
    try {
      go();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      EXPECT_NE(e.hint(), "");
      return e.message();
    }
    return std::string();
  };
  request_.probes = {"logreg"};
  request_.taps = {{"final", "tokens"}};
  EXPECT_NE(refusal().find("probe logreg reads pooled rows, not tokens"), std::string::npos);
  request_.probes = {kProbe};
  request_.backbones = {"random,arch=clip-rn50"};
  request_.taps = {{"attnpool", "default"}};
  EXPECT_NE(refusal().find("attnpool gives one vector an image"), std::string::npos);
}

}  // namespace
}  // namespace vise::experiments

#include "experiments/finetune.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/error.h"
#include "datasets/open_data.h"
#include "probes/evaluate.h"
#include "tests/torch_module.h"
#include "tests/unit/experiments/drawn_data.h"

namespace vise::experiments {
namespace {

// Asks to stop once `epochs` are done.
class StoppingLog final : public Log {
 public:
  StoppingLog(std::stop_source& source, std::uint64_t epochs) : source_(source), epochs_(epochs) {}
  void info(std::string_view) override {}
  void warn(std::string_view) override {}
  void progress(std::string_view what, std::uint64_t done, std::uint64_t) override {
    if (what == "finetune: epochs" && done == epochs_) source_.request_stop();
  }

 private:
  std::stop_source& source_;
  std::uint64_t epochs_;
};

// 48 drawn squares of 16 x 16, seen at 32 x 32 by a random ResNet-18.
class FinetuneTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::have_torch()) GTEST_SKIP() << "skipped: built without the LibTorch module";
    test::register_everything();
    dataset_ = datasets::open_data_path(test::write_drawn_data(dir_ / "d"), log_);
    backbone_.name = "random";
    backbone_.kind = features::BackboneKind::random;
    backbone_.architecture = "resnet18";
    backbone_.transform = "resize=36,crop=32";
    extract_.cache = dir_ / "cache";
  }

  FittedAndTested tune(const std::map<std::string, std::string>& options, const Context& context,
                       const Path& checkpoint = {}, bool with_val = true) {
    std::map<std::string, std::string> all{{"batch", "8"}, {"optimizer", "adamw"}, {"lr", "0.001"}, {"warmup", "0"}};
    for (const auto& [key, value] : options) all[key] = value;
    const datasets::Split& split = *dataset_.official;
    const std::vector<std::uint32_t> train = split.items(datasets::Part::train),
                                     test = split.items(datasets::Part::test);
    const std::vector<std::uint32_t> val = with_val ? split.items(datasets::Part::val) : std::vector<std::uint32_t>{};
    const datasets::Targets &label = dataset_.target("label"), train_targets = label.select(train),
                            val_targets = label.select(val);
    return finetune({dataset_, backbone_, extract_, tap_, probes::parse_finetune({all, 1}), train, val, test,
                     train_targets, val_targets, checkpoint, "cell"},
                    context);
  }
  FittedAndTested tune(const std::map<std::string, std::string>& options, bool with_val = true) {
    return tune(options, Context{log_, {}, 2}, {}, with_val);
  }

  test::ScratchDir dir_;
  RecordingLog log_;
  datasets::Dataset dataset_;
  features::Backbone backbone_;
  features::ExtractOptions extract_;
  features::FeatureTap tap_;
};

TEST_F(FinetuneTest, LowersTheLoss) {
  const std::map<std::string, std::string> options{{"schedule", "constant"}, {"augment", "crop"}};
  auto one = options, eight = options;
  one["epochs"] = "1";
  eight["epochs"] = "8";
  const double before = tune(one, false).fitted.convergence.objective;
  const double after = tune(eight, false).fitted.convergence.objective;
  EXPECT_LT(after, 0.7 * before);
}

TEST_F(FinetuneTest, GivesTheSameNumbersForTheSameSeed) {
  const FittedAndTested a = tune({{"epochs", "2"}}), b = tune({{"epochs", "2"}});
  EXPECT_EQ(a.test.values, b.test.values);
  EXPECT_EQ(a.fitted.convergence.objective, b.fitted.convergence.objective);
}

TEST_F(FinetuneTest, GoesOnWhereItWasStoppedWithTheSameNumbers) {
  for (const std::string batch_norm : {"frozen", "train"}) {
    const std::map<std::string, std::string> options{{"epochs", "4"},     {"patience", "0"},
                                                     {"unfreeze", "all"}, {"optimizer", "adamw"},
                                                     {"lr", "0.001"},     {"batch-norm", batch_norm}};
    const FittedAndTested whole = tune(options);
    std::stop_source source;
    StoppingLog stopping(source, 2);
    const Path checkpoint = dir_ / "state.safetensors";
    EXPECT_THROW(tune(options, Context{stopping, source.get_token(), 2}, checkpoint), Error);
    EXPECT_TRUE(std::filesystem::exists(checkpoint));
    const FittedAndTested resumed = tune(options, Context{log_, {}, 2}, checkpoint);
    EXPECT_EQ(resumed.test.values, whole.test.values);
    EXPECT_EQ(resumed.fitted.selection.chosen, whole.fitted.selection.chosen);
    EXPECT_EQ(resumed.fitted.selection.curve.size(), 4u);
    EXPECT_FALSE(std::filesystem::exists(checkpoint));
  }
}

TEST_F(FinetuneTest, KeepsTheEpochThatDidBestOnVal) {
  const FittedAndTested tuned = tune({{"epochs", "6"}, {"patience", "2"}});
  const probes::Selection& selection = tuned.fitted.selection;
  double best = -1, epoch = 0;
  for (const probes::Candidate& candidate : selection.curve) {
    if (candidate.score <= best) continue;
    best = candidate.score;
    epoch = candidate.parameters->at("epoch");
  }
  EXPECT_EQ(selection.chosen.at("epoch"), epoch);
  EXPECT_LE(static_cast<double>(selection.curve.size()), epoch + 2);
  EXPECT_EQ(selection.selected_on, "val (12 rows)");
  // The scores are those of that epoch's weights.
  const auto val = dataset_.official->items(datasets::Part::val);
  EXPECT_EQ(*probes::evaluate(*tuned.fitted.val_scores, dataset_.target("label").select(val)).at("accuracy"), best);
}

TEST_F(FinetuneTest, SaysWhatItCannotTrain) {
  backbone_ = features::parse_backbone("colour-histogram");
  EXPECT_THROW(tune({}), Error);
  EXPECT_THROW(probes::parse_finetune({{{"unfreeze", "layer9"}}, 0}), Error);
}

TEST_F(FinetuneTest, IsACellOfARun) {
  RunRequest request = test::drawn_request(dir_ / "d", dir_ / "out");
  request.backbones = {"random,arch=resnet18"};
  request.probes = {"logreg,C=1", "finetune,epochs=1,batch=24,optimizer=adamw"};
  const RunOutcome outcome = run(request, Context{log_, {}, 2});
  ASSERT_EQ(outcome.results.size(), 2u);
  const Result& result = outcome.results[1];
  EXPECT_TRUE(result.ok()) << result.error;
  EXPECT_EQ(result.probe_settings->at("unfreeze"), "last");
  EXPECT_EQ(result.selection.chosen.at("epoch"), 1);
  EXPECT_TRUE(result.metrics.at("accuracy").has_value());
  EXPECT_EQ(run(request, Context{log_, {}, 2}).reused, 2u);
}

}  // namespace
}  // namespace vise::experiments

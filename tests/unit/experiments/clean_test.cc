#include "experiments/clean.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/csv.h"
#include "datasets/open_data.h"
#include "experiments/scores_file.h"
#include "experiments/verify.h"
#include "experiments/weights_file.h"
#include "extract/features/features.h"
#include "tests/unit/experiments/drawn_data.h"

namespace vise::experiments {
namespace {

class CleanTest : public testing::Test {
 protected:
  void SetUp() override {
    test::register_everything();
    test::write_drawn_data(dir_ / "d");
  }
  // Image 0 is in train, 12 and 14 in test (write_drawn_data's rule).
  void copy_from_train(const char* test_image) {
    std::filesystem::copy_file(dir_ / "d/images/000.png", dir_ / "d/images" / test_image,
                               std::filesystem::copy_options::overwrite_existing);
  }

  test::ScratchDir dir_;
  RecordingLog log_;
  const Context context_{log_, {}, 2};
};

TEST_F(CleanTest, CopiesOfTrainingImagesAreJudgedWithout) {
  copy_from_train("012.png");
  const RunRequest request = test::drawn_request(dir_ / "d", dir_ / "out");
  const RunOutcome outcome = run(request, context_);
  Task task = resolved(request).tasks[0];
  task.name = outcome.results[0].cell.task;
  const auto flagged = flagged_test_images(task, request, context_);
  ASSERT_TRUE(flagged.contains("images/012.png"));
  const std::vector<Result> clean = write_clean_results(dir_ / "out", outcome.results, task, flagged);
  ASSERT_EQ(clean.size(), 1u);
  EXPECT_EQ(clean[0].sizes.test + flagged.size(), outcome.results[0].sizes.test);
  EXPECT_NE(clean[0].key, outcome.results[0].key);
  EXPECT_NE(clean[0].split_hash, outcome.results[0].split_hash);
  const SavedScores kept = read_scores(dir_ / "out/clean", clean[0]);
  EXPECT_EQ(kept.ids.size(), clean[0].sizes.test);
  EXPECT_EQ(std::ranges::count(kept.ids, "images/012.png"), 0);
  EXPECT_NE(read_text_file(dir_ / fmt::format("out/clean/flagged-{}.csv", task.name)).find("012.png"),
            std::string::npos);
  EXPECT_TRUE(verify(dir_ / "out/clean", {}, context_).differences.empty());
  VerifyOptions scores_alone;
  scores_alone.refit = 0;
  EXPECT_TRUE(verify(dir_ / "out", scores_alone, context_).differences.empty());
}

TEST_F(CleanTest, WithoutFlagsThereIsNothingToJudge) {
  const RunRequest request = test::drawn_request(dir_ / "d", dir_ / "out");
  const RunOutcome outcome = run(request, context_);
  EXPECT_TRUE(write_clean_results(dir_ / "out", outcome.results, resolved(request).tasks[0], {}).empty());
  EXPECT_FALSE(std::filesystem::exists(dir_ / "out/clean"));
}

// Kept weights are the model: applied to the features they give the saved scores.
TEST_F(CleanTest, KeptWeightsGiveTheSavedScores) {
  const RunRequest request = test::drawn_request(dir_ / "d", dir_ / "out");
  const Result result = run(request, context_).results.at(0);
  const auto weights = read_weights(dir_ / "out", result);
  ASSERT_TRUE(weights);
  const SavedScores saved = read_scores(dir_ / "out", result);
  const datasets::Dataset dataset = datasets::open_data_path(dir_ / "d/moods.csv", log_);
  const std::vector<features::FeatureRequest> requests{
      features::FeatureRequest{features::parse_backbone("colour-histogram")}};
  const features::Features features = features::extract_features(dataset, requests, request.extract, context_).at(0);
  for (std::size_t i = 0; i < saved.ids.size(); ++i) {
    const auto item = std::ranges::find(dataset.ids, saved.ids[i]) - dataset.ids.begin();
    const auto row = features.values(static_cast<std::size_t>(item));
    ASSERT_EQ(row.size(), weights->dim);
    for (std::size_t k = 0; k < weights->classes; ++k) {
      double score = static_cast<double>(weights->intercept(k));
      for (std::size_t d = 0; d < row.size(); ++d)
        score += static_cast<double>(weights->row(k)[d]) * static_cast<double>(row[d]);
      EXPECT_NEAR(score, saved.scores(i, k), 1e-5);
    }
  }
}

}  // namespace
}  // namespace vise::experiments

// The study of docs/reproduce.md on miniatures of its four data sets, under their real names.
#include <gtest/gtest.h>

#include <array>

#include "experiments/look_ahead.h"
#include "experiments/study.h"
#include "tests/unit/experiments/drawn_data.h"

namespace vise::experiments {
namespace {

constexpr std::array<const char*, 6> kEmotions{"anger", "fear", "joy", "love", "sadness", "surprise"};

void draw(const Path& file, int kind) { test::write_square(file, 40 * (kind % 5), 200 - 30 * kind, 90, file.string()); }

void write_emotion(const Path& root) {
  for (int e = 0; e < 6; ++e)
    for (int i = 0; i < 10; ++i)
      draw(root / fmt::format("UnBiasedEmotion/images/{}/dog/{}.png", kEmotions[static_cast<std::size_t>(e)], i), e);
}

void write_politics(const Path& root) {
  for (int i = 0; i < 40; ++i)
    draw(root / fmt::format("politics/imgs/{}/guns/source{}/{}.png", i % 2 ? "LEFT" : "RIGHT", i % 4, i), i % 2);
}

void write_memes(const Path& root) {
  int id = 1000;
  for (const auto& [part, items] : {std::pair{"train", 24}, {"dev_seen", 8}, {"test_seen", 8}}) {
    std::string lines;
    for (int i = 0; i < items; ++i, ++id) {
      draw(root / fmt::format("hateful_memes/img/{:05}.png", id), i % 2);
      lines +=
          fmt::format("{{\"id\": {0}, \"img\": \"img/{0:05}.png\", \"label\": {1}, \"text\": \"t\"}}\n", id, i % 2);
    }
    write_file_atomically(root / fmt::format("hateful_memes/{}.jsonl", part), lines);
  }
}

void write_birds(const Path& root) {
  std::string images, labels, split;
  for (int i = 1; i <= 30; ++i) {
    const int bird = i % 3 + 1;
    const std::string path = fmt::format("{:03}.Bird{}/b_{}.jpg", bird, bird, i);
    draw(root / "CUB_200_2011/images" / path, bird);
    images += fmt::format("{} {}\n", i, path);
    labels += fmt::format("{} {}\n", i, bird);
    split += fmt::format("{} {}\n", i, i <= 18 ? 1 : 0);
  }
  write_file_atomically(root / "CUB_200_2011/images.txt", images);
  write_file_atomically(root / "CUB_200_2011/image_class_labels.txt", labels);
  write_file_atomically(root / "CUB_200_2011/train_test_split.txt", split);
  write_file_atomically(root / "CUB_200_2011/classes.txt", "1 001.Bird1\n2 002.Bird2\n3 003.Bird3\n");
}

RunRequest transfer_study(const Path& root) {
  test::register_everything();
  RunRequest request = parse_study(builtin_studies().at("vise-transfer"), "vise-transfer.yaml", root);
  request.data_roots = {root};
  request.extract.cache = root / "cache";
  request.extract.weights.offline = true;
  request.out = root / "out";
  return request;
}

TEST(TransferTest, Study_RunsOnMiniaturesOfItsData) {
  const test::ScratchDir root;
  write_emotion(root.path());
  write_politics(root.path());
  write_memes(root.path());
  write_birds(root.path());
  RunRequest request = transfer_study(root.path());
  request.backbones = {"colour-histogram"};
  request.baseline = "colour-histogram";
  request.probes = {"logreg"};  // a floor has no network to fine-tune
  Silent log;
  const RunOutcome outcome = run(request, Context{log, {}, 2});
  ASSERT_EQ(outcome.results.size(), 4u);
  std::map<std::string, std::string> metrics;
  for (const Result& result : outcome.results) {
    EXPECT_TRUE(result.ok()) << result.cell.task << ": " << result.error;
    metrics[result.cell.task] = result.primary_metric;
  }
  EXPECT_EQ(metrics,
            (std::map<std::string, std::string>{
                {"cub", "accuracy"}, {"emotion", "accuracy"}, {"hateful-memes", "auc"}, {"politics", "accuracy"}}));
}

TEST(TransferTest, DryRun_NamesWhatIsMissing) {
  const test::ScratchDir root;
  write_emotion(root.path());
  Silent log;
  const LookAhead ahead = look_ahead(transfer_study(root.path()), Context{log, {}, 1});
  ASSERT_EQ(ahead.failing_tasks.size(), 3u);
  EXPECT_EQ(ahead.failing_tasks[0].name, "politics");
  EXPECT_EQ(ahead.cells.size(), 20u);  // emotion under every backbone, linear and fine-tuned
  EXPECT_EQ(ahead.failing, 18u);       // all but random have no weights here
  EXPECT_EQ(ahead.images, 60u);
}

}  // namespace
}  // namespace vise::experiments

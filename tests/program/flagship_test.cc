// `vise-eval --task emotion` and `--task politics` on miniature trees with the real names.
#include "tests/program/program.h"

namespace vise::test {
namespace {

constexpr const char* kViseFile = "vise_250m_rn50_ep10.pth";

class Flagship : public testing::Test {
 protected:
  // 6 classes x 10 pictures as UnBiasedEmotion has them: <emotion>/<object>/<file>.
  void make_emotion(const Path& root) {
    for (const char* emotion : {"anger", "fear", "joy", "love", "sadness", "surprise"})
      for (int i = 0; i < 10; ++i) {
        const std::string id = fmt::format("UnBiasedEmo/images/{}/dog/{}_{}.jpg", emotion, emotion, i);
        write_file_atomically(root / id, noise_picture(id));
      }
  }

  void make_politics(const Path& root) {
    std::string table = "path,label,split,group\n";
    for (int i = 0; i < 40; ++i) {
      const std::string id = fmt::format("imgs/{}/abortion/outlet{}/{}.jpg", i % 2 ? "LEFT" : "RIGHT", i % 4, i);
      write_file_atomically(root / "politics" / id, noise_picture(id));
      table += fmt::format("{},{},{},outlet{}\n", id, i % 2 ? "left" : "right",
                           i < 24   ? "train"
                           : i < 32 ? "val"
                                    : "test",
                           i % 4);
    }
    write_file_atomically(root / "politics/politics.csv", table);
  }

  // The released files' names over one real ResNet-50: the three rows must then be equal.
  void make_weights(const Path& folder) {
    std::filesystem::create_directories(folder);
    const Path real = std::filesystem::canonical(shared_dir() / "data/weights/resnet50_imagenet_fp16.pth");
    for (const char* name : {kViseFile, "vise_1m_rn50_ep100.pth", "resnet50-0676ba61.pth"})
      std::filesystem::create_symlink(real, folder / name);
  }

  std::vector<std::string> arguments(const char* task) {
    return {"--task", task, "--data-root", "D", "--weights-dir", "W", "--offline"};
  }

  Program program_;
};

TEST_F(Flagship, EmotionComparesTheReleasedBackbones) {
  VISE_NEEDS_SHARED();
  make_emotion(program_ / "D");
  make_weights(program_ / "W");
  const Outcome first = program_.run(arguments("emotion"));
  ASSERT_EQ(first.exit_code, 0) << first.err;
  for (const char* row : {"| vise-250m", "| vise-1.2m", "| imagenet-v1"}) EXPECT_CONTAINS(first.out, row);
  EXPECT_CONTAINS(first.out, "baseline");
  EXPECT_CONTAINS(first.out, "stratified");
  // The file's name promises a hash that it doesn't have: said at the table's foot.
  EXPECT_CONTAINS(first.out, "0676ba61");
  EXPECT_TRUE(std::filesystem::exists(program_ / "vise-results/emotion/splits/emotion.csv"));
  const Outcome second = program_.run(arguments("emotion"));
  EXPECT_EQ(second.out, first.out);
  EXPECT_CONTAINS(second.err, "0 fitted, 3 known");
}

TEST_F(Flagship, PoliticsReadsItsManifest) {
  VISE_NEEDS_SHARED();
  make_politics(program_ / "D");
  make_weights(program_ / "W");
  const Outcome outcome = program_.run(arguments("politics"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_CONTAINS(outcome.out, "(left, right)");
  EXPECT_CONTAINS(outcome.out, "train 24, val 8, test 8");
  EXPECT_CONTAINS(outcome.out, "ROC AUC");
  EXPECT_CONTAINS(outcome.out, "media source");
}

TEST_F(Flagship, MissingDataSaysWhatGoesWhere) {
  for (const char* task : {"emotion", "politics"}) {
    const Outcome outcome = program_.run(arguments(task));
    EXPECT_EQ(outcome.exit_code, 3) << task;
    EXPECT_CONTAINS(outcome.err, "D");
    EXPECT_CONTAINS(outcome.err, "http");
    EXPECT_CONTAINS(outcome.err, task);
  }
}

TEST_F(Flagship, MissingWeightsSayWhatGoesWhere) {
  make_emotion(program_ / "D");
  const Outcome outcome = program_.run(arguments("emotion"));
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_CONTAINS(outcome.err, kViseFile);
  EXPECT_CONTAINS(outcome.err, "CC BY-NC 4.0");
  EXPECT_CONTAINS(outcome.err, "W");
}

}  // namespace
}  // namespace vise::test

// An ONNX file as a backbone, from the command line.
#include "tests/onnx_files.h"
#include "tests/program/open_counter.h"
#include "tests/program/program.h"

namespace vise::test {
namespace {

class GraphProgram : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kModule)) GTEST_SKIP() << "skipped: built without OpenCV";
    for (const char* label : {"calm", "stormy"})
      for (int i = 0; i < 10; ++i) {
        const std::string id = fmt::format("{}/{}.ppm", label, i);
        write_file_atomically(program_ / "moods" / id, noise_picture(id, 32));
      }
    write_file_atomically(program_ / "mine.onnx", small_graph(16).file());
  }

  Outcome extract(const std::string& backbone, const std::string& out) {
    return program_.run({"extract", "--data", "moods", "--backbone", backbone, "--out", out});
  }

  const Path kModule = VISE_BINARY_DIR "/vise_opencv.so";
  Program program_;
};

TEST_F(GraphProgram, AsksForTheTransformThatAGraphDoesNotSay) {
  const Outcome asked = extract("mine=mine.onnx", "features");
  EXPECT_EQ(asked.exit_code, 4);
  EXPECT_CONTAINS(asked.err, "mine.onnx: its graph does not say how pictures are prepared for it");
  EXPECT_CONTAINS(asked.err, "transform=caffe");
  const Outcome wrong = extract("mine=mine.onnx,transform=imagenet", "features");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_CONTAINS(wrong.err, "takes pictures of 16 x 16, and the transform gives 224 x 224");
  EXPECT_CONTAINS(wrong.err, "transform=imagenet,crop=16");
  const Outcome foreign = extract("mine=mine.onnx,act=tanh,transform=crop=16", "features");
  EXPECT_EQ(foreign.exit_code, 2);
  EXPECT_CONTAINS(foreign.err, "'act=tanh' is of checkpoints");
}

TEST_F(GraphProgram, SaysInTheTableWhatItRunsOnAndWhatWasSaid) {
  const Outcome ran = program_.run({"run", "--data", "moods", "--backbone", "mine=mine.onnx,transform=crop=16"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_CONTAINS(ran.out, "mine: onnx runs on OpenCV only");
  EXPECT_CONTAINS(ran.out, "mine: what its graph does not say: transform=crop=16 (");
}

TEST_F(GraphProgram, TheSecondRunOpensNeitherTheGraphNorOpenCv) {
  ::sleep(3);  // a file changed within the last two seconds is not remembered
  const std::vector<std::string> arguments{"run", "--data", "moods", "--backbone", "mine=mine.onnx,transform=crop=16"};
  const std::vector<Path> watched{kModule, program_ / "mine.onnx"};
  OpenCounter cold(watched);
  const Outcome first = program_.run(arguments);
  EXPECT_GE(cold.count(), 2);
  OpenCounter warm(watched);
  const Outcome second = program_.run(arguments);
  EXPECT_EQ(warm.count(), 0);
  EXPECT_EQ(second.out, first.out);
  OpenCounter help(watched);
  EXPECT_EQ(program_.run({"--help"}).exit_code, 0);
  EXPECT_EQ(help.count(), 0);
}

TEST_F(GraphProgram, KeepsFeaturesByTheFilesContent) {
  EXPECT_CONTAINS(extract("mine=mine.onnx,transform=crop=16", "one").out, "(20 computed");
  std::filesystem::copy(program_ / "mine.onnx", program_ / "same");
  EXPECT_CONTAINS(extract("other=same,transform=crop=16", "two").out, "(0 computed");
  EXPECT_EQ(read_text(program_ / "one/features.npy"), read_text(program_ / "two/features.npy"));
  OnnxGraph other = small_graph(16);
  other.initializers[1] = tensor("bias", {2}, {0, 0.25});
  write_file_atomically(program_ / "same", other.file());
  EXPECT_CONTAINS(extract("other=same,transform=crop=16", "two").out, "(20 computed");
  EXPECT_CONTAINS(extract("mine=mine.onnx,transform=crop=16,order=bgr", "two").out, "(20 computed");
}

TEST_F(GraphProgram, IsInspected) {
  const Outcome seen = program_.run({"backbone", "inspect", "mine.onnx"});
  EXPECT_EQ(seen.exit_code, 0) << seen.err;
  EXPECT_CONTAINS(seen.out, "outputs       features (2, a vector), map (2)");
  EXPECT_CONTAINS(seen.out, "open          transform");
  write_file_atomically(program_ / "cut.onnx", small_graph().file().substr(0, 100));
  const Outcome cut = program_.run({"backbone", "inspect", "--json", "cut.onnx"});
  EXPECT_EQ(cut.exit_code, 4);
  EXPECT_CONTAINS(cut.out, "is a damaged ONNX graph");
}

TEST_F(GraphProgram, IsNotFineTuned) {
  const Outcome refused =
      program_.run({"run", "--data", "moods", "--backbone", "mine=mine.onnx,transform=crop=16", "--probe", "finetune"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_CONTAINS(refused.err + refused.out, "a TorchScript program or a graph is none");
}

}  // namespace
}  // namespace vise::test

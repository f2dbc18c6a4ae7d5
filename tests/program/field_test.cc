// Data as people have them (../shared/data/field): each line of an expect.txt that is about data, as a user meets it.
#include <cstdlib>

#include "base/csv.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/program/program.h"

namespace vise {
namespace {

using test::contains;
using test::Outcome;
using test::Program;
using test::read_text;

class Field : public testing::Test {
 protected:
  void SetUp() override { VISE_NEEDS_SHARED(); }

  static Path at(const std::string& place) { return test::shared_dir() / "data/field" / place; }

  // A run on colour-histogram, which takes no weights.
  Outcome run(std::vector<std::string> what, const std::string& out = "out") {
    what.insert(what.begin(), "run");
    for (const char* word : {"--backbone", "colour-histogram", "--out"}) what.emplace_back(word);
    what.push_back(out);
    return program_.run(what);
  }

  Json result(const std::string& out = "out") const {
    std::string last;
    for (const std::string& line : split(read_text(program_ / (out + "/results.jsonl")), '\n'))
      if (!line.empty()) last = line;
    return parse_json(last, "results.jsonl");
  }

  Program program_;
};

TEST_F(Field, FerTablesAreReadByTheNamesOfTheirColumns) {
  const Outcome ran = run({"--task", "fer2013", "--data-root", at("11-fer2013-icml-table")});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_CONTAINS(ran.out, "train 18, val 6, test 6");
}

TEST_F(Field, SplitFoldersAreNoClasses) {
  for (const auto& [name, sizes] : {std::pair("13c", "train"), std::pair("13e", "train 30, val 10, test 16")}) {
    const Outcome ran = run({"--data", at(fmt::format("13-split-folders/{}/moods", name))}, name);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_CONTAINS(ran.out, "label (cold, warm)");
    EXPECT_CONTAINS(ran.out, sizes);
    EXPECT_CONTAINS(ran.err, "unused, for example");
    EXPECT_CONTAINS(ran.out, "unused, for example");
  }
}

TEST_F(Field, TrainAndValAloneGiveATableOnVal) {
  const Outcome ran = run({"--data", at("13-split-folders/13a/moods")});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_CONTAINS(ran.out, "label (cold, warm)");
  EXPECT_CONTAINS(ran.out, "without a test: its val is the test");
  EXPECT_CONTAINS(ran.out, "test 16");
}

TEST_F(Field, LabelsThatSayNothingAreUnknown) {
  const Outcome ran = run({"--data", at("14-na-label/ratings.csv")});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_CONTAINS(ran.out, "label (1, 2)");
  EXPECT_CONTAINS(ran.err, "not known: 5 label (NA)");
  EXPECT_CONTAINS(ran.out, "train 22, val 8, test 10, unused 5");
}

TEST_F(Field, DecimalCommasAreNumbers) {
  for (const char* name : {"label", "valence"}) {
    const Outcome ran = run({"--data", at(fmt::format("15-decimal-comma/{}.csv", name))}, name);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_CONTAINS(ran.out, "R2");
    EXPECT_CONTAINS(ran.out, "ridge");
  }
}

TEST_F(Field, MetadataWithoutLabelsLeaveThemToTheFolders) {
  const Outcome ran = run({"--data", at("16-hub-metadata/16c/set")});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_CONTAINS(ran.out, "label (cold, warm)");
  EXPECT_CONTAINS(ran.err, "the labels are the names of folders (cold, warm)");
}

TEST_F(Field, ABackslashIsNamed) {
  const Outcome ran = run({"--data", at("16-hub-metadata/16d/set")});
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
  EXPECT_CONTAINS(ran.err, "has a backslash");
  EXPECT_CONTAINS(ran.err, "write '/' between folders");
}

TEST_F(Field, EmoSetWithoutObjectsHasNoSuchTarget) {
  const std::string root = at("17-emoset-no-object-crash");
  const Outcome ran = run({"--task", "emoset", "--data-root", root});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(run({"--task", "emoset", "--target", "object", "--data-root", root}).exit_code, 2);
  EXPECT_LE(program_.run({"audit", "--task", "emoset", "--data-root", root}).exit_code, 1);
}

TEST_F(Field, RowsThatAreNoFacesHaveNoVotes) {
  // FER+'s table beside the faces of folder 11, which are the same rows.
  std::filesystem::create_directories(program_ / "data/fer2013");
  std::filesystem::copy(at("11-fer2013-icml-table/fer2013/icml_face_data.csv"), program_ / "data/fer2013");
  std::filesystem::copy(at("18-ferplus-not-a-face/fer2013new.csv"), program_ / "data/fer2013");
  const Outcome ran = run({"--task", "fer2013", "--target", "votes", "--data-root", program_ / "data"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_CONTAINS(ran.out, "votes (neutral, happiness, surprise, sadness, anger, disgust, fear, contempt)");
  EXPECT_CONTAINS(ran.out, "test 5");
  EXPECT_CONTAINS(ran.err, "4 images are no face by FER+");
}

TEST_F(Field, AClassWithoutATestImageIsSaid) {
  const Outcome ran = run({"--data", at("20-class-absent-from-test/rare.csv")});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_CONTAINS(ran.out, "test has no image of awe: macro-F1 counts it as 0");
  const Json metrics = result()["metrics"];
  EXPECT_TRUE(metrics.contains("f1_macro") && metrics.contains("f1_macro_seen")) << metrics.dump();
  EXPECT_EQ(metrics["f1_macro_seen"], 1.0);
  EXPECT_NEAR(metrics["f1_macro"].get<double>(), 2.0 / 3, 1e-12);
}

TEST_F(Field, FeaturesOfOtherProgramsAreReadOrRefusedWithTheCure) {
  const auto probe = [&](const char* features, const char* labels) {
    return program_.run({"probe", "--features", at(fmt::format("21-features-of-others/{}", features)), "--labels",
                         at(fmt::format("21-features-of-others/{}", labels))});
  };
  const Outcome plain = probe("X.npy", "y.npy"), text = probe("X.npy", "ystr.npy"), map = probe("X4.npy", "y.npy");
  EXPECT_EQ(plain.exit_code, 0) << plain.err;
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_EQ(map.exit_code, 0) << map.err;
  EXPECT_EQ(map.out, plain.out);
  EXPECT_CONTAINS(probe("XF.npy", "y.npy").err, "numpy.ascontiguousarray");
  EXPECT_CONTAINS(probe("Xbe.npy", "y.npy").err, "big-endian");
  EXPECT_CONTAINS(probe("ystr.npy", "y.npy").err, "N x D features are needed");
}

TEST_F(Field, IdsWithoutEndingsAreFound) {
  const Outcome ids = run({"--data", at("22-foreign-column-names/ids.csv")});
  EXPECT_EQ(ids.exit_code, 3);
  EXPECT_CONTAINS(ids.err, "images/0000.jpg is there: write that");
  // Only its first six images are there: its columns are read, and the seventh image is missed.
  EXPECT_CONTAINS(run({"--data", at("22-foreign-column-names/caps.csv"), "--dry-run"}).err, "images/0006.jpg");
  EXPECT_CONTAINS(run({"--data", at("22-foreign-column-names/train.csv")}).err, "--path-column NAME");
  EXPECT_CONTAINS(run({"--data", at("22-foreign-column-names/va.csv"), "--path-column", "subDirectory_filePath",
                       "--target", "valence", "--dry-run"})
                      .err,
                  "images/0006.jpg");
}

// Checkpoints of the usual trainers, written by their generators.
class FieldCheckpoint : public Field {
 protected:
  void SetUp() override {
    Field::SetUp();
    if (std::system("/usr/bin/python3 -c 'import torch' > /dev/null 2>&1") != 0)
      GTEST_SKIP() << "skipped: Debian's python3-torch not found";
  }

  // `script` of a folder, with what may follow the name of the file that it writes.
  std::string make(const std::string& folder, const std::string& variant = "") {
    const std::string name = folder + variant + ".pt";
    const std::string command = fmt::format("/usr/bin/python3 '{}' '{}' {}", (at(folder) / "make.py").string(),
                                            (program_ / name).string(), variant);
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return name;
  }

  void expect_resnet18(const std::string& file, const std::string& prefix, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"backbone", "inspect", "--json", file};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome seen = program_.run(words);
    ASSERT_EQ(seen.exit_code, 0) << seen.out;
    const Json match = Json::parse(seen.out)["match"];
    EXPECT_EQ(match["architecture"], "resnet18");
    EXPECT_EQ(match["prefix"], prefix);
    EXPECT_EQ(match["parameters_sha256"], "c94f12504a611ea4a6bb2f02cc8d102548ab806b3344f1e198ac6f66dcdd39e8");
  }
};

TEST_F(FieldCheckpoint, LightningsTrainingStateIsLeftOut) {
  expect_resnet18(make("01-lightning-solo-learn"), "state_dict.backbone.");
  expect_resnet18(make("01-lightning-solo-learn", "momentum"), "state_dict.backbone.");
  const std::string foreign = make("01-lightning-solo-learn", "namespace");
  const Outcome refused = program_.run({"backbone", "inspect", foreign});
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_CONTAINS(refused.out, "skip-foreign=yes");
  expect_resnet18(foreign, "state_dict.backbone.", {"--skip-foreign"});
}

TEST_F(FieldCheckpoint, EqualCopiesAreNoAmbiguityAndBranchesHaveRules) {
  expect_resnet18(make("02-madry-attacker"), "model.module.model.");
  const std::string byol = make("06-byol-three-copies");
  expect_resnet18(byol, "state_dict.learner.net.");
  expect_resnet18(byol, "state_dict.learner.net.", {"--drop", "online_predictor"});
  expect_resnet18(make("06-byol-three-copies", "yao"), "online_backbone.");
  expect_resnet18(make("08-openclip-timm-tower"), "state_dict.module.visual.trunk.");
  expect_resnet18(make("04-python2-places365"), "state_dict.module.");
}

TEST_F(FieldCheckpoint, WhatMatchesNothingEndsOtherwiseThanWithSuccess) {
  const std::string both = make("03-timm-ema-compile", "both");
  const Outcome seen = program_.run({"backbone", "inspect", both});
  EXPECT_EQ(seen.exit_code, 4);
  EXPECT_CONTAINS(seen.out, "say which one by branch=NAME");
  expect_resnet18(both, "state_dict_ema._orig_mod.", {"--branch", "state_dict_ema"});
}

TEST_F(FieldCheckpoint, WhatTensorsCannotTellIsSaidByInspectAndInTheTablesFoot) {
  const std::string file = make("23-stride-in-1x1", "caffe");
  EXPECT_CONTAINS(program_.run({"backbone", "inspect", file}).out, "assumed       stride in the 3x3 convolutions");
  const auto table = [&](const std::string& backbone) {
    const Outcome ran = program_.run({"run", "--data", at("13-split-folders/13c").string(), "--backbone", backbone});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.out;
  };
  EXPECT_CONTAINS(table("mine=" + file), "mine: assumed: stride in the 3x3 convolutions and no dilation");
  EXPECT_FALSE(contains(table("mine=" + file + ",arch=resnet50-caffe"), "assumed: stride"));
  EXPECT_CONTAINS(table("mine=" + file + ",dilated=8"), "dilated=8 (the user)");
}

}  // namespace
}  // namespace vise

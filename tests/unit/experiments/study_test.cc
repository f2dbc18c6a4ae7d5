#include "experiments/study.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/unit/experiments/drawn_data.h"

namespace vise::experiments {
namespace {

RunRequest parse(const std::string& yaml) {
  test::register_everything();
  return parse_study(yaml, "paper.yaml", "/studies");
}

std::string message_of(const std::string& yaml) {
  try {
    parse(yaml);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input);
    return fmt::format("{} | {}", e.message(), e.hint());
  }
  return "no error";
}

TEST(StudyTest, Study_IsTasksTimesEverythingElse) {
  const RunRequest request = parse(
      "study: 1\ntasks: [demo, {data: faces/happy.csv, target: smile, baseline: random}]\n"
      "backbones: [random, mine=w/run7.pth]\nprobes: [logreg, 'ridge,lambda=1']\nseeds: 3\n"
      "shots: [1, 4, all]\nfractions: [0.1]\nlayers: [layer3, layer4]\npools: [avg, max]\n");
  ASSERT_EQ(request.tasks.size(), 2u);
  EXPECT_EQ(request.tasks[0].name, "demo");
  EXPECT_EQ(request.tasks[1].data, Path("/studies/faces/happy.csv"));
  EXPECT_EQ(request.tasks[1].target, "smile");
  EXPECT_EQ(request.tasks[1].baseline, "random");
  EXPECT_EQ(request.backbones, (std::vector<std::string>{"random", "mine=/studies/w/run7.pth"}));
  EXPECT_EQ(request.probes, (std::vector<std::string>{"logreg", "ridge,lambda=1"}));
  EXPECT_EQ(request.subsets, (std::vector<TrainSubset>{{1, 1}, {4, 1}, {}, {0, 0.1}}));
  EXPECT_EQ(request.taps.size(), 4u);
}

TEST(StudyTest, UnknownKey_IsAnErrorWithLineAndNearestName) {
  EXPECT_EQ(message_of("study: 1\ntasks: [demo]\nbackbone: [random]\n").substr(0, 66),
            "paper.yaml: line 3: unknown key 'backbone' | did you mean 'backbon");
  EXPECT_NE(message_of("tasks:\n  - task: demo\n    bseline: random\n").find("line 3: unknown key 'bseline'"),
            std::string::npos);
  EXPECT_NE(message_of("tasks: [demoo]\n").find("did you mean 'demo'"), std::string::npos);
  EXPECT_NE(message_of("study: 2\ntasks: [demo]\n").find("version 1"), std::string::npos);
  EXPECT_NE(message_of("tasks: [demo]\nseeds: 0\n").find("line 2"), std::string::npos);
  EXPECT_NE(message_of("tasks: [demo]\nshots: [0.5]\n").find("line 2"), std::string::npos);
  EXPECT_NE(message_of("seeds: 1\n").find("a study needs 'tasks'"), std::string::npos);
  EXPECT_NE(message_of("just words\n").find("is not a study"), std::string::npos);
}

TEST(StudyTest, WrittenStudy_ReadsBackAsItself) {
  RunRequest request = parse(
      "tasks: [demo, {data: 'a \"quoted\": name/x.csv', where: topic=sea}]\nbackbones: [random, mine=w/run7.pth]\n"
      "shots: [2]\nfractions: [0.25]\nseeds: 4\nprecision: bf16\ndevice: cuda:1\ndata_roots: [d]\n");
  request.tasks[1].name = std::string("x");
  const std::string yaml = study_yaml(request);
  EXPECT_EQ(study_yaml(parse(yaml)), yaml);
  EXPECT_NE(yaml.find("engine: torch\nprecision: bf16\ndevice: cuda:1\n"), std::string::npos) << yaml;
}

TEST(StudyTest, AnEntrysColumnsAndSplit_AreKept) {
  const RunRequest request = parse(
      "tasks: [{data: x.csv, name: x, columns: {path: image_id, label: emotion, kind: classes},\n"
      "         split: {kind: grouped, group: kim, seed: 3}}]\nbackbones: [random]\n");
  const Task& task = request.tasks.front();
  EXPECT_EQ(task.columns.path, "image_id");
  EXPECT_EQ(task.columns.kind, "classes");
  EXPECT_EQ(task.split.group, "kim");
  const std::string yaml = study_yaml(request);
  EXPECT_NE(yaml.find("columns: {path: \"image_id\", label: \"emotion\", kind: \"classes\"}"), std::string::npos)
      << yaml;
  EXPECT_NE(yaml.find("split: {kind: grouped, group: \"kim\", seed: 3}"), std::string::npos) << yaml;
}

TEST(StudyTest, BuiltinStudies_NameTasksAndBackbonesThatExist) {
  test::register_everything();
  ASSERT_TRUE(builtin_studies().contains("vise-transfer"));
  for (const auto& [name, yaml] : builtin_studies()) resolved(parse_study(yaml, fmt::format("{}.yaml", name), "/"));
}

}  // namespace
}  // namespace vise::experiments

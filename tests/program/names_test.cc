// What the program says to a word it doesn't know, and its help.
#include "tests/program/program.h"

namespace vise::test {
namespace {

TEST(Program, HelpOfEveryVerbHasExamples) {
  Program program;
  const Outcome help = program.run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_CONTAINS(help.out, "vise-eval --task emotion");
  for (const char* verb : {"run", "extract", "probe", "report", "list", "backbone", "image", "doctor"}) {
    EXPECT_CONTAINS(help.out, verb);
    const Outcome of_verb = program.run({"help", verb});
    EXPECT_EQ(of_verb.exit_code, 0) << verb;
    EXPECT_CONTAINS(of_verb.out, fmt::format("  vise-eval {}", verb));
  }
}

struct Wrong {
  std::vector<std::string> arguments;
  const char* suggestion;
};

TEST(Program, AnUnknownNameEndsWithTwoAndTheNearestOne) {
  Program program;
  const Wrong wrongs[] = {{{"rnu"}, "run"},
                          {{"run", "--taks", "demo"}, "--task"},
                          {{"--task", "emotoin"}, "emotion"},
                          {{"--task", "demo", "--backbone", "vise-250"}, "vise-250m"},
                          {{"--task", "demo", "--backbone", "net=x.pth,arhc=resnet50"}, "arch"},
                          {{"--task", "demo", "--probe", "logrge"}, "logreg"},
                          {{"--task", "demo", "--probe", "logreg,grdi=1:2:3"}, "grid"},
                          {{"--task", "demo", "--engine", "onedn"}, "onednn"},
                          {{"--task", "demo", "--device", "gpu"}, "cuda:N"},
                          {{"--task", "demo", "--device", "cuda", "--engine", "onednn"}, "leave --engine out"},
                          {{"--task", "demo", "--precision", "fp16"}, "--device cuda"},
                          {{"list", "task"}, "tasks"}};
  for (const Wrong& wrong : wrongs) {
    const Outcome outcome = program.run(wrong.arguments);
    EXPECT_EQ(outcome.exit_code, 2) << wrong.arguments.back();
    EXPECT_CONTAINS(outcome.err, wrong.suggestion);
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(Program, TaskAndDataExcludeEachOther) {
  Program program;
  EXPECT_EQ(program.run({"run"}).exit_code, 2);
  EXPECT_EQ(program.run({"run", "--task", "demo", "--data", "x"}).exit_code, 2);
}

TEST(Program, ListsItsTasksDataSetsBackbonesAndProbes) {
  Program program;
  EXPECT_CONTAINS(program.run({"list", "tasks"}).out, "politics");
  EXPECT_CONTAINS(program.run({"list", "datasets"}).out, "hateful-memes");
  EXPECT_CONTAINS(program.run({"list", "backbones"}).out, "imagenet-v1");
  EXPECT_CONTAINS(program.run({"list", "probes"}).out, "liblinear");
}

}  // namespace
}  // namespace vise::test

#include "experiments/task.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "datasets/dataset.h"
#include "datasets/dataset_registry.h"
#include "experiments/runner.h"
#include "extract/features/backbone.h"
#include "probes/builtin.h"
#include "probes/parse_probe.h"
#include "probes/probe.h"
#include "tests/shared.h"

namespace vise::experiments {
namespace {

Error error_of(const std::string& yaml) {
  try {
    parse_task(yaml, "mine", "tasks/mine.yaml");
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error for\n" << yaml;
  return {ErrorKind::system, "none"};
}

std::vector<std::string> names_of(const std::vector<Task>& tasks) {
  std::vector<std::string> names;
  for (const Task& task : tasks) names.push_back(task.name);
  return names;
}

TEST(Task, NamesColumnsOfItsData) {
  const Task task = parse_task("data: t.csv\ncolumns: {path: image_id, label: mood, split: set, kind: values}\n",
                               "mine", "tasks/mine.yaml");
  EXPECT_EQ(task.columns.path, "image_id");
  EXPECT_EQ(task.columns.label, "mood");
  EXPECT_EQ(task.columns.split, "set");
  EXPECT_EQ(task.columns.kind, "values");
  EXPECT_NE(error_of("dataset: emotion\ncolumns: {path: x}\n").message().find("'columns' are those of 'data'"),
            std::string::npos);
  EXPECT_NE(error_of("data: t.csv\ncolumns: {pth: x}\n").hint().find("path"), std::string::npos);
  EXPECT_NE(error_of("data: t.csv\ncolumns: {kind: words}\n").message().find("labels of the kind 'words'"),
            std::string::npos);
  EXPECT_THROW(parse_task("data: t.csv\ncolumns: {label: 3}\n", "mine", "m.yaml"), Error);
  EXPECT_THROW(parse_task("data: t.csv\ncolumns: x\n", "mine", "m.yaml"), Error);
}

// What a built-in task names must exist: its data set, its backbones, its probe with that preset.
TEST(BuiltinTasks, NameOnlyWhatIsThere) {
  datasets::DatasetRegistry datasets;
  datasets::register_builtin_datasets(datasets);
  probes::register_builtin_probes(probes::ProbeRegistry::instance());
  for (const auto& [name, yaml] : builtin_task_files()) {
    SCOPED_TRACE(name);
    const Task task = parse_task(yaml, name, name + ".yaml");
    EXPECT_NO_THROW(datasets.info(task.dataset));
    for (const std::string& backbone : task.backbones) EXPECT_NO_THROW(features::parse_backbone(backbone));
    EXPECT_NE(std::find(task.backbones.begin(), task.backbones.end(), task.baseline), task.backbones.end());
    ASSERT_FALSE(task.probes.empty());
    for (const std::string& text : task.probes) {
      EXPECT_NO_THROW(probes::parse_probe(text).make(0));
    }
    EXPECT_FALSE(task.metric.empty() || task.citation.empty() || task.licence.empty());
  }
}

TEST(BuiltinTasks, CoverEveryDataSetThatShips) {
  datasets::DatasetRegistry datasets;
  datasets::register_builtin_datasets(datasets);
  for (const std::string& dataset : datasets.names()) {
    const auto& files = builtin_task_files();
    EXPECT_TRUE(std::any_of(files.begin(), files.end(), [&](const auto& file) {
      return parse_task(file.second, file.first, file.first).dataset == dataset;
    })) << dataset;
  }
}

TEST(TaskLibrary, ExpandsGroupsAndFolds) {
  const TaskLibrary tasks;
  EXPECT_EQ(names_of(tasks.expand("smoke")), (std::vector<std::string>{"demo"}));
  EXPECT_EQ(names_of(tasks.expand("memes")),
            (std::vector<std::string>{"hateful-memes", "memotion", "memotion-offensive"}));
  EXPECT_EQ(names_of(tasks.expand("artphoto")),
            (std::vector<std::string>{"artphoto.1", "artphoto.2", "artphoto.3", "artphoto.4", "artphoto.5"}));
  const std::vector<Task> third = tasks.expand("lamem.3");
  ASSERT_EQ(third.size(), 1u);
  EXPECT_EQ(third[0].split.number, 3);
  EXPECT_EQ(third[0].title, "Memorability on LaMem, split 3 of 5");
  for (const std::string group : {"subjective", "emotion-all"}) EXPECT_GT(tasks.expand(group).size(), 10u) << group;
}

TEST(TaskLibrary, SuggestsTheNearestTaskOrGroup) {
  const TaskLibrary tasks;
  try {
    tasks.expand("subjectiv");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(error.hint().find("'subjective'"), std::string::npos) << error.hint();
  }
}

TEST(TaskLibrary, TakesTheUsersTaskOverTheBuiltInOneAndAFileByItsPath) {
  const test::ScratchDir folder;
  write_file_atomically(folder / "emotion.yaml", "title: Mine\ndata: images\ngroups: [mine]\n");
  const TaskLibrary tasks({folder.path()});
  EXPECT_EQ(tasks.find("emotion").title, "Mine");
  EXPECT_EQ(tasks.expand("mine").front().data, folder / "images");  // as seen from the file
  EXPECT_EQ(TaskLibrary().expand((folder / "emotion.yaml").string()).front().title, "Mine");
}

TEST(ParseTask, NamesTheLineAndTheNearestKey) {
  const Error key = error_of("dataset: emotion\nmetirc: accuracy\n");
  EXPECT_EQ(key.kind(), ErrorKind::input);
  EXPECT_EQ(key.message(), "tasks/mine.yaml: line 2: unknown key 'metirc'");
  EXPECT_NE(key.hint().find("'metric'"), std::string::npos);
  const Error nested = error_of("dataset: emotion\nsplit:\n  kind: official\n  share: [1, 0, 0]\n");
  EXPECT_EQ(nested.message(), "tasks/mine.yaml: line 4: unknown key 'share'");
}

TEST(ParseTask, RefusesValuesThatMeanNothing) {
  struct Case {
    std::string yaml, message;
  };
  const std::string d = "dataset: emotion\n";
  for (const auto& [yaml, message] :
       std::vector<Case>{{"title: x\n", "a task needs 'dataset' or 'data'"},
                         {d + "data: x\n", "'dataset' and 'data' exclude each other"},
                         {d + "metric: acuracy\n", "unknown metric 'acuracy'"},
                         {d + "protocol: clip\n", "unknown protocol 'clip'"},
                         {d + "protocol: knn\nprobes: [logreg]\n", "'protocol' and 'probes' exclude each other"},
                         {d + "split: {kind: folds, folds: 1}\n", "'folds' must be a whole number from 2 to 100"},
                         {d + "split: {kind: grouped}\n", "a grouped split needs 'group'"},
                         {d + "split: {kind: attribute}\n", "a split by attribute needs 'attributes'"},
                         {d + "split: {shares: [0.5, 0.1, 0.1]}\n", "the shares add up to 0.7, not to 1"},
                         {d + "split: {shares: [1.5, -0.5, 0]}\n", "must be a share between 0 and 1"},
                         {d + "agreement: 3\n", "must be a share between 0 and 1"},
                         {d + "groups: subjective\n", "'groups' must be a list"}})
    EXPECT_NE(error_of(yaml).message().find(message), std::string::npos) << error_of(yaml).message();
}

TEST(ParseTask, TurnsAProtocolIntoItsProbe) {
  const Task task = parse_task("dataset: emotion\nprotocol: clip_logreg\n", "mine", "mine.yaml");
  EXPECT_EQ(task.probes, (std::vector<std::string>{"logreg,preset=clip"}));
}

}  // namespace
}  // namespace vise::experiments

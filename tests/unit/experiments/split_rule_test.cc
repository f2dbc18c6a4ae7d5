#include "experiments/split_rule.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.h"
#include "datasets/groups.h"
#include "datasets/sampling.h"
#include "experiments/label_question.h"
#include "tests/shared.h"

namespace vise::experiments {
namespace {

// 40 items of two classes, from ten sources of four, half of them about guns; the last one has no label.
datasets::Dataset forty() {
  datasets::Dataset dataset;
  dataset.name = "forty";
  std::vector<std::string> labels;
  std::vector<double> votes;
  for (int i = 0; i < 40; ++i) {
    dataset.ids.push_back(fmt::format("images/{}.jpg", i));
    labels.push_back(i == 39 ? "" : i % 2 ? "left" : "right");
    dataset.attributes["source"].push_back(fmt::format("s{}", i / 4));
    dataset.attributes["topic"].push_back(i < 20 ? "guns" : "taxes");
    dataset.attributes["split-1"].push_back(i < 30 ? "train" : "test");
    votes.insert(votes.end(), {i % 4 == 0 ? 2.0 : 5.0, i % 4 == 0 ? 3.0 : 0.0});
  }
  dataset.targets.emplace("label", datasets::Targets::from_labels(labels));
  dataset.targets.emplace("votes", datasets::Targets::from_distribution(std::move(votes), {"left", "right"}));
  return dataset;
}

Task task_of(const std::string& kind) {
  Task task;
  task.name = "forty";
  task.split.kind = kind;
  task.split.shares = {0.6, 0.2, 0.2};
  return task;
}

TEST(ResolveSplit, LeavesItemsWithoutATargetUnused) {
  const datasets::Split split = resolve_split(task_of("official"), forty());
  EXPECT_EQ(split.origin(), "stratified 60/20/20 (seed 0)");
  EXPECT_EQ(split.part(39), datasets::Part::unused);
  EXPECT_EQ(split.count(datasets::Part::unused), 1u);
}

// Parts by item number: the first 24 train, then 10 val, the rest test.
datasets::Dataset with_parts(bool has_test) {
  datasets::Dataset dataset = forty();
  std::vector<datasets::Part> parts;
  for (int i = 0; i < 40; ++i)
    parts.push_back(i < 24     ? datasets::Part::train
                    : i < 34   ? datasets::Part::val
                    : has_test ? datasets::Part::test
                               : datasets::Part::unused);
  dataset.official = datasets::Split(std::move(parts), "official (folders)");
  return dataset;
}

TEST(ResolveSplit, TestsOnValWhereThereIsNoTestAndSaysSo) {
  const datasets::Dataset dataset = with_parts(false);
  const datasets::Split split = resolve_split(task_of("official"), dataset);
  EXPECT_EQ(split.count(datasets::Part::test), 10u);
  EXPECT_EQ(split.part(24), datasets::Part::test);
  EXPECT_GT(split.count(datasets::Part::val), 0u);
  EXPECT_TRUE(split.origin().starts_with("official (folders), without a test: its val is the test, val = "))
      << split.origin();
  const datasets::Split whole = resolve_split(task_of("official"), with_parts(true));
  EXPECT_EQ(whole.part(24), datasets::Part::val);
  EXPECT_EQ(whole.origin(), "official (folders)");
}

TEST(ResolveSplit, TakesATestWithoutLabelsForNone) {
  datasets::Dataset dataset = with_parts(true);
  std::vector<int> classes(dataset.target("label").classes().begin(), dataset.target("label").classes().end());
  std::fill(classes.begin() + 34, classes.end(), datasets::kNoClass);
  dataset.targets.insert_or_assign("label", datasets::Targets::from_classes(classes, {"left", "right"}));
  EXPECT_EQ(resolve_split(task_of("official"), dataset).part(24), datasets::Part::test);
  // Nor is there a val with labels: the error says what the test lacks.
  std::fill(classes.begin() + 24, classes.end(), datasets::kNoClass);
  dataset.targets.insert_or_assign("label", datasets::Targets::from_classes(classes, {"left", "right"}));
  try {
    resolve_split(task_of("official"), dataset);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("leaves no test images"), std::string::npos) << error.message();
    EXPECT_NE(error.hint().find("the 6 images of its test have no label here"), std::string::npos) << error.hint();
  }
}

// A condition that leaves no test item is a mistake of the condition.
TEST(ResolveSplit, DoesNotTestOnValBecauseOfACondition) {
  datasets::Dataset dataset = with_parts(true);
  Task task = task_of("official");
  task.where = "topic=guns";  // items 0 to 19
  EXPECT_THROW(resolve_split(task, dataset), Error);
}

TEST(AskAboutLabels, OfDataThatNobodyKnows) {
  Task task;
  task.target = "label";
  const auto asked = [&](std::vector<std::string> labels) {
    datasets::Dataset dataset = forty();
    labels.resize(40, labels.back());
    dataset.targets.insert_or_assign("label", datasets::Targets::from_labels(labels));
    Silent log;
    try {
      ask_about_labels(task, dataset, log);
    } catch (const Error& error) {
      return error.message() + " | " + error.hint();
    }
    return dataset.notes.empty() ? std::string("nothing") : dataset.notes.back();
  };
  EXPECT_NE(asked({"train", "test"}).find("the labels 'label' are the names of a split"), std::string::npos);
  EXPECT_NE(asked({"18", "19", "44"}).find("--label-kind values"), std::string::npos);
  EXPECT_EQ(asked({"left", "right"}), "nothing");
  EXPECT_EQ(asked({"0", "1"}), "nothing");
  EXPECT_NE(asked({"1", "2", "3"}).find("the numbers 1 to 3 of 'label' are taken for classes"), std::string::npos);
  EXPECT_EQ(asked({"lleft", "right", "left", "left", "left", "left", "left", "right"}),
            "'label': class names that may be typos: 'lleft' (1) beside 'left' (5)");
  task.columns.kind = "classes";
  EXPECT_EQ(asked({"train", "test"}), "nothing");
  EXPECT_EQ(asked({"lleft", "right", "left", "left", "left", "left", "left", "right"}),
            "'label': class names that may be typos: 'lleft' (1) beside 'left' (5)");
  task.columns.kind = "";
  task.dataset = "emotion";  // its adapter knows
  EXPECT_EQ(asked({"train", "test"}), "nothing");
}

TEST(ResolveSplit, KeepsAGroupInOnePartAndSaysByWhat) {
  Task task = task_of("grouped");
  task.split.group = "source";
  const datasets::Dataset dataset = forty();
  const datasets::Split split = resolve_split(task, dataset);
  EXPECT_EQ(split.origin(), "grouped by source 60/20/20 (seed 0)");
  std::map<std::string, std::set<datasets::Part>> parts;
  for (std::size_t i = 0; i < 39; ++i) parts[dataset.attribute("source")[i]].insert(split.part(i));
  for (const auto& [source, in] : parts) EXPECT_EQ(in.size(), 1u) << source;
}

TEST(ResolveSplit, TestsEveryItemOnceOverTheFolds) {
  const Task task = task_of("folds");
  std::vector<int> tested(40, 0);
  for (const Task& fold : one_task_a_split(task)) {
    const datasets::Split split = resolve_split(fold, forty());
    for (const std::uint32_t item : split.items(datasets::Part::test)) ++tested[item];
    EXPECT_GT(split.count(datasets::Part::val), 0u);
    EXPECT_NE(split.origin().find(fmt::format("fold {} of 5 (seed 0)", fold.split.number)), std::string::npos)
        << split.origin();
  }
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(tested[i], i == 39 ? 0 : 1) << i;
}

TEST(ResolveSplit, KeepsGroupsTogetherInFolds) {
  Task task = task_of("folds");
  task.split.group = "source";
  const datasets::Dataset dataset = forty();
  for (const Task& fold : one_task_a_split(task)) {
    std::set<std::string> test, other;
    const datasets::Split split = resolve_split(fold, dataset);
    for (std::size_t i = 0; i < 39; ++i)
      (split.part(i) == datasets::Part::test ? test : other).insert(dataset.attribute("source")[i]);
    for (const std::string& source : test) EXPECT_FALSE(other.contains(source)) << source;
  }
}

TEST(ResolveSplit, ReadsOneOfSeveralOfficialSplits) {
  Task task = task_of("attribute");
  task.split.attributes = {"split-1"};
  const datasets::Split split = resolve_split(one_task_a_split(task).front(), forty());
  EXPECT_EQ(split.count(datasets::Part::test), 9u);  // 30 to 38
  EXPECT_EQ(split.part(30), datasets::Part::test);
  EXPECT_NE(split.origin().find("official, split-1"), std::string::npos);
}

TEST(ResolveSplit, LeavesWhatDoesNotMeetTheConditionUnused) {
  Task task = task_of("stratified");
  task.where = "topic=guns";
  const datasets::Split split = resolve_split(task, forty());
  for (std::size_t i = 20; i < 40; ++i) EXPECT_EQ(split.part(i), datasets::Part::unused) << i;
  EXPECT_EQ(split.count(datasets::Part::unused), 20u);
  EXPECT_EQ(split.origin(), "stratified 60/20/20 (seed 0), where topic=guns");
}

TEST(ResolveSplit, LeavesDisputedItemsUnused) {
  Task task = task_of("stratified");
  task.agreement = 0.8;
  const datasets::Split split = resolve_split(task, forty());
  for (std::size_t i = 0; i < 40; i += 4) EXPECT_EQ(split.part(i), datasets::Part::unused) << i;
  EXPECT_EQ(split.origin(), "stratified 60/20/20 (seed 0), agreement at least 0.8");
}

std::map<std::string, datasets::Part> parts_of(const datasets::Dataset& dataset, const datasets::Split& split) {
  std::map<std::string, datasets::Part> parts;
  for (std::size_t i = 0; i < dataset.size(); ++i) parts[dataset.ids[i]] = split.part(i);
  return parts;
}

TEST(ResolveSplit, IsTheSameWhateverTheTaskIsCalledAndHoweverItsRowsAreOrdered) {
  const datasets::Dataset dataset = forty();
  std::vector<std::uint32_t> backwards(40);
  for (std::uint32_t i = 0; i < 40; ++i) backwards[i] = 39 - i;
  const datasets::Dataset reversed = datasets::subset(dataset, backwards);
  for (const std::string kind : {"stratified", "grouped", "folds"}) {
    Task one = task_of(kind), other = one;
    one.split.number = other.split.number = kind == "folds" ? 1 : 0;
    if (kind == "grouped") one.split.group = other.split.group = "source";
    one.name = "x/forty";
    other.name = "y/forty";
    EXPECT_EQ(parts_of(dataset, resolve_split(one, dataset)), parts_of(reversed, resolve_split(other, reversed)))
        << kind;
    other.split.seed = 1;
    EXPECT_NE(parts_of(dataset, resolve_split(one, dataset)), parts_of(dataset, resolve_split(other, dataset))) << kind;
  }
}

TEST(ResolveSplit, DrawnByNameIsThatOfEarlierPrograms) {
  Task task = task_of("stratified");
  task.split.by_name = true;
  const datasets::Dataset dataset = forty();
  std::vector<int> strata = dataset.target("label").strata();
  const datasets::Split split = resolve_split(task, dataset);
  EXPECT_EQ(split.parts(), datasets::Split::stratified(strata, {0.6, 0.2, 0.2}, "forty/split", 0).parts());
  EXPECT_EQ(split.origin(), "stratified 60/20/20 (seed 0)");  // as it was recorded; tables add who drew it
}

TEST(ResolveSplit, KeepsAUsersGroupsWholeUnasked) {
  Task task = task_of("official");
  datasets::Dataset dataset = forty();
  dataset.attributes["group"] = dataset.attributes["source"];
  const datasets::Split split = resolve_split(task, dataset);
  EXPECT_EQ(datasets::straddling_groups(dataset.attribute("group"), split).straddling, 0u);
  EXPECT_EQ(split.origin(), "grouped by group 60/20/20 (seed 0)");
  // Also where val is taken from an official train.
  std::vector<datasets::Part> parts(40, datasets::Part::train);
  for (std::size_t i = 32; i < 40; ++i) parts[i] = datasets::Part::test;
  dataset.official = datasets::Split(parts, "official");
  const datasets::Split official = resolve_split(task, dataset);
  EXPECT_GT(official.count(datasets::Part::val), 0u);
  EXPECT_EQ(datasets::straddling_groups(dataset.attribute("group"), official).straddling, 0u);
  task.split.kind = "stratified";  // asked for as it is
  EXPECT_GT(datasets::straddling_groups(dataset.attribute("group"), resolve_split(task, dataset)).straddling, 0u);
}

TEST(ResolveSplit, KeepsGroupsWholeWhereItsValIsTheTest) {
  datasets::Dataset dataset = with_parts(false);
  dataset.attributes["group"] = dataset.attributes["source"];
  const datasets::Split split = resolve_split(task_of("official"), dataset);
  EXPECT_EQ(split.count(datasets::Part::test), 10u);
  EXPECT_GT(split.count(datasets::Part::val), 0u);
  EXPECT_EQ(datasets::straddling_groups(dataset.attribute("group"), split).straddling, 0u);
  EXPECT_NE(split.origin().find("its val is the test, val = 20 % of train (whole groups, seed 0)"), std::string::npos)
      << split.origin();
}

TEST(ResolveSplit, DrawsSeveralWithSeedsOneAfterTheOther) {
  Task task = task_of("stratified");
  task.split.draws = 3;
  task.split.seed = 4;
  const std::vector<Task> draws = one_task_a_split(task);
  ASSERT_EQ(draws.size(), 3u);
  EXPECT_EQ(draws[2].name, "forty.3");
  Task sixth = task_of("stratified");
  sixth.split.seed = 6;
  EXPECT_EQ(resolve_split(draws[2], forty()).parts(), resolve_split(sixth, forty()).parts());
  EXPECT_EQ(resolve_split(draws[2], forty()).origin(), "draw 3 of 3, stratified 60/20/20 (seed 6)");
  Task official = draws[0];
  official.split.kind = "attribute";
  official.split.attributes = {"split-1"};
  EXPECT_THROW(resolve_split(official, forty()), Error);
}

TEST(ResolveSplit, ReadsAFileAndNamesWhatItDoesNotKnow) {
  const test::ScratchDir dir;
  const datasets::Dataset dataset = forty();
  const datasets::Split drawn = resolve_split(task_of("stratified"), dataset);
  drawn.write(dir / "forty.csv", dataset.ids);
  Task task = task_of("file");
  task.split.file = dir / "forty.csv";
  EXPECT_EQ(resolve_split(task, dataset).parts(), drawn.parts());
  EXPECT_EQ(resolve_split(task, dataset).origin(), "file forty.csv");
  for (const auto& [line, words] : {std::pair("images/99.jpg,train\n", "is no item of forty"),
                                    {"images/1.jpg,train\nimages/1.jpg,test\n", "stands there twice"}}) {
    write_file_atomically(dir / "forty.csv", std::string("id,part\n") + line);
    try {
      resolve_split(task, dataset);
      FAIL() << line;
    } catch (const Error& error) {
      EXPECT_NE(error.message().find(words), std::string::npos) << error.message();
    }
  }
}

TEST(Draws, OfFewShotsAndFoldsDependOnIdsAlone) {
  const datasets::Dataset dataset = forty();
  std::vector<std::uint32_t> backwards(40), all(40);
  for (std::uint32_t i = 0; i < 40; ++i) backwards[i] = 39 - i, all[i] = i;
  const datasets::Dataset reversed = datasets::subset(dataset, backwards);
  const std::vector<int> strata = dataset.target("label").strata(), back = reversed.target("label").strata();
  const datasets::Split train(std::vector<datasets::Part>(40, datasets::Part::train), "all");
  const Draws one(dataset.ids, 0), other(reversed.ids, 0);
  EXPECT_EQ(parts_of(dataset, one.few_shots(train, strata, 3, 1)),
            parts_of(reversed, other.few_shots(train, back, 3, 1)));
  EXPECT_EQ(parts_of(dataset, one.label_fraction(train, strata, 0.2, 1)),
            parts_of(reversed, other.label_fraction(train, back, 0.2, 1)));
  const std::vector<std::string>& groups = dataset.attribute("source");
  const std::vector<int> folds = one.inner_folds(all, strata, {}, 0), mirrored = other.inner_folds(all, back, {}, 0);
  ASSERT_EQ(folds.size(), 40u);
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(folds[i], mirrored[39 - i]) << i;
  const std::vector<int> grouped = one.inner_folds(all, strata, groups, 0);
  ASSERT_EQ(grouped.size(), 40u);
  for (std::size_t i = 0; i < 38; ++i) EXPECT_TRUE(groups[i] != groups[i + 1] || grouped[i] == grouped[i + 1]) << i;
}

TEST(ResolveSplit, RefusesASplitWithoutTest) {
  Task task = task_of("stratified");
  task.split.shares = {0.9, 0.1, 0};
  try {
    resolve_split(task, forty());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(error.message().find("leaves no test images"), std::string::npos);
  }
}

}  // namespace
}  // namespace vise::experiments

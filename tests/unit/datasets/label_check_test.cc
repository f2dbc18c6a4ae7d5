// Cells that say nothing, numbers of other languages, and labels that are no classes.
#include "datasets/label_check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "datasets/cells.h"
#include "tests/unit/datasets/trees.h"

namespace vise::datasets {
namespace {

using test::error_of;
using test::Names;

TEST(Cells, AreMissingInTheSpellingsOfPrograms) {
  for (const char* cell :
       {"", " ", "NA", "na", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "None", "-", "?"})
    EXPECT_TRUE(is_missing(cell)) << cell;
  for (const char* cell : {"none", "0", "-1", "no", "nana", "n.a", "--", "nil"}) EXPECT_FALSE(is_missing(cell)) << cell;
}

TEST(Cells, AreNumbersWithADecimalCommaWhereItIsOne) {
  EXPECT_EQ(parse_cell_number("5,60", true), 5.6);
  EXPECT_EQ(parse_cell_number("-0,5", true), -0.5);
  EXPECT_EQ(parse_cell_number("1.234,5", true), 1234.5);
  EXPECT_EQ(parse_cell_number("1,5e3", true), 1500);
  EXPECT_EQ(parse_cell_number("5.6", true), 5.6);
  EXPECT_FALSE(parse_cell_number("5,60", false));
  for (const char* cell : {"1,2,3", "12.34,5", ",5", "5,", "a,5", "1.2345,6"})
    EXPECT_FALSE(parse_cell_number(cell, true)) << cell;
}

std::string doubt(const Names& labels) { return doubt_about(Targets::from_labels(labels)).value_or("none"); }

// As many items of each as make a class.
std::string doubt_of_names(const Names& names, int of_each = 5) {
  Names labels;
  for (int i = 0; i < of_each; ++i) labels.insert(labels.end(), names.begin(), names.end());
  return doubt(labels);
}

TEST(LabelCheck, DoubtsTheNamesOfASplit) {
  EXPECT_EQ(doubt_of_names({"train", "test"}), "are the names of a split: test, train");
  EXPECT_EQ(doubt_of_names({"Training_Set", "Valid", "Unlabeled"}).substr(0, 26), "are the names of a split: ");
  EXPECT_EQ(doubt_of_names({"train", "car", "test"}), "none");
}

TEST(LabelCheck, DoubtsTheNamesOfFolds) {
  EXPECT_EQ(doubt_of_names({"fold1", "fold2", "fold3"}), "are the names of folds or pieces: fold1, fold2, fold3");
  EXPECT_EQ(doubt_of_names({"part_01", "Part-02"}).substr(0, 33), "are the names of folds or pieces:");
  EXPECT_EQ(doubt_of_names({"fold1", "fold2", "calm"}), "none");
  EXPECT_EQ(doubt_of_names({"folded", "settled"}), "none");
  EXPECT_EQ(doubt_of_names({"person1", "person2"}), "none");
}

TEST(LabelCheck, RemarksOnClassesThatDifferByCaseAndOnNumbersOfTwoValues) {
  EXPECT_EQ(remark_on(Targets::from_labels(Names{"Calm", "calm", "tense"})),
            "'Calm' and 'calm' differ by case alone and are two classes");
  EXPECT_EQ(remark_on(Targets::from_labels(Names{"calm", "tense"})), std::nullopt);
  const auto values = [](std::vector<double> rows) { return Targets::from_values(std::move(rows), {"y"}); };
  EXPECT_EQ(remark_on(values({0, 1, std::nan(""), 1})),
            "has the numbers 0 and 1 alone, which are predicted as numbers: --label-column takes them for classes");
  EXPECT_EQ(remark_on(values({0, 1, 2})), std::nullopt);
}

// So many items of each name.
std::string typos(const std::vector<std::pair<std::string, std::size_t>>& classes) {
  Names labels;
  for (const auto& [name, items] : classes) labels.insert(labels.end(), items, name);
  return remark_on_typos(Targets::from_labels(labels)).value_or("none");
}

TEST(LabelCheck, RemarksOnRareNamesThatMayBeTypos) {
  EXPECT_EQ(typos({{"happy", 50}, {"happpy", 1}, {"sad", 40}}),
            "class names that may be typos: 'happpy' (1) beside 'happy' (50)");
  EXPECT_EQ(typos({{"happy", 50}, {"happpy", 10}}), "class names that may be typos: 'happpy' (10) beside 'happy' (50)");
  EXPECT_EQ(typos({{"happy", 50}, {"happpy", 11}}), "none") << "audit lists it";
  EXPECT_EQ(typos({{"cat", 50}, {"car", 50}}), "none");
  EXPECT_EQ(typos({{"1", 1}, {"2", 50}, {"10", 20}, {"class 1", 1}, {"class 2", 50}}), "none");
  EXPECT_EQ(typos({{"calm", 50}, {"Calm", 1}}), "none") << "remark_on says so";
  EXPECT_EQ(typos({{"surprise", 50}, {"suprise", 1}, {"surprize", 2}, {"surprse", 3}, {"surpriise", 4}}),
            "class names that may be typos: 'suprise' (1) beside 'surprise' (50), 'surpriise' (4) beside 'surprise' "
            "(50), 'surprize' (2) beside 'surprise' (50) and 1 more (vise-eval audit)");
  EXPECT_EQ(remark_on_typos(Targets::from_multi_label({1, 0, 1, 0, 1, 0, 1, 0, 1, -1, 0, 1}, {"dog", "dogs"})),
            "class names that may be typos: 'dogs' (1) beside 'dog' (5)");
  std::vector<std::pair<std::string, std::size_t>> many;
  for (char a = 'a'; a <= 'z'; ++a)
    for (char b = 'a'; b <= 'z'; ++b)
      for (char c = 'a'; c <= 'b'; ++c) many.emplace_back(std::string("name") + a + b + c, a == 'a' ? 5 : 1);
  EXPECT_EQ(typos(many), "none") << "of so many classes pairs aren't compared";
}

TEST(LabelCheck, DoubtsFileNamesDatesAndNumbers) {
  EXPECT_EQ(doubt_of_names({"a.jpg", "b.png", "c/d.JPG"}).substr(0, 15), "are file names:");
  EXPECT_EQ(doubt_of_names({"2019-01-02", "2019-01-03", "2020-12-24T10:00"}).substr(0, 10), "are dates:");
  EXPECT_EQ(doubt_of_names({"2.1.2019", "24.12.19", "3.1.2020"}).substr(0, 10), "are dates:");
  EXPECT_EQ(doubt_of_names({"1/2/2019", "3/4/2019"}).substr(0, 10), "are dates:");
  EXPECT_EQ(doubt_of_names({"5,60", "2,51", "3"}), "are 3 different numbers: 2,51, 3, 5,60");
  EXPECT_EQ(doubt_of_names({"18", "19", "31", "44"}), "are 4 different numbers: 18, 19, 31 ...");
  Names scale;
  for (int i = 0; i <= 20; ++i) scale.push_back(std::to_string(i));
  EXPECT_NE(doubt_of_names(scale), "none");
}

TEST(LabelCheck, DoubtsAsManyValuesAsImages) {
  EXPECT_EQ(doubt({"anna", "bob", "carl", "dora", "emil", "emil"}),
            "are 5 different ones for 6 images: anna, bob, carl ...");
  EXPECT_EQ(doubt({"a1f3", "b2c4", "0d9e"}).substr(0, 25), "are 3 different ones for ");
  EXPECT_EQ(doubt({"a", "a", "b", "b", "c", "c"}), "none");
}

TEST(LabelCheck, LeavesClassesAndTheirCodesAlone) {
  EXPECT_EQ(doubt_of_names({"joy", "fear", "awe"}), "none");
  EXPECT_EQ(doubt_of_names({"0", "1"}), "none");
  EXPECT_EQ(doubt_of_names({"-1", "1"}), "none");
  EXPECT_EQ(doubt_of_names({"1", "2", "3", "4", "5", "6", "7"}), "none");
  EXPECT_TRUE(class_codes(Targets::from_labels(Names{"0", "1", "2"})));
  EXPECT_FALSE(class_codes(Targets::from_labels(Names{"0", "1", "7"})));
}

TEST(LabelCheck, ReadsLabelsAsThePersonAnswers) {
  const Targets values = labels_as(Targets::from_labels(Names{"18", "", "5,5"}), "values");
  EXPECT_EQ(values.kind(), TargetKind::values);
  EXPECT_EQ(values.rows()[0], 18);
  EXPECT_TRUE(std::isnan(values.rows()[1]));
  EXPECT_EQ(values.rows()[2], 5.5);
  const Targets classes = labels_as(Targets::from_values({0.5, std::nan(""), 1}, {"label"}), "classes");
  EXPECT_EQ(test::class_names(classes), (Names{"0.5", "-", "1"}));
  EXPECT_EQ(error_of([] { labels_as(Targets::from_labels(Names{"joy"}), "values"); }).message(),
            "label 'joy' is not a number");
}

// What a file leaves out is an error, not a division by zero.
TEST(Targets, WithoutANameAreRefused) {
  EXPECT_EQ(error_of([] { Targets::from_multi_label({}, {}); }).kind(), ErrorKind::input);
  EXPECT_EQ(error_of([] { Targets::from_distribution({}, {}); }).kind(), ErrorKind::input);
  EXPECT_EQ(error_of([] { Targets::from_values({1, 2, 3}, {"a", "b"}); }).kind(), ErrorKind::input);
  EXPECT_EQ(error_of([] { Targets::from_classes({0, 2}, {"a", "b"}); }).message(), "item 2: there is no class 2 of 2");
  EXPECT_EQ(error_of([] { Targets::from_values({1}, {"a"}).classes(); }).message(),
            "labels are values, where classes are needed");
}

}  // namespace
}  // namespace vise::datasets

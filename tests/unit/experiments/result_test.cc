#include "experiments/result.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <thread>

#include "base/error.h"
#include "experiments/results_file.h"
#include "tests/shared.h"

namespace vise::experiments {
namespace {

Result sample(const std::string& key) {
  Result r;
  r.cell = {"omi300/happy", "label", "vise-250m", "logreg", "layer4", "avg", 3, 16, 0.5, "topic=sea"};
  r.key = key;
  r.primary_metric = "accuracy";
  r.metrics = {{"accuracy", 0.1 + 0.2}, {"auc", std::nullopt}};
  r.class_names = {"<script>", "a|b\"\n", "größe"};
  r.target_kind = datasets::TargetKind::classes;
  r.split_origin = "official";
  r.split_hash = "abc";
  r.sizes = {180, 60, 61, 2};
  r.selection = {
      "val (60 images)", "accuracy", {{{{"C", 1e-6}}, 1.0 / 3}, {{{"C", 0.1}}, 0.75}}, {}, {{"C", 0.1}}, true, true};
  r.convergence = {"log loss", 12.5, std::numeric_limits<double>::quiet_NaN(), 17, true};
  r.sample_hash = "def";
  r.calibration = {false, 1.0 / 3, -0.2, "val (60 images)"};
  r.probe_settings = {{"name", "logreg"}};
  r.features = {{"weights", {{"sha256", "00"}}}};
  r.seconds = {{"fit", 0.25}};
  r.images = 300;
  r.notes = {"one", "two"};
  r.scores_file = "scores/" + key + ".test.npy";
  r.version = "0.1.0";
  r.started_at = "2026-01-01T00:00:00Z";
  return r;
}

std::vector<std::string> keys(const Path& path) {
  std::vector<std::string> found;
  for (const Result& r : read_results(path)) found.push_back(r.key);
  return found;
}

void append_text(const Path& path, std::string_view text) { std::ofstream(path, std::ios::app) << text; }

using Keys = std::vector<std::string>;

TEST(Result, ReadsBackEveryFieldBitForBit) {
  const Result before = sample("k");
  const Result after = result_from_json(parse_json(to_json(before).dump(), "test"));
  EXPECT_EQ(to_json(after), to_json(before));
  EXPECT_EQ(*after.metrics.at("accuracy"), 0.1 + 0.2);
  EXPECT_FALSE(after.metrics.at("auc").has_value());
  EXPECT_TRUE(std::isnan(after.convergence.gradient_norm));
  EXPECT_EQ(after.selection.curve[0].score, 1.0 / 3);
  EXPECT_EQ(after.class_names, before.class_names);
}

// Fields in any order, and those that files of earlier programs lack.
TEST(Result, ReadsFieldsInAnyOrderAndEarlierFiles) {
  const Json written = to_json(sample("k"));
  std::string text = "{";
  for (auto field = written.rbegin(); field != written.rend(); ++field)
    text += (text.size() > 1 ? "," : "") + Json(field.key()).dump() + ":" + field.value().dump();
  text += "}";
  const test::ScratchDir dir;
  append_text(dir / "results.jsonl", R"({"schema":"vise-eval/results","version":1})"
                                     "\n" +
                                         text + "\n");
  EXPECT_EQ(to_json(read_results(dir / "results.jsonl")[0]), written);
  Json earlier = written;
  for (const char* later : {"images", "calibration"}) earlier.erase(later);
  for (const char* later : {"fraction", "where"}) earlier["cell"].erase(later);
  earlier["split"].erase("sample_hash");
  const Result read = result_from_json(earlier);
  EXPECT_EQ(read.cell.fraction, 1);
  EXPECT_EQ(read.images, 0u);
  EXPECT_TRUE(read.calibration.scores_are_logits);
  EXPECT_EQ(read.version, "0.1.0");
}

TEST(Result, WhatTablesDoNotPrintCanBeLeftOut) {
  const test::ScratchDir dir;
  append_result(dir / "results.jsonl", sample("k"));
  const Result whole = read_results(dir / "results.jsonl")[0],
               part = read_results(dir / "results.jsonl", ResultDetail::table)[0];
  EXPECT_EQ(part.metrics, whole.metrics);
  EXPECT_EQ(part.cell, whole.cell);
  EXPECT_EQ(part.selection.chosen, whole.selection.chosen);
  EXPECT_EQ(part.selection.curve.size(), 1u);
  EXPECT_EQ(part.notes, whole.notes);
  EXPECT_EQ(part.scores_file, whole.scores_file);
  EXPECT_TRUE(part.features->is_null());
  EXPECT_TRUE(part.seconds.empty());
}

TEST(Result, MissingFieldIsAnInputError) {
  Json json = to_json(sample("k"));
  json.erase("metrics");
  EXPECT_THROW(result_from_json(json), Error);
}

TEST(ResultsFile, FirstLineIsTheSchemaAndLaterLinesReplaceEarlierOnesOfTheSameKey) {
  const test::ScratchDir dir;
  const Path path = dir / "run/results.jsonl";
  append_result(path, sample("a"));
  append_result(path, sample("b"));
  Result again = sample("a");
  again.metrics["accuracy"] = 0.5;
  append_result(path, again);
  EXPECT_EQ(keys(path), (Keys{"a", "b"}));
  EXPECT_EQ(*read_results(path)[0].metrics.at("accuracy"), 0.5);
  EXPECT_TRUE(read_text_file(path).starts_with("{\"schema\":\"vise-eval/results\",\"version\":1}\n"));
}

// A crash may cut the file anywhere: what was whole stays, and the next append leaves a file without a scar.
TEST(ResultsFile, SurvivesACutAtEveryByteOfTheLastLine) {
  const test::ScratchDir dir;
  const Path path = dir / "results.jsonl";
  append_result(path, sample("a"));
  const std::string one = read_text_file(path);
  append_result(path, sample("b"));
  const std::string two = read_text_file(path);
  append_result(path, sample("c"));
  const std::string whole = read_text_file(path);
  append_result(path, sample("c"));
  for (std::size_t cut = two.size(); cut < whole.size(); ++cut) {
    write_file_atomically(path, std::string_view(whole).substr(0, cut));
    const Keys expected = cut + 1 == whole.size() ? Keys{"a", "b", "c"} : Keys{"a", "b"};
    ASSERT_EQ(keys(path), expected) << cut;
    append_result(path, sample("c"));
    ASSERT_EQ(keys(path), (Keys{"a", "b", "c"})) << cut;
  }
  for (std::size_t cut = 0; cut < one.size(); cut += 7) {  // the schema line among them
    write_file_atomically(path, std::string_view(one).substr(0, cut));
    append_result(path, sample("z"));
    ASSERT_EQ(keys(path), cut + 1 == one.size() ? (Keys{"a", "z"}) : (Keys{"z"})) << cut;
  }
}

TEST(ResultsFile, NamesTheBadLine) {
  const test::ScratchDir dir;
  const Path path = dir / "results.jsonl";
  append_result(path, sample("a"));
  append_text(path, "{\"key\": \"half\"}\n");
  try {
    read_results(path);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input);
    EXPECT_NE(e.message().find("line 3"), std::string::npos) << e.message();
  }
}

// Broken at any mark between, before or after the fields that may be missing: an error, never a walk beyond the text.
TEST(ResultsFile, NamesALineThatIsBrokenAtAnyMark) {
  const test::ScratchDir dir;
  const Path path = dir / "results.jsonl";
  append_result(path, sample("a"));
  const std::string whole = read_text_file(path);
  const std::size_t begin = whole.find('\n') + 1;
  for (std::size_t at = whole.find_first_of(":{}[],", begin); at != std::string::npos;
       at = whole.find_first_of(":{}[],", at + 1)) {
    std::string text = whole;
    text[at] = 'Q';
    write_file_atomically(path, text);
    for (const ResultDetail detail : {ResultDetail::everything, ResultDetail::table}) try {
        read_results(path, detail);  // marks inside texts, and in what tables step over, may be anything
      } catch (const Error& e) {
        ASSERT_NE(e.message().find("line 2: "), std::string::npos) << e.message() << " at " << at;
      }
  }
}

// What results share is held once, and what one of them has otherwise is its own.
TEST(ResultsFile, ResultsThatShareSettingsKeepTheirOwn) {
  const test::ScratchDir dir;
  const Path path = dir / "results.jsonl";
  std::vector<Json> written;
  for (int i = 0; i < 6; ++i) {
    Result r = sample("k" + std::to_string(i));
    r.features = Json{{"weights", {{"sha256", std::to_string(i / 2)}}}};
    r.probe_settings = Json{{"name", i % 3 == 0 ? "knn" : "logreg"}};
    r.selection.curve = {{{{"C", 0.5}, {"k", i % 2}}, 0.1 * i}, {{{"C", 0.5}}, 0.75}};
    append_result(path, r);
    written.push_back(to_json(r));
  }
  const std::vector<Result> read = read_results(path);
  ASSERT_EQ(read.size(), written.size());
  for (std::size_t i = 0; i < read.size(); ++i) EXPECT_EQ(to_json(read[i]), written[i]);
}

// Readers work on blocks of the file; lines are of every length, some longer than a block.
TEST(ResultsFile, ReadsEveryLineWhereverBlocksEnd) {
  const test::ScratchDir dir;
  const Path path = dir / "results.jsonl";
  append_result(path, sample("first"));
  std::string text;
  Keys expected{"first"};
  for (std::size_t i = 0; i < 300; ++i) {
    Result r = sample("k" + std::to_string(i));
    r.error = std::string(i * i * 7 % 20000 + (i % 100 == 99 ? 700000 : 0), 'x');
    text += to_json(r).dump() + (i % 3 == 0 ? "\n\n" : "\n");
    expected.push_back(r.key);
  }
  append_text(path, text);
  EXPECT_EQ(keys(path), expected);
  append_text(path, "{\"key\": 1}\n");
  try {
    read_results(path);
    FAIL();
  } catch (const Error& e) {  // the schema, "first", 300 results, 100 of them followed by a blank line
    EXPECT_NE(e.message().find("line 403:"), std::string::npos) << e.message();
  }
}

TEST(ResultsFile, RefusesAnotherFileAndALaterVersion) {
  const test::ScratchDir dir;
  write_file_atomically(dir / "x.jsonl", "{\"a\": 1}\n");
  EXPECT_THROW(read_results(dir / "x.jsonl"), Error);
  write_file_atomically(dir / "y.jsonl", "{\"schema\":\"vise-eval/results\",\"version\":2}\n");
  EXPECT_THROW(read_results(dir / "y.jsonl"), Error);
  EXPECT_THROW(read_results(dir / "none.jsonl"), Error);
}

TEST(ResultsFile, TwoWritersDoNotTearEachOthersLines) {
  const test::ScratchDir dir;
  const Path path = dir / "results.jsonl";
  const auto write = [&](const char* prefix) {
    for (int i = 0; i < 20; ++i) append_result(path, sample(prefix + std::to_string(i)));
  };
  std::thread other(write, "x");
  write("y");
  other.join();
  EXPECT_EQ(read_results(path).size(), 40u);
}

}  // namespace
}  // namespace vise::experiments

// Memotion 7k (Sharma et al., SemEval-2020 task 8).
//
// Source page: https://competitions.codalab.org/competitions/20629. Licence: see the page. Tree:
// memotion_dataset_7k/labels.csv (an unnamed index, image_name, text_ocr, text_corrected, humour, sarcasm, offensive,
// motivational, overall_sentiment; texts with newlines in quotes), images/. 6,992 rows. Targets: each of the five as
// classes, and sentiment: overall_sentiment with very_negative and very_positive merged (the task's three classes),
// which is also label. No official split for the 7k. Metric: macro F1.
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"
#include "datasets/manifest.h"
#include "datasets/manifest_part.h"

namespace vise::datasets {
namespace {

const DatasetInfo kMemotion{.name = "memotion",
                            .title = "Memotion 7k (SemEval-2020 task 8)",
                            .folders = {"memotion_dataset_7k", "memotion", "Memotion"},
                            .tree = "memotion_dataset_7k/\n  labels.csv\n  images/<image_name>",
                            .page = "https://competitions.codalab.org/competitions/20629",
                            .licence = "see the page",
                            .citation =
                                "C. Sharma et al. SemEval-2020 Task 8: Memotion Analysis - the Visuo-Lingual Metaphor! "
                                "SemEval 2020."};

// "very_positive" counts as "positive", as in task A of SemEval-2020.
Targets merged(const std::vector<std::string>& sentiments) {
  std::vector<std::string> words;
  for (const std::string& sentiment : sentiments)
    words.push_back(sentiment.starts_with("very_") ? sentiment.substr(5) : sentiment);
  return Targets::from_labels(words, {"negative", "neutral", "positive"});
}

Dataset read_memotion(const DatasetRequest& request) {
  const ManifestPart part{request.root / "labels.csv", "images/", std::nullopt};
  Dataset dataset =
      read_manifest(std::span(&part, 1), request.root, kMemotion.name, request.log, {}, request.container());
  for (const char* column : {"humour", "sarcasm", "offensive", "motivational", "overall_sentiment"})
    // The reader keeps columns of words as attributes, since it can't know which of them are labels.
    dataset.targets.insert_or_assign(column, Targets::from_labels(dataset.attribute(column)));
  dataset.targets.emplace("sentiment", merged(dataset.attribute("overall_sentiment")));
  dataset.targets.emplace("label", dataset.target("sentiment"));
  dataset.targets.erase("");  // the unnamed index
  expect_count(dataset, request.log, "rows", dataset.size(), 6992);
  drop_missing(dataset, request.log, "images");
  return dataset;
}

}  // namespace

void add_memotion(DatasetRegistry& registry) { registry.add(kMemotion, read_memotion); }

}  // namespace vise::datasets

// Twitter I (You, Luo, Jin, Yang, "Robust Image Sentiment Analysis Using Progressively Trained and Domain Transferred
// Deep Networks", AAAI 2015).
//
// Source page: https://qzyou.github.io. Licence: not stated, research. Tree: Agg_AMT_Candidates/<file>;
// three_agree.txt, four_agree.txt, five_agree.txt (also twitter_three_agrees.txt ...), lines "file label", 1 =
// positive. 1,269 images, of which five of five raters agree on 882 (unverified). Targets: label (negative, positive);
// votes of five, as the agreement and the label imply. Attribute agreement: three, four or five. No official split: 5
// folds. Metric: accuracy.
#include <fmt/format.h>

#include <map>

#include "base/error.h"
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"

namespace vise::datasets {
namespace {

const DatasetInfo kTwitter{
    .name = "twitter-i",
    .title = "Twitter I (You et al., AAAI 2015)",
    .folders = {"twitter-i", "TwitterI", "Twitter_I", "twitter"},
    .tree = "twitter-i/\n  three_agree.txt, four_agree.txt, five_agree.txt\n  Agg_AMT_Candidates/<file>",
    .page = "https://qzyou.github.io",
    .licence = "not stated: research",
    .citation =
        "Q. You, J. Luo, H. Jin, J. Yang. Robust Image Sentiment Analysis Using Progressively "
        "Trained and Domain Transferred Deep Networks. AAAI 2015."};

// label: 1 is positive; agree: how many of the five raters chose it.
struct Item {
  int label = 0, agree = 0;
};

// The list's file under either of its names, or an empty path.
Path list_of(const Path& root, const char* word) {
  for (const std::string& name : {fmt::format("{}_agree.txt", word), fmt::format("twitter_{}_agrees.txt", word)})
    if (std::filesystem::exists(root / name)) return root / name;
  return {};
}

void read_list(const Path& path, int agree, std::map<std::string, Item>& items) {
  for (const auto& row : blank_separated(path, 2)) {
    if (row[1] != "0" && row[1] != "1")
      throw Error(ErrorKind::input,
                  fmt::format("{}: label '{}' of {} is neither 0 nor 1", path.string(), row[1], row[0]));
    // Later lists overwrite earlier ones, so an item ends with the highest agreement that it has.
    items[row[0]] = {row[1] == "1", agree};
  }
}

Dataset read_twitter(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kTwitter.name);
  std::map<std::string, Item> items;
  const char* const words[] = {"three", "four", "five"};  // each list is within the one before it
  for (int w = 0; w < 3; ++w)
    if (const Path path = list_of(request.root, words[w]); !path.empty()) read_list(path, 3 + w, items);
  if (items.empty())
    throw Error(ErrorKind::missing,
                fmt::format("{}: has none of three_agree.txt, four_agree.txt, five_agree.txt", request.root.string()));
  std::vector<int> classes;
  std::vector<double> votes;
  for (const auto& [name, item] : items) {
    dataset.ids.push_back("Agg_AMT_Candidates/" + name);
    classes.push_back(item.label);
    // What agreement and label imply: `agree` votes for the label, the rest of the five for the other class.
    votes.insert(votes.end(), {static_cast<double>(item.label ? 5 - item.agree : item.agree),
                               static_cast<double>(item.label ? item.agree : 5 - item.agree)});
    dataset.attributes["agreement"].emplace_back(words[item.agree - 3]);
  }
  dataset.targets.emplace("label", Targets::from_classes(std::move(classes), {"negative", "positive"}));
  dataset.targets.emplace("votes", Targets::from_distribution(std::move(votes), {"negative", "positive"}));
  expect_count(dataset, request.log, "images", dataset.size(), 1269);
  drop_missing(dataset, request.log, "Agg_AMT_Candidates");
  return dataset;
}

}  // namespace

void add_twitter(DatasetRegistry& registry) { registry.add(kTwitter, read_twitter); }

}  // namespace vise::datasets

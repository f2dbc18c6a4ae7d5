// Hateful Memes (Kiela et al., "The Hateful Memes Challenge", NeurIPS 2020).
//
// Source page: https://ai.meta.com/tools/hatefulmemes (the challenge's download is closed). Licence: research only.
// Tree: img/<5 digits>.png, and lines of JSON {id, img, label, text}: train.jsonl (8,500), dev_seen.jsonl (500),
// dev_unseen.jsonl (540), test_seen.jsonl (1,000), test_unseen.jsonl (2,000); the first phase had train, dev and test
// (= test_seen). Classes: not-hateful, hateful. Metrics: ROC AUC, then accuracy.
//
// Official split here: train; val = dev_seen (or dev); test = the first of test_unseen, test_seen, test whose file has
// labels. What is left (dev_unseen, the other test) is unused; the attribute subset says where a meme comes from,
// joined by '|' where files overlap. Defects: dev_unseen overlaps dev_seen; ids lose their leading zeros; test files of
// both phases had no labels; conflicting labels of one id in two files (the later file is believed, with a warning);
// mirrors lack images.
#include <fmt/format.h>

#include <map>

#include "base/error.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"
#include "datasets/open_rows.h"

namespace vise::datasets {
namespace {

const DatasetInfo kHatefulMemes{
    .name = "hateful-memes",
    .title = "Hateful Memes (Kiela et al., NeurIPS 2020)",
    .folders = {"hateful_memes", "hateful-memes", "HatefulMemes", "hateful_memes_data"},
    .tree =
        "hateful_memes/\n  train.jsonl, dev_seen.jsonl, test_unseen.jsonl (or dev.jsonl, test.jsonl, ...)\n"
        "  img/<5 digits>.png",
    .page = "https://ai.meta.com/tools/hatefulmemes",
    .licence = "research only",
    .citation =
        "D. Kiela, H. Firooz, A. Mohan, V. Goswami, A. Singh, P. Ringshia, D. Testuggine. The Hateful Memes "
        "Challenge: Detecting Hate Speech in Multimodal Memes. NeurIPS 2020."};

struct Subset {
  const char* name;
  std::size_t known;  // lines as distributed
};
// In the order in which they are read: where files disagree on a label, the later one is believed.
constexpr Subset kSubsets[] = {{"train", 8500},     {"dev", 500},          {"dev_seen", 500}, {"dev_unseen", 540},
                               {"test_seen", 1000}, {"test_unseen", 2000}, {"test", 1000}};

// `subset` names all files that have the meme, as in "dev_seen|dev_unseen".
struct Meme {
  std::string id, label, text, subset;
};

// The memes of all files, each once, in the order in which they are first seen.
class MemeFiles {
 public:
  explicit MemeFiles(const DatasetRequest& request) : request_(request) {}

  void read(const Subset& subset, Dataset& dataset) {
    const Path path = request_.root / fmt::format("{}.jsonl", subset.name);
    if (!std::filesystem::exists(path)) return;
    const auto rows = open_rows(path);
    std::size_t lines = 0;
    for (; rows->next(); ++lines) {
      // "" where the line lacks the column.
      const auto cell = [&](std::string_view column) {
        for (std::size_t c = 0; c < rows->cells().size(); ++c)
          if (rows->columns()[c] == column) return std::string(rows->cells()[c]);
        return std::string();
      };
      add({image_of(cell("img"), cell("id"), path, rows->row()), label_of(cell("label"), path, rows->row()),
           cell("text"), subset.name});
    }
    lines_[subset.name] = lines;
    expect_count(dataset, request_.log, fmt::format("lines in {}", path.filename().string()), lines, subset.known);
  }

  // The first of the files with any label, or "".
  std::string first_labelled(std::initializer_list<const char*> files) const {
    for (const char* file : files)
      if (labelled_.contains(file)) return file;
    return {};
  }
  bool has(const char* file) const { return lines_.contains(file); }
  const std::vector<Meme>& memes() const { return memes_; }
  std::size_t conflicts() const { return conflicts_; }

 private:
  // The image that a line names, or, from an id that has lost its zeros, the file of five digits.
  static std::string image_of(const std::string& img, const std::string& id, const Path& path, std::size_t line) {
    if (!img.empty()) return img;
    std::int64_t number = 0;
    if (!parse_int(id, number))
      throw Error(ErrorKind::input, fmt::format("{}: line {}: no img and no id", path.string(), line));
    return fmt::format("img/{:05}.png", number);
  }

  static std::string label_of(const std::string& cell, const Path& path, std::size_t line) {
    if (cell.empty()) return {};
    if (cell == "0" || cell == "1") return cell == "1" ? "hateful" : "not-hateful";
    throw Error(ErrorKind::input, fmt::format("{}: line {}: label '{}' is neither 0 nor 1", path.string(), line, cell));
  }

  // A meme that a file has seen before keeps its place; an empty label never replaces one.
  void add(Meme meme) {
    if (!meme.label.empty()) labelled_[meme.subset] = true;
    const auto [found, is_new] = place_.emplace(meme.id, memes_.size());
    if (is_new) {
      memes_.push_back(std::move(meme));
      return;
    }
    Meme& known = memes_[found->second];
    if (!known.label.empty() && !meme.label.empty() && known.label != meme.label) ++conflicts_;
    if (!meme.label.empty()) known.label = meme.label;
    known.subset += '|' + meme.subset;
  }

  const DatasetRequest& request_;
  std::vector<Meme> memes_;
  std::map<std::string, std::size_t> place_, lines_;
  std::map<std::string, bool> labelled_;
  std::size_t conflicts_ = 0;
};

// Words are compared whole: "dev" is not in "dev_seen".
bool is_in(const std::string& subsets, const std::string& subset) {
  for (const std::string& one : split(subsets, '|'))
    if (one == subset) return true;
  return false;
}

Dataset read_hateful_memes(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kHatefulMemes.name);
  MemeFiles files(request);
  for (const Subset& subset : kSubsets) files.read(subset, dataset);
  if (!files.has("train"))
    throw Error(ErrorKind::missing, fmt::format("{}: has no train.jsonl", request.root.string()));
  const std::string val = files.has("dev_seen") ? "dev_seen" : "dev";
  const std::string test = files.first_labelled({"test_unseen", "test_seen", "test"});
  std::vector<std::string> labels;
  std::vector<Part> parts;
  for (const Meme& meme : files.memes()) {
    dataset.ids.push_back(meme.id);
    labels.push_back(meme.label);
    dataset.attributes["text"].push_back(meme.text);
    dataset.attributes["subset"].push_back(meme.subset);
    // A meme of several files goes to the part that is measured: a test meme that is in
    // train as well must not be trained on.
    parts.push_back(is_in(meme.subset, test)      ? Part::test
                    : is_in(meme.subset, val)     ? Part::val
                    : is_in(meme.subset, "train") ? Part::train
                                                  : Part::unused);
  }
  dataset.targets.emplace("label", Targets::from_labels(labels, {"not-hateful", "hateful"}));
  dataset.official =
      Split(std::move(parts), fmt::format("official (val: {}, test: {})", val, test.empty() ? "none" : test));
  const auto note = [&](std::string text) {
    request.log.warn(fmt::format("{}: {}", kHatefulMemes.name, text));
    dataset.notes.push_back(std::move(text));
  };
  if (test.empty()) note("no test file has labels: there is no test split");
  if (files.conflicts() > 0) note(fmt::format("{} memes have another label in a second file", files.conflicts()));
  drop_missing(dataset, request.log, "img");
  return dataset;
}

}  // namespace

void add_hateful_memes(DatasetRegistry& registry) { registry.add(kHatefulMemes, read_hateful_memes); }

}  // namespace vise::datasets

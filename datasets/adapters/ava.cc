// AVA (Murray, Marchesotti, Perronnin, "AVA: A Large-Scale Database for Aesthetic Visual Analysis", CVPR 2012).
//
// Source page: https://github.com/imfing/ava_downloader. Licence: the photographers'. Tree: AVA.txt, no header, 15
// columns by blanks: index, image id, counts of the scores 1 to 10, two tags (0: none), challenge; images/<id>.jpg,
// which the package doesn't hold: mirrors have about 255,500 files, some corrupt. Targets: votes, score (their mean),
// label (high where the mean is above 5, else low). Attributes: challenge, tag1, tag2. No official split read. Metrics:
// SRCC, accuracy.
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"

namespace vise::datasets {
namespace {

const DatasetInfo kAva{.name = "ava",
                       .title = "AVA (Murray et al., CVPR 2012)",
                       .folders = {"AVA", "AVA_dataset", "ava"},
                       .tree = "AVA/\n  AVA.txt\n  images/<image id>.jpg     (or image/)",
                       .page = "https://github.com/imfing/ava_downloader",
                       .licence = "the photographers'",
                       .citation =
                           "N. Murray, L. Marchesotti, F. Perronnin. AVA: A Large-Scale Database for Aesthetic "
                           "Visual Analysis. CVPR 2012."};

constexpr std::size_t kScores = 10;

double count_of(const std::string& word, const std::string& image) {
  double value = 0;
  if (parse_double(word, value) && value >= 0) return value;
  throw Error(ErrorKind::input, fmt::format("AVA.txt: image {}: '{}' is no number of votes", image, word));
}

Dataset read_ava(const DatasetRequest& request) {
  Dataset dataset = new_dataset(request, kAva.name);
  // The image's id is the second column, the counts of the scores 1 to 10 follow it.
  const auto rows = blank_separated(request.root / "AVA.txt", 15);
  const std::string folder = existing_folder(request, {"images", "image"});
  std::vector<double> votes, scores;
  std::vector<int> classes;
  for (const auto& row : rows) {
    dataset.ids.push_back(fmt::format("{}/{}.jpg", folder, row[1]));
    double sum = 0, weighted = 0;
    for (std::size_t s = 0; s < kScores; ++s) {
      votes.push_back(count_of(row[2 + s], row[1]));
      sum += votes.back();
      weighted += votes.back() * static_cast<double>(s + 1);
    }
    if (sum == 0) throw Error(ErrorKind::input, fmt::format("AVA.txt: image {} has no votes", row[1]));
    scores.push_back(weighted / sum);
    // The mean is above 5, asked without a division: counts are whole numbers, so nothing is rounded at the border.
    classes.push_back(weighted > 5 * sum ? 0 : 1);
    dataset.attributes["tag1"].push_back(row[12]);
    dataset.attributes["tag2"].push_back(row[13]);
    dataset.attributes["challenge"].push_back(row[14]);
  }
  // The votes' classes are the scores themselves, as texts.
  std::vector<std::string> names;
  for (std::size_t s = 1; s <= kScores; ++s) names.push_back(std::to_string(s));
  dataset.targets.emplace("votes", Targets::from_distribution(std::move(votes), std::move(names)));
  dataset.targets.emplace("score", Targets::from_values(std::move(scores), {"score"}));
  dataset.targets.emplace("label", Targets::from_classes(std::move(classes), {"high", "low"}));
  expect_count(dataset, request.log, "rows", dataset.size(), 255530);
  drop_missing(dataset, request.log, folder);
  return dataset;
}

}  // namespace

void add_ava(DatasetRegistry& registry) { registry.add(kAva, read_ava); }

}  // namespace vise::datasets

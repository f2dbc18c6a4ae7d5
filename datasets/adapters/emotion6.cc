// Emotion6 (Peng, Chen, Sadovnik, Gallagher, "A Mixed Bag of Emotions", CVPR 2015).
//
// Source page: http://chenlab.ece.cornell.edu/people/kuanchuan. Licence: academic use. Tree: images/<6
// folders>/<n>.jpg, 330 each, 1,980 in all; ground_truth.txt, tab-separated with the header [image_filename] [valence]
// [arousal] [prob. anger]
// ... [prob. neutral] and paths like disgust/1.jpg. A folder is the word searched for, not the emotion voted: it is the
// attribute keyword. Targets: votes (probabilities of 7 emotions), label (their mode), valence, arousal (1 to 9). No
// official split (80/20 is usual). Metrics: KL, accuracy of the mode, CCC.
#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"
#include "datasets/adapters/adapters.h"
#include "datasets/dataset_registry.h"
#include "datasets/sampling.h"

namespace vise::datasets {
namespace {

const DatasetInfo kEmotion6{.name = "emotion6",
                            .title = "Emotion6 (Peng et al., CVPR 2015)",
                            .folders = {"Emotion6", "emotion6"},
                            .tree = "Emotion6/\n  ground_truth.txt\n  images/<keyword>/<n>.jpg",
                            .page = "http://chenlab.ece.cornell.edu/people/kuanchuan",
                            .licence = "academic use",
                            .citation =
                                "K.-C. Peng, T. Chen, A. Sadovnik, A. Gallagher. A Mixed Bag of Emotions: Model, "
                                "Predict, and Transfer Emotion Distributions. CVPR 2015."};

double number_at(const CsvTable& table, std::size_t row, std::size_t column) {
  double value = 0;
  if (parse_double(table.cell(row, column), value)) return value;
  throw Error(ErrorKind::input,
              fmt::format("{}: line {}: '{}' is no number", table.name(), table.line(row), table.cell(row, column)));
}

std::vector<double> column_of(const CsvTable& table, const std::string& name) {
  std::vector<double> values;
  const std::size_t column = table.column(name);
  for (std::size_t r = 0; r < table.rows(); ++r) values.push_back(number_at(table, r, column));
  return values;
}

// The table's header has its names in brackets, blanks included: [prob. anger].
Dataset read_emotion6(const DatasetRequest& request) {
  const Path path = request.root / "ground_truth.txt";
  const CsvTable table = CsvTable::parse(read_text_file(path), path.string(), '\t');
  const std::vector<std::string> names{"anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral"};
  Dataset dataset = new_dataset(request, kEmotion6.name);
  std::vector<double> votes;
  const std::size_t file = table.column("[image_filename]");
  for (std::size_t r = 0; r < table.rows(); ++r) {
    const std::string& name = table.cell(r, file);
    dataset.ids.push_back("images/" + name);
    dataset.attributes["keyword"].push_back(name.substr(0, name.find('/')));
    for (const std::string& emotion : names)
      votes.push_back(number_at(table, r, table.column(fmt::format("[prob. {}]", emotion))));
  }
  dataset.targets.emplace("votes", Targets::from_distribution(std::move(votes), names));
  for (const std::string target : {"valence", "arousal"})
    dataset.targets.emplace(target, Targets::from_values(column_of(table, fmt::format("[{}]", target)), {target}));
  expect_count(dataset, request.log, "rows", dataset.size(), 1980);
  drop_missing(dataset, request.log, "images");
  add_label_from_votes(dataset);
  return dataset;
}

}  // namespace

void add_emotion6(DatasetRegistry& registry) { registry.add(kEmotion6, read_emotion6); }

}  // namespace vise::datasets

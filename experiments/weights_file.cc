#include "experiments/weights_file.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/npy.h"

namespace vise::experiments {
namespace {

Path file_of(const Path& run_folder, const std::string& key) {
  return run_folder / fmt::format("scores/{}.weights.npy", key);
}

}  // namespace

void write_weights(const Path& run_folder, const std::string& key, const probes::ProbeModel& model) {
  const std::vector<double> weights = model.weights(), intercepts = model.intercepts();
  // Probes that aren't linear have no weights, and no map can be made of them.
  if (weights.empty() || intercepts.empty()) return;
  const std::size_t classes = intercepts.size(), dim = weights.size() / classes;
  // Weights serve only activation maps; those of a thousand classes would be larger than the rest of the run.
  if (classes * (dim + 1) * sizeof(float) > kMostWeightsBytes) return;
  std::vector<float> rows;
  for (std::size_t k = 0; k < classes; ++k) {
    for (std::size_t d = 0; d < dim; ++d) rows.push_back(static_cast<float>(weights[k * dim + d]));
    rows.push_back(static_cast<float>(intercepts[k]));
  }
  write_npy(file_of(run_folder, key), std::span<const float>(rows), {classes, dim + 1});
}

// The shape must fit the result's classes; a mismatch is an edited or misplaced file.
std::optional<LinearWeights> read_weights(const Path& run_folder, const Result& result) {
  const Path file = file_of(run_folder, result.key);
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return std::nullopt;
  const NpyArray array = NpyArray::open(file);
  const auto& shape = array.shape();
  if (shape.size() != 2 || shape[0] != result.class_names.size() || shape[1] < 2)
    throw Error(ErrorKind::input,
                fmt::format("{}: shape ({}) doesn't fit {} classes", file.string(), fmt::join(shape, ", "),
                            result.class_names.size()),
                "docs/formats/scores.md describes the file");
  const auto values = array.as<float>();
  return LinearWeights{shape[0], shape[1] - 1, {values.begin(), values.end()}};
}

}  // namespace vise::experiments

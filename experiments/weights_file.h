// The weights of a linear probe, kept beside its scores: what a class activation map is made of. Format:
// docs/formats/scores.md.
//
//   write_weights(out, key, *fitted.model);                          // scores/<key>.weights.npy, or nothing
//   if (const auto weights = read_weights(out, result)) weights->row(k)
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/result.h"
#include "probes/probe.h"

namespace vise::experiments {

// Scores are W x + b of the features as they were extracted. float32: scores from them agree to about 1e-6.
struct LinearWeights {
  std::size_t classes = 0, dim = 0;
  std::vector<float> values;  // classes x (dim + 1), row-major; a row's last number is its intercept

  std::span<const float> row(std::size_t k) const { return std::span(values).subspan(k * (dim + 1), dim); }
  float intercept(std::size_t k) const { return values[k * (dim + 1) + dim]; }
};

// Weights larger than this are not kept: 1000 classes of a ResNet-50's features would be 8 MB a cell.
inline constexpr std::size_t kMostWeightsBytes = std::size_t{1} << 20;

// Writes below `run_folder` what `model` says; nothing for models that aren't linear in the features (a treatment such
// as l2 among them) and for weights beyond kMostWeightsBytes.
void write_weights(const Path& run_folder, const std::string& key, const probes::ProbeModel& model);

// Nothing where none were kept. Error{input} for a file that doesn't fit the result's classes.
std::optional<LinearWeights> read_weights(const Path& run_folder, const Result& result);

}  // namespace vise::experiments

#include "reports/activation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace vise::reports {
namespace {

// The class's weights less the mean over classes, the intercept last.
// A softmax doesn't see a common shift of its logits, so a class's own evidence is its score less the mean
// over classes. By linearity the map of centred weights has that as its mean (CAM: Zhou et al. 2016).
std::vector<double> centred_weights(const experiments::LinearWeights& weights, std::size_t k) {
  const std::size_t columns = weights.dim + 1;
  std::vector<double> centred(columns);
  for (std::size_t d = 0; d < columns; ++d) {
    double sum = 0;
    for (std::size_t j = 0; j < weights.classes; ++j) sum += static_cast<double>(weights.values[j * columns + d]);
    centred[d] = static_cast<double>(weights.values[k * columns + d]) - sum / static_cast<double>(weights.classes);
  }
  return centred;
}

}  // namespace

ClassMap class_map(std::span<const float> features, int height, int width, const experiments::LinearWeights& weights,
                   std::size_t k) {
  const std::size_t positions = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  assert(positions > 0 && features.size() == positions * weights.dim);
  const std::vector<double> w = centred_weights(weights, k);
  ClassMap result{height, width, {}, 0};
  for (std::size_t at = 0; at < positions; ++at) {
    const float* const channels = features.data() + at * weights.dim;
    double value = w.back();  // the intercept everywhere: then the mean is the score
    // The sum over channels runs in double and in the channels' order, as the probe's own score does, so that the
    // mean of the map can be compared with the saved score.
    for (std::size_t d = 0; d < weights.dim; ++d) value += w[d] * static_cast<double>(channels[d]);
    result.values.push_back(static_cast<float>(value));
    result.score += value / static_cast<double>(positions);
  }
  return result;
}

float strongest_place(const ClassMap& map) {
  float most = 0;
  for (const float value : map.values) most = std::max(most, std::fabs(value));
  return most;
}

double centred_score(std::span<const double> scores, std::size_t k) {
  const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
  return scores[k] - mean;
}

}  // namespace vise::reports

// Small drawn data for tests of probes: class k's rows are scattered about its own point.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "datasets/targets.h"
#include "probes/probe.h"
#include "probes/views.h"

namespace vise::test {

struct Drawn {
  std::size_t dim = 0;
  std::vector<float> features;
  std::vector<int> labels;
  std::vector<std::uint32_t> rows;
  datasets::Targets targets;
  std::vector<int> folds;

  probes::FeatureRows view() const { return probes::FeatureRows(features.data(), dim, rows); }
  probes::TrainView train() const { return {view(), targets, {}}; }
  probes::ValView val() const { return {view(), targets}; }
};

// `noise` 0.3 separates most classes, 2 mixes them. Features are not negative, like those behind a ReLU.
inline Drawn draw(std::size_t n, std::size_t dim, int classes, double noise, std::uint64_t seed,
                  std::uint64_t rows_seed = 0) {
  RandomStream centres("test/centres", seed), points("test/points", seed * 1000 + rows_seed);
  std::vector<double> centre(static_cast<std::size_t>(classes) * dim);
  for (double& c : centre) c = centres.normal();
  Drawn d;
  d.dim = dim;
  std::vector<std::string> names;
  for (int k = 0; k < classes; ++k) names.push_back("class" + std::to_string(k));
  for (std::size_t i = 0; i < n; ++i) {
    const int k = static_cast<int>(points.below(static_cast<std::uint64_t>(classes)));
    d.labels.push_back(k);
    d.folds.push_back(static_cast<int>(i % 3));
    for (std::size_t j = 0; j < dim; ++j) {
      const double x = centre[static_cast<std::size_t>(k) * dim + j] + noise * points.normal();
      d.features.push_back(static_cast<float>(std::max(0.0, x)));
    }
  }
  d.rows.resize(n);
  std::iota(d.rows.begin(), d.rows.end(), 0u);
  d.targets = datasets::Targets::from_classes(d.labels, names);
  return d;
}

}  // namespace vise::test

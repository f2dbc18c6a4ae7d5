// What a probe may see. There is no type that holds test features together with test labels: fit() takes a TrainView
// and a ValView, predict() takes FeatureRows, which have no labels at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "datasets/targets.h"

namespace vise::probes {

// Chosen rows of a row-major float32 matrix, N x dim, that somebody else owns and keeps alive. Or rows that are tokens
// of an image, T x C one after the other in float16 (dim = T C), for probes that look at tokens
// (ProbeInfo::needs_tokens).
class FeatureRows {
 public:
  FeatureRows(const float* values, std::size_t dim, std::span<const std::uint32_t> rows)
      : values_(values), dim_(dim), rows_(rows) {}
  // Rows at any addresses.
  FeatureRows(std::span<const float* const> pointers, std::size_t dim) : dim_(dim), pointers_(pointers) {}

  // Halves: row i has `tokens` tokens of dim / tokens channels.
  FeatureRows(const std::uint16_t* halves, std::size_t dim, std::size_t tokens, std::span<const std::uint32_t> rows)
      : halves_(halves), dim_(dim), tokens_(tokens), rows_(rows) {}
  FeatureRows(std::span<const std::uint16_t* const> pointers, std::size_t dim, std::size_t tokens)
      : dim_(dim), tokens_(tokens), half_pointers_(pointers) {}

  std::size_t size() const { return rows_.size() + pointers_.size() + half_pointers_.size(); }
  std::size_t dim() const { return dim_; }
  const float* row(std::size_t i) const {
    return pointers_.empty() ? values_ + static_cast<std::size_t>(rows_[i]) * dim_ : pointers_[i];
  }
  // 0: pooled rows, which row() gives; else halves(i) gives them.
  std::size_t tokens() const { return tokens_; }
  const std::uint16_t* halves(std::size_t i) const {
    return half_pointers_.empty() ? halves_ + static_cast<std::size_t>(rows_[i]) * dim_ : half_pointers_[i];
  }

 private:
  const float* values_ = nullptr;
  const std::uint16_t* halves_ = nullptr;
  std::size_t dim_, tokens_ = 0;
  std::span<const std::uint32_t> rows_;
  std::span<const float* const> pointers_;
  std::span<const std::uint16_t* const> half_pointers_;
};

// Row i of `features` has target i. Constructed by experiments/ from a split's train (or train + val) items only.
struct TrainView {
  FeatureRows features;
  const datasets::Targets& targets;
  std::span<const int> folds;  // empty, or a fold an item: choose by cross-validation when there is no val
};

struct ValView {
  FeatureRows features;
  const datasets::Targets& targets;
};

// N x K scores, row-major, float64: logits for classes (two columns for two classes: z0, z1), a score a label, or
// values.
struct Scores {
  std::size_t rows = 0, columns = 0;
  std::vector<double> values;
  double operator()(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
};

}  // namespace vise::probes

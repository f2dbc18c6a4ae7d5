// A tensor of a network: a shape and float32 values, row-major.
//
// Values never change once they are set and are shared by copies, so that a Network may be copied freely. A parameter
// without values is a shape alone: what an outline of a network, or a replica over packed weights, needs. Safe to read
// from many threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

namespace vise::networks {

class Parameter {
 public:
  Parameter() = default;
  // A shape alone.
  explicit Parameter(std::vector<std::int64_t> shape) : shape_(std::move(shape)) {}
  // `values` holds the product of `shape` many.
  Parameter(std::vector<std::int64_t> shape, std::vector<float> values)
      : shape_(std::move(shape)), values_(std::make_shared<const std::vector<float>>(std::move(values))) {}

  const std::vector<std::int64_t>& shape() const { return shape_; }
  // The number of values that the shape says, whether they are held or not; 0 where the network has no such parameter.
  std::size_t size() const {
    return shape_.empty() ? 0
                          : static_cast<std::size_t>(
                                std::accumulate(shape_.begin(), shape_.end(), std::int64_t{1}, std::multiplies<>()));
  }
  // Whether the network has this parameter: a convolution may lack a bias.
  bool exists() const { return !shape_.empty(); }
  // Empty for a shape alone.
  std::span<const float> values() const {
    return values_ ? std::span<const float>(*values_) : std::span<const float>();
  }
  Parameter without_values() const { return Parameter(shape_); }

 private:
  std::vector<std::int64_t> shape_;
  std::shared_ptr<const std::vector<float>> values_;
};

}  // namespace vise::networks

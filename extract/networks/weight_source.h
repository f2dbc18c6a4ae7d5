// Where a network's values come from while it is put together: a checkpoint, a seeded generator, or nowhere.
//
// A family describes its network once, as code that takes parameters by name from a source:
//
//   Network build(const Spec& spec, WeightSource& weights);
//   RandomWeights random("random/vit-s16", 0);  build(spec, random);        // seeded values
//   NoWeights none;                             build(spec, none);          // shapes alone: an outline
//   KeyMatcher keys(checkpoint, place, ...);    build(spec, keys);          // a file's, strictly (key_matcher.h)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "extract/networks/parameter.h"

namespace vise::networks {

// How a parameter is drawn where a network is random.
enum class Init {
  fan_out,    // normal, variance 2 / (out kernel^2): He's, of convolutions
  depthwise,  // normal, variance 2 / kernel^2: the same where an output sees one channel, which would fade away else
  small,      // normal, deviation 0.02: of linear layers, tokens and positions
  one,        // gammas, variances
  zero,       // biases, means
  tenth,      // 0.1: layer scales, which would silence a random network at their usual 1e-5
  variance    // 1; of a file: no negative values
};

class WeightSource {
 public:
  virtual ~WeightSource() = default;
  // The parameter of this name and shape. A source that is strict notes what is missing or wrong and gives a shape
  // alone; its own finish() throws.
  virtual Parameter take(const std::string& name, std::vector<std::int64_t> shape, Init init) = 0;
};

class NoWeights final : public WeightSource {
 public:
  Parameter take(const std::string&, std::vector<std::int64_t> shape, Init) override {
    return Parameter(std::move(shape));
  }
};

// Each parameter has a stream of its own, named "<stream>/<name without .weight>", so its values depend on no other;
// they rest on the C library's log1p, sin and cos, so machines agree but for rare last bits.
class RandomWeights final : public WeightSource {
 public:
  RandomWeights(std::string stream, std::uint64_t seed) : stream_(std::move(stream)), seed_(seed) {}
  Parameter take(const std::string& name, std::vector<std::int64_t> shape, Init init) override;

 private:
  std::string stream_;
  std::uint64_t seed_;
};

}  // namespace vise::networks

// Random numbers that agree on every machine and compiler.
//
// A stream is named: RandomStream("emotion/split", 0) is the same sequence everywhere and for ever, independent of
// every other name. The generator is xoshiro256** (Blackman, Vigna 2018), its state the SHA-256 of name and seed; the
// distributions are ours, since the standard library's differ between implementations.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace vise {

// Not thread-safe; copying copies the place in the sequence.
class RandomStream {
 public:
  RandomStream(std::string_view name, std::uint64_t seed);

  std::uint64_t next();                      // 64 uniform bits
  std::uint64_t below(std::uint64_t limit);  // uniform in [0, limit), limit > 0, without bias
  double uniform();                          // [0, 1), 53 bits
  double normal();                           // mean 0, variance 1 (Box-Muller, one value a pair of uniforms)

  // Fisher-Yates.
  template <typename T>
  void shuffle(std::span<T> values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace vise

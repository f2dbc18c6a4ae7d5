#include "base/random.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <numbers>

#include "base/hash.h"

namespace vise {

RandomStream::RandomStream(std::string_view name, std::uint64_t seed) {
  const std::string digest = sha256_hex(fmt::format("{}\n{}", name, seed));
  for (std::size_t i = 0; i < state_.size(); ++i)
    std::from_chars(digest.data() + 16 * i, digest.data() + 16 * (i + 1), state_[i], 16);
}

std::uint64_t RandomStream::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9, shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t RandomStream::below(std::uint64_t limit) {
  const std::uint64_t reject_below = -limit % limit;  // 2^64 mod limit: rejecting these leaves whole multiples of limit
  while (true) {
    const std::uint64_t value = next();
    if (value >= reject_below) return value % limit;
  }
}

double RandomStream::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

double RandomStream::normal() {
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

}  // namespace vise

#include "base/random.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <numbers>

#include "base/hash.h"

namespace vise {

RandomStream::RandomStream(std::string_view name, std::uint64_t seed) {
  // A hash spreads names that differ in one letter, and seeds 0, 1, 2 ..., over the whole state. xoshiro
  // needs a state that is not all zeros, which no SHA-256 that anybody has found is.
  const std::string digest = sha256_hex(fmt::format("{}\n{}", name, seed));
  for (std::size_t i = 0; i < state_.size(); ++i)
    std::from_chars(digest.data() + 16 * i, digest.data() + 16 * (i + 1), state_[i], 16);
}

std::uint64_t RandomStream::next() {
  // xoshiro256**, as in its authors' reference code (prng.di.unimi.it/xoshiro256starstar.c).
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9, shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

// Without bias: the lowest 2^64 mod limit values are drawn again, since they would make the first remainders
// likelier.
std::uint64_t RandomStream::below(std::uint64_t limit) {
  const std::uint64_t reject_below = -limit % limit;  // 2^64 mod limit: rejecting these leaves whole multiples of limit
  while (true) {
    const std::uint64_t value = next();
    if (value >= reject_below) return value % limit;
  }
}

// The upper 53 bits, as many as a double's significand holds: every value is a multiple
// of 2^-53 and none rounds up to 1.
double RandomStream::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

double RandomStream::normal() {
  // log1p(-u) is finite for every u in [0, 1), where log(u) would not be at 0. The second value that
  // Box-Muller offers is dropped; to keep it would be state beside the generator's.
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

}  // namespace vise

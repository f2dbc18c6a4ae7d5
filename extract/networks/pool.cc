#include "extract/networks/pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace vise {
namespace {

constexpr double kGemFloor = 1e-6;

// Folds every position's channels into `sums`, position after position.
template <typename Fold>
void fold_positions(std::span<const float> map, std::span<double> sums, Fold fold) {
  for (std::size_t at = 0; at < map.size(); at += sums.size())
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] = fold(sums[c], static_cast<double>(map[at + c]));
}

}  // namespace

Pool Pool::parse(std::string_view text) {
  Pool pool;
  if (text == "avg") return pool;
  if (text == "max") {
    pool.kind_ = Kind::max;
    return pool;
  }
  if (text.starts_with("gem:") && parse_double(text.substr(4), pool.power_) && pool.power_ > 0) {
    pool.kind_ = Kind::gem;
    return pool;
  }
  throw Error(ErrorKind::usage, fmt::format("unknown pooling '{}'", text),
              "known: avg, max, gem:P (for example gem:3)");
}

std::string Pool::name() const {
  if (kind_ == Kind::gem) return "gem:" + number(power_);
  return kind_ == Kind::avg ? "avg" : "max";
}

void Pool::operator()(const FeatureMaps& maps, std::span<float> rows) const {
  const auto channels = static_cast<std::size_t>(maps.channels), batch = static_cast<std::size_t>(maps.batch);
  assert(rows.size() == batch * channels);
  const std::size_t per_image = maps.values.size() / batch;
  const double positions = static_cast<double>(per_image / channels);
  std::vector<double> sums(channels);
  for (std::size_t image = 0; image < batch; ++image) {
    const std::span<const float> map = maps.values.subspan(image * per_image, per_image);
    std::fill(sums.begin(), sums.end(), kind_ == Kind::max ? -std::numeric_limits<double>::infinity() : 0.0);
    if (kind_ == Kind::avg) fold_positions(map, sums, [](double a, double b) { return a + b; });
    if (kind_ == Kind::max) fold_positions(map, sums, [](double a, double b) { return std::max(a, b); });
    if (kind_ == Kind::gem)
      fold_positions(map, sums, [&](double a, double b) { return a + std::pow(std::max(b, kGemFloor), power_); });
    for (std::size_t c = 0; c < channels; ++c) {
      if (kind_ != Kind::max) sums[c] /= positions;
      if (kind_ == Kind::gem) sums[c] = std::pow(sums[c], 1 / power_);
      rows[image * channels + c] = static_cast<float>(sums[c]);
    }
  }
}

}  // namespace vise

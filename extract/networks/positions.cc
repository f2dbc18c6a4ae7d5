#include "extract/networks/positions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace vise::networks {
namespace {

// What one place of the new grid is made of: places of the old one, and their weights.
struct Blend {
  std::vector<int> places;
  std::vector<double> weights;
};

// Keys' cubic convolution kernel (Keys 1981).
double cubic(double x, double a) {
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((x - 5) * x + 8) * a * x - 4 * a;
  return 0;
}

// Four neighbours, at the border the last one again: torch's interpolate(mode="bicubic") without antialias.
Blend four_taps(double source, int size) {
  const double floor = std::floor(source);
  Blend blend;
  for (int tap = -1; tap <= 2; ++tap) {
    blend.places.push_back(std::clamp(static_cast<int>(floor) + tap, 0, size - 1));
    // torch has -0.75 here and -0.5 with antialias=True (below), which follows Pillow.
    blend.weights.push_back(cubic(source - (floor + tap), -0.75));
  }
  return blend;
}

// As Pillow's and torch's antialiased resize: the kernel is widened where the grid shrinks, cut at the border, and its
// weights are normalised.
Blend widened(int to, int from_size, int to_size) {
  const double scale = static_cast<double>(from_size) / to_size, wide = std::max(scale, 1.0);
  const double centre = scale * (to + 0.5), support = 2 * wide;
  const int first = std::max(0, static_cast<int>(centre - support + 0.5));
  const int last = std::min(from_size, static_cast<int>(centre + support + 0.5));
  Blend blend;
  double sum = 0;
  for (int place = first; place < last; ++place) {
    blend.places.push_back(place);
    blend.weights.push_back(cubic((place - centre + 0.5) / wide, -0.5));
    sum += blend.weights.back();
  }
  for (double& weight : blend.weights) weight /= sum;
  return blend;
}

std::vector<Blend> blends(PositionRule rule, int from, int to) {
  std::vector<Blend> all;
  for (int place = 0; place < to; ++place) {
    if (rule == PositionRule::antialias) {
      all.push_back(widened(place, from, to));
      continue;
    }
    // The hub code passes the factor and not the size, and torch then uses that factor as it was given.
    const double factor =
        // DINO adds 0.1 to the target's edges against rounding errors and passes the factor;
        // the factor's excess then moves every sample.
        rule == PositionRule::scale ? (to + 0.1) / from : static_cast<double>(to) / static_cast<double>(from);
    all.push_back(four_taps((place + 0.5) / factor - 0.5, from));
  }
  return all;
}

}  // namespace

// Rows and columns are blended at once: the weight of a place is the product of two.
std::vector<float> positions_for(const Tokens& tokens, int height, int width) {
  const auto& shape = tokens.positions.shape();
  const int from_height = static_cast<int>(shape[0]), from_width = static_cast<int>(shape[1]);
  const auto channels = static_cast<std::size_t>(shape[2]);
  const std::span<const float> table = tokens.positions.values();
  if (from_height == height && from_width == width) return {table.begin(), table.end()};
  if (!tokens.rule)
    throw Error(ErrorKind::usage,
                fmt::format("positions of {} x {} places do not fit {} x {}", from_height, from_width, height, width));
  const std::vector<Blend> rows = blends(*tokens.rule, from_height, height),
                           columns = blends(*tokens.rule, from_width, width);
  std::vector<float> resized;
  resized.reserve(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * channels);
  // torch computes in float32; sums in double here are nearer to what the rule says, and round once.
  std::vector<double> sum(channels);
  for (const Blend& row : rows)
    for (const Blend& column : columns) {
      std::ranges::fill(sum, 0.0);
      for (std::size_t i = 0; i < row.places.size(); ++i)
        for (std::size_t j = 0; j < column.places.size(); ++j) {
          const double weight = row.weights[i] * column.weights[j];
          const auto place = static_cast<std::size_t>(row.places[i] * from_width + column.places[j]);
          for (std::size_t c = 0; c < channels; ++c)
            sum[c] += weight * static_cast<double>(table[place * channels + c]);
        }
      for (const double value : sum) resized.push_back(static_cast<float>(value));
    }
  return resized;
}

// An angle is a place's coordinate over a period, for a quarter of the head's channels each.
RopeTable rope_table(const Rope& rope, int height, int width) {
  const std::span<const float> periods = rope.periods.values();
  const std::size_t quarter = periods.size(), head = 4 * quarter;
  const auto coordinate = [&](int place, int size) {
    return rope.coordinate == Rope::Coordinate::unit ? 2 * std::numbers::pi * ((place + 0.5) / size * 2 - 1)
                                                     : 16.0 * place / size;
  };
  RopeTable table;
  table.cos.resize(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * head);
  table.sin.resize(table.cos.size());
  std::size_t at = 0;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x, at += head) {
      const std::array<double, 2> axes{coordinate(y, height), coordinate(x, width)};
      for (std::size_t c = 0; c < head; ++c) {
        // halves: [rows, columns, rows, columns], a quarter each; pairs: [rows, columns], each angle twice.
        const bool halves = rope.pairing == Rope::Pairing::halves;
        const std::size_t axis = halves ? c / quarter % 2 : c / (2 * quarter);
        const std::size_t period = halves ? c % quarter : c % (2 * quarter) / 2;
        const double angle = axes[axis] / static_cast<double>(periods[period]);
        table.cos[at + c] = static_cast<float>(std::cos(angle));
        table.sin[at + c] = static_cast<float>(std::sin(angle));
      }
    }
  return table;
}

}  // namespace vise::networks

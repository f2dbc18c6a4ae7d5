#include "extract/networks/weight_source.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "base/random.h"

namespace vise::networks {
namespace {

// Box-Muller with both of its values, since a network has tens of millions.
// log1p(-u) of u in [0, 1): the logarithm's argument is never 0.
void fill_normal(std::vector<float>& values, double deviation, RandomStream& stream) {
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const double radius = deviation * std::sqrt(-2 * std::log1p(-stream.uniform()));
    const double angle = 2 * std::numbers::pi * stream.uniform();
    values[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < values.size()) values[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
}

}  // namespace

Parameter RandomWeights::take(const std::string& name, std::vector<std::int64_t> shape, Init init) {
  std::vector<float> values(Parameter(shape).size());
  switch (init) {
    case Init::fan_out:
    case Init::depthwise:
    // The stream is named after the tensor, so that adding a layer to a network moves no other's values.
    case Init::small: {
      RandomStream stream(
          fmt::format("{}/{}", stream_, name.ends_with(".weight") ? name.substr(0, name.size() - 7) : name), seed_);
      const double area = shape.size() == 4 ? static_cast<double>(shape[2] * shape[3]) : 1;
      // He et al. 2015 for convolutions that a ReLU follows; 0.02 is what ViTs start from.
      const double fan = init == Init::depthwise ? area : static_cast<double>(shape[0]) * area;
      fill_normal(values, init == Init::small ? 0.02 : std::sqrt(2.0 / fan), stream);
      break;
    }
    case Init::one:
    case Init::variance:
      values.assign(values.size(), 1.0F);
      break;
    case Init::tenth:
      values.assign(values.size(), 0.1F);
      break;
    case Init::zero:
      break;
  }
  return {std::move(shape), std::move(values)};
}

}  // namespace vise::networks

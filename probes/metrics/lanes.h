// How many resamples a weighted metric is asked for at once.
#pragma once

#include <cstddef>

namespace vise::probes {

inline constexpr std::size_t kLanes = 64;

}  // namespace vise::probes

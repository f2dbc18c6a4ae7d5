// Two ends of an interval, low <= high.
#pragma once

namespace vise {

struct Interval {
  double low = 0, high = 0;
};

}  // namespace vise

// Two ends of an interval, low <= high.
#pragma once

namespace vise::reports {

struct Interval {
  double low = 0, high = 0;
};

}  // namespace vise::reports

// Why two results differ: everything that decides a number, compared, in the order of what usually matters most.
//
//   for (const Cause& cause : explain(a, b)) print(cause.what, cause.a, cause.b, cause.effect);
//
// Pure: looks at what the results say of themselves alone.
#pragma once

#include <string>
#include <vector>

#include "experiments/result.h"

namespace vise::experiments {

struct Cause {
  std::string what;    // "weights", "transform: resize_shorter_edge", "probe: grid"
  std::string a, b;    // the two values; "" = not there
  std::string effect;  // what such a difference does, in words
};

// Empty where everything recorded agrees.
std::vector<Cause> explain(const Result& a, const Result& b);

// "emotion: vise-250m logreg, seed 0": names a cell to people; parts at their defaults are left out.
std::string cell_words(const Cell& cell);

}  // namespace vise::experiments

// Which precision this CPU computes fastest in, in words: for `doctor`, for `run --dry-run`, and for what `vise-eval`
// alone says.
#pragma once

#include <string>

namespace vise::cli {

// "bf16: products are 1.9 times as fast as in fp32 (measured now); --precision bf16", or "fp32: ..." and why. Measures
// for some 50 ms.
std::string fastest_precision_text();

}  // namespace vise::cli

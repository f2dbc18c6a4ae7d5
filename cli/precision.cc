#include "cli/precision.h"

#include <fmt/format.h>

#include "extract/networks/bf16.h"

namespace vise::cli {

// kMuchFaster is what a change of precision must bring before it is recommended: the numbers are others.
std::string fastest_precision_text() {
  if (!networks::cpu_has_bf16()) return "fp32: this CPU has no bf16 instructions";
  const double gain = networks::bf16_gain();
  if (gain < networks::kMuchFaster)
    return fmt::format("fp32: bf16 products are only {:.1f} times as fast here (measured now)", gain);
  return fmt::format("bf16: products are {:.1f} times as fast as in fp32 (measured now); --precision bf16", gain);
}

}  // namespace vise::cli

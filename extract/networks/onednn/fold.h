// Batch norm folded into the convolution before it: w' = w * gamma / sqrt(variance + eps), b' = beta - mean * gamma /
// sqrt(variance + eps), computed in double and rounded once to float32.
#pragma once

#include <vector>

#include "extract/networks/resnet.h"

namespace vise {

struct FoldedConv {
  std::vector<float> weight;  // OIHW, as ConvBn
  std::vector<float> bias;    // O
};

FoldedConv fold_batch_norm(const ConvBn& conv);

}  // namespace vise

#include "extract/networks/onednn/fold.h"

#include <cmath>

namespace vise {

FoldedConv fold_batch_norm(const ConvBn& conv) {
  const auto out = static_cast<std::size_t>(conv.out), per_out = conv.weight.size() / out;
  FoldedConv folded{std::vector<float>(conv.weight.size()), std::vector<float>(out)};
  for (std::size_t o = 0; o < out; ++o) {
    const double scale = conv.gamma[o] / std::sqrt(static_cast<double>(conv.variance[o]) + conv.eps);
    for (std::size_t i = o * per_out; i < (o + 1) * per_out; ++i)
      folded.weight[i] = static_cast<float>(conv.weight[i] * scale);
    folded.bias[o] = static_cast<float>(conv.beta[o] - conv.mean[o] * scale);
  }
  return folded;
}

}  // namespace vise

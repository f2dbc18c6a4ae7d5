#include "probes/dense_targets.h"

#include <numeric>

namespace vise::probes {

HeadLoss loss_of(datasets::TargetKind kind) {
  if (kind == datasets::TargetKind::multi_label) return HeadLoss::sigmoid;
  return kind == datasets::TargetKind::values ? HeadLoss::squares : HeadLoss::softmax;
}

const char* loss_text(datasets::TargetKind kind) {
  switch (loss_of(kind)) {
    case HeadLoss::softmax:
      return "mean cross-entropy + weight_decay/2 ||W||^2, by mini-batches";
    case HeadLoss::sigmoid:
      return "mean sum of binary cross-entropies + weight_decay/2 ||W||^2, by mini-batches";
    case HeadLoss::squares:
      break;
  }
  return "mean half square + weight_decay/2 ||W||^2, by mini-batches";
}

std::vector<float> dense_targets(const datasets::Targets& targets) {
  std::vector<float> out;
  const std::size_t width = targets.width();
  if (targets.kind() == datasets::TargetKind::classes) {
    out.assign(targets.size() * width, 0);
    for (std::size_t i = 0; i < targets.size(); ++i)
      out[i * width + static_cast<std::size_t>(targets.classes()[i])] = 1;
    // 1, 0, or -1 for what isn't known, as the sigmoid's loss takes them.
  } else if (targets.kind() == datasets::TargetKind::multi_label) {
    out.assign(targets.multi_label().begin(), targets.multi_label().end());
  } else {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const auto row = targets.rows().subspan(i * width, width);
      // Votes become shares, which is what cross-entropy takes.
      const double sum =
          targets.kind() == datasets::TargetKind::values ? 1 : std::accumulate(row.begin(), row.end(), 0.0);
      for (const double v : row) out.push_back(static_cast<float>(v / sum));
    }
  }
  return out;
}

}  // namespace vise::probes

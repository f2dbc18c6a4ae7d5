// Targets as mini-batch training wants them.
#pragma once

#include <vector>

#include "datasets/targets.h"
#include "probes/torch/entry.h"

namespace vise {

HeadLoss loss_of(TargetKind kind);
// "mean cross-entropy + weight_decay/2 ||W||^2, by mini-batches".
const char* loss_text(TargetKind kind);
// N x K, as HeadJob::targets has them.
std::vector<float> dense_targets(const Targets& targets);

}  // namespace vise

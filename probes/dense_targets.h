// Targets as mini-batch training wants them.
#pragma once

#include <vector>

#include "datasets/targets.h"
#include "probes/torch/entry.h"

namespace vise::probes {

HeadLoss loss_of(datasets::TargetKind kind);
// "mean cross-entropy + weight_decay/2 ||W||^2, by mini-batches".
const char* loss_text(datasets::TargetKind kind);
// N x K, as HeadJob::targets has them.
std::vector<float> dense_targets(const datasets::Targets& targets);

}  // namespace vise::probes

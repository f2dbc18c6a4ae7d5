// What fine-tuning needs to resume after an epoch, and the file that keeps it: safetensors, so that any reader opens
// it. docs/formats/finetune.md has its tensors.
#pragma once

#include <torch/types.h>

#include <optional>
#include <string>
#include <vector>

#include "experiments/torch/entry.h"

namespace vise::experiments {

struct TrainingState {
  std::vector<FinetuneEpoch> epochs;
  std::size_t best_epoch = 0;
  std::int64_t steps = 0;
  std::vector<torch::Tensor> now, best;
};

// Atomic. Tensors are float32, on any device.
void write_training_state(const Path& path, const std::string& identity, const TrainingState& state);

// None where there is no file, or one of another identity. Error{input} for a damaged one.
std::optional<TrainingState> read_training_state(const Path& path, const std::string& identity);

}  // namespace vise::experiments

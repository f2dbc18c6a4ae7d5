// What the probes that LibTorch trains have in common: settings, schedule, optimisers and losses. torch/head.cc and
// torch/attentive.cc.
#pragma once

#include <torch/types.h>

#include "probes/torch/entry.h"

namespace vise::probes {

// a times b, on a CPU in slices of a's rows, one for each of OpenMP's threads. The BLAS has one thread (the caller sees
// to that): others of its own would wait for the cores on which OpenMP's spin after the operation before.
torch::Tensor product(const torch::Tensor& a, const torch::Tensor& b);

// The factor on the learning rate during `epoch`, from 0: VPT's schedule (KMnP/vpt, lr_scheduler.py), which steps once
// an epoch and gives the first warm-up epoch a rate of 0.
double rate_factor(const TrainingSettings& settings, std::int64_t epoch);

// One parameter with its optimiser's state: torch.optim's SGD, Adam and AdamW. `rates` and `decays` broadcast to it.
struct Trained {
  explicit Trained(torch::Tensor initial)
      : value(std::move(initial)), m(torch::zeros_like(value)), v(torch::zeros_like(value)) {}
  // Step number `steps`, from 1.
  void step(const TrainingSettings& settings, torch::Tensor gradient, const torch::Tensor& rates,
            const torch::Tensor& decays, std::int64_t steps, bool decay);

  torch::Tensor value, m, v;
};

// Error{usage} where CUDA is asked for and LibTorch sees none.
torch::Device training_device(const std::string& name);

}  // namespace vise::probes

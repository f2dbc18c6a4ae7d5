// The door to the part of probe `head` that needs LibTorch. No torch header here: probes/head.cc includes this and
// finds the function in the loadable module `vise_torch`.
//
//   const auto train = Module::torch().symbol<TrainHeads>("vise_torch_head");
//   train(job, result);
//
// All heads of a job see the same mini-batches and differ in learning rate and weight decay alone, so that one matrix
// product a step serves them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace vise {

enum class HeadLoss { softmax, sigmoid, squares };
enum class HeadOptimizer { sgd, adam, adamw };

struct HeadRate {
  double learning_rate = 0.1, weight_decay = 0;
};

struct HeadJob {
  std::span<const float* const> rows;  // N rows of `dim` floats
  std::size_t dim = 0;
  // N x K: the probability of each class (softmax), 1 or 0 with -1 for unknown (sigmoid), or a value (squares).
  std::span<const float> targets;
  std::size_t outputs = 0;  // K
  HeadLoss loss = HeadLoss::softmax;
  HeadOptimizer optimizer = HeadOptimizer::sgd;
  std::span<const HeadRate> heads;
  double momentum = 0.9;  // SGD
  std::int64_t epochs = 100;
  std::int64_t warmup_epochs = 10;  // rate grows linearly from 0, then follows a half cosine to 0; a step an epoch
  bool cosine = true;               // false: the rate stays once warm
  std::int64_t batch = 1024;        // the last batch of an epoch may be smaller
  double initial_deviation = 0.01;  // of the normal distribution weights begin with
  double initial_bias = 0;
  std::uint64_t seed = 0;      // of the initial weights and the order of rows
  std::string device = "cpu";  // or "cuda", "cuda:1"
  int threads = 1;
  std::function<void(std::int64_t epochs_done)> progress;  // may throw to stop
};

// H x K x dim weights and H x K intercepts, row-major; of each head the mean loss of its last epoch, and the largest
// entry of its gradient on all rows at the end.
struct HeadResult {
  std::vector<double> weights, intercepts, losses, gradients;
};

// Error{usage} for a device that isn't there; Error{system} for what LibTorch throws.
using TrainHeads = void(const HeadJob& job, HeadResult& result);

extern "C" TrainHeads vise_torch_head;

}  // namespace vise

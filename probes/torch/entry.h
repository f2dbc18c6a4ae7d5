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

namespace vise::probes {

enum class HeadLoss { softmax, sigmoid, squares };
enum class HeadOptimizer { sgd, adam, adamw };

struct HeadRate {
  double learning_rate = 0.1, weight_decay = 0;
};

struct TrainingSettings {
  HeadLoss loss = HeadLoss::softmax;
  HeadOptimizer optimizer = HeadOptimizer::sgd;
  double momentum = 0.9;  // SGD
  std::int64_t epochs = 100;
  std::int64_t warmup_epochs = 10;  // rate grows linearly from 0, then follows a half cosine to 0; a step an epoch
  bool cosine = true;               // false: the rate stays once warm
  std::int64_t batch = 1024;        // the last batch of an epoch may be smaller
  std::uint64_t seed = 0;           // of the initial weights and the order of rows
  std::string device = "cpu";       // or "cuda", "cuda:1"
  int threads = 1;
  std::function<void(std::int64_t epochs_done)> progress;  // may throw to stop
};

struct HeadJob : TrainingSettings {
  std::span<const float* const> rows;  // N rows of `dim` floats
  std::size_t dim = 0;
  // N x K: the probability of each class (softmax), 1 or 0 with -1 for unknown (sigmoid), or a value (squares).
  std::span<const float> targets;
  std::size_t outputs = 0;  // K
  std::span<const HeadRate> heads;
  double initial_deviation = 0.01;  // of the normal distribution weights begin with
  double initial_bias = 0;
};

// H x K x dim weights and H x K intercepts, row-major; of each head the mean loss of its last epoch, and the largest
// entry of its gradient on all rows at the end.
struct HeadResult {
  std::vector<double> weights, intercepts, losses, gradients;
};

// Error{usage} for a device that isn't there; Error{system} for what LibTorch throws.
using TrainHeads = void(const HeadJob& job, HeadResult& result);

extern "C" TrainHeads vise_torch_head;

// Several attentive probes (probes/attentive.h has the formula), which differ in learning rate and weight decay alone
// and see the same mini-batches.
struct AttentiveJob : TrainingSettings {
  std::span<const std::uint16_t* const> rows;  // N images of T x C halves
  std::size_t tokens = 0, channels = 0;        // T, C
  std::size_t heads = 1;                       // H, which divides C
  std::span<const double> mean, deviation;     // of each channel: what tokens are standardised with
  std::span<const float> targets;              // as HeadJob has them
  std::size_t outputs = 0;                     // K
  std::span<const HeadRate> rates;             // a probe each
};

// One probe as it was trained. Layouts: query H x d, keys and values H x d x C, weights K x (H d), intercepts K, with
// d = C / H; row-major.
struct AttentiveParameters {
  std::vector<float> query, keys, values, weights, intercepts;
  double loss = 0;  // the mean over the last epoch
};

// Errors as TrainHeads.
using TrainAttentive = void(const AttentiveJob& job, std::vector<AttentiveParameters>& result);

extern "C" TrainAttentive vise_torch_attentive;

}  // namespace vise::probes

// The LibTorch module's door for fine-tuning. No torch header here: experiments/finetune.cc finds the function in the
// loadable module `vise_torch` (base/module.h).
//
//   Module::torch().symbol<FinetuneEntry>("vise_torch_finetune")(job, result);
//
// Images come through functions, so that the module knows neither files nor decoders, and test labels aren't among what
// it is given.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "extract/networks/network.h"
#include "probes/finetune.h"
#include "probes/torch/entry.h"

namespace vise::experiments {

// Images of one part of a split. write(i, epoch, chw) fills 3 x side x side normalised floats; train's are drawn anew
// each epoch, the others' don't depend on it. Called from several threads.
struct ImagePart {
  std::size_t size = 0;
  std::function<void(std::size_t image, std::int64_t epoch, float* chw)> write;
};

struct FinetuneJob {
  const networks::Network* network = nullptr;
  std::string layer, pool;  // what the head reads: a layer of the network, pooled as networks/pooling.h says
  probes::FinetuneSettings settings;
  int side = 224;
  ImagePart train, val, test;      // val may be empty
  std::span<const float> targets;  // of train: N x outputs, as HeadJob::targets
  std::size_t outputs = 0;
  probes::HeadLoss loss = probes::HeadLoss::softmax;
  std::function<double(const std::vector<double>& scores)> judge;  // val's scores, N x outputs: higher is better
  Path checkpoint;       // written after each epoch; taken up where it is there and of the same identity; empty: none
  std::string identity;  // of everything that decides the result
  const Context* context = nullptr;
};

struct FinetuneEpoch {
  double loss = 0, score = 0;  // mean over train; judge()'s, 0 without val
  double gradient_max = 0;     // of the last mini-batch
};

struct FinetuneResult {
  std::vector<FinetuneEpoch> epochs;  // those that were run, earlier runs' included
  std::size_t best = 0;  // the first with the highest score, or the last without val: whose weights these are of
  std::vector<double> val_scores, test_scores;  // N x outputs
  std::int64_t steps = 0;                       // mini-batches
};

// Error{usage} for a device that isn't there; Error{input} where training diverged; Error{interrupted} after a stop;
// Error{system} for what LibTorch throws. Never two at a time: LibTorch's number of threads is the process's.
using FinetuneEntry = void(const FinetuneJob& job, FinetuneResult& result);

extern "C" FinetuneEntry vise_torch_finetune;

}  // namespace vise::experiments

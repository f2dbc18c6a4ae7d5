// What probe `finetune` was asked for. The probe learns from images, which this room knows nothing of: experiments/
// finetune.h joins these settings with a data set's files and a network.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "probes/probe.h"

namespace vise::probes {

struct FinetuneSettings {
  std::int64_t blocks = 1;  // that learn, from the end: blocks or stages of the network; 0: all
  bool freeze_batch_norm = true;
  bool adamw = false;  // else SGD
  double rate = 0.01;  // of the head; a block k steps below it learns at rate * stage_rate^k
  double stage_rate = 0.3;
  double momentum = 0.9, weight_decay = 1e-4;
  std::int64_t epochs = 20, warmup = 1, batch = 32;
  std::int64_t patience = 5;             // epochs without a better val score after which training ends; 0: never
  bool cosine = true;                    // after the warm-up, a half cosine to 0; else constant. A step a mini-batch
  std::string augment = "resized-crop";  // "crop", "none"
  double least_area = 0.08;              // of resized-crop
  bool flip = true;
  std::string metric, device;
  std::uint64_t seed = 0;

  Json describe() const;
  // As describe(), in 0.1's words: a cell that 0.1 computed keeps its key.
  Json identity() const;
};

// Error{usage} as every probe's options.
FinetuneSettings parse_finetune(const ProbeOptions& given);

}  // namespace vise::probes

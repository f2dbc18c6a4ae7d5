// Fine-tuning as a cell of a run: where a data set's images, a backbone's network and probe `finetune`'s settings meet.
//
//   const FittedAndTested tuned = finetune({dataset, backbone, extract, settings, train, train_targets, ...}, context);
//
// Images are read, decoded and drawn anew every epoch, so memory holds one mini-batch. The weights of the epoch with
// the best val score are what test is scored with; without val the last epoch's. Seeded: the same job gives the same
// numbers on the same machine with the same number of threads, also where it was stopped and taken up again.
#pragma once

#include <span>

#include "datasets/dataset.h"
#include "extract/features/features.h"
#include "probes/finetune.h"
#include "probes/probe.h"

namespace vise::experiments {

struct FinetuneRequest {
  const datasets::Dataset& dataset;
  const features::Backbone& backbone;
  const features::ExtractOptions& extract;
  features::FeatureTap tap;  // what the head reads
  probes::FinetuneSettings settings;
  std::span<const std::uint32_t> train, val, test;  // items; test comes without targets
  const datasets::Targets &train_targets, &val_targets;
  Path checkpoint;       // kept after every epoch and removed at the end; empty: none
  std::string identity;  // the cell's key: a checkpoint of another cell is passed over
};

struct FittedAndTested {
  probes::Fitted fitted;  // of finetune() without a model: a network is no function of features
  probes::Scores test;
};

// Error{usage} for a floor or a TorchScript program; Error{missing|input} for weights and images; Error{interrupted}.
FittedAndTested finetune(const FinetuneRequest& request, const Context& context);

}  // namespace vise::experiments

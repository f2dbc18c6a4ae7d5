// A network that learns, up to the row that a linear head reads: the interpreter of extract/networks/torch, with
// gradients from a chosen block on.
//
// Blocks (stages, of networks that have those) are the network's numbered layers: "block12", "stage4", "layer4". An
// operation belongs to the first of them that is at or after it, what follows the last one (a last norm, a
// projection, an attention pooling) to the last. Hidden layers are no blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "extract/networks/pooling.h"
#include "extract/networks/torch/torch_network.h"

namespace vise::experiments {

// A tensor that steps change, and how far below the head it is: 0 the head itself, 1 the last block, ...
struct LearnedTensor {
  torch::Tensor value;
  int depth = 0;
  bool decays = false;  // the weights of convolutions and linear layers do; biases, norms, tokens and positions don't
};

struct TrainingScope {
  std::string layer;  // what the head reads
  networks::Pooling pooling;
  std::int64_t blocks = 1;  // that learn, from the end; 0: all
  bool freeze_batch_norm = true;
};

class TrainableNetwork {
 public:
  // The network is no program. Error{usage} for a side or a layer that it doesn't take or have, and for more blocks
  // than there are.
  TrainableNetwork(const networks::Network& network, int side, const TrainingScope& scope, const torch::Device& device);

  std::int64_t dim() const { return dim_; }
  // B x 3 x side x side to B x dim. `training`: batch norms that aren't frozen use the batch's statistics and update
  // theirs.
  torch::Tensor forward(const torch::Tensor& images, bool training) const;

  // In forward order.
  const std::vector<LearnedTensor>& parameters() const { return parameters_; }
  // Running statistics that training changes: none where batch norms are frozen.
  const std::vector<torch::Tensor>& buffers() const { return buffers_; }

 private:
  void let_learn(const networks::TorchOp& op, int depth);

  TrainingScope scope_;
  networks::TorchNetwork network_;
  std::int64_t dim_;
  std::vector<int> values_;  // that the pooling reads
  std::size_t first_ = 0;    // operation that learns
  std::vector<LearnedTensor> parameters_;
  std::vector<torch::Tensor> buffers_;
};

// What `pooling` makes of the values of its layers, as networks/pooling.h defines it, with gradients: B x D.
torch::Tensor pooled(const networks::Pooling& pooling, const std::vector<networks::TorchValue>& values);

}  // namespace vise::experiments

// A ResNet whose last stages learn: convolutions, batch norms with statistics of the batch or of the checkpoint, ReLU
// and residual sums, with gradients from a chosen stage on.
#pragma once

#include <optional>
#include <vector>

#include "extract/networks/torch/torch_trunk.h"

namespace vise {

// A tensor that steps change, and how far below the head it stands: 0 the head itself, 1 the last stage, ...
struct Parameter {
  torch::Tensor value;
  int depth = 0;
  bool decays = false;  // weights do, biases and batch norms don't
};

class TrainableResNet {
 public:
  // `first`: the lowest stage that learns, 0 (with the stem) to 3.
  TrainableResNet(const ResNet& network, std::size_t first, bool freeze_batch_norm, const torch::Device& device);

  // B x 3 x side x side to B x dim: the mean over places of the last map. `training`: batch norms that aren't frozen
  // use the batch's statistics and update theirs.
  torch::Tensor forward(const torch::Tensor& images, bool training) const;

  const std::vector<Parameter>& parameters() const { return parameters_; }
  // Running statistics that training changes: none where batch norms are frozen.
  const std::vector<torch::Tensor>& buffers() const { return buffers_; }

 private:
  struct TrainedBlock {
    std::vector<TorchConv> convs;
    std::optional<TorchConv> shortcut;
  };
  TorchConv place(const ConvBn& conv, std::size_t stage, const torch::Device& device);
  torch::Tensor convolve(const TorchConv& conv, const torch::Tensor& x, bool training) const;
  torch::Tensor run_block(const torch::Tensor& in, const TrainedBlock& block, bool training) const;
  torch::Tensor run_stage(std::size_t stage, torch::Tensor x, bool training) const;

  std::size_t first_;
  bool freeze_batch_norm_;
  std::vector<Parameter> parameters_;
  std::vector<torch::Tensor> buffers_;
  TorchConv stem_;
  std::vector<std::vector<TrainedBlock>> stages_;
};

}  // namespace vise

#include "experiments/torch/trainable_resnet.h"

namespace vise {

TrainableResNet::TrainableResNet(const ResNet& network, std::size_t first, bool freeze_batch_norm,
                                 const torch::Device& device)
    : first_(first), freeze_batch_norm_(freeze_batch_norm), stem_(place(network.stem, 0, device)) {
  for (std::size_t stage = 0; stage < network.stages.size(); ++stage) {
    auto& blocks = stages_.emplace_back();
    for (const Block& block : network.stages[stage]) {
      TrainedBlock& made = blocks.emplace_back();
      for (const ConvBn& conv : block.convs) made.convs.push_back(place(conv, stage, device));
      if (block.shortcut) made.shortcut.emplace(place(*block.shortcut, stage, device));
    }
  }
}

TorchConv TrainableResNet::place(const ConvBn& conv, std::size_t stage, const torch::Device& device) {
  TorchConv placed(conv);
  for (torch::Tensor* tensor : {&placed.weight, &placed.gamma, &placed.beta, &placed.mean, &placed.variance})
    *tensor = tensor->to(device);
  if (stage < first_) return placed;
  const int depth = static_cast<int>(4 - stage);
  parameters_.push_back({placed.weight.requires_grad_(true), depth, true});
  if (freeze_batch_norm_) return placed;
  parameters_.push_back({placed.gamma.requires_grad_(true), depth, false});
  parameters_.push_back({placed.beta.requires_grad_(true), depth, false});
  buffers_.push_back(placed.mean);
  buffers_.push_back(placed.variance);
  return placed;
}

torch::Tensor TrainableResNet::convolve(const TorchConv& conv, const torch::Tensor& x, bool training) const {
  constexpr double kMomentum = 0.1;  // torch.nn.BatchNorm2d's
  const bool learns = training && !freeze_batch_norm_ && conv.weight.requires_grad();
  const torch::Tensor y = torch::conv2d(x, conv.weight, {}, conv.stride, conv.pad, 1, conv.groups);
  return torch::batch_norm(y, conv.gamma, conv.beta, conv.mean, conv.variance, learns, kMomentum, conv.eps, false);
}

torch::Tensor TrainableResNet::run_block(const torch::Tensor& in, const TrainedBlock& block, bool training) const {
  torch::Tensor x = in;
  for (std::size_t i = 0; i < block.convs.size(); ++i) {
    x = convolve(block.convs[i], x, training);
    if (i + 1 < block.convs.size()) x = torch::relu(x);
  }
  return torch::relu(x + (block.shortcut ? convolve(*block.shortcut, in, training) : in));
}

torch::Tensor TrainableResNet::run_stage(std::size_t stage, torch::Tensor x, bool training) const {
  if (stage == 0) x = torch::max_pool2d(torch::relu(convolve(stem_, x, training)), 3, 2, 1);
  for (const TrainedBlock& block : stages_[stage]) x = run_block(x, block, training);
  return x;
}

torch::Tensor TrainableResNet::forward(const torch::Tensor& images, bool training) const {
  torch::Tensor x = images;
  {
    const torch::NoGradGuard frozen;
    for (std::size_t stage = 0; stage < first_; ++stage) x = run_stage(stage, x, false);
  }
  for (std::size_t stage = first_; stage < stages_.size(); ++stage) x = run_stage(stage, x, training);
  return x.mean({2, 3});
}

}  // namespace vise

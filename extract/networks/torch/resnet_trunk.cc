// A ResNet trunk as a plain LibTorch module: convolution, batch norm in evaluation mode, ReLU, residual sum, each its
// own operation on the checkpoint's own tensors. Nothing is folded or fused, so it is the oracle for the oneDNN trunk;
// on the CPU it is also several times slower.
#include <optional>

#include "extract/networks/torch/torch_trunk.h"

namespace vise {
namespace {

struct TorchBlock {
  std::vector<TorchConv> convs;
  std::optional<TorchConv> shortcut;
};

// Shared by all replicas; never written after construction.
struct TorchResNet {
  TorchResNet(const ResNet& network, const Placement& placement) : stem(network.stem, placement) {
    for (const auto& stage : network.stages) {
      auto& blocks = stages.emplace_back();
      for (const Block& block : stage) {
        TorchBlock& made = blocks.emplace_back();
        for (const ConvBn& conv : block.convs) made.convs.emplace_back(conv, placement);
        if (block.shortcut) made.shortcut.emplace(*block.shortcut, placement);
      }
    }
  }

  TorchConv stem;
  std::vector<std::vector<TorchBlock>> stages;
};

class ResNetTrunk final : public TorchTrunk {
 public:
  ResNetTrunk(std::shared_ptr<const TorchResNet> network, TrunkRequest request)
      : TorchTrunk(std::move(request)), network_(std::move(network)) {}

  std::unique_ptr<Trunk> replicate() const override { return std::make_unique<ResNetTrunk>(network_, request_); }

  std::string state_hash() const override {
    Sha256 hash;
    network_->stem.add_to(hash);
    for (const auto& stage : network_->stages)
      for (const TorchBlock& block : stage) {
        for (const TorchConv& conv : block.convs) conv.add_to(hash);
        if (block.shortcut) block.shortcut->add_to(hash);
      }
    return hash.hex();
  }

  std::string description() const override { return library() + ", unfused"; }

 private:
  void run(const torch::Tensor& input) override {
    torch::Tensor x = torch::max_pool2d(torch::relu(network_->stem(input)), 3, 2, 1);
    for (std::size_t stage = 0; stage < network_->stages.size(); ++stage) {
      for (const TorchBlock& block : network_->stages[stage]) x = run_block(x, block);
      tap("layer" + std::to_string(stage + 1), x);
    }
  }

  static torch::Tensor run_block(const torch::Tensor& in, const TorchBlock& block) {
    torch::Tensor x = in;
    for (std::size_t i = 0; i < block.convs.size(); ++i) {
      x = block.convs[i](x);
      if (i + 1 < block.convs.size()) x = torch::relu(x);
    }
    return torch::relu(x + (block.shortcut ? (*block.shortcut)(in) : in));
  }

  std::shared_ptr<const TorchResNet> network_;
};

}  // namespace

std::unique_ptr<Trunk> make_torch_resnet(const ResNet& network, const TrunkRequest& request) {
  return std::make_unique<ResNetTrunk>(std::make_shared<const TorchResNet>(network, Placement::of(request)), request);
}

}  // namespace vise

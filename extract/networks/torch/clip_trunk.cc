// CLIP's RN50 image encoder on LibTorch, operation by operation as clip/model.py's ModifiedResNet and AttentionPool2d
// (openai/CLIP): extract/networks/clip_resnet.h has the formulas.
#include <cmath>
#include <optional>

#include "extract/networks/torch/torch_trunk.h"

namespace vise {
namespace {

struct TorchClipBlock {
  std::vector<TorchConv> convs;
  std::optional<TorchConv> shortcut;
  int pool;
};

struct TorchLinear {
  TorchLinear(const ClipLinear& linear, const Placement& placement)
      : weight(placement.place_operand(tensor_of(linear.weight, {linear.out, linear.in}))),
        bias(placement.place_operand(tensor_of(linear.bias, {linear.out}))) {}
  torch::Tensor operator()(const torch::Tensor& x) const { return torch::linear(x, weight, bias); }

  torch::Tensor weight, bias;
};

// Shared by all replicas; never written after construction.
struct TorchClip {
  TorchClip(const ClipResNet& network, const Placement& placement)
      : stem_pool(network.stem_pool),
        heads(network.attention.heads),
        positional(placement.place_operand(
            tensor_of(network.attention.positional, {network.attention.tokens, network.map_dim()}))),
        query(network.attention.query, placement),
        key(network.attention.key, placement),
        value(network.attention.value, placement),
        output(network.attention.output, placement) {
    for (const ConvBn& conv : network.stem) stem.emplace_back(conv, placement);
    for (const auto& stage : network.stages) {
      auto& blocks = stages.emplace_back();
      for (const ClipBlock& block : stage) {
        TorchClipBlock& made = blocks.emplace_back();
        for (const ConvBn& conv : block.convs) made.convs.emplace_back(conv, placement);
        if (block.shortcut) made.shortcut.emplace(*block.shortcut, placement);
        made.pool = block.pool;
      }
    }
  }

  std::vector<TorchConv> stem;
  int stem_pool, heads;
  std::vector<std::vector<TorchClipBlock>> stages;
  torch::Tensor positional;
  TorchLinear query, key, value, output;
};

class ClipTrunk final : public TorchTrunk {
 public:
  ClipTrunk(std::shared_ptr<const TorchClip> network, TrunkRequest request)
      : TorchTrunk(std::move(request)), network_(std::move(network)) {}

  std::unique_ptr<Trunk> replicate() const override { return std::make_unique<ClipTrunk>(network_, request_); }

  std::string state_hash() const override {
    Sha256 hash;
    for (const TorchConv& conv : network_->stem) conv.add_to(hash);
    for (const auto& stage : network_->stages)
      for (const TorchClipBlock& block : stage) {
        for (const TorchConv& conv : block.convs) conv.add_to(hash);
        if (block.shortcut) block.shortcut->add_to(hash);
      }
    add_tensor(hash, network_->positional);
    for (const TorchLinear* linear : {&network_->query, &network_->key, &network_->value, &network_->output}) {
      add_tensor(hash, linear->weight);
      add_tensor(hash, linear->bias);
    }
    return hash.hex();
  }

  std::string description() const override { return library() + ", unfused"; }

 private:
  void run(const torch::Tensor& input) override {
    torch::Tensor x = input;
    for (const TorchConv& conv : network_->stem) x = torch::relu(conv(x));
    x = torch::avg_pool2d(x, network_->stem_pool);
    for (std::size_t stage = 0; stage < network_->stages.size(); ++stage) {
      for (const TorchClipBlock& block : network_->stages[stage]) x = run_block(x, block);
      tap("layer" + std::to_string(stage + 1), x);
    }
    tap("attnpool", attention_pool(x));
  }

  static torch::Tensor run_block(const torch::Tensor& in, const TorchClipBlock& block) {
    const auto pooled = [&](const torch::Tensor& x) { return block.pool > 1 ? torch::avg_pool2d(x, block.pool) : x; };
    torch::Tensor x = torch::relu(block.convs[0](in));
    x = pooled(torch::relu(block.convs[1](x)));
    x = block.convs[2](x);
    return torch::relu(x + (block.shortcut ? (*block.shortcut)(pooled(in)) : in));
  }

  // B x C x H x W to B x D. Only the mean's token asks; every token answers.
  torch::Tensor attention_pool(const torch::Tensor& x) const {
    const TorchClip& net = *network_;
    const torch::Tensor places = x.flatten(2).permute({0, 2, 1});
    const torch::Tensor tokens = torch::cat({places.mean(1, true), places}, 1) + net.positional;  // B x T x C
    const std::int64_t b = tokens.size(0), t = tokens.size(1), dim = tokens.size(2) / net.heads;
    const torch::Tensor query = net.query(tokens.narrow(1, 0, 1)).view({b, 1, net.heads, dim}).transpose(1, 2);
    const torch::Tensor key = net.key(tokens).view({b, t, net.heads, dim}).transpose(1, 2);
    const torch::Tensor value = net.value(tokens).view({b, t, net.heads, dim}).transpose(1, 2);
    const torch::Tensor weights =
        torch::softmax(query.matmul(key.transpose(2, 3)) / std::sqrt(static_cast<double>(dim)), -1);
    return net.output(weights.matmul(value).transpose(1, 2).reshape({b, net.heads * dim}));
  }

  std::shared_ptr<const TorchClip> network_;
};

}  // namespace

std::unique_ptr<Trunk> make_torch_clip(const ClipResNet& network, const TrunkRequest& request) {
  const int places = network.attention.tokens - 1;
  if (request.side / 32 * (request.side / 32) != places || request.side % 32 != 0)
    throw Error(ErrorKind::usage,
                "clip-rn50: an input of " + std::to_string(request.side) + " pixels does not fit its positions",
                "its transform crops to 224 (transform=clip)");
  return std::make_unique<ClipTrunk>(std::make_shared<const TorchClip>(network, Placement::of(request)), request);
}

}  // namespace vise

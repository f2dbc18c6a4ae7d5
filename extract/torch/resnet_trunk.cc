// A ResNet trunk as a plain LibTorch module: convolution, batch norm in evaluation mode, ReLU, residual sum, each its
// own operation on the checkpoint's own tensors. Nothing is folded or fused, so it is the oracle for the oneDNN trunk;
// on the CPU it is also several times slower.
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <cstring>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "extract/torch/entry.h"

namespace vise {
namespace {

struct ConvTensors {
  torch::Tensor weight, gamma, beta, mean, variance;
};

// Shared by all replicas; never written after construction.
struct NetworkTensors {
  ResNet shape;
  std::map<std::string, ConvTensors> by_name;
};

torch::Tensor tensor_of(const std::vector<float>& values, at::IntArrayRef shape) {
  return torch::from_blob(const_cast<float*>(values.data()), shape, torch::kFloat32).clone();
}

ConvTensors tensors_of(const ConvBn& conv) {
  return {tensor_of(conv.weight, {conv.out, conv.in / conv.groups, conv.kernel, conv.kernel}),
          tensor_of(conv.gamma, {conv.out}), tensor_of(conv.beta, {conv.out}), tensor_of(conv.mean, {conv.out}),
          tensor_of(conv.variance, {conv.out})};
}

std::shared_ptr<const NetworkTensors> make_tensors(const ResNet& network) {
  auto tensors = std::make_shared<NetworkTensors>();
  for (const ConvBn* conv : convolutions(network)) tensors->by_name.emplace(conv->name, tensors_of(*conv));
  tensors->shape = network;
  return tensors;
}

class TorchTrunk final : public Trunk {
 public:
  TorchTrunk(std::shared_ptr<const NetworkTensors> tensors, TrunkRequest request)
      : tensors_(std::move(tensors)),
        request_(std::move(request)),
        input_(torch::zeros({request_.batch, 3, request_.side, request_.side})),
        taps_(request_.layers.size()) {
    if (request_.precision != Precision::fp32) throw Error(ErrorKind::usage, "--engine torch computes in fp32 only");
  }

  std::span<float> input() override { return {input_.data_ptr<float>(), static_cast<std::size_t>(input_.numel())}; }

  void forward() override {
    const c10::InferenceMode inference;
    at::set_num_threads(1);
    const ResNet& shape = tensors_->shape;
    torch::Tensor x = torch::max_pool2d(torch::relu(conv_bn(input_, shape.stem)), 3, 2, 1);
    for (std::size_t stage = 0; stage < shape.stages.size(); ++stage) {
      for (const Block& block : shape.stages[stage]) x = run_block(x, block);
      for (std::size_t i = 0; i < taps_.size(); ++i)
        if (request_.layers[i] == "layer" + std::to_string(stage + 1)) taps_[i] = x.permute({0, 2, 3, 1}).contiguous();
    }
  }

  FeatureMaps maps(std::size_t layer) override {
    const torch::Tensor& tap = taps_.at(layer);
    return {{tap.data_ptr<float>(), static_cast<std::size_t>(tap.numel())},
            static_cast<int>(tap.size(0)),
            static_cast<int>(tap.size(1)),
            static_cast<int>(tap.size(2)),
            static_cast<int>(tap.size(3))};
  }

  int batch() const override { return request_.batch; }
  std::unique_ptr<Trunk> replicate() const override { return std::make_unique<TorchTrunk>(tensors_, request_); }

  std::string state_hash() const override {
    Sha256 hash;
    for (const auto& [name, conv] : tensors_->by_name) {
      hash.update(name);
      for (const torch::Tensor& t : {conv.weight, conv.gamma, conv.beta, conv.mean, conv.variance})
        hash.update(ByteView(static_cast<const std::byte*>(t.data_ptr()), t.nbytes()));
    }
    return hash.hex();
  }

  std::string description() const override { return std::string("LibTorch ") + TORCH_VERSION + ", unfused"; }

 private:
  torch::Tensor conv_bn(const torch::Tensor& x, const ConvBn& conv) const {
    const ConvTensors& t = tensors_->by_name.at(conv.name);
    const torch::Tensor y = torch::conv2d(x, t.weight, {}, conv.stride, conv.pad, 1, conv.groups);
    return torch::batch_norm(y, t.gamma, t.beta, t.mean, t.variance, false, 0, conv.eps, false);
  }

  torch::Tensor run_block(const torch::Tensor& in, const Block& block) const {
    torch::Tensor x = in;
    for (std::size_t i = 0; i < block.convs.size(); ++i) {
      x = conv_bn(x, block.convs[i]);
      if (i + 1 < block.convs.size()) x = torch::relu(x);
    }
    return torch::relu(x + (block.shortcut ? conv_bn(in, *block.shortcut) : in));
  }

  std::shared_ptr<const NetworkTensors> tensors_;
  TrunkRequest request_;
  torch::Tensor input_;
  std::vector<torch::Tensor> taps_;
};

}  // namespace
}  // namespace vise

extern "C" void vise_torch_trunk(const vise::ResNet& network, const vise::TrunkRequest& request,
                                 std::unique_ptr<vise::Trunk>& trunk) {
  try {
    trunk = std::make_unique<vise::TorchTrunk>(vise::make_tensors(network), request);
  } catch (const c10::Error& e) {
    throw vise::Error(vise::ErrorKind::system, std::string("LibTorch: ") + e.what_without_backtrace());
  }
}

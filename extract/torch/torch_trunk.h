// What the trunks on LibTorch have in common: a float32 input, one thread, taps as B x H x W x C, and LibTorch's
// exceptions turned into ours.
#pragma once

#include <torch/csrc/jit/runtime/jit_exception.h>
#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "extract/trunk.h"

namespace vise {

class TorchTrunk : public Trunk {
 public:
  std::span<float> input() final { return {input_.data_ptr<float>(), static_cast<std::size_t>(input_.numel())}; }
  void forward() final;
  FeatureMaps maps(std::size_t layer) final;
  int batch() const final { return request_.batch; }

 protected:
  // Error{usage} for another precision than fp32.
  explicit TorchTrunk(TrunkRequest request);
  // The network on `input`; calls tap() for every layer it has. Runs in inference mode, on one thread.
  virtual void run(const torch::Tensor& input) = 0;
  // Keeps `x`, B x C x H x W or B x D, where the request asks for this layer.
  void tap(const std::string& layer, const torch::Tensor& x);

  const TrunkRequest request_;

 private:
  torch::Tensor input_;
  std::vector<torch::Tensor> taps_;
};

// Runs `action`, and turns what LibTorch throws into Error{kind} that begins with `what`.
template <typename Action>
auto with_torch_errors(ErrorKind kind, const std::string& what, Action action) {
  try {
    return action();
  } catch (const c10::Error& e) {
    throw Error(kind, what + e.what_without_backtrace());
  } catch (const torch::jit::JITException& e) {
    throw Error(kind, what + e.what());
  }
}

torch::Tensor tensor_of(const std::vector<float>& values, at::IntArrayRef shape);
void add_tensor(Sha256& hash, const torch::Tensor& tensor);

// A convolution and its batch norm, each its own operation on the checkpoint's own values.
struct TorchConv {
  explicit TorchConv(const ConvBn& conv);
  torch::Tensor operator()(const torch::Tensor& x) const;
  void add_to(Sha256& hash) const;

  std::string name;
  torch::Tensor weight, gamma, beta, mean, variance;
  int stride, pad, groups;
  double eps;
};

std::unique_ptr<Trunk> make_torch_resnet(const ResNet& network, const TrunkRequest& request);
std::unique_ptr<Trunk> make_torch_clip(const ClipResNet& network, const TrunkRequest& request);
std::unique_ptr<Trunk> make_torch_program(const TorchProgram& program, const TrunkRequest& request);

}  // namespace vise

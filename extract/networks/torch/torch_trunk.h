// What the trunks on LibTorch have in common: a float32 input, one thread, taps as B x H x W x C, and LibTorch's
// exceptions turned into ours.
//
// On a CUDA device each trunk has a stream of its own: pixels leave pinned memory, the network runs channels-last in
// the asked precision, and maps return to pinned memory as float32, all without waiting for other trunks. Only the
// device-neutral parts of LibTorch (c10) are used, so that one source builds with and without CUDA.
#pragma once

#include <c10/core/StreamGuard.h>
#include <torch/csrc/jit/runtime/jit_exception.h>
#include <torch/torch.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "extract/networks/trunk.h"

namespace vise {

// Where and how a network computes. Of floating-point tensors only: layout and precision are a network's, never a
// hash's.
struct Placement {
  torch::Device device = torch::kCPU;
  torch::ScalarType precision = torch::kFloat32;

  // Error{missing} for a CUDA device that LibTorch doesn't have or see. Turns off what would make float32 less: TF32,
  // and algorithms that differ from run to run.
  static Placement of(const TrunkRequest& request);

  // A parameter in its own precision (batch norms stay float32), or as what convolutions and products compute with.
  torch::Tensor place(const torch::Tensor& parameter) const { return parameter.to(device); }
  torch::Tensor place_operand(const torch::Tensor& operand) const;
};

class TorchTrunk : public Trunk {
 public:
  std::span<float> input() final { return {input_.data_ptr<float>(), static_cast<std::size_t>(input_.numel())}; }
  void forward() final;
  FeatureMaps maps(std::size_t layer) final;
  int batch() const final { return request_.batch; }

 protected:
  explicit TorchTrunk(TrunkRequest request);
  // The network on `input`, which is placed; calls tap() for every layer it has. Runs in inference mode, on one thread.
  virtual void run(const torch::Tensor& input) = 0;
  // Keeps `x`, B x C x H x W or B x D, where the request asks for this layer.
  void tap(const std::string& layer, const torch::Tensor& x);
  // "LibTorch 1.13.1", and on CUDA the device, its libraries and the precision.
  std::string library() const;

  const TrunkRequest request_;
  const Placement placement_;

 private:
  std::optional<c10::Stream> stream_;  // on CUDA
  torch::Tensor input_;
  std::vector<torch::Tensor> taps_;  // on the CPU
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
  explicit TorchConv(const ConvBn& conv, const Placement& placement = {});
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

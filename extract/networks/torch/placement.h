// Where and how LibTorch computes, and the few things that all of this folder needs: parameters as tensors, tensors in
// hashes, LibTorch's exceptions turned into ours.
#pragma once

#include <torch/csrc/jit/runtime/jit_exception.h>
#include <torch/torch.h>

#include <map>
#include <span>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "extract/networks/parameter.h"
#include "extract/networks/trunk.h"

namespace vise::networks {

// Of floating-point tensors only: layout and precision are a network's, never a hash's.
struct Placement {
  torch::Device device = torch::kCPU;
  torch::ScalarType precision = torch::kFloat32;

  // Error{missing} for a CUDA device that LibTorch doesn't have or see. Turns off what would make float32 less: TF32,
  // and algorithms that differ from run to run.
  static Placement of(const TrunkRequest& request);

  // A parameter in its own precision (norms stay float32), or as what convolutions and products compute with.
  torch::Tensor place(const torch::Tensor& parameter) const { return parameter.to(device); }
  torch::Tensor place_operand(const torch::Tensor& operand) const;
};

// Places a network's parameters, each once: operations that share one (a norm that is applied to several blocks) share
// its tensor, so that it stays one where it is trained. Undefined where the network has no such parameter.
class ParameterPlacer {
 public:
  explicit ParameterPlacer(Placement placement) : placement_(placement) {}
  const Placement& placement() const { return placement_; }
  torch::Tensor exact(const Parameter& parameter);    // as Placement::place
  torch::Tensor operand(const Parameter& parameter);  // as Placement::place_operand

 private:
  Placement placement_;
  std::map<const float*, torch::Tensor> exact_, operands_;  // by where the network keeps the values
};

// Copies.
torch::Tensor tensor_of(std::span<const float> values, at::IntArrayRef shape);
void add_tensor(Sha256& hash, const torch::Tensor& tensor);

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

}  // namespace vise::networks

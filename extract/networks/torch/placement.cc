#include "extract/networks/torch/placement.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>

namespace vise::networks {
namespace {

void check_cuda(int index) {
  if (!c10::impl::hasDeviceGuardImpl(torch::kCUDA))
    throw Error(
        ErrorKind::missing, std::string("--device cuda: this LibTorch (") + TORCH_VERSION + ") has no CUDA",
        "build with a LibTorch that has (cmake -DTorch_DIR=<libtorch>/share/cmake/Torch), or leave --device out");
  const auto count = static_cast<int>(torch::cuda::device_count());
  if (index >= count)
    throw Error(ErrorKind::missing,
                count == 0 ? "--device cuda: LibTorch sees no CUDA device here"
                           : "--device cuda:" + std::to_string(index) +
                                 ": the last of this machine is cuda:" + std::to_string(count - 1),
                count == 0 ? "look at nvidia-smi and CUDA_VISIBLE_DEVICES, or leave --device out" : "");
}

torch::ScalarType scalar_type(Precision precision) {
  return precision == Precision::fp32   ? torch::kFloat32
         : precision == Precision::bf16 ? torch::kBFloat16
                                        : torch::kFloat16;
}

}  // namespace

Placement Placement::of(const TrunkRequest& request) {
  if (!request.device.is_cuda()) return {};
  check_cuda(request.device.index);
  // TF32 keeps ten bits of a product's operands, and cuDNN's benchmark may choose another kernel in
  // every process: both would make features differ from run to run or from the CPU's.
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setDeterministicCuDNN(true);
  return {torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(request.device.index)),
          scalar_type(request.precision)};
}

// Operands of products take the asked precision, and maps cuDNN's favourite layout; norms and tables stay exact.
torch::Tensor Placement::place_operand(const torch::Tensor& operand) const {
  const torch::Tensor placed = operand.to(device).to(precision);
  return device.is_cuda() && placed.dim() == 4 ? placed.contiguous(torch::MemoryFormat::ChannelsLast) : placed;
}

torch::Tensor ParameterPlacer::exact(const Parameter& parameter) {
  if (!parameter.exists()) return {};
  // By address: a last norm that several operations share is placed on the device once.
  torch::Tensor& placed = exact_[parameter.values().data()];
  if (!placed.defined()) placed = placement_.place(tensor_of(parameter.values(), parameter.shape()));
  return placed;
}

torch::Tensor ParameterPlacer::operand(const Parameter& parameter) {
  if (!parameter.exists()) return {};
  torch::Tensor& placed = operands_[parameter.values().data()];
  if (!placed.defined()) placed = placement_.place_operand(tensor_of(parameter.values(), parameter.shape()));
  return placed;
}

// A copy: the network's own values may go.
torch::Tensor tensor_of(std::span<const float> values, at::IntArrayRef shape) {
  return torch::from_blob(const_cast<float*>(values.data()), shape, torch::kFloat32).clone();
}

void add_tensor(Sha256& hash, const torch::Tensor& tensor) {
  const torch::Tensor whole = tensor.cpu().contiguous();
  hash.update(ByteView(static_cast<const std::byte*>(whole.data_ptr()), whole.nbytes()));
}

}  // namespace vise::networks

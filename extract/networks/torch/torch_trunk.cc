#include "extract/networks/torch/torch_trunk.h"

#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "extract/networks/torch/entry.h"

namespace vise {

namespace {

c10::impl::VirtualGuardImpl backend(const torch::Device& device) { return c10::impl::VirtualGuardImpl(device.type()); }

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
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setDeterministicCuDNN(true);
  return {torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(request.device.index)),
          scalar_type(request.precision)};
}

torch::Tensor Placement::place_operand(const torch::Tensor& operand) const {
  const torch::Tensor placed = operand.to(device).to(precision);
  return device.is_cuda() && placed.dim() == 4 ? placed.contiguous(torch::MemoryFormat::ChannelsLast) : placed;
}

TorchTrunk::TorchTrunk(TrunkRequest request)
    : request_(std::move(request)),
      placement_(Placement::of(request_)),
      input_(torch::zeros({request_.batch, 3, request_.side, request_.side},
                          torch::TensorOptions().pinned_memory(placement_.device.is_cuda()))),
      taps_(request_.layers.size()) {
  if (!placement_.device.is_cuda()) return;
  stream_ = backend(placement_.device).getStreamFromGlobalPool(placement_.device);
  backend(placement_.device).getStream(placement_.device).synchronize();  // the parameters were placed on that one
}

void TorchTrunk::forward() {
  const c10::InferenceMode inference;
  at::set_num_threads(1);
  with_torch_errors(ErrorKind::system, "LibTorch: ", [&] {
    c10::OptionalStreamGuard on;
    if (stream_) on.reset_stream(*stream_);
    run(placement_.place_operand(input_.to(placement_.device, /*non_blocking=*/true)));
    if (stream_) stream_->synchronize();
  });
}

void TorchTrunk::tap(const std::string& layer, const torch::Tensor& x) {
  for (std::size_t i = 0; i < taps_.size(); ++i) {
    if (request_.layers[i] != layer) continue;
    const torch::Tensor map = x.dim() == 2 ? x.reshape({x.size(0), 1, 1, x.size(1)}) : x.permute({0, 2, 3, 1});
    const torch::Tensor whole = map.to(torch::kFloat32).contiguous();
    if (!stream_) {
      taps_[i] = whole;
      continue;
    }
    if (!taps_[i].defined() || taps_[i].sizes() != whole.sizes())
      taps_[i] = torch::empty(whole.sizes(), torch::TensorOptions().pinned_memory(true));
    taps_[i].copy_(whole, /*non_blocking=*/true);
  }
}

std::string TorchTrunk::library() const {
  std::string text = std::string("LibTorch ") + TORCH_VERSION;
  if (!stream_) return text;
  const auto& hooks = at::detail::getCUDAHooks();
  return text + ", " + placement_.device.str() + " (CUDA " + std::to_string(hooks.versionCUDART()) + ", cuDNN " +
         std::to_string(hooks.versionCuDNN()) + "), " + c10::toString(placement_.precision) + ", channels last, " +
         std::to_string(request_.batch) + " images a pass";
}

FeatureMaps TorchTrunk::maps(std::size_t layer) {
  const torch::Tensor& tapped = taps_.at(layer);
  const auto size = [&](int dimension) { return static_cast<int>(tapped.size(dimension)); };
  return {{tapped.data_ptr<float>(), static_cast<std::size_t>(tapped.numel())}, size(0), size(1), size(2), size(3)};
}

torch::Tensor tensor_of(const std::vector<float>& values, at::IntArrayRef shape) {
  return torch::from_blob(const_cast<float*>(values.data()), shape, torch::kFloat32).clone();
}

void add_tensor(Sha256& hash, const torch::Tensor& tensor) {
  const torch::Tensor whole = tensor.cpu().contiguous();
  hash.update(ByteView(static_cast<const std::byte*>(whole.data_ptr()), whole.nbytes()));
}

TorchConv::TorchConv(const ConvBn& conv, const Placement& placement)
    : name(conv.name),
      weight(
          placement.place_operand(tensor_of(conv.weight, {conv.out, conv.in / conv.groups, conv.kernel, conv.kernel}))),
      gamma(placement.place(tensor_of(conv.gamma, {conv.out}))),
      beta(placement.place(tensor_of(conv.beta, {conv.out}))),
      mean(placement.place(tensor_of(conv.mean, {conv.out}))),
      variance(placement.place(tensor_of(conv.variance, {conv.out}))),
      stride(conv.stride),
      pad(conv.pad),
      groups(conv.groups),
      eps(conv.eps) {}

torch::Tensor TorchConv::operator()(const torch::Tensor& x) const {
  const torch::Tensor y = torch::conv2d(x, weight, {}, stride, pad, 1, groups);
  return torch::batch_norm(y, gamma, beta, mean, variance, false, 0, eps, false);
}

void TorchConv::add_to(Sha256& hash) const {
  hash.update(name);
  for (const torch::Tensor& tensor : {weight, gamma, beta, mean, variance}) add_tensor(hash, tensor);
}

}  // namespace vise

extern "C" void vise_torch_trunk(const vise::Network& network, const vise::TrunkRequest& request,
                                 std::unique_ptr<vise::Trunk>& trunk) {
  trunk = vise::with_torch_errors(vise::ErrorKind::system, "LibTorch: ", [&] {
    if (const auto* resnet = std::get_if<vise::ResNet>(&network)) return vise::make_torch_resnet(*resnet, request);
    if (const auto* clip = std::get_if<vise::ClipResNet>(&network)) return vise::make_torch_clip(*clip, request);
    return vise::make_torch_program(std::get<vise::TorchProgram>(network), request);
  });
}

extern "C" void vise_torch_facts(vise::TorchFacts& facts) {
  facts = {TORCH_VERSION, c10::impl::hasDeviceGuardImpl(torch::kCUDA), 0};
  if (facts.has_cuda) facts.cuda_devices = static_cast<int>(torch::cuda::device_count());
}

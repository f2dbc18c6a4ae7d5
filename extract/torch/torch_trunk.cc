#include "extract/torch/torch_trunk.h"

#include <ATen/Parallel.h>

#include "extract/torch/entry.h"

namespace vise {

TorchTrunk::TorchTrunk(TrunkRequest request)
    : request_(std::move(request)),
      input_(torch::zeros({request_.batch, 3, request_.side, request_.side})),
      taps_(request_.layers.size()) {
  if (request_.precision != Precision::fp32) throw Error(ErrorKind::usage, "--engine torch computes in fp32 only");
}

void TorchTrunk::forward() {
  const c10::InferenceMode inference;
  at::set_num_threads(1);
  with_torch_errors(ErrorKind::system, "LibTorch: ", [&] { run(input_); });
}

void TorchTrunk::tap(const std::string& layer, const torch::Tensor& x) {
  for (std::size_t i = 0; i < taps_.size(); ++i) {
    if (request_.layers[i] != layer) continue;
    taps_[i] =
        x.dim() == 2 ? x.reshape({x.size(0), 1, 1, x.size(1)}).contiguous() : x.permute({0, 2, 3, 1}).contiguous();
  }
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
  const torch::Tensor whole = tensor.contiguous();
  hash.update(ByteView(static_cast<const std::byte*>(whole.data_ptr()), whole.nbytes()));
}

TorchConv::TorchConv(const ConvBn& conv)
    : name(conv.name),
      weight(tensor_of(conv.weight, {conv.out, conv.in / conv.groups, conv.kernel, conv.kernel})),
      gamma(tensor_of(conv.gamma, {conv.out})),
      beta(tensor_of(conv.beta, {conv.out})),
      mean(tensor_of(conv.mean, {conv.out})),
      variance(tensor_of(conv.variance, {conv.out})),
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

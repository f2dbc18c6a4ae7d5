#include "extract/networks/torch/torch_trunk.h"

#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "extract/networks/torch/entry.h"
#include "extract/networks/torch/torch_network.h"

namespace vise::networks {
namespace {

c10::impl::VirtualGuardImpl backend(const torch::Device& device) { return c10::impl::VirtualGuardImpl(device.type()); }

// Replicas share the placed parameters: running changes none.
class NetworkTrunk final : public TorchTrunk {
 public:
  NetworkTrunk(std::shared_ptr<const TorchNetwork> network, TrunkRequest request)
      : TorchTrunk(std::move(request)), network_(std::move(network)) {
    for (const std::string& layer : request_.layers) values_.push_back(network_->layer(layer));
  }

  std::unique_ptr<Trunk> replicate() const override { return std::make_unique<NetworkTrunk>(network_, request_); }

  std::string state_hash() const override {
    Sha256 hash;
    network_->add_to(hash);
    return hash.hex();
  }

  std::string description() const override { return library() + ", unfused"; }

 private:
  std::vector<TorchValue> run(const torch::Tensor& input) override { return network_->run(input, values_); }

  std::shared_ptr<const TorchNetwork> network_;
  std::vector<int> values_;
};

}  // namespace

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
  // No gradients are recorded, and no versions counted.
  const c10::InferenceMode inference;
  // LibTorch's setting is a thread's own, and workers are many: set in every pass.
  at::set_num_threads(1);
  with_torch_errors(ErrorKind::system, "LibTorch: ", [&] {
    c10::OptionalStreamGuard on;
    if (stream_) on.reset_stream(*stream_);
    const std::vector<TorchValue> values =
        run(placement_.place_operand(input_.to(placement_.device, /*non_blocking=*/true)));
    for (std::size_t layer = 0; layer < taps_.size(); ++layer) keep(layer, values[layer]);
    // Maps are read by the caller right after this.
    if (stream_) stream_->synchronize();
  });
}

void TorchTrunk::keep(std::size_t layer, const TorchValue& value) {
  TorchValue& tap = taps_[layer];
  const torch::Tensor whole = value.tokens().to(torch::kFloat32).contiguous();
  tap.shape = value.shape;
  if (!stream_) {
    tap.tensor = whole;
    return;
  }
  // Pinned memory is slow to allocate and is kept; copies into it run beside the other replica's work.
  if (!tap.tensor.defined() || tap.tensor.sizes() != whole.sizes())
    tap.tensor = torch::empty(whole.sizes(), torch::TensorOptions().pinned_memory(true));
  tap.tensor.copy_(whole, /*non_blocking=*/true);
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
  const TorchValue& tap = taps_.at(layer);
  FeatureMaps maps;
  maps.values = {tap.tensor.data_ptr<float>(), static_cast<std::size_t>(tap.tensor.numel())};
  maps.batch = request_.batch;
  maps.prefix = tap.shape.prefix;
  maps.height = tap.shape.height;
  maps.width = tap.shape.width;
  maps.channels = tap.shape.channels;
  return maps;
}

std::unique_ptr<Trunk> make_torch_network(const Network& network, const TrunkRequest& request) {
  return std::make_unique<NetworkTrunk>(
      std::make_shared<const TorchNetwork>(network, request.side, Placement::of(request)), request);
}

}  // namespace vise::networks

extern "C" void vise_torch_trunk(const vise::networks::Network& network, const vise::networks::TrunkRequest& request,
                                 std::unique_ptr<vise::networks::Trunk>& trunk) {
  trunk = vise::networks::with_torch_errors(vise::ErrorKind::system, "LibTorch: ", [&] {
    return network.graph ? vise::networks::make_script_trunk(*network.graph, request)
                         : vise::networks::make_torch_network(network, request);
  });
}

extern "C" void vise_torch_facts(vise::networks::TorchFacts& facts) {
  facts = {TORCH_VERSION, c10::impl::hasDeviceGuardImpl(torch::kCUDA), 0};
  if (facts.has_cuda) facts.cuda_devices = static_cast<int>(torch::cuda::device_count());
}

// What the trunks on LibTorch have in common: a float32 input, one thread, and taps as trunk.h gives them out.
//
// On a CUDA device each trunk has a stream of its own: pixels leave pinned memory, the network runs channels-last in
// the asked precision, and maps return to pinned memory as float32, all without waiting for other trunks. Only the
// device-neutral parts of LibTorch (c10) are used, so that one source builds with and without CUDA.
#pragma once

#include <c10/core/StreamGuard.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "extract/networks/torch/torch_ops.h"

namespace vise::networks {

class TorchTrunk : public Trunk {
 public:
  std::span<float> input() final { return {input_.data_ptr<float>(), static_cast<std::size_t>(input_.numel())}; }
  void forward() final;
  FeatureMaps maps(std::size_t layer) final;
  int batch() const final { return request_.batch; }

 protected:
  explicit TorchTrunk(TrunkRequest request);
  // The values of the request's layers for `input`, which is placed. Runs in inference mode, on one thread.
  virtual std::vector<TorchValue> run(const torch::Tensor& input) = 0;
  // "LibTorch 1.13.1", and on CUDA the device, its libraries and the precision.
  std::string library() const;

  const TrunkRequest request_;
  const Placement placement_;

 private:
  void keep(std::size_t layer, const TorchValue& value);

  std::optional<c10::Stream> stream_;  // on CUDA
  torch::Tensor input_;
  std::vector<TorchValue> taps_;  // B x T x C, float32, on the CPU
};

// Error{usage} for a side that the network can't take, and for a layer that it doesn't have.
std::unique_ptr<Trunk> make_torch_network(const Network& network, const TrunkRequest& request);
std::unique_ptr<Trunk> make_script_trunk(const Graph& graph, const TrunkRequest& request);

}  // namespace vise::networks

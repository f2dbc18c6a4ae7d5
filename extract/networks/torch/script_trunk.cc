// A TorchScript archive run as it is: an opaque network that takes batch x 3 x side x side float32 and gives one
// tensor, batch x D or batch x D x H x W. Put in evaluation mode; parameters and buffers in single and half precision
// take the one asked for: on the CPU halves are widened, since LibTorch has no half-precision convolution there.
#include <torch/script.h>

#include "extract/networks/torch/torch_trunk.h"

namespace vise::networks {
namespace {

void convert(const torch::Tensor& tensor, torch::ScalarType precision) {
  // Doubles are left alone: who keeps one in a network does so on purpose.
  if (!tensor.defined() || !tensor.is_floating_point() || tensor.scalar_type() == torch::kFloat64) return;
  if (tensor.scalar_type() != precision) tensor.set_data(tensor.to(precision));
}

// An archive holds code, which runs; that was allowed before this is called (load.h).
torch::jit::Module load(const std::string& file, const Placement& placement) {
  torch::jit::Module module = torch::jit::load(file, placement.device);
  module.eval();
  const torch::NoGradGuard no_gradients;
  for (const torch::Tensor& tensor : module.parameters()) convert(tensor, placement.precision);
  for (const torch::Tensor& tensor : module.buffers()) convert(tensor, placement.precision);
  return module;
}

class ProgramTrunk final : public TorchTrunk {
 public:
  ProgramTrunk(std::string name, torch::jit::Module module, TrunkRequest request)
      : TorchTrunk(std::move(request)), name_(std::move(name)), module_(std::move(module)) {}

  // With attributes of its own, since forward() may set them, and the same tensors.
  std::unique_ptr<Trunk> replicate() const override {
    return std::make_unique<ProgramTrunk>(name_, module_.copy(), request_);
  }

  std::string state_hash() const override {
    Sha256 hash;
    for (const auto& attribute : module_.named_attributes()) {
      if (!attribute.value.isTensor() || !attribute.value.toTensor().defined()) continue;
      hash.update(attribute.name);
      add_tensor(hash, attribute.value.toTensor());
    }
    return hash.hex();
  }

  std::string description() const override { return library() + ", the TorchScript archive's own forward()"; }

 private:
  // There is one layer, "output".
  std::vector<TorchValue> run(const torch::Tensor& input) override {
    const std::string what = name_ + ": its forward() failed: ";
    const TorchValue output =
        checked(with_torch_errors(ErrorKind::input, what, [&] { return module_.forward({input}); }));
    return std::vector<TorchValue>(request_.layers.size(), output);
  }

  // Whatever a stranger's forward() gives is checked before it is taken for features.
  TorchValue checked(const c10::IValue& result) const {
    const auto refuse = [&](const std::string& gave) {
      throw Error(ErrorKind::input, name_ + ": its forward() gives " + gave,
                  "a backbone's archive takes N x 3 x H x W and gives one tensor, N x D or N x D x H x W");
    };
    if (!result.isTensor()) refuse("a " + result.tagKind() + ", not a tensor");
    const torch::Tensor x = result.toTensor().to(torch::kFloat32);
    if ((x.dim() != 2 && x.dim() != 4) || x.size(0) != request_.batch || x.numel() == 0)
      refuse("a tensor of shape " + c10::str(x.sizes()) + " for " + std::to_string(request_.batch) + " images");
    const auto size = [&](int dimension) { return static_cast<int>(x.size(dimension)); };
    return x.dim() == 2 ? TorchValue{x.unsqueeze(1), {0, 1, 1, size(1)}}
                        : TorchValue{x, {0, size(2), size(3), size(1)}};
  }

  std::string name_;  // of the file
  torch::jit::Module module_;
};

}  // namespace

std::unique_ptr<Trunk> make_script_trunk(const Graph& graph, const TrunkRequest& request) {
  const std::string name = graph.file.string();
  const Placement placement = Placement::of(request);
  torch::jit::Module module =
      with_torch_errors(ErrorKind::input, name + ": LibTorch cannot load it: ", [&] { return load(name, placement); });
  return std::make_unique<ProgramTrunk>(name, std::move(module), request);
}

}  // namespace vise::networks

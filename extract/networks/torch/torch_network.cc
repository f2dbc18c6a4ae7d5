#include "extract/networks/torch/torch_network.h"

#include <algorithm>

namespace vise::networks {

TorchNetwork::TorchNetwork(const Network& network, int side, const Placement& placement)
    : architecture_(network.architecture), input_{0, side, side, 3}, layers_(network.layers) {
  ParameterPlacer placer(placement);
  std::vector<ValueShape> shapes{input_};
  for (const Op& op : network.ops) {
    std::vector<ValueShape> inputs;
    for (const int input : op.inputs) inputs.push_back(shapes.at(static_cast<std::size_t>(input)));
    ops_.emplace_back(op, inputs, placer);
    shapes.push_back(ops_.back().shape);
  }
}

int TorchNetwork::layer(const std::string& name) const {
  const auto found = std::ranges::find(layers_, name, &Layer::name);
  if (found == layers_.end()) throw Error(ErrorKind::usage, architecture_ + " has no layer '" + name + "'");
  return found->value;
}

// Of each value: the needed operations that take it, and the caller.
std::vector<int> TorchNetwork::count_uses(const std::vector<int>& wanted) const {
  std::vector<int> uses(ops_.size() + 1, 0);
  for (const int value : wanted) ++uses.at(static_cast<std::size_t>(value));
  for (std::size_t i = ops_.size(); i-- > 0;) {
    if (uses[i + 1] == 0) continue;
    for (const int input : ops_[i].op.inputs) ++uses[static_cast<std::size_t>(input)];
  }
  return uses;
}

std::vector<bool> TorchNetwork::needed_for(const std::vector<int>& wanted) const {
  std::vector<bool> needed;
  const std::vector<int> uses = count_uses(wanted);
  std::transform(uses.begin() + 1, uses.end(), std::back_inserter(needed), [](int count) { return count > 0; });
  return needed;
}

// Forward order; a value is let go with its last reader, so that memory holds what is still needed.
std::vector<TorchValue> TorchNetwork::run(const torch::Tensor& images, const std::vector<int>& wanted,
                                          std::size_t batch_statistics_from) const {
  std::vector<int> uses = count_uses(wanted);
  std::vector<TorchValue> values(ops_.size() + 1);
  values[0] = {images, input_};
  for (std::size_t i = 0; i < ops_.size(); ++i) {
    if (uses[i + 1] == 0) continue;
    std::vector<TorchValue> inputs;
    for (const int input : ops_[i].op.inputs) {
      const auto place = static_cast<std::size_t>(input);
      inputs.push_back(values[place]);
      if (--uses[place] == 0) values[place] = {};  // memory is held by what is still to be read
    }
    values[i + 1] = ops_[i](inputs, images.size(0), i >= batch_statistics_from);
  }
  std::vector<TorchValue> found;
  for (const int value : wanted) found.push_back(values[static_cast<std::size_t>(value)]);
  return found;
}

void TorchNetwork::add_to(Sha256& hash) const {
  for (const TorchOp& op : ops_) {
    hash.update(op.op.name);
    for (const torch::Tensor& tensor : op.tensors()) add_tensor(hash, tensor);
  }
}

}  // namespace vise::networks

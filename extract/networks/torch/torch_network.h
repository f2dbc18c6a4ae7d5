// A network interpreted by LibTorch: its operations one after another, each as op.h defines it, nothing folded or
// fused. It is the oracle of other engines and of every family, what runs on CUDA, and what fine-tuning trains.
//
//   const TorchNetwork net(network, 224, placement);
//   const std::vector<TorchValue> values = net.run(images, {net.layer("block12")});   // images: B x 3 x 224 x 224
//   values[0].tokens();                                                               // B x 197 x 768
//
// Parameters are placed once, for inputs of one size: a table of positions is resized to it. Copies share them, and
// running changes none, but for what batch_statistics_from asks. So one network serves many threads.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "extract/networks/torch/torch_ops.h"

namespace vise::networks {

class TorchNetwork {
 public:
  // Error{usage} for a side that the network can't take. The network has operations: it is no graph.
  TorchNetwork(const Network& network, int side, const Placement& placement);

  // The value of a layer. Error{usage} for one that isn't there.
  int layer(const std::string& name) const;

  // The values that are asked for, in that order; only what they need is computed. Batch norms from operation
  // `batch_statistics_from` on take the batch's statistics and update their own.
  std::vector<TorchValue> run(const torch::Tensor& images, const std::vector<int>& wanted,
                              std::size_t batch_statistics_from = std::numeric_limits<std::size_t>::max()) const;

  // Of each operation: whether these values need it.
  std::vector<bool> needed_for(const std::vector<int>& wanted) const;
  const std::vector<TorchOp>& ops() const { return ops_; }
  // Every parameter and buffer as it is read, with its operation's name.
  void add_to(Sha256& hash) const;

 private:
  std::vector<int> count_uses(const std::vector<int>& wanted) const;

  std::string architecture_;
  ValueShape input_;
  std::vector<Layer> layers_;
  std::vector<TorchOp> ops_;
};

}  // namespace vise::networks

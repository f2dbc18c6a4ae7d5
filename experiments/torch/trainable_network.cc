#include "experiments/torch/trainable_network.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace vise::experiments {
namespace {

// "block12" and "layer4" end a block; "final-2", a last norm over an earlier block, doesn't.
bool is_numbered(const std::string& layer) {
  return !layer.empty() && layer.back() >= '0' && layer.back() <= '9' && layer.find('-') == std::string::npos;
}

// The values that end a block, up to `last`.
std::vector<int> ends_of_blocks(const networks::Network& network, int last) {
  std::vector<int> ends;
  for (const networks::Layer& layer : network.layers)
    if (is_numbered(layer.name) && layer.value <= last) ends.push_back(layer.value);
  std::ranges::sort(ends);
  return ends;
}

// 1 for what the last block makes or what comes after it, 2 for the block before, ...
int depth_of(int value, const std::vector<int>& ends) {
  const auto before = std::ranges::lower_bound(ends, value) - ends.begin(), blocks = std::ssize(ends);
  return std::max(1, static_cast<int>(blocks - before));
}

// The mean over places, of a map (B x C x H x W) or of tokens without the prefix.
torch::Tensor mean_of_places(const networks::TorchValue& x) {
  return x.tensor.dim() == 4 ? x.tensor.mean({2, 3}) : x.places().mean(1);
}

torch::Tensor token(const networks::TorchValue& x, std::int64_t number) { return x.tokens().select(1, number); }

}  // namespace

// The definitions are networks/pooling.h's; these give the same rows, and gradients.
torch::Tensor pooled(const networks::Pooling& pooling, const std::vector<networks::TorchValue>& values) {
  const std::string name = pooling.name();
  const networks::TorchValue& last = values.back();
  if (name == "avg" || name == "map") return mean_of_places(last);
  if (name == "max") return last.places().amax(1);
  if (name == "cls+dist") return (token(last, 0) + token(last, 1)) / 2;
  if (name.starts_with("gem:")) {
    double power = 1;
    parse_double(std::string_view(name).substr(4), power);
    return last.places().clamp_min(1e-6).pow(power).mean(1).pow(1 / power);
  }
  std::vector<torch::Tensor> parts;
  for (const networks::TorchValue& value : values) parts.push_back(token(value, 0));
  if (name.ends_with("+avg")) parts.push_back(mean_of_places(last));
  return torch::cat(parts, 1);
}

TrainableNetwork::TrainableNetwork(const networks::Network& network, int side, const TrainingScope& scope,
                                   const torch::Device& device)
    : scope_(scope), network_(network, side, {device, torch::kFloat32}) {
  const networks::Outline seen = networks::outline(network);
  dim_ = static_cast<std::int64_t>(scope_.pooling.dim(seen, scope_.layer));
  for (const std::string& layer : scope_.pooling.layers(seen, scope_.layer)) values_.push_back(network_.layer(layer));
  const int last = *std::ranges::max_element(values_);
  const std::vector<int> ends = ends_of_blocks(network, last);
  if (scope_.blocks > std::max<std::int64_t>(1, std::ssize(ends)))
    throw Error(ErrorKind::usage,
                fmt::format("unfreeze={}: {} has {} blocks up to {}", scope_.blocks, network.architecture, ends.size(),
                            scope_.layer),
                "unfreeze=all");
  // Operations that no pooled value depends on, such as a classifier, learn nothing and get no gradient.
  const std::vector<bool> needed = network_.needed_for(values_);
  first_ = needed.size();
  for (std::size_t i = 0; i < needed.size(); ++i) {
    const int depth = depth_of(networks::Network::value_of(i), ends);
    if (!needed[i] || (scope_.blocks > 0 && depth > scope_.blocks)) continue;
    // Gradients and batch statistics begin at the first operation that learns; everything
    // before it runs as a frozen network does.
    first_ = std::min(first_, i);
    let_learn(network_.ops()[i], depth);
  }
}

void TrainableNetwork::let_learn(const networks::TorchOp& op, int depth) {
  const auto* const norm = op.op.as<networks::BatchNorm>();
  // Small batches make poor statistics, so frozen batch norms are the default.
  if (norm && scope_.freeze_batch_norm) return;
  for (const torch::Tensor& tensor : op.learnable()) {
    const auto known =
        std::ranges::find_if(parameters_, [&](const LearnedTensor& learned) { return learned.value.is_same(tensor); });
    if (known != parameters_.end()) {  // shared with an operation before, and nearer to the head by this one
      known->depth = depth;
      continue;
    }
    // Only the weights of products decay; norms, biases, positions and tokens don't, as in the usual recipes.
    const bool decays =
        (op.op.as<networks::Convolution>() || op.op.as<networks::Linear>()) && tensor.is_same(op.weight);
    parameters_.push_back({tensor, depth, decays});
    parameters_.back().value.requires_grad_(true);
  }
  if (norm) buffers_.insert(buffers_.end(), {op.mean, op.variance});
}

torch::Tensor TrainableNetwork::forward(const torch::Tensor& images, bool training) const {
  const std::size_t never = network_.ops().size();
  return pooled(scope_.pooling, network_.run(images, values_, training && !scope_.freeze_batch_norm ? first_ : never));
}

}  // namespace vise::experiments

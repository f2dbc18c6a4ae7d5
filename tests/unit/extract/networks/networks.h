// Checkpoints made in memory from networks, in every layout that files have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "extract/networks/checkpoint/state_dict.h"
#include "extract/networks/family_registry.h"

namespace vise::test {

// A view of `values`, which must outlive it.
inline networks::NamedTensor float_view(std::string name, std::span<const float> values,
                                        std::vector<std::int64_t> shape) {
  std::vector<std::int64_t> strides = networks::contiguous_strides(shape);
  return {std::move(name),
          "",
          {networks::DType::f32, std::move(shape), std::move(strides), 0, std::as_bytes(values), nullptr}};
}

// A tensor of that shape whose elements are all one value: nothing large is allocated.
inline networks::NamedTensor constant(std::string name, std::vector<std::int64_t> shape, float value = 0.5F) {
  const auto owner = std::make_shared<float>(value);
  std::vector<std::int64_t> strides(shape.size(), 0);
  return {
      std::move(name),
      "",
      {networks::DType::f32, std::move(shape), std::move(strides), 0, std::as_bytes(std::span(owner.get(), 1)), owner}};
}

inline networks::NamedTensor tracked(std::string name) {
  static const std::int64_t zero = 0;
  return {std::move(name), "", {networks::DType::i64, {}, {}, 0, std::as_bytes(std::span(&zero, 1)), nullptr}};
}

// A network of that architecture with shapes alone.
inline networks::Network shape_of(std::string_view architecture) {
  networks::NoWeights none;
  return networks::family_of(architecture).build(architecture, none);
}

// The keys of nn.Sequential(*resnet.children()[:-2]).
inline std::string vise_key(const std::string& key) {
  if (key.starts_with("conv1")) return "0" + key.substr(5);
  if (key.starts_with("bn1")) return "1" + key.substr(3);
  return std::to_string(key[5] - '1' + 4) + key.substr(6);
}

// A convolutional network's tensors under torchvision's names, views of `net`, which must outlive them; shapes alone
// (constant values) where the network holds no values. Five tensors a convolution, six with num_batches_tracked.
inline std::vector<networks::NamedTensor> trunk_tensors(const networks::Network& net, const std::string& prefix = "",
                                                        bool vise_layout = false, bool with_tracked = true) {
  std::vector<networks::NamedTensor> tensors;
  const auto name = [&](const std::string& key) { return prefix + (vise_layout ? vise_key(key) : key); };
  const auto add = [&](const std::string& key, const networks::Parameter& values) {
    tensors.push_back(values.values().empty() ? constant(name(key), values.shape())
                                              : float_view(name(key), values.values(), values.shape()));
  };
  for (const networks::Op& op : net.ops) {
    if (const auto* conv = op.as<networks::Convolution>()) add(op.name + ".weight", conv->weight);
    if (const auto* norm = op.as<networks::BatchNorm>()) {
      add(op.name + ".weight", norm->gamma);
      add(op.name + ".bias", norm->beta);
      add(op.name + ".running_mean", norm->mean);
      add(op.name + ".running_var", norm->variance);
      if (with_tracked) tensors.push_back(tracked(name(op.name + ".num_batches_tracked")));
    }
  }
  return tensors;
}

inline networks::Checkpoint checkpoint_of(std::vector<networks::NamedTensor> tensors, const Path& path = "x.pth") {
  networks::Checkpoint checkpoint;
  checkpoint.path = path;
  checkpoint.tensors = std::move(tensors);
  return checkpoint;
}

inline void append(std::vector<networks::NamedTensor>& to, std::vector<networks::NamedTensor> more) {
  for (networks::NamedTensor& tensor : more) to.push_back(std::move(tensor));
}

}  // namespace vise::test

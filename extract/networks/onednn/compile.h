// One fused group of a network after the other becomes steps of an assembly.
//
// Types of values under bf16: networks without layer norms (convolutional ones) keep every activation in bf16, as they
// always did here. Networks with layer norms keep in float32 what is added up or normalised (the residual stream, whose
// small updates bf16 would round away) and in bf16 what only products read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "extract/networks/onednn/assembly.h"
#include "extract/networks/onednn/fusion.h"

namespace vise::networks {

struct Compilation {
  const Network& network;  // with its values while packing; shapes alone suffice for a replica
  bool packing = false;
  Assembly& assembly;
  PackedWeights& packed;
  FusionPlan plan;
  std::vector<ValueShape> shapes{};         // by value
  std::vector<std::optional<Laid>> laid{};  // by value; none: not made yet, or no longer needed
  std::vector<bool> tapped{};               // by value: taken from the network
  bool keeps_stream = false;                // in float32: the network has layer norms
  int group = 0;                            // the index of the group that is compiled

  const Laid& input(const Op& op, std::size_t i = 0) const { return *laid[static_cast<std::size_t>(op.inputs[i])]; }
  const ValueShape& shape_of(int value) const { return shapes[static_cast<std::size_t>(value)]; }
  // What `value` is kept as.
  dnnl::memory::data_type type_of(int value) const;
  // Whether the group that is compiled is the last to need `value`, so that its place may be written to.
  bool may_overwrite(int value) const {
    return value != 0 && !tapped[static_cast<std::size_t>(value)] &&
           plan.last_reader[static_cast<std::size_t>(value)] == group;
  }
  // A residual as the target of a sum: itself, or a copy where somebody still needs it.
  Laid as_target(int value, const dnnl::memory::desc& desc);

  // Packed parts of the group's weights, made by `pack` while packing.
  template <typename Pack>
  const std::vector<dnnl::memory>& weights(std::size_t op, Pack pack) {
    if (packing) packed.by_op.emplace(op, pack());
    return packed.by_op.at(op);
  }
  // Plain float32 memory with these values.
  dnnl::memory plain(std::span<const float> values) const;
  // `values` as `from` reordered to `to`.
  dnnl::memory packed_as(const dnnl::memory::desc& from, std::span<const float> values, const dnnl::memory::desc& to);
  void count(const std::string& algorithm) {
    if (packing) ++packed.algorithms[algorithm];
  }
};

// A convolution's or a linear layer's weights and bias with everything that the group folds, in float32: folded in
// double and rounded once. Bias: zeros where there is none.
struct FoldedWeights {
  std::vector<float> weight, bias;
};
FoldedWeights folded(const Network& network, const FusedGroup& group);

// oneDNN's name and its two parameters for an activation.
void append_activation(dnnl::post_ops& fused, Activation function);

// Each gives the group's value. Error{usage} naming the operation for what this engine lacks.
Laid compile_convolution(Compilation& c, const FusedGroup& group);
Laid compile_product(Compilation& c, const FusedGroup& group);  // linear layers, and convolutions of disjoint patches
Laid compile_attention(Compilation& c, const FusedGroup& group);
Laid compile_cross_attention(Compilation& c, const FusedGroup& group);
Laid compile_rows(Compilation& c, const FusedGroup& group);  // what works on rows: norms, tokens, gates, ...
Laid compile_map(Compilation& c, const FusedGroup& group);   // pools, activations and sums in any layout

// Whether a convolution is a product of gathered patches: its stride is its kernel.
bool is_patch_product(const Convolution& conv);

}  // namespace vise::networks

#include "extract/networks/onednn/compile.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace vise::networks {

using dnnl::algorithm;
using dnnl::memory;
using type = memory::data_type;

type Compilation::type_of(int value) const {
  if (assembly.operand_type() == type::f32) return type::f32;
  // Networks of batch norms keep everything in bf16. Those of layer norms have a residual stream
  // that grows from block to block, where bf16's eight bits would lose what a block adds: it
  // stays in float32, and only what a product reads is narrowed.
  if (!keeps_stream) return type::bf16;
  // Features are given out in float32.
  if (tapped[static_cast<std::size_t>(value)]) return type::f32;
  for (const Op& op : network.ops) {
    if (std::ranges::find(op.inputs, value) == op.inputs.end()) continue;
    const bool operand = op.as<Linear>() || op.as<Convolution>() || op.as<Attention>() || op.as<Gate>() ||
                         op.as<CrossAttention>() || op.as<Activate>();
    // One reader that sums or normalises is enough: the value must then be there in float32.
    if (!operand) return type::f32;
  }
  return type::bf16;
}

Laid Compilation::as_target(int value, const memory::desc& desc) {
  const Laid& residual = *laid[static_cast<std::size_t>(value)];
  // A fused sum is added to what its target already holds, so the residual must be there first:
  // in place if nobody else reads it, else as a copy.
  if (residual.desc != desc) return assembly.reordered(residual, desc);
  return may_overwrite(value) ? residual : assembly.copied(residual);
}

// A copy that lives as long as the packed weights do: the network's own values are let go.
memory Compilation::plain(std::span<const float> values) const {
  memory made({{static_cast<memory::dim>(values.size())}, type::f32, memory::format_tag::x}, assembly.engine());
  std::memcpy(made.get_data_handle(), values.data(), values.size_bytes());
  return made;
}

memory Compilation::packed_as(const memory::desc& from, std::span<const float> values, const memory::desc& to) {
  memory source(from, assembly.engine(), const_cast<float*>(values.data()));
  memory made(to, assembly.engine());
  // Blocked layouts pad channels; uninitialised padding could hold NaN, which a product
  // of zeros does not remove.
  std::memset(made.get_data_handle(), 0, to.get_size());
  dnnl::reorder(source, made).execute(assembly.stream(), source, made);
  assembly.stream().wait();
  return made;
}

FoldedWeights folded(const Network& network, const FusedGroup& group) {
  const Op& op = network.ops[group.op];
  const auto* const conv = op.as<Convolution>();
  const Parameter& weight = conv ? conv->weight : op.as<Linear>()->weight;
  const Parameter& bias = conv ? conv->bias : op.as<Linear>()->bias;
  const std::span<const float> values = weight.values(), shifts = bias.values();
  const auto out = static_cast<std::size_t>(weight.shape()[0]), per_out = values.size() / out;
  FoldedWeights made{{values.begin(), values.end()}, std::vector<float>(out)};
  std::copy(shifts.begin(), shifts.end(), made.bias.begin());
  // In double, and rounded once for each factor.
  const auto scale_output = [&](std::size_t o, double scale) {
    for (std::size_t i = o * per_out; i < (o + 1) * per_out; ++i)
      made.weight[i] = static_cast<float>(static_cast<double>(values[i]) * scale);
  };
  // y = gamma (W x + b - mean) / sqrt(variance + eps) + beta is W' x + b' with W' = s W, b' = beta - (mean
  // - b) s and s = gamma / sqrt(variance + eps); in double, since s is applied to every weight.
  if (group.norm) {
    const BatchNorm& norm = *network.ops[*group.norm].as<BatchNorm>();
    for (std::size_t o = 0; o < out; ++o) {
      const double scale = static_cast<double>(norm.gamma.values()[o]) /
                           std::sqrt(static_cast<double>(norm.variance.values()[o]) + norm.eps);
      const double mean = static_cast<double>(norm.mean.values()[o]) - static_cast<double>(made.bias[o]);
      scale_output(o, scale);
      made.bias[o] = static_cast<float>(static_cast<double>(norm.beta.values()[o]) - mean * scale);
    }
  }
  // A layer scale behind a linear layer multiplies its outputs, the bias included.
  if (group.scale) {
    const std::span<const float> gamma = network.ops[*group.scale].as<Scale>()->gamma.values();
    for (std::size_t o = 0; o < out; ++o) {
      scale_output(o, static_cast<double>(gamma[o]));
      made.bias[o] = static_cast<float>(static_cast<double>(made.bias[o]) * static_cast<double>(gamma[o]));
    }
  }
  return made;
}

void append_activation(dnnl::post_ops& fused, Activation function) {
  switch (function) {
    case Activation::relu:
      return fused.append_eltwise(1.F, algorithm::eltwise_relu, 0, 0);
    case Activation::gelu_exact:
      return fused.append_eltwise(1.F, algorithm::eltwise_gelu_erf, 0, 0);
    case Activation::gelu_tanh:
      return fused.append_eltwise(1.F, algorithm::eltwise_gelu_tanh, 0, 0);
    case Activation::gelu_quick:
      // QuickGELU is x sigmoid(1.702 x), which oneDNN calls swish.
      return fused.append_eltwise(1.F, algorithm::eltwise_swish, 1.702F, 0);
    case Activation::silu:
      return fused.append_eltwise(1.F, algorithm::eltwise_swish, 1.F, 0);
    case Activation::sigmoid:
      return fused.append_eltwise(1.F, algorithm::eltwise_logistic, 0, 0);
  }
}

}  // namespace vise::networks

#include "extract/networks/torch/torch_ops.h"

#include <type_traits>

#include "extract/networks/positions.h"

namespace vise::networks {
namespace {

// What an operation is run with.
struct Call {
  const TorchOp& op;
  const std::vector<TorchValue>& in;
  std::int64_t batch;
  bool batch_statistics;
};

torch::Tensor activated(Activation function, const torch::Tensor& x) {
  switch (function) {
    case Activation::relu:
      return torch::relu(x);
    case Activation::gelu_exact:
      return torch::gelu(x);
    case Activation::gelu_tanh:
      return torch::gelu(x, "tanh");
    case Activation::gelu_quick:
      // OpenAI CLIP's QuickGELU; the factor is theirs.
      return x * torch::sigmoid(1.702 * x);
    case Activation::silu:
      return torch::silu(x);
    case Activation::sigmoid:
      break;
  }
  return torch::sigmoid(x);
}

torch::Tensor run(const Convolution& conv, const Call& call) {
  return torch::conv2d(call.in[0].map(), call.op.weight, call.op.bias, conv.stride, conv.pad, conv.dilation,
                       conv.groups);
}

// 0.1 is PyTorch's momentum; it matters only where fine-tuning updates statistics.
torch::Tensor run(const BatchNorm& norm, const Call& call) {
  constexpr double kMomentum = 0.1;
  return torch::batch_norm(call.in[0].map(), call.op.weight, call.op.bias, call.op.mean, call.op.variance,
                           call.batch_statistics, kMomentum, norm.eps, false);
}

torch::Tensor run(const Activate& activate, const Call& call) {
  return activated(activate.function, call.in[0].tensor);
}

// Of two maps in their own form: a residual network's are stored as convolutions left them.
torch::Tensor run(const Add&, const Call& call) {
  const TorchValue &a = call.in[0], &b = call.in[1];
  return a.tensor.dim() == b.tensor.dim() ? a.tensor + b.tensor : a.tokens() + b.tokens();
}

torch::Tensor run(const Multiply&, const Call& call) { return call.in[0].tokens() * call.in[1].tokens(); }

torch::Tensor run(const Pool2d& pool, const Call& call) {
  return pool.kind == Pool2d::Kind::max ? torch::max_pool2d(call.in[0].map(), pool.kernel, pool.stride, pool.pad)
                                        : torch::avg_pool2d(call.in[0].map(), pool.kernel, pool.stride);
}

torch::Tensor run(const Mean&, const Call& call) { return call.in[0].places().mean(1, true); }

torch::Tensor run(const Linear&, const Call& call) {
  const torch::Tensor x = call.in[0].tokens(), &weight = call.op.weight, &bias = call.op.bias;
  if (!x.device().is_cpu() || x.requires_grad() || weight.requires_grad()) return torch::linear(x, weight, bias);
  // One product an image on the CPU: a single large product rounds a row by its place in the batch
  // (as in onednn/product.cc), and bmm does not. Gradients don't need that.
  const torch::Tensor of_each_image = weight.t().expand({call.batch, weight.size(1), weight.size(0)});
  return bias.defined() ? torch::baddbmm(bias, x, of_each_image) : torch::bmm(x, of_each_image);
}

torch::Tensor run(const LayerNorm& norm, const Call& call) {
  const torch::Tensor x = call.in[0].tokens();
  // Norms are computed in float32 whatever the precision.
  return torch::layer_norm(x.to(torch::kFloat32), {x.size(2)}, call.op.weight, call.op.bias, norm.eps)
      .to(x.scalar_type());
}

torch::Tensor run(const Scale&, const Call& call) { return call.in[0].tokens() * call.op.weight; }

// The prefix is the same for every image, so it is expanded, not copied.
torch::Tensor run(const Tokens& tokens, const Call& call) {
  torch::Tensor places = call.in[0].tokens(), prefix = call.op.prefix;
  if (prefix.defined()) prefix = prefix.expand({call.batch, prefix.size(0), prefix.size(1)});
  if (tokens.mean_token) {
    const std::int64_t others = prefix.size(1) - 1;
    // CLIP's attention pooling puts the mean of all places in front, with a position of its own.
    prefix = torch::cat({prefix.narrow(1, 0, 1) + places.mean(1, true), prefix.narrow(1, 1, others)}, 1);
  }
  if (call.op.positions.defined()) places = places + call.op.positions;
  return prefix.defined() ? torch::cat({prefix, places}, 1) : places;
}

torch::Tensor run(const Select& select, const Call& call) { return call.in[0].tokens().narrow(1, select.token, 1); }

torch::Tensor run(const Constant&, const Call& call) {
  return call.op.weight.expand({call.batch, 1, call.op.weight.size(0)});
}

torch::Tensor run(const Attention& attention, const Call& call) {
  return run_attention(attention, call.op, call.in[0]);
}

torch::Tensor run(const CrossAttention& attention, const Call& call) {
  return run_cross_attention(attention, call.in[0], call.in[1]);
}

torch::Tensor run(const Gate& gate, const Call& call) {
  const std::vector<torch::Tensor> halves = call.in[0].tokens().chunk(2, -1);
  return activated(gate.function, halves[0]) * halves[1];
}

torch::Tensor run(const ResponseNorm& norm, const Call& call) {
  const torch::Tensor x = call.in[0].tokens().to(torch::kFloat32);
  const torch::Tensor response = x.norm(2, {1}, true);
  const torch::Tensor n = response / (response.mean(-1, true) + norm.eps);
  return (x + call.op.bias + call.op.weight * (x * n)).to(call.in[0].tensor.scalar_type());
}

// (0, 0), (1, 0), (0, 1), (1, 1), the authors' order; odd edges are padded with zeros.
torch::Tensor run(const MergePatches&, const Call& call) {
  const ValueShape& in = call.in[0].shape;
  const torch::Tensor map = torch::constant_pad_nd(call.in[0].tokens().unflatten(1, {in.height, in.width}),
                                                   {0, 0, 0, in.width % 2, 0, in.height % 2});
  const auto corner = [&](int row, int column) {
    return map.slice(1, row, map.size(1), 2).slice(2, column, map.size(2), 2);
  };
  return torch::cat({corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)}, -1).flatten(1, 2);
}

std::vector<torch::Tensor> defined_ones(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> defined;
  for (const torch::Tensor& tensor : tensors)
    if (tensor.defined()) defined.push_back(tensor);
  return defined;
}

}  // namespace

torch::Tensor TorchValue::tokens() const { return tensor.dim() == 3 ? tensor : tensor.flatten(2).transpose(1, 2); }

torch::Tensor TorchValue::map() const {
  // Only a view: convolutions take any strides.
  return tensor.dim() == 4 ? tensor : tensor.transpose(1, 2).unflatten(2, {shape.height, shape.width});
}

torch::Tensor TorchValue::places() const { return tokens().narrow(1, shape.prefix, shape.places()); }

TorchOp::TorchOp(const Op& whole, const std::vector<ValueShape>& inputs, ParameterPlacer& placer)
    : op(whole), shape(shape_after(whole, inputs)) {
  const auto operand = [&](const Parameter& parameter) { return placer.operand(parameter); };
  const auto exact = [&](const Parameter& parameter) { return placer.exact(parameter); };
  const auto table_of = [&](const std::vector<float>& values) {
    return tensor_of(values, {shape.places(), static_cast<std::int64_t>(values.size()) / shape.places()});
  };
  std::visit(
      [&](const auto& k) {
        using Kind = std::remove_cvref_t<decltype(k)>;
        if constexpr (std::is_same_v<Kind, Convolution> || std::is_same_v<Kind, Linear> ||
                      std::is_same_v<Kind, ResponseNorm>)
          weight = operand(k.weight), bias = operand(k.bias);
        if constexpr (std::is_same_v<Kind, LayerNorm>) weight = exact(k.weight), bias = exact(k.bias);
        if constexpr (std::is_same_v<Kind, BatchNorm>)
          weight = exact(k.gamma), bias = exact(k.beta), mean = exact(k.mean), variance = exact(k.variance);
        if constexpr (std::is_same_v<Kind, Scale>) weight = operand(k.gamma);
        if constexpr (std::is_same_v<Kind, Constant>) weight = operand(k.values);
        if constexpr (std::is_same_v<Kind, Tokens>) {
          prefix = operand(k.prefix);
          if (k.positions.exists())
            positions = placer.placement().place_operand(table_of(positions_for(k, shape.height, shape.width)));
        }
        if constexpr (std::is_same_v<Kind, Attention>) {
          if (k.rope) {
            const RopeTable rope = rope_table(*k.rope, shape.height, shape.width);
            cos = placer.placement().place(table_of(rope.cos)), sin = placer.placement().place(table_of(rope.sin));
          }
          if (k.window) table = operand(k.window->bias_table), padding = operand(k.window->padding);
        }
      },
      whole.kind);
  // The placed tensors are the only copy from here on.
  for (Parameter* parameter : parameters(op)) *parameter = parameter->without_values();
}

// What fine-tuning may change; statistics, angles and padding aren't learnt.
std::vector<torch::Tensor> TorchOp::learnable() const { return defined_ones({weight, bias, prefix, positions, table}); }

std::vector<torch::Tensor> TorchOp::tensors() const {
  return defined_ones({weight, bias, mean, variance, prefix, positions, cos, sin, table, padding});
}

TorchValue TorchOp::operator()(const std::vector<TorchValue>& inputs, std::int64_t batch, bool batch_statistics) const {
  const Call call{*this, inputs, batch, batch_statistics};
  return {std::visit([&](const auto& kind) { return run(kind, call); }, op.kind), shape};
}

}  // namespace vise::networks

// The operations of op.h on LibTorch's tensors, each as its comment there defines it: nothing is folded or fused.
//
// Gradients flow through all of them to whatever tensor asks for gradients. Without gradients a CPU multiplies image by
// image, so that an image's values don't depend on its place in the batch: a product of all rows at once may meet
// another kernel at its edge.
#pragma once

#include <vector>

#include "extract/networks/op.h"
#include "extract/networks/torch/placement.h"

namespace vise::networks {

// A value of a batch. A map may be stored as B x C x H x W, in any memory order, and any value as B x T x C; an
// operation asks for the form that it computes with, which is a view of the other.
struct TorchValue {
  torch::Tensor tensor;
  ValueShape shape;

  std::int64_t batch() const { return tensor.size(0); }
  torch::Tensor tokens() const;  // B x T x C
  torch::Tensor map() const;     // B x C x H x W; of a value without prefix
  torch::Tensor places() const;  // B x H W x C: the tokens without the prefix
};

// An operation on a grid of known size, with its parameters where they compute. A tensor that the operation doesn't
// have is undefined. Copies share the tensors.
struct TorchOp {
  Op op;             // shapes alone
  ValueShape shape;  // of what it makes
  // By the names that most operations give them; BatchNorm's gamma and beta, Scale's gamma and Constant's values are
  // here too.
  torch::Tensor weight, bias;
  torch::Tensor mean, variance;     // BatchNorm
  torch::Tensor prefix, positions;  // Tokens: P x C; H W x C, of this grid
  torch::Tensor cos, sin;           // Rope: H W x d, of this grid
  torch::Tensor table, padding;     // Window

  // `inputs`: the shapes of its inputs' values.
  TorchOp(const Op& op, const std::vector<ValueShape>& inputs, ParameterPlacer& placer);

  // What training may change, in the order of op.h: no statistics, no rotary periods, no padding (it is another
  // operation's).
  std::vector<torch::Tensor> learnable() const;
  // All that is defined, in a fixed order.
  std::vector<torch::Tensor> tensors() const;

  // `batch_statistics`: a batch norm normalises by the batch's own mean and variance, and moves its own towards them by
  // a tenth, as torch.nn.BatchNorm2d does while it trains.
  TorchValue operator()(const std::vector<TorchValue>& inputs, std::int64_t batch, bool batch_statistics) const;
};

// torch_attention.cc: B x T x 3 C to B x T x C, and of one query, B x 1 x C and B x T x 2 C to B x 1 x C.
torch::Tensor run_attention(const Attention& attention, const TorchOp& op, const TorchValue& qkv);
torch::Tensor run_cross_attention(const CrossAttention& attention, const TorchValue& query, const TorchValue& keys);

}  // namespace vise::networks

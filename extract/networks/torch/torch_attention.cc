// Attention over all tokens or within windows, with rotary positions and biases.
#include <cmath>

#include "extract/networks/torch/torch_ops.h"

namespace vise::networks {
namespace {

// softmax(q k' / sqrt(d) + bias) v, of batches x heads x tokens x d; the softmax in float32. `bias` may be undefined,
// and is broadcast.
torch::Tensor attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                     const torch::Tensor& bias) {
  // Queries are scaled, not logits, which in half precision could overflow before.
  torch::Tensor logits = torch::matmul(q / std::sqrt(static_cast<double>(q.size(-1))), k.transpose(-2, -1));
  if (bias.defined()) logits = logits + bias;
  return torch::matmul(torch::softmax(logits, -1, torch::kFloat32).to(v.scalar_type()), v);
}

// N x T x n C to n x N x heads x T x d.
torch::Tensor split_heads(const torch::Tensor& x, int parts, int heads) {
  return x.reshape({x.size(0), x.size(1), parts, heads, x.size(2) / (parts * heads)}).permute({2, 0, 3, 1, 4});
}

// N x heads x T x d to N x T x C.
torch::Tensor join_heads(const torch::Tensor& x) { return x.transpose(1, 2).flatten(2); }

// r(x) of positions.h.
torch::Tensor quarter_turn(const torch::Tensor& x, Rope::Pairing pairing) {
  if (pairing == Rope::Pairing::halves) {
    const std::vector<torch::Tensor> halves = x.chunk(2, -1);
    return torch::cat({-halves[1], halves[0]}, -1);
  }
  const torch::Tensor pairs = x.unflatten(-1, {x.size(-1) / 2, 2});
  return torch::stack({-pairs.select(-1, 1), pairs.select(-1, 0)}, -1).flatten(-2);
}

// B x heads x T x d: the places' channels turned, the prefix's as they are.
torch::Tensor turn(const torch::Tensor& x, const Rope& rope, const TorchOp& op) {
  const std::int64_t prefix = x.size(2) - op.cos.size(0);
  const torch::Tensor places = x.narrow(2, prefix, op.cos.size(0)).to(torch::kFloat32);
  const torch::Tensor turned = places * op.cos + quarter_turn(places, rope.pairing) * op.sin;
  return torch::cat({x.narrow(2, 0, prefix), turned.to(x.scalar_type())}, 2);
}

// All tokens of an image attend to each other.
torch::Tensor attend_to_all(const Attention& attention, const TorchOp& op, const torch::Tensor& qkv) {
  const torch::Tensor parts = split_heads(qkv, 3, attention.heads);
  torch::Tensor q = parts[0], k = parts[1];
  if (attention.rope) {
    q = turn(q, *attention.rope, op);
    k = turn(k, *attention.rope, op);
  }
  return join_heads(attend(q, k, parts[2], {}));
}

// B x rows x columns x C, which windows of `size` divide, to B x windows x size^2 x C, and back.
torch::Tensor into_windows(const torch::Tensor& x, std::int64_t size) {
  return x.unflatten(2, {x.size(2) / size, size})
      .unflatten(1, {x.size(1) / size, size})  // B x down x size x across x size x C
      .transpose(2, 3)
      .flatten(3, 4)
      .flatten(1, 2);
}
torch::Tensor out_of_windows(const torch::Tensor& x, std::int64_t size, std::int64_t rows, std::int64_t columns) {
  return x.unflatten(2, {size, size})
      .unflatten(1, {rows / size, columns / size})
      .transpose(2, 3)
      .flatten(3, 4)
      .flatten(1, 2);
}

// heads x size^2 x size^2: what the table adds for each query and key of a window.
torch::Tensor position_bias(const Window& window, const torch::Tensor& table) {
  const std::int64_t size = window.size, side = 2 * size - 1;
  const torch::Tensor place = torch::arange(size * size), y = place.div(size, "floor"), x = place.remainder(size);
  const torch::Tensor row = (y.unsqueeze(1) - y + size - 1) * side + (x.unsqueeze(1) - x + size - 1);
  return table.index_select(0, row.flatten().to(table.device()))
      .view({size * size, size * size, -1})
      .permute({2, 0, 1});
}

// Of an axis of `length` places that were rolled by `shift`: 0 before the last window, and within it 1 for the places
// that were its neighbours before the roll, 2 for those that came from the other end.
torch::Tensor regions(std::int64_t length, std::int64_t size, std::int64_t shift) {
  const torch::Tensor place = torch::arange(length);
  if (shift == 0) return torch::zeros_like(place);
  return place.ge(length - size).to(torch::kLong) + place.ge(length - shift).to(torch::kLong);
}

// windows x 1 x size^2 x size^2: minus infinity between places that only the roll made neighbours.
torch::Tensor strangers(std::int64_t rows, std::int64_t columns, std::int64_t size, std::int64_t down,
                        std::int64_t across) {
  const torch::Tensor region = regions(rows, size, down).unsqueeze(1) * 3 + regions(columns, size, across);
  const torch::Tensor window = into_windows(region.view({1, rows, columns, 1}), size).squeeze(0).squeeze(-1);
  const torch::Tensor apart = window.unsqueeze(1).ne(window.unsqueeze(2)).unsqueeze(1);
  return torch::zeros(apart.sizes()).masked_fill(apart, -INFINITY);
}

// B x H x W x 3 C at the upper left of B x rows x columns x 3 C.
torch::Tensor padded(const torch::Tensor& x, std::int64_t rows, std::int64_t columns, const torch::Tensor& padding) {
  if (x.size(1) == rows && x.size(2) == columns) return x;
  const torch::Tensor filling = padding.defined() ? padding : torch::zeros({x.size(3)}, x.options());
  const auto strip = [&](std::int64_t height, std::int64_t width) {
    return filling.expand({x.size(0), height, width, x.size(3)});
  };
  const torch::Tensor wide = torch::cat({x, strip(x.size(1), columns - x.size(2))}, 2);
  return torch::cat({wide, strip(rows - x.size(1), columns)}, 1);
}

// The steps of Swin's attention: pad, roll, cut into windows, attend, and undo them in the opposite order.
torch::Tensor attend_within_windows(const Attention& attention, const TorchOp& op, const torch::Tensor& qkv) {
  const Window& window = *attention.window;
  const std::int64_t size = window.size, height = op.shape.height, width = op.shape.width;
  const std::int64_t rows = (height + size - 1) / size * size, columns = (width + size - 1) / size * size;
  const std::int64_t down = rows > size ? window.shift : 0, across = columns > size ? window.shift : 0;
  torch::Tensor map = padded(qkv.unflatten(1, {height, width}), rows, columns, op.padding);
  map = map.roll({-down, -across}, {1, 2});
  const torch::Tensor windows = into_windows(map, size);  // B x windows x size^2 x 3 C
  const torch::Tensor parts = split_heads(windows.flatten(0, 1), 3, attention.heads);
  torch::Tensor bias = position_bias(window, op.table);
  // Each image's windows have the same masks, so they are repeated over the batch.
  if (down != 0 || across != 0)
    bias = (bias + strangers(rows, columns, size, down, across).to(bias.options())).repeat({qkv.size(0), 1, 1, 1});
  const torch::Tensor attended = join_heads(attend(parts[0], parts[1], parts[2], bias));
  map = out_of_windows(attended.unflatten(0, {qkv.size(0), -1}), size, rows, columns).roll({down, across}, {1, 2});
  return map.narrow(1, 0, height).narrow(2, 0, width).flatten(1, 2);
}

}  // namespace

torch::Tensor run_attention(const Attention& attention, const TorchOp& op, const TorchValue& qkv) {
  return attention.window ? attend_within_windows(attention, op, qkv.tokens())
                          : attend_to_all(attention, op, qkv.tokens());
}

torch::Tensor run_cross_attention(const CrossAttention& attention, const TorchValue& query, const TorchValue& keys) {
  const torch::Tensor parts = split_heads(keys.tokens(), 2, attention.heads);
  return join_heads(attend(split_heads(query.tokens(), 1, attention.heads)[0], parts[0], parts[1], {}));
}

}  // namespace vise::networks

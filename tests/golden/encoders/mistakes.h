// Deliberate errors, each a change of a network's parameters or settings: what a wrong reader of the checkpoint, or
// code that computes something else, would make of it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "extract/networks/network.h"

namespace vise::test {

// The operations of a kind whose names end so and have `within` in them; any name has nothing. A mistake that changes
// none is a test of nothing.
template <typename Kind>
std::vector<Kind*> every(networks::Network& network, std::string_view end = "", std::string_view within = "") {
  std::vector<Kind*> found;
  for (networks::Op& op : network.ops)
    if (op.name.ends_with(end) && op.name.find(within) != std::string::npos)
      if (auto* const kind = std::get_if<Kind>(&op.kind)) found.push_back(kind);
  EXPECT_FALSE(found.empty()) << end;
  return found;
}

// `change` gets the values, to write into.
template <typename Change>
void change(networks::Parameter& parameter, Change change) {
  std::vector<float> values(parameter.values().begin(), parameter.values().end());
  change(values);
  parameter = networks::Parameter(parameter.shape(), std::move(values));
}

inline void zero(networks::Parameter& parameter) {
  change(parameter, [](std::vector<float>& values) { std::ranges::fill(values, 0.0F); });
}

// Row i of rows x columns becomes what row order[i] was.
inline void order_rows(networks::Parameter& parameter, const std::vector<std::size_t>& order) {
  change(parameter, [&](std::vector<float>& values) {
    const std::vector<float> before = values;
    const std::size_t columns = values.size() / order.size();
    for (std::size_t i = 0; i < order.size(); ++i)
      std::copy_n(before.begin() + static_cast<std::ptrdiff_t>(order[i] * columns), columns,
                  values.begin() + static_cast<std::ptrdiff_t>(i * columns));
  });
}

inline void order_columns(networks::Parameter& matrix, const std::vector<std::size_t>& order) {
  change(matrix, [&](std::vector<float>& values) {
    const std::vector<float> before = values;
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = before[i / order.size() * order.size() + order[i % order.size()]];
  });
}

inline void order_outputs(networks::Linear& linear, const std::vector<std::size_t>& order) {
  order_rows(linear.weight, order);
  if (linear.bias.exists()) order_rows(linear.bias, order);
}

// The numbers 0 to n - 1, each through `place`.
template <typename Place>
std::vector<std::size_t> order_of(std::size_t n, Place place) {
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = place(i);
  return order;
}

// In every block, the `part`-th of a linear layer's bias in equal parts: of 3 those of queries, keys and values.
inline void zero_bias(networks::Network& network, std::string_view end, std::size_t part = 0, std::size_t parts = 1) {
  for (networks::Linear* const linear : every<networks::Linear>(network, end, "blocks."))
    change(linear->bias, [&](std::vector<float>& values) {
      const std::size_t n = values.size() / parts;
      std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(part * n), n, 0.0F);
    });
}

inline void zero_norm_bias(networks::Network& network, std::string_view end, std::string_view within = "") {
  for (networks::LayerNorm* const norm : every<networks::LayerNorm>(network, end, within)) zero(norm->bias);
}

inline void set_eps(networks::Network& network, double eps) {
  for (networks::LayerNorm* const norm : every<networks::LayerNorm>(network)) norm->eps = eps;
}

inline void set_activation(networks::Network& network, networks::Activation function) {
  for (networks::Activate* const activate : every<networks::Activate>(network)) activate->function = function;
}

// Equal parts of a linear layer's outputs, two of them exchanged: q and k are 0 and 1 of 3.
inline void exchange(networks::Network& network, std::string_view end, std::size_t a, std::size_t b,
                     std::size_t parts) {
  for (networks::Linear* const linear : every<networks::Linear>(network, end)) {
    const std::size_t n = static_cast<std::size_t>(linear->out) / parts;
    order_outputs(*linear, order_of(n * parts, [&](std::size_t i) {
      const std::size_t part = i / n;
      return (part == a ? b : part == b ? a : part) * n + i % n;
    }));
  }
}

inline std::size_t head_channels(networks::Network& network) {
  const networks::Linear& qkv = *every<networks::Linear>(network, ".attn.qkv").front();
  return static_cast<std::size_t>(qkv.out / 3 / every<networks::Attention>(network).front()->heads);
}

// Channels of every head of queries and keys, channel c taken from `place(c)`.
template <typename Place>
void order_in_heads(networks::Network& network, Place place) {
  const std::size_t d = head_channels(network);
  for (networks::Linear* const qkv : every<networks::Linear>(network, ".attn.qkv")) {
    const auto n = static_cast<std::size_t>(qkv->out);
    order_outputs(*qkv, order_of(n, [&](std::size_t i) { return i < 2 * n / 3 ? i / d * d + place(i % d) : i; }));
  }
}

// Channel c belongs to head c % heads.
inline void interleave_heads(networks::Network& network) {
  const std::size_t d = head_channels(network);
  for (networks::Linear* const qkv : every<networks::Linear>(network, ".attn.qkv")) {
    const auto width = static_cast<std::size_t>(qkv->out / 3), heads = width / d;
    const auto place = [&](std::size_t i) { return i / width * width + i % d * heads + i % width / d; };
    order_outputs(*qkv, order_of(3 * width, place));
  }
  for (networks::Linear* const proj : every<networks::Linear>(network, ".attn.proj")) {
    const auto width = static_cast<std::size_t>(proj->in), heads = width / d;
    order_columns(proj->weight, order_of(width, [&](std::size_t i) { return i % d * heads + i / d; }));
  }
}

// Of every kernel the place p is taken from `place(p)`, p from 0 to k^2 - 1.
template <typename Place>
void order_kernel(networks::Convolution& conv, Place place) {
  const std::size_t k2 = static_cast<std::size_t>(conv.kernel * conv.kernel);
  order_columns(conv.weight, order_of(k2, place));
}

inline void transpose_kernels(networks::Network& network) {
  for (networks::Convolution* const conv : every<networks::Convolution>(network)) {
    const auto k = static_cast<std::size_t>(conv->kernel);
    order_kernel(*conv, [k](std::size_t i) { return i % k * k + i / k; });
  }
}

// Blue, green and red, to a network whose transform treats them alike.
inline void exchange_red_and_blue(networks::Network& network) {
  networks::Convolution& conv = *every<networks::Convolution>(network).front();
  const auto k2 = static_cast<std::size_t>(conv.kernel * conv.kernel);
  order_columns(conv.weight, order_of(3 * k2, [k2](std::size_t i) { return (2 - i / k2) * k2 + i % k2; }));
}

// Convolution as mathematics has it.
inline void flip_kernels(networks::Network& network) {
  for (networks::Convolution* const conv : every<networks::Convolution>(network)) {
    const auto k2 = static_cast<std::size_t>(conv->kernel * conv->kernel);
    order_kernel(*conv, [k2](std::size_t i) { return k2 - 1 - i; });
  }
}

// The places' tokens column by column, and their positions row by row: but for the tokens' order, which attention and
// means don't see, positions column by column.
inline void transpose_positions(networks::Network& network) {
  for (networks::Tokens* const tokens : every<networks::Tokens>(network)) {
    const auto side = static_cast<std::size_t>(tokens->positions.shape()[0]);
    order_rows(tokens->positions, order_of(side * side, [side](std::size_t i) { return i % side * side + i / side; }));
  }
}

// A table resized by none of the three rules, but bilinearly: the source place from the sizes.
inline void resize_positions_bilinearly(networks::Network& network, int side) {
  networks::Tokens& tokens = *every<networks::Tokens>(network).front();
  const std::span<const float> table = tokens.positions.values();
  const int from = static_cast<int>(tokens.positions.shape()[0]), n = static_cast<int>(tokens.positions.shape()[2]);
  std::vector<float> made;
  const auto source = [&](int place) { return std::clamp((place + 0.5) * from / side - 0.5, 0.0, from - 1.0); };
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const double row = source(y), column = source(x);
      const int top = static_cast<int>(row), left = static_cast<int>(column), bottom = std::min(top + 1, from - 1),
                right = std::min(left + 1, from - 1);
      const double down = row - top, across = column - left;
      for (int c = 0; c < n; ++c) {
        const auto at = [&](int v, int u) { return table[static_cast<std::size_t>((v * from + u) * n + c)]; };
        made.push_back(static_cast<float>((1 - down) * ((1 - across) * at(top, left) + across * at(top, right)) +
                                          down * ((1 - across) * at(bottom, left) + across * at(bottom, right))));
      }
    }
  tokens.positions = networks::Parameter({side, side, n}, std::move(made));
}

}  // namespace vise::test

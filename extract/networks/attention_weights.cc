#include "extract/networks/attention_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "extract/networks/positions.h"

namespace vise::networks {
namespace {

// By value: whether `wanted` depends on it.
std::vector<bool> needed_for(const Network& network, int wanted) {
  std::vector<bool> needed(network.ops.size() + 1);
  needed[static_cast<std::size_t>(wanted)] = true;
  // Operations are in forward order, so one pass backwards reaches all that a value depends on.
  for (std::size_t op = network.ops.size(); op-- > 0;) {
    if (!needed[static_cast<std::size_t>(Network::value_of(op))]) continue;
    for (const int input : network.ops[op].inputs) needed[static_cast<std::size_t>(input)] = true;
  }
  return needed;
}

[[noreturn]] void refuse(const Network& network, const std::string& why) {
  throw Error(ErrorKind::usage,
              fmt::format("a {} {}: no class-token attention and no rollout", network.architecture, why));
}

// T x d of a head, from channel `first` on of the image's tokens, places turned by the table (positions.h).
class Head {
 public:
  Head(std::span<const float> tokens, std::size_t channels, std::size_t first, std::size_t d)
      : count_(tokens.size() / channels), d_(d) {
    for (std::size_t t = 0; t < count_; ++t)
      for (std::size_t c = 0; c < d; ++c) values_.push_back(static_cast<double>(tokens[t * channels + first + c]));
  }

  void turn(const RopeTable& table, Rope::Pairing pairing) {
    // What the table has no rows for comes first: class and register tokens.
    const std::size_t prefix = count_ - table.cos.size() / d_;
    std::vector<double> x(d_);
    // Class and register tokens have no place in the grid and are not turned.
    for (std::size_t t = prefix; t < count_; ++t) {
      double* const token = values_.data() + t * d_;
      std::copy_n(token, d_, x.begin());
      for (std::size_t c = 0; c < d_; ++c) {
        const std::size_t at = (t - prefix) * d_ + c;
        token[c] =
            x[c] * static_cast<double>(table.cos[at]) + partner(x, c, pairing) * static_cast<double>(table.sin[at]);
      }
    }
  }

  const double* row(std::size_t t) const { return values_.data() + t * d_; }
  // d x T: a product with it runs along memory.
  std::vector<double> transposed() const {
    std::vector<double> result(values_.size());
    for (std::size_t t = 0; t < count_; ++t)
      for (std::size_t c = 0; c < d_; ++c) result[c * count_ + t] = values_[t * d_ + c];
    return result;
  }

 private:
  double partner(const std::vector<double>& x, std::size_t c, Rope::Pairing pairing) const {
    // A rotation by an angle takes (a, b) to (a cos - b sin, b cos + a sin); the two published
    // codes differ in which channels make a pair.
    if (pairing == Rope::Pairing::pairs) return c % 2 == 0 ? -x[c + 1] : x[c - 1];
    return c < d_ / 2 ? -x[c + d_ / 2] : x[c - d_ / 2];
  }

  std::size_t count_, d_;
  std::vector<double> values_;
};

// Less the largest first, so that no exponential overflows; the quotient is the same.
void softmax(std::span<double> row) {
  const double largest = *std::ranges::max_element(row);
  for (double& value : row) value = std::exp(value - largest);
  const double sum = std::accumulate(row.begin(), row.end(), 0.0);
  for (double& value : row) value /= sum;
}

// T x T, a row a query, which sums to 1. Products run over channels, so that the inner loop is along memory.
AttentionMatrix weights_of(const Head& queries, const Head& keys, std::size_t tokens, std::size_t d) {
  AttentionMatrix matrix{tokens, std::vector<double>(tokens * tokens)};
  const std::vector<double> by_channel = keys.transposed();
  const double scale = 1 / std::sqrt(static_cast<double>(d));
  for (std::size_t t = 0; t < tokens; ++t) {
    const std::span<double> row = std::span(matrix.weights).subspan(t * tokens, tokens);
    for (std::size_t c = 0; c < d; ++c) {
      const double q = queries.row(t)[c] * scale;
      for (std::size_t u = 0; u < tokens; ++u) row[u] += q * by_channel[c * tokens + u];
    }
    softmax(row);
  }
  return matrix;
}

}  // namespace

// Adds a layer to the network for each attention before the wanted one, in forward order. Swin's windows have no token
// that sees the whole picture, hence none of this.
std::vector<AttentionTap> tap_attentions(Network& network, const std::string& layer) {
  const auto wanted = std::ranges::find(network.layers, layer, &Layer::name);
  if (network.graph || wanted == network.layers.end() || !network.has_class_token)
    refuse(network, "has no class token");
  const std::vector<bool> needed = needed_for(network, wanted->value);
  std::vector<AttentionTap> taps;
  for (std::size_t op = 0; op < network.ops.size(); ++op) {
    const auto* const attention = network.ops[op].as<Attention>();
    if (!attention || !needed[static_cast<std::size_t>(Network::value_of(op))]) continue;
    if (attention->window) refuse(network, "attends within windows");
    taps.push_back({fmt::format("attention{}", taps.size() + 1), *attention});
    // The attention's input is queries, keys and values side by side: from it the weights are
    // computed anew in double, since engines keep no weights.
    network.layers.push_back({taps.back().layer, network.ops[op].inputs[0]});
  }
  if (taps.empty()) refuse(network, fmt::format("has no attention before {}", layer));
  return taps;
}

std::vector<AttentionMatrix> attention_weights(const AttentionTap& tap, const FeatureMaps& values, int image) {
  const auto heads = static_cast<std::size_t>(tap.attention.heads),
             channels = static_cast<std::size_t>(values.channels);
  // The input is T x 3 channels: queries of all heads, then keys, then values.
  const std::size_t d = channels / (3 * heads);
  const auto tokens = static_cast<std::size_t>(values.prefix + values.height * values.width);
  const std::span<const float> own =
      values.values.subspan(static_cast<std::size_t>(image) * tokens * channels, tokens * channels);
  RopeTable table;
  if (tap.attention.rope) table = rope_table(*tap.attention.rope, values.height, values.width);
  std::vector<AttentionMatrix> all;
  for (std::size_t head = 0; head < heads; ++head) {
    Head queries(own, channels, head * d, d), keys(own, channels, (heads + head) * d, d);
    if (tap.attention.rope)
      for (Head* const part : {&queries, &keys}) part->turn(table, tap.attention.rope->pairing);
    all.push_back(weights_of(queries, keys, tokens, d));
  }
  return all;
}

// The mean over heads, from which rollout is computed (Abnar and Zuidema 2020).
AttentionMatrix head_mean(std::span<const AttentionMatrix> heads) {
  AttentionMatrix mean{heads[0].tokens, std::vector<double>(heads[0].weights.size())};
  for (const AttentionMatrix& head : heads)
    for (std::size_t i = 0; i < mean.weights.size(); ++i)
      mean.weights[i] += head.weights[i] / static_cast<double>(heads.size());
  return mean;
}

std::vector<double> class_token_attention(const AttentionMatrix& matrix, std::size_t places) {
  const auto end = matrix.weights.begin() + static_cast<std::ptrdiff_t>(matrix.tokens);
  // Row 0 is the class token's; its last `places` columns are the grid's tokens, those
  // before them class and registers.
  return {end - static_cast<std::ptrdiff_t>(places), end};
}

std::vector<double> attention_rollout(std::span<const AttentionMatrix> blocks, std::size_t places) {
  // The first row of a product of matrices: a row times the last matrix, the result times the one before ...
  const std::size_t tokens = blocks[0].tokens;
  std::vector<double> row(tokens);
  row[0] = 1;
  // From the last block to the first: a row vector costs T^2 a block, the product of matrices T^3.
  for (std::size_t block = blocks.size(); block-- > 0;) {
    assert(blocks[block].tokens == tokens);
    std::vector<double> next(tokens);
    for (std::size_t t = 0; t < tokens; ++t) {
      const double* const from = blocks[block].weights.data() + t * tokens;
      // Abnar and Zuidema 2020: (attention + identity) / 2 stands for a block with its residual connection.
      for (std::size_t u = 0; u < tokens; ++u) next[u] += row[t] * from[u] / 2;
      next[t] += row[t] / 2;
    }
    row = std::move(next);
  }
  return {row.end() - static_cast<std::ptrdiff_t>(places), row.end()};
}

}  // namespace vise::networks

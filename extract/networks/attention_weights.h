// Which places a transformer's class token attended to: of its last block, and followed through all blocks.
//
//   Network network = recipe.network();
//   const std::vector<AttentionTap> taps = tap_attentions(network, "final");      // layers of these names more
//   const auto trunk = make_trunk(network, {.layers = names_of(taps), .batch = 1});
//   ... trunk->forward(); values of trunk->maps(i) for each tap ...
//   attention_rollout(weights);                         // weights[i]: head_mean(attention_weights(taps[i], maps(i)))
//
// Weights are softmax(q k' / sqrt(d)) of an operation's own queries and keys (op.h), computed here in double from the
// values that the engine gives out; they take no part in the features.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "extract/networks/network.h"
#include "extract/networks/trunk.h"

namespace vise::networks {

// One attention over all tokens, and the layer that holds its queries, keys and values: B x T x 3 C.
struct AttentionTap {
  std::string layer;  // "attention1", ... in forward order
  Attention attention;
};

// A square matrix, T x T, row-major: row i is what token i takes from each token, and sums to 1.
struct AttentionMatrix {
  std::size_t tokens = 0;
  std::vector<double> weights;
};

// Gives `network` a layer for each attention that its layer `layer` depends on. Error{usage} with the reason for
// networks without a class token, for those whose attention stays within windows, and for a layer before the first
// attention.
std::vector<AttentionTap> tap_attentions(Network& network, const std::string& layer);

// Of image `image` of the tapped values: one matrix a head.
std::vector<AttentionMatrix> attention_weights(const AttentionTap& tap, const FeatureMaps& values, int image);
AttentionMatrix head_mean(std::span<const AttentionMatrix> heads);

// What the class token (token 0) takes from each of the grid's places: the last `places` entries of the matrix's first
// row. Together with what goes to the class token and to registers they sum to 1.
std::vector<double> class_token_attention(const AttentionMatrix& matrix, std::size_t places);

// Attention rollout (Abnar and Zuidema, ACL 2020): the first row of A_L ... A_2 A_1 over the grid's places, where A_i
// is (head mean of block i + identity) / 2: attention followed through the blocks, half of a token staying its own by
// the residual. `blocks`: head means, the first block first.
std::vector<double> attention_rollout(std::span<const AttentionMatrix> blocks, std::size_t places);

}  // namespace vise::networks

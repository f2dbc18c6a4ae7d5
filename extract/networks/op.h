// The operations that networks are made of: each defined once, with its formula, its shapes and its source.
//
// A value is B x T x C: a batch of B images, T tokens each, C channels a token. T = prefix + H W: first `prefix` tokens
// that stand for no place (class token, registers), then the places of an H x W grid, row by row. A feature map is a
// value without prefix, a vector one of a single place. Engines are free to lay values out as they like; what they give
// out is this.
//
// The network's input, value 0, is a map of 3 channels; operation i makes value i + 1. Formulas are for one image.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "extract/networks/parameter.h"

namespace vise::networks {

// A value's shape for one image.
struct ValueShape {
  int prefix = 0, height = 0, width = 0, channels = 0;

  int places() const { return height * width; }
  int tokens() const { return prefix + places(); }
  bool operator==(const ValueShape&) const = default;
};

// y[o](p) = bias[o] + sum over i, k of weight[o][i][k] x[i](stride p + dilation k - pad); cross-correlation, as in
// every framework. Of a map: (H + 2 pad - dilation (kernel - 1) - 1) / stride + 1 rows.
struct Convolution {
  int out = 0, in = 0, kernel = 1, stride = 1, pad = 0, groups = 1, dilation = 1;
  Parameter weight{};  // out x in / groups x kernel x kernel
  Parameter bias{};    // out, or none
};

// y = gamma (x - mean) / sqrt(variance + eps) + beta, a channel: inference form (Ioffe and Szegedy 2015).
struct BatchNorm {
  Parameter gamma, beta, mean, variance;  // C each
  double eps = 1e-5;
};

// relu max(x, 0). exact, tanh and quick are three functions that are all called GELU: x Phi(x); its approximation
// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2; and x sigmoid(1.702 x) (Hendrycks and Gimpel 2016). silu is
// x sigmoid(x), sigmoid 1 / (1 + exp(-x)).
enum class Activation { relu, gelu_exact, gelu_tanh, gelu_quick, silu, sigmoid };
struct Activate {
  Activation function = Activation::relu;
};

// y = a + b, of two values of one shape.
struct Add {};

// y = a b, a channel: `b` is a vector, which gates every token of `a` (squeeze and excitation, Hu et al. 2018).
struct Multiply {};

// Over kernel x kernel places of a map, strided; `max` ignores the padding, an average has none.
struct Pool2d {
  enum class Kind { max, average };
  Kind kind = Kind::max;
  int kernel = 2, stride = 2, pad = 0;
};

// The mean over the grid's places, prefix left out: a vector.
struct Mean {};

// y = weight x + bias, token by token.
struct Linear {
  int out = 0, in = 0;
  Parameter weight{};  // out x in
  Parameter bias{};    // out, or none
};

// y = weight (x - mean(x)) / sqrt(var(x) + eps) + bias over a token's channels; var is the biased one (Ba et al. 2016).
struct LayerNorm {
  Parameter weight, bias;  // C each
  double eps = 1e-5;
};

// y = gamma x, a channel (LayerScale, Touvron et al. 2021).
struct Scale {
  Parameter gamma;  // C
};

// How a table of positions is resized to another grid; the three give different features (docs/formats/checkpoints.md).
enum class PositionRule {
  scale,     // bicubic, a = -0.75, the source place from the factor (m + 0.1) / M: DINO's and DINOv2's hub code
  size,      // bicubic, a = -0.75, the source place from the sizes M / m: transformers
  antialias  // bicubic, a = -0.5, widened by the factor and renormalised, as Pillow resizes: timm, open_clip
};

// A map's places become tokens, with a prefix before them: [prefix; places + positions] (Dosovitskiy et al. 2021).
struct Tokens {
  Parameter prefix{};  // P x C, each with its own position added; no prefix: none
  // M x M x C, resized where the grid is another; none: no table.
  Parameter positions{};
  // Unset: the table must fit the grid.
  std::optional<PositionRule> rule{};
  // The first row of `prefix` is added to the mean over the places (CLIP's attention pooling).
  bool mean_token = false;
};

// One token as a vector.
struct Select {
  int token = 0;
};

// A learned vector that is the same for every image (SigLIP's probe). Has no input.
struct Constant {
  Parameter values;  // C
};

// Rotary positions of queries and keys (Su et al. 2021) over a grid: of a head's d channels the first half turns with
// the row, the second with the column. Prefix tokens aren't turned. positions.h has the angles.
struct Rope {
  // unit: 2 pi (2 (i + 1/2) / H - 1) / period (DINOv3). cells: 16 i / (H period) (EVA-02, whose grid was 16 x 16).
  enum class Coordinate { unit, cells };
  // halves: channel c is turned with c + d / 2. pairs: 2 c with 2 c + 1.
  enum class Pairing { halves, pairs };
  Parameter periods{};  // d / 4
  Coordinate coordinate = Coordinate::unit;
  Pairing pairing = Pairing::halves;
};

// Attention within windows of a map (Liu et al. 2021): windows of size x size places, the map first rolled up and left
// by `shift` and masked where the roll brings strangers together. Where a map is not larger than a window, it is one
// window and is not rolled. A map that windows don't divide is padded at its end before its queries, keys and values
// are computed, as torchvision does: a padded place has what a zero gives, the bias of their linear layer.
struct Window {
  int size = 7, shift = 0;
  Parameter padding{};  // 3 C: that bias, which is the linear layer's own; none: zeros
  // (2 size - 1)^2 x heads: added to the logit of query place (y, x) and key place (v, u) at row
  // (y - v + size - 1) (2 size - 1) + (x - u + size - 1).
  Parameter bias_table{};
};

// The input holds queries, keys and values, 3 C channels in this order, each divided into heads: y = softmax(q k' /
// sqrt(C / heads)) v a head, over all tokens or a window's; C channels (Vaswani et al. 2017).
struct Attention {
  int heads = 1;
  std::optional<Rope> rope{};
  std::optional<Window> window{};
};

// The same with the queries of one value (a vector of C channels) and the keys and values of another (2 C channels, in
// this order): a vector of C.
struct CrossAttention {
  int heads = 1;
};

// y = f(a) b, where the input's channels are [a, b] (gated MLP, Shazeer 2020; SwiGLU with silu).
struct Gate {
  Activation function = Activation::silu;
};

// y = x + bias + weight x n, where n[c] = g[c] / (mean(g) + eps) and g[c] is the L2 norm of channel c over all places
// (global response normalisation, Woo et al. 2023).
struct ResponseNorm {
  Parameter weight, bias;  // C each
  double eps = 1e-6;
};

// The four places of every 2 x 2 square as one, 4 C channels: (0, 0), (1, 0), (0, 1), (1, 1) as (row, column); a map of
// an odd side is padded with zeros (Swin's patch merging).
struct MergePatches {};

using OpKind = std::variant<Convolution, BatchNorm, Activate, Add, Multiply, Pool2d, Mean, Linear, LayerNorm, Scale,
                            Tokens, Select, Constant, Attention, CrossAttention, Gate, ResponseNorm, MergePatches>;

struct Op {
  std::string name;         // "layer1.0.conv2", "block3.attention": in messages, random streams and hashes
  std::vector<int> inputs;  // values, all made before
  OpKind kind;

  template <typename Kind>
  const Kind* as() const {
    return std::get_if<Kind>(&kind);
  }
};

// "convolution", "layer norm", "attention" ...: for messages.
std::string_view op_name(const Op& op);

// Every parameter of the operation, in the order in which its struct lists them, those it lacks left out. The pointers
// are valid as long as the operation.
std::vector<const Parameter*> parameters(const Op& op);
std::vector<Parameter*> parameters(Op& op);

// The shape that the operation makes of its inputs' shapes. Error{usage} with the operation's name where they don't
// suit it: the input's size is not one this network takes.
ValueShape shape_after(const Op& op, const std::vector<ValueShape>& inputs);

}  // namespace vise::networks

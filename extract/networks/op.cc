#include "extract/networks/op.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>

#include "base/error.h"

namespace vise::networks {
namespace {

// Lets std::visit choose among lambdas by the operation's type.
template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;  // clang 14 does not deduce it

using Shapes = std::vector<ValueShape>;

[[noreturn]] void refuse(const Op& op, const std::string& why) {
  throw Error(ErrorKind::usage, fmt::format("{} ({}): {}", op.name, op_name(op), why),
              "the network was made for another size of picture: its transform says which");
}

// How many places a kernel has along an edge.
int strided(const Op& op, int size, int kernel, int stride, int pad, int dilation = 1) {
  // PyTorch's formula for convolutions and pools, rounded down.
  const int free = size + 2 * pad - dilation * (kernel - 1) - 1;
  if (free < 0) refuse(op, fmt::format("a kernel of {} does not fit {} places", kernel, size));
  return free / stride + 1;
}

void expect_channels(const Op& op, const ValueShape& x, int channels) {
  if (x.channels != channels) refuse(op, fmt::format("takes {} channels, and there are {}", channels, x.channels));
}

void expect_map(const Op& op, const ValueShape& x) {
  if (x.prefix != 0) refuse(op, "takes a map, not tokens with a prefix");
}

ValueShape with_channels(ValueShape x, int channels) {
  x.channels = channels;
  return x;
}

ValueShape vector_of(int channels) { return {0, 1, 1, channels}; }

ValueShape shape_of(const Op& op, const Convolution& conv, const Shapes& in) {
  expect_map(op, in[0]);
  expect_channels(op, in[0], conv.in);
  return {0, strided(op, in[0].height, conv.kernel, conv.stride, conv.pad, conv.dilation),
          strided(op, in[0].width, conv.kernel, conv.stride, conv.pad, conv.dilation), conv.out};
}

// Which of the three rules resizes a table must be known from somebody; a picture of the table's own size needs none.
[[noreturn]] void refuse_grid(const Tokens& tokens, const ValueShape& grid) {
  const auto& table = tokens.positions.shape();
  const std::string why = fmt::format("its positions are of {} x {} places, and a picture of this size has {} x {}",
                                      table[0], table[1], grid.height, grid.width);
  if (tokens.mean_token)
    throw Error(ErrorKind::usage, why, "its attention pooling takes one size only: the transform's own");
  throw Error(
      ErrorKind::usage, why + "; its tensors do not say by which of three rules they are resized",
      "say it: --backbone NAME=FILE,positions=scale (DINO's and DINOv2's hub code), size (transformers) or antialias "
      "(timm, open_clip); a registry's name (dinov2-vit-s14=FILE) or the config.json beside the file says it too");
}

ValueShape shape_of(const Op& op, const Tokens& tokens, const Shapes& in) {
  expect_map(op, in[0]);
  ValueShape out = in[0];
  if (tokens.prefix.exists()) out.prefix = static_cast<int>(tokens.prefix.shape()[0]);
  // Without a rule a table fits its own grid alone; that is known here, before anything is computed.
  if (tokens.positions.exists() && !tokens.rule) {
    const auto& table = tokens.positions.shape();
    if (table[0] != out.height || table[1] != out.width) refuse_grid(tokens, out);
  }
  return out;
}

ValueShape shape_of(const Op& op, const Attention& attention, const Shapes& in) {
  if (attention.window) expect_map(op, in[0]);
  // Queries, keys and values come as one linear layer's output, three times as wide.
  if (in[0].channels % (3 * attention.heads) != 0)
    refuse(op, fmt::format("{} heads do not divide {} channels of queries, keys and values", attention.heads,
                           in[0].channels));
  return with_channels(in[0], in[0].channels / 3);
}

ValueShape shape_of(const Op& op, const CrossAttention& attention, const Shapes& in) {
  if (in[0].tokens() != 1 || in[1].channels != 2 * in[0].channels || in[0].channels % attention.heads != 0)
    refuse(op, "takes one query, and keys and values of its width");
  return vector_of(in[0].channels);
}

ValueShape shape_of(const Op& op, const MergePatches&, const Shapes& in) {
  expect_map(op, in[0]);
  // An odd edge is padded by one row or column (Swin's patch merging).
  return {0, (in[0].height + 1) / 2, (in[0].width + 1) / 2, 4 * in[0].channels};
}

// A value more or less would be read from beyond the operation's inputs.
std::size_t input_count(const OpKind& kind) {
  if (std::holds_alternative<Constant>(kind)) return 0;
  return std::holds_alternative<Add>(kind) || std::holds_alternative<Multiply>(kind) ||
                 std::holds_alternative<CrossAttention>(kind)
             ? 2
             : 1;
}

// Every parameter of an operation, const or not as the operation is.
template <typename AnyOp, typename Visit>
void visit_parameters(AnyOp& op, Visit visit) {
  const auto each = [&](auto&... parameters) { (visit(parameters), ...); };
  std::visit(
      [&](auto& k) {
        using Kind = std::remove_cvref_t<decltype(k)>;
        if constexpr (std::is_same_v<Kind, Convolution> || std::is_same_v<Kind, Linear> ||
                      std::is_same_v<Kind, LayerNorm> || std::is_same_v<Kind, ResponseNorm>)
          each(k.weight, k.bias);
        if constexpr (std::is_same_v<Kind, BatchNorm>) each(k.gamma, k.beta, k.mean, k.variance);
        if constexpr (std::is_same_v<Kind, Scale>) each(k.gamma);
        if constexpr (std::is_same_v<Kind, Tokens>) each(k.prefix, k.positions);
        if constexpr (std::is_same_v<Kind, Constant>) each(k.values);
        if constexpr (std::is_same_v<Kind, Attention>) {
          if (k.rope) each(k.rope->periods);
          // The window's padding is not listed: it is the bias of the linear layer before
          // it, which is counted and hashed there.
          if (k.window) each(k.window->bias_table);
        }
      },
      op.kind);
}

template <typename Found, typename AnyOp>
std::vector<Found*> all_parameters(AnyOp& op) {
  std::vector<Found*> found;
  visit_parameters(op, [&](Found& parameter) {
    if (parameter.exists()) found.push_back(&parameter);
  });
  return found;
}

}  // namespace

std::string_view op_name(const Op& op) {
  static constexpr std::array<std::string_view, 18> names{
      "convolution", "batch norm", "activation",      "add",   "multiply",      "pool",
      "mean",        "linear",     "layer norm",      "scale", "tokens",        "select",
      "constant",    "attention",  "cross-attention", "gate",  "response norm", "patch merging"};
  static_assert(std::variant_size_v<OpKind> == names.size());
  return names[op.kind.index()];
}

std::vector<const Parameter*> parameters(const Op& op) { return all_parameters<const Parameter>(op); }
std::vector<Parameter*> parameters(Op& op) { return all_parameters<Parameter>(op); }

// Every size that a file's tensors and the picture's size lead to is checked here, before anything is computed.
ValueShape shape_after(const Op& op, const std::vector<ValueShape>& in) {
  if (in.size() != input_count(op.kind)) refuse(op, fmt::format("has {} inputs", in.size()));
  return std::visit(Overloaded{[&](const Convolution& k) { return shape_of(op, k, in); },
                               [&](const Tokens& k) { return shape_of(op, k, in); },
                               [&](const Attention& k) { return shape_of(op, k, in); },
                               [&](const CrossAttention& k) { return shape_of(op, k, in); },
                               [&](const MergePatches& k) { return shape_of(op, k, in); },
                               [&](const Linear& k) {
                                 expect_channels(op, in[0], k.in);
                                 return with_channels(in[0], k.out);
                               },
                               [&](const Pool2d& k) {
                                 expect_map(op, in[0]);
                                 return ValueShape{0, strided(op, in[0].height, k.kernel, k.stride, k.pad),
                                                   strided(op, in[0].width, k.kernel, k.stride, k.pad), in[0].channels};
                               },
                               [&](const Mean&) { return vector_of(in[0].channels); },
                               [&](const Select&) { return vector_of(in[0].channels); },
                               [&](const Constant& k) { return vector_of(static_cast<int>(k.values.size())); },
                               [&](const Gate&) {
                                 if (in[0].channels % 2 != 0) refuse(op, "takes two halves");
                                 return with_channels(in[0], in[0].channels / 2);
                               },
                               [&](const Add&) {
                                 if (!(in[0] == in[1])) refuse(op, "adds two values of one shape");
                                 return in[0];
                               },
                               [&](const Multiply&) {
                                 if (in[1].tokens() != 1 || in[1].channels != in[0].channels)
                                   refuse(op, "takes a vector as its gate");
                                 return in[0];
                               },
                               [&](const auto&) { return in[0]; }},
                    op.kind);
}

}  // namespace vise::networks

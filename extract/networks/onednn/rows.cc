// What works on rows: norms, scales, tokens, gates, means. Each is a step of our own (row_kernels.h).
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "extract/networks/onednn/compile.h"
#include "extract/networks/onednn/row_kernels.h"
#include "extract/networks/positions.h"

#include <fmt/format.h>

namespace vise::networks {
namespace {

using dnnl::memory;
using type = memory::data_type;

const float* floats_of(const memory& m) { return static_cast<const float*>(m.get_data_handle()); }

// Rows of the output, whose type may be narrower than what a kernel writes.
class RowWriter {
 public:
  RowWriter(Assembly& assembly, Spot to, std::size_t channels) : assembly_(&assembly), to_(to), row_(channels) {}

  // Where the kernel writes row i; store(i) puts it into its type.
  // A bf16 output is written by way of one float32 row, so every kernel exists in float32 alone.
  float* row(std::size_t i) { return to_.bf16 ? row_.data() : assembly_->floats(to_) + i * row_.size(); }
  void store(std::size_t i) {
    if (to_.bf16)
      narrow_bf16(row_.data(), row_.size(), reinterpret_cast<Bf16*>(assembly_->bytes(to_)) + i * row_.size());
  }

 private:
  Assembly* assembly_;
  Spot to_;
  std::vector<float> row_;
};

// A step that makes row i of the output by `write(i, x, y)` from row i of the input, which is read as float32.
template <typename Write>
Laid row_by_row(Compilation& c, const FusedGroup& group, const Laid& given, Write write) {
  Assembly& a = c.assembly;
  const ValueShape& shape = c.shape_of(group.out);
  const Laid in = a.as_rows(given, type::f32), out = a.make_rows(shape, c.type_of(group.out));
  const auto in_width = static_cast<std::size_t>(in.shape.channels), width = static_cast<std::size_t>(shape.channels),
             rows = static_cast<std::size_t>(a.batch()) * static_cast<std::size_t>(shape.tokens());
  a.add([=, &a, from = Assembly::spot(in), writer = RowWriter(a, Assembly::spot(out), width)]() mutable {
    for (std::size_t i = 0; i < rows; ++i) {
      write(i, a.floats(from) + i * in_width, writer.row(i));
      writer.store(i);
    }
  });
  return out;
}

// A step that makes all rows of an image at once: `write(x, writer, first)` has its input and its first row's number.
template <typename Write>
Laid image_by_image(Compilation& c, const FusedGroup& group, const Laid& given, Write write) {
  Assembly& a = c.assembly;
  const ValueShape& shape = c.shape_of(group.out);
  const Laid in = a.as_rows(given, type::f32), out = a.make_rows(shape, c.type_of(group.out));
  const auto size = static_cast<std::size_t>(in.shape.tokens()) * static_cast<std::size_t>(in.shape.channels),
             rows = static_cast<std::size_t>(shape.tokens()), batch = static_cast<std::size_t>(a.batch());
  a.add([=, &a, from = Assembly::spot(in),
         writer = RowWriter(a, Assembly::spot(out), static_cast<std::size_t>(shape.channels))]() mutable {
    for (std::size_t image = 0; image < batch; ++image) write(a.floats(from) + image * size, writer, image * rows);
  });
  return out;
}

Laid layer_norm(Compilation& c, const FusedGroup& group, const LayerNorm& norm) {
  const auto& parts = c.weights(group.op, [&] {
    return std::vector{c.plain(norm.weight.values()), c.plain(norm.bias.values())};
  });
  const Op& op = c.network.ops[group.op];
  return row_by_row(c, group, c.input(op),
                    [weight = floats_of(parts[0]), bias = floats_of(parts[1]), eps = norm.eps, n = norm.weight.size()](
                        std::size_t, const float* x, float* y) { layer_norm_row(x, weight, bias, eps, n, y); });
}

// y = scale x + shift, a channel; without a shift its product alone.
Laid affine(Compilation& c, const FusedGroup& group, std::span<const float> scale, std::span<const float> shift) {
  const auto& parts = c.weights(group.op, [&] {
    std::vector<memory> made{c.plain(scale)};
    if (!shift.empty()) made.push_back(c.plain(shift));
    return made;
  });
  const Op& op = c.network.ops[group.op];
  const auto n = static_cast<std::size_t>(c.shape_of(group.out).channels);
  return row_by_row(c, group, c.input(op),
                    [scale = floats_of(parts[0]), shift = parts.size() > 1 ? floats_of(parts[1]) : nullptr, n](
                        std::size_t, const float* x, float* y) { affine_row(x, scale, shift, n, y); });
}

Laid batch_norm(Compilation& c, const FusedGroup& group, const BatchNorm& norm) {
  std::vector<float> scale(norm.gamma.values().size()), shift(scale.size());
  for (std::size_t i = 0; i < scale.size(); ++i) {
    // In double, and rounded once: (x - mean) / sqrt(variance + eps) gamma + beta as one product and one sum.
    const double s = static_cast<double>(norm.gamma.values()[i]) /
                     std::sqrt(static_cast<double>(norm.variance.values()[i]) + norm.eps);
    scale[i] = static_cast<float>(s);
    shift[i] =
        static_cast<float>(static_cast<double>(norm.beta.values()[i]) - static_cast<double>(norm.mean.values()[i]) * s);
  }
  // A replica's parameters have no values: it finds scale and shift packed, and computes neither.
  return affine(c, group, scale, c.packing ? std::span<const float>(shift) : std::span<const float>());
}

Laid gate(Compilation& c, const FusedGroup& group, const Gate& gate) {
  const auto n = static_cast<std::size_t>(c.shape_of(group.out).channels);
  return row_by_row(
      c, group, c.input(c.network.ops[group.op]),
      [n, function = gate.function](std::size_t, const float* x, float* y) { gate_row(x, x + n, function, n, y); });
}

Laid mean(Compilation& c, const FusedGroup& group) {
  const Laid& in = c.input(c.network.ops[group.op]);
  const auto channels = static_cast<std::size_t>(in.shape.channels), prefix = static_cast<std::size_t>(in.shape.prefix),
             tokens = static_cast<std::size_t>(in.shape.tokens());
  return image_by_image(
      c, group, in,
      [=, sums = std::vector<double>(channels)](const float* x, RowWriter& out, std::size_t first) mutable {
        std::ranges::fill(sums, 0.0);
        for (std::size_t token = prefix; token < tokens; ++token) add_row(x + token * channels, channels, sums.data());
        float* const y = out.row(first);
        for (std::size_t i = 0; i < channels; ++i)
          y[i] = static_cast<float>(sums[i] / static_cast<double>(tokens - prefix));
        out.store(first);
      });
}

// Tokens before the places, each with its position, then the places with theirs.
Laid tokens(Compilation& c, const FusedGroup& group, const Tokens& tokens) {
  const Laid& in = c.input(c.network.ops[group.op]);
  // The table is resized once for the picture's size, in double (positions.h).
  const auto& parts = c.weights(group.op, [&] {
    const std::vector<float> none(1);
    std::vector<memory> made{c.plain(tokens.prefix.exists() ? tokens.prefix.values() : none)};
    made.push_back(tokens.positions.exists() ? c.plain(positions_for(tokens, in.shape.height, in.shape.width))
                                             : c.plain(none));
    return made;
  });
  const auto channels = static_cast<std::size_t>(in.shape.channels),
             prefix = static_cast<std::size_t>(c.shape_of(group.out).prefix),
             places = static_cast<std::size_t>(in.shape.places());
  const float* const positions = tokens.positions.exists() ? floats_of(parts[1]) : nullptr;
  return image_by_image(
      c, group, in,
      [=, first_rows = floats_of(parts[0]), mean_token = tokens.mean_token, sums = std::vector<double>(channels)](
          const float* x, RowWriter& out, std::size_t first) mutable {
        for (std::size_t i = 0; i < prefix; ++i) {
          float* const y = out.row(first + i);
          std::copy_n(first_rows + i * channels, channels, y);
          if (mean_token && i == 0) {
            std::ranges::fill(sums, 0.0);
            for (std::size_t place = 0; place < places; ++place) add_row(x + place * channels, channels, sums.data());
            for (std::size_t k = 0; k < channels; ++k)
              // CLIP's attention pooling puts the mean of all places in front, with a position of its own.
              y[k] += static_cast<float>(sums[k] / static_cast<double>(places));
          }
          out.store(first + i);
        }
        for (std::size_t place = 0; place < places; ++place) {
          float* const y = out.row(first + prefix + place);
          const float* const from = x + place * channels;
          for (std::size_t k = 0; k < channels; ++k)
            y[k] = positions ? from[k] + positions[place * channels + k] : from[k];
          out.store(first + prefix + place);
        }
      });
}

Laid select(Compilation& c, const FusedGroup& group, const Select& select) {
  const Laid& in = c.input(c.network.ops[group.op]);
  const auto channels = static_cast<std::size_t>(in.shape.channels), token = static_cast<std::size_t>(select.token);
  return image_by_image(c, group, in, [=](const float* x, RowWriter& out, std::size_t first) {
    std::copy_n(x + token * channels, channels, out.row(first));
    out.store(first);
  });
}

Laid constant(Compilation& c, const FusedGroup& group, const Constant& constant) {
  Assembly& a = c.assembly;
  const auto& parts = c.weights(group.op, [&] { return std::vector{c.plain(constant.values.values())}; });
  const Laid out = a.make_rows(c.shape_of(group.out), c.type_of(group.out));
  const auto batch = static_cast<std::size_t>(a.batch()), n = constant.values.size();
  a.add([=, values = floats_of(parts[0]), writer = RowWriter(a, Assembly::spot(out), n)]() mutable {
    for (std::size_t i = 0; i < batch; ++i) {
      std::copy_n(values, n, writer.row(i));
      writer.store(i);
    }
  });
  return out;
}

Laid response_norm(Compilation& c, const FusedGroup& group, const ResponseNorm& norm) {
  const auto& parts = c.weights(group.op, [&] {
    return std::vector{c.plain(norm.weight.values()), c.plain(norm.bias.values())};
  });
  const Laid& in = c.input(c.network.ops[group.op]);
  const auto channels = static_cast<std::size_t>(in.shape.channels),
             places = static_cast<std::size_t>(in.shape.places());
  return image_by_image(c, group, in,
                        [=, weight = floats_of(parts[0]), bias = floats_of(parts[1]), eps = norm.eps,
                         norms = std::vector<double>(channels), scale = std::vector<float>(channels)](
                            const float* x, RowWriter& out, std::size_t first) mutable {
                          std::ranges::fill(norms, 0.0);
                          for (std::size_t place = 0; place < places; ++place)
                            add_squares_row(x + place * channels, channels, norms.data());
                          double mean = 0;
                          for (double& each : norms) mean += (each = std::sqrt(each));
                          mean /= static_cast<double>(channels);
                          for (std::size_t i = 0; i < channels; ++i)
                            // GRN (Woo et al. 2023): gamma (x n) + beta + x with n the channel's norm
                            // over the mean of norms; as one scale and shift a channel.
                            scale[i] = static_cast<float>(1 + static_cast<double>(weight[i]) * norms[i] / (mean + eps));
                          for (std::size_t place = 0; place < places; ++place) {
                            affine_row(x + place * channels, scale.data(), bias, channels, out.row(first + place));
                            out.store(first + place);
                          }
                        });
}

// Rows of four neighbours side by side, from which a linear layer makes the next stage's places.
Laid merge_patches(Compilation& c, const FusedGroup& group) {
  const Laid& in = c.input(c.network.ops[group.op]);
  const auto channels = static_cast<std::size_t>(in.shape.channels), height = static_cast<std::size_t>(in.shape.height),
             width = static_cast<std::size_t>(in.shape.width);
  return image_by_image(c, group, in, [=](const float* x, RowWriter& out, std::size_t first) {
    std::size_t place = first;
    for (std::size_t top = 0; top < height; top += 2)
      for (std::size_t left = 0; left < width; left += 2, ++place) {
        float* y = out.row(place);
        // The authors' order: (0, 0), (1, 0), (0, 1), (1, 1), row first. Odd edges are padded with zeros.
        for (std::size_t column = left; column < left + 2; ++column)
          for (std::size_t row = top; row < top + 2; ++row, y += channels) {
            if (row < height && column < width)
              std::copy_n(x + (row * width + column) * channels, channels, y);
            else
              std::fill_n(y, channels, 0.0F);
          }
        out.store(place);
      }
  });
}

// A channel's gate is one number an image, so all its rows are scaled alike.
Laid multiply(Compilation& c, const FusedGroup& group) {
  Assembly& a = c.assembly;
  const Op& op = c.network.ops[group.op];
  const Laid gates = a.as_rows(c.input(op, 1), type::f32);
  const auto tokens = static_cast<std::size_t>(c.shape_of(group.out).tokens()),
             n = static_cast<std::size_t>(gates.shape.channels);
  return row_by_row(c, group, c.input(op, 0),
                    [&a, tokens, n, spot = Assembly::spot(gates)](std::size_t i, const float* x, float* y) {
                      affine_row(x, a.floats(spot) + i / tokens * n, nullptr, n, y);
                    });
}

}  // namespace

Laid compile_rows(Compilation& c, const FusedGroup& group) {
  const Op& op = c.network.ops[group.op];
  if (const auto* k = op.as<LayerNorm>()) return layer_norm(c, group, *k);
  if (const auto* k = op.as<Scale>()) return affine(c, group, k->gamma.values(), {});
  if (const auto* k = op.as<BatchNorm>()) return batch_norm(c, group, *k);
  if (const auto* k = op.as<Gate>()) return gate(c, group, *k);
  if (const auto* k = op.as<Tokens>()) return tokens(c, group, *k);
  if (const auto* k = op.as<Select>()) return select(c, group, *k);
  if (const auto* k = op.as<Constant>()) return constant(c, group, *k);
  if (const auto* k = op.as<ResponseNorm>()) return response_norm(c, group, *k);
  if (op.as<Mean>()) return mean(c, group);
  if (op.as<MergePatches>()) return merge_patches(c, group);
  if (op.as<Multiply>()) return multiply(c, group);
  throw Error(ErrorKind::usage, fmt::format("{}: oneDNN's engine lacks the operation '{}'", op.name, op_name(op)),
              "--engine torch");
}

}  // namespace vise::networks

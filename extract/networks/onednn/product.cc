// Linear layers, and convolutions whose stride is their kernel, as one matrix product a batch: rows x in times in x
// out.
//
// oneDNN's 16 x 16 convolution of stride 16 is several times slower than gathering its patches and multiplying.
#include <algorithm>
#include <cstring>

#include "extract/networks/onednn/compile.h"
#include "extract/networks/onednn/row_kernels.h"

namespace vise {
namespace {

using dnnl::memory;
using tag = memory::format_tag;
using type = memory::data_type;

// `count` floats to a value's type.
void store(const float* from, std::size_t count, std::byte* to, bool bf16) {
  if (bf16)
    narrow_bf16(from, count, reinterpret_cast<Bf16*>(to));
  else
    std::copy_n(from, count, reinterpret_cast<float*>(to));
}

// Patches of the planar picture: a row has each channel's k x k pixels, as the convolution's weights have them.
Laid picture_patches(Compilation& c, const Laid& in, const Convolution& conv, const ValueShape& out) {
  Assembly& a = c.assembly;
  const auto k = static_cast<std::size_t>(conv.kernel), width = static_cast<std::size_t>(in.shape.width),
             plane = width * static_cast<std::size_t>(in.shape.height), channels = static_cast<std::size_t>(conv.in),
             rows = static_cast<std::size_t>(out.height), columns = static_cast<std::size_t>(out.width),
             size = channels * k * k;
  const std::size_t item = c.assembly.operand_type() == type::f32 ? 4 : 2;
  const Laid patches = a.make_rows({0, out.height, out.width, static_cast<int>(size)}, a.operand_type());
  const auto batch = static_cast<std::size_t>(a.batch());
  a.add([=, &a, from = Assembly::spot(in), to = Assembly::spot(patches)] {
    std::byte* row = a.bytes(to);
    for (std::size_t image = 0; image < batch; ++image)
      for (std::size_t y = 0; y < rows; ++y)
        for (std::size_t x = 0; x < columns; ++x, row += size * item)
          for (std::size_t channel = 0; channel < channels; ++channel)
            for (std::size_t line = 0; line < k; ++line)
              store(a.floats(from) + (image * channels + channel) * plane + (y * k + line) * width + x * k, k,
                    row + (channel * k + line) * k * item, to.bf16);
  });
  return patches;
}

// Patches of a map in rows: a row has each of the k x k places' channels.
Laid map_patches(Compilation& c, const Laid& given, const Convolution& conv, const ValueShape& out) {
  Assembly& a = c.assembly;
  const Laid in = a.as_rows(given, a.operand_type());
  const std::size_t item = a.operand_type() == type::f32 ? 4 : 2;
  const auto k = static_cast<std::size_t>(conv.kernel), width = static_cast<std::size_t>(in.shape.width),
             height = static_cast<std::size_t>(in.shape.height),
             line_bytes = k * static_cast<std::size_t>(conv.in) * item, rows = static_cast<std::size_t>(out.height),
             columns = static_cast<std::size_t>(out.width), pixel = static_cast<std::size_t>(conv.in) * item,
             batch = static_cast<std::size_t>(a.batch());
  const Laid patches = a.make_rows({0, out.height, out.width, conv.in * conv.kernel * conv.kernel}, a.operand_type());
  a.add([=, &a, from = Assembly::spot(in), to = Assembly::spot(patches)] {
    std::byte* row = a.bytes(to);
    for (std::size_t image = 0; image < batch; ++image)
      for (std::size_t y = 0; y < rows; ++y)
        for (std::size_t x = 0; x < columns; ++x)
          for (std::size_t line = 0; line < k; ++line, row += line_bytes)
            std::copy_n(a.bytes(from) + ((image * height + y * k + line) * width + x * k) * pixel, line_bytes, row);
  });
  return patches;
}

// out x in x k x k to out x k x k x in, as map_patches has its rows.
std::vector<float> channels_last(const std::vector<float>& weight, const Convolution& conv) {
  const auto in = static_cast<std::size_t>(conv.in), area = static_cast<std::size_t>(conv.kernel * conv.kernel);
  std::vector<float> turned(weight.size());
  for (std::size_t o = 0; o < static_cast<std::size_t>(conv.out); ++o)
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t k = 0; k < area; ++k) turned[(o * area + k) * in + i] = weight[(o * in + i) * area + k];
  return turned;
}

}  // namespace

bool is_patch_product(const Convolution& conv) {
  return conv.kernel > 1 && conv.stride == conv.kernel && conv.pad == 0 && conv.groups == 1 && conv.dilation == 1;
}

Laid compile_product(Compilation& c, const FusedGroup& group) {
  Assembly& a = c.assembly;
  const Op& op = c.network.ops[group.op];
  const auto* const conv = op.as<Convolution>();
  const ValueShape& out = c.shape_of(group.out);
  const bool picture = op.inputs[0] == 0;
  const Laid source = !conv     ? a.as_rows(c.input(op), a.operand_type())
                      : picture ? picture_patches(c, c.input(op), *conv, out)
                                : map_patches(c, c.input(op), *conv, out);
  const memory::dim rows = static_cast<memory::dim>(a.batch()) * out.tokens(), in = source.shape.channels,
                    columns = out.channels;
  const type operand = a.operand_type(), result = c.type_of(group.out);
  dnnl::post_ops fused;
  if (group.sum) fused.append_sum(1.F);
  if (group.activation) append_activation(fused, *group.activation);
  const memory::desc left({rows, in}, operand, tag::ab), right({in, columns}, operand, tag::any),
      bias({1, columns}, type::f32, tag::ab), product({rows, columns}, result, tag::ab);
  const dnnl::matmul::primitive_desc chosen(dnnl::matmul::desc(left, right, bias, product), Assembly::attributes(fused),
                                            a.engine());
  const auto& parts = c.weights(group.op, [&] {
    FoldedWeights values = folded(c.network, group);
    if (conv && !picture) values.weight = channels_last(values.weight, *conv);
    return std::vector{c.packed_as({{in, columns}, type::f32, tag::ba}, values.weight, chosen.weights_desc()),
                       c.packed_as({{1, columns}, type::f32, tag::ab}, values.bias, chosen.bias_desc())};
  });
  c.count("products");
  const memory::desc as_rows = a.rows(out, result);
  const Laid target = group.sum ? c.as_target(*group.sum, as_rows) : a.make(as_rows, out);
  a.add(dnnl::matmul(chosen),
        {{DNNL_ARG_SRC, a.at(source, left)},
         {DNNL_ARG_WEIGHTS, parts[0]},
         {DNNL_ARG_BIAS, parts[1]},
         {DNNL_ARG_DST, a.at(target, product)}},
        chosen.scratchpad_desc());
  return target;
}

}  // namespace vise

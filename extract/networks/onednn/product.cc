// Linear layers, and convolutions whose stride is their kernel, as one matrix product a batch: rows x in times in x
// out.
//
// oneDNN's 16 x 16 convolution of stride 16 is several times slower than gathering its patches and multiplying.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "extract/networks/onednn/compile.h"
#include "extract/networks/onednn/row_kernels.h"

namespace vise::networks {
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

// Patches that don't overlap: each pixel is in one row, so gathering costs a copy of the map.
bool is_patch_product(const Convolution& conv) {
  return conv.kernel > 1 && conv.stride == conv.kernel && conv.pad == 0 && conv.groups == 1 && conv.dilation == 1;
}

namespace {

using Product = dnnl::matmul::primitive_desc;

// Rows of `in` channels times in x out, with everything that the group fuses.
Product describe(const Compilation& c, const FusedGroup& group, memory::dim rows, memory::dim in) {
  const memory::dim columns = c.shape_of(group.out).channels;
  dnnl::post_ops fused;
  if (group.sum) fused.append_sum(1.F);
  if (group.activation) append_activation(fused, *group.activation);
  const type operand = c.assembly.operand_type();
  const memory::desc left({rows, in}, operand, tag::ab), right({in, columns}, operand, tag::any),
      bias({1, columns}, type::f32, tag::ab), product({rows, columns}, c.type_of(group.out), tag::ab);
  return {dnnl::matmul::desc(left, right, bias, product), Assembly::attributes(fused), c.assembly.engine()};
}

// oneDNN's batch-reduced kernels (AVX-512 and later) compute each row alike at every place. Its older ones, which
// CPUs with AVX2 get, have other kernels for the last rows than for the rest, which round differently.
bool rows_are_alike(const Product& chosen) { return std::string_view(chosen.impl_info_str()).starts_with("brg"); }

// One product an image, so that an image's rows are at the same place of the same product wherever the image is in the
// batch.
void add_by_image(Assembly& a, const Product& chosen, const std::vector<memory>& parts, const Laid& source,
                  const Laid& target) {
  const auto bytes = [&](const Laid& value) { return value.desc.get_size() / static_cast<std::size_t>(a.batch()); };
  Assembly::Arguments arguments{{DNNL_ARG_SRC, a.unbound(chosen.src_desc())},
                                {DNNL_ARG_WEIGHTS, parts[0]},
                                {DNNL_ARG_BIAS, parts[1]},
                                {DNNL_ARG_DST, a.unbound(chosen.dst_desc())},
                                {DNNL_ARG_SCRATCHPAD, a.unbound(chosen.scratchpad_desc())}};
  a.need_scratch(chosen.scratchpad_desc().get_size());
  a.add([&a, arguments, product = dnnl::matmul(chosen), from = Assembly::spot(source), to = Assembly::spot(target),
         from_bytes = bytes(source), to_bytes = bytes(target)]() mutable {
    arguments.at(DNNL_ARG_SCRATCHPAD).set_data_handle(a.scratch());
    for (std::size_t image = 0; image < static_cast<std::size_t>(a.batch()); ++image) {
      arguments.at(DNNL_ARG_SRC).set_data_handle(a.bytes(from) + image * from_bytes);
      arguments.at(DNNL_ARG_DST).set_data_handle(a.bytes(to) + image * to_bytes);
      product.execute(a.stream(), arguments);
      a.stream().wait();
    }
  });
}

}  // namespace

Laid compile_product(Compilation& c, const FusedGroup& group) {
  Assembly& a = c.assembly;
  const Op& op = c.network.ops[group.op];
  const auto* const conv = op.as<Convolution>();
  const ValueShape& out = c.shape_of(group.out);
  // Value 0 is the planar picture; other maps are read in rows.
  const bool picture = op.inputs[0] == 0;
  const Laid source = !conv     ? a.as_rows(c.input(op), a.operand_type())
                      : picture ? picture_patches(c, c.input(op), *conv, out)
                                : map_patches(c, c.input(op), *conv, out);
  // The depth of the product: channels, or the pixels of a patch times channels.
  const memory::dim in = source.shape.channels, columns = out.channels;
  Product chosen = describe(c, group, static_cast<memory::dim>(a.batch()) * out.tokens(), in);
  // Features must not depend on an image's place in its batch, so on older CPUs the speed
  // of one large product is given up for it.
  const bool by_image = a.batch() > 1 && !rows_are_alike(chosen);
  if (by_image) chosen = describe(c, group, out.tokens(), in);
  const auto& parts = c.weights(group.op, [&] {
    FoldedWeights values = folded(c.network, group);
    if (conv && !picture) values.weight = channels_last(values.weight, *conv);
    // PyTorch's weights are out x in, row-major: the same memory read as in x out is column-major ("ba").
    return std::vector{c.packed_as({{in, columns}, type::f32, tag::ba}, values.weight, chosen.weights_desc()),
                       c.packed_as({{1, columns}, type::f32, tag::ab}, values.bias, chosen.bias_desc())};
  });
  c.count("products");
  const memory::desc as_rows = a.rows(out, c.type_of(group.out));
  const Laid target = group.sum ? c.as_target(*group.sum, as_rows) : a.make(as_rows, out);
  if (by_image)
    add_by_image(a, chosen, parts, source, target);
  else
    a.add(dnnl::matmul(chosen),
          {{DNNL_ARG_SRC, a.at(source, chosen.src_desc())},
           {DNNL_ARG_WEIGHTS, parts[0]},
           {DNNL_ARG_BIAS, parts[1]},
           {DNNL_ARG_DST, a.at(target, chosen.dst_desc())}},
          chosen.scratchpad_desc());
  return target;
}

}  // namespace vise::networks

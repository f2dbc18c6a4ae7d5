// Convolutions: oneDNN's own, its Winograd where that is lawful and offered, or ours on CPUs with AVX2 alone.
#include <cstring>

#include "extract/networks/onednn/compile.h"
#include "extract/networks/onednn/winograd.h"

namespace vise::networks {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using tag = memory::format_tag;
using type = memory::data_type;
using Primitive = dnnl::convolution_forward::primitive_desc;

bool may_be_winograd(const Compilation& c, const Convolution& conv, const FusedGroup& group) {
  const bool relu = !group.activation || *group.activation == Activation::relu;
  // F(4x4, 3x3) is for such convolutions alone, and oneDNN's Winograd fuses no other activation than ReLU.
  return conv.kernel == 3 && conv.stride == 1 && conv.pad == 1 && conv.groups == 1 && conv.dilation == 1 && relu &&
         c.assembly.operand_type() == type::f32;
}

bool is_depthwise(const Convolution& conv) { return conv.groups == conv.in && conv.in == conv.out && conv.groups > 1; }

// Weights of grouped convolutions have the group as a dimension of its own.
memory::desc weight_desc(const Convolution& conv, type t, bool any) {
  if (conv.groups == 1) return {{conv.out, conv.in, conv.kernel, conv.kernel}, t, any ? tag::any : tag::oihw};
  return {{conv.groups, conv.out / conv.groups, conv.in / conv.groups, conv.kernel, conv.kernel},
          t,
          any ? tag::any : tag::goihw};
}

Primitive describe(const Compilation& c, const Convolution& conv, const FusedGroup& group, algorithm how) {
  const ValueShape& in = c.shape_of(c.network.ops[group.op].inputs[0]);
  const ValueShape& out = c.shape_of(group.out);
  dnnl::post_ops fused;
  // The order is the network's: residual first, then the activation.
  if (group.sum) fused.append_sum(1.F);
  if (group.activation) append_activation(fused, *group.activation);
  // Depthwise convolutions between row operations stay in rows: the way to blocks and back costs more than they do.
  const tag layout = c.keeps_stream && is_depthwise(conv) ? tag::nhwc : tag::any;
  const type operand = c.assembly.operand_type();
  const int batch = c.assembly.batch();
  const memory::desc source({batch, conv.in, in.height, in.width}, operand, layout),
      weights = weight_desc(conv, operand, true), bias({conv.out}, type::f32, tag::x),
      result({batch, conv.out, out.height, out.width}, c.type_of(group.out), layout);
  // oneDNN counts the places left out between taps, PyTorch the distance of taps.
  const memory::dim dilation = conv.dilation - 1;
  return {dnnl::convolution_forward::desc(dnnl::prop_kind::forward_inference, how, source, weights, bias, result,
                                          {conv.stride, conv.stride}, {dilation, dilation}, {conv.pad, conv.pad},
                                          {conv.pad, conv.pad}),
          Assembly::attributes(fused), c.assembly.engine()};
}

// oneDNN's Winograd where it is lawful and offered, else its direct convolution.
Primitive choose(const Compilation& c, const Convolution& conv, const FusedGroup& group, std::string& how) {
  if (may_be_winograd(c, conv, group)) {
    try {
      how = "winograd";
      return describe(c, conv, group, algorithm::convolution_winograd);
    } catch (const dnnl::error&) {  // this CPU has no Winograd kernel
    }
  }
  how = "direct";
  return describe(c, conv, group, algorithm::convolution_direct);
}

// Our own Winograd.
Laid convolve_winograd(Compilation& c, const Convolution& conv, const FusedGroup& group) {
  Assembly& a = c.assembly;
  const auto& parts = c.weights(group.op, [&] {
    const FoldedWeights values = folded(c.network, group);
    return std::vector{c.plain(winograd_weights(values.weight, conv.out, conv.in)), c.plain(values.bias)};
  });
  c.count("AVX2 winograd");
  const ValueShape& out = c.shape_of(group.out);
  // Source and target in blocks of eight channels, which is the layout of our kernels and one of oneDNN's.
  const WinogradConv shape{
      a.batch(), conv.in, conv.out, out.height, group.sum.has_value(), group.activation.has_value()};
  const auto blocked = [&](int channels) {
    return memory::desc({a.batch(), channels, out.height, out.width}, type::f32, tag::nChw8c);
  };
  const Laid source = a.reordered(c.input(c.network.ops[group.op]), blocked(conv.in));
  const Laid target = group.sum ? c.as_target(*group.sum, blocked(conv.out)) : a.make(blocked(conv.out), out);
  a.need_scratch(winograd_scratch(shape) * sizeof(float));
  a.add([&a, shape, from = Assembly::spot(source), to = Assembly::spot(target),
         packed = static_cast<const float*>(parts[0].get_data_handle()),
         bias = static_cast<const float*>(parts[1].get_data_handle())] {
    winograd_convolve(shape, a.floats(from), packed, bias, a.floats(to), reinterpret_cast<float*>(a.scratch()));
  });
  return target;
}

// The picture itself is planar float32; bf16 convolutions read it by channels.
Laid source_of(Compilation& c, const Op& op) {
  const Laid& in = c.input(op);
  if (op.inputs[0] != 0 || c.assembly.operand_type() == type::f32) return in;
  return c.assembly.reordered(in, c.assembly.rows(in.shape, type::bf16));
}

}  // namespace

Laid compile_convolution(Compilation& c, const FusedGroup& group) {
  const Op& op = c.network.ops[group.op];
  const Convolution& conv = *op.as<Convolution>();
  std::string how;
  // Chosen first, as oneDNN may refuse Winograd here: which algorithm runs decides how weights are packed.
  const Primitive chosen = choose(c, conv, group, how);
  const ValueShape& out = c.shape_of(group.out);
  // oneDNN offers Winograd on AVX-512 alone; on AVX2 ours runs.
  if (how == "direct" && may_be_winograd(c, conv, group) && has_winograd(conv.in, conv.out) && out.height == out.width)
    return convolve_winograd(c, conv, group);
  const auto& parts = c.weights(group.op, [&] {
    const FoldedWeights values = folded(c.network, group);
    return std::vector{c.packed_as(weight_desc(conv, type::f32, false), values.weight, chosen.weights_desc()),
                       c.packed_as({{conv.out}, type::f32, tag::x}, values.bias, chosen.bias_desc())};
  });
  c.count(how);
  Assembly& a = c.assembly;
  const Laid source = a.reordered(source_of(c, op), chosen.src_desc());
  const Laid target = group.sum ? c.as_target(*group.sum, chosen.dst_desc()) : a.make(chosen.dst_desc(), out);
  a.add(dnnl::convolution_forward(chosen),
        {{DNNL_ARG_SRC, a.at(source)},
         {DNNL_ARG_WEIGHTS, parts[0]},
         {DNNL_ARG_BIAS, parts[1]},
         {DNNL_ARG_DST, a.at(target)}},
        chosen.scratchpad_desc());
  return target;
}

}  // namespace vise::networks

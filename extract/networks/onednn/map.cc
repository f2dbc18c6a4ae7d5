// Pools, activations and sums that no product took with it, in whatever layout their input has.
#include "extract/networks/onednn/compile.h"

namespace vise::networks {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using tag = memory::format_tag;

Laid pool(Compilation& c, const FusedGroup& group, const Pool2d& pool) {
  Assembly& a = c.assembly;
  const Laid& in = c.input(c.network.ops[group.op]);
  const ValueShape& out = c.shape_of(group.out);
  // `any`: the pool chooses the layout, which is its input's.
  const memory::desc result({a.batch(), out.channels, out.height, out.width}, in.type(), tag::any);
  const dnnl::pooling_forward::primitive_desc chosen(
      dnnl::pooling_forward::desc(
          dnnl::prop_kind::forward_inference,
          pool.kind == Pool2d::Kind::max ? algorithm::pooling_max : algorithm::pooling_avg_exclude_padding, in.desc,
          result, {pool.stride, pool.stride}, {pool.kernel, pool.kernel}, {pool.pad, pool.pad}, {pool.pad, pool.pad}),
      Assembly::attributes(), a.engine());
  const Laid made = a.make(chosen.dst_desc(), out);
  a.add(dnnl::pooling_forward(chosen), {{DNNL_ARG_SRC, a.at(in)}, {DNNL_ARG_DST, a.at(made)}},
        chosen.scratchpad_desc());
  return made;
}

// In place where nobody else reads the input.
Laid activate(Compilation& c, const FusedGroup& group, Activation function) {
  Assembly& a = c.assembly;
  const Op& op = c.network.ops[group.op];
  const Laid& in = c.input(op);
  const auto [how, alpha] = [&]() -> std::pair<algorithm, float> {
    switch (function) {
      case Activation::relu:
        return {algorithm::eltwise_relu, 0.F};
      case Activation::gelu_exact:
        return {algorithm::eltwise_gelu_erf, 0.F};
      case Activation::gelu_tanh:
        return {algorithm::eltwise_gelu_tanh, 0.F};
      case Activation::gelu_quick:
        return {algorithm::eltwise_swish, 1.702F};
      case Activation::silu:
        return {algorithm::eltwise_swish, 1.F};
      default:
        return {algorithm::eltwise_logistic, 0.F};
    }
  }();
  const Laid out = c.may_overwrite(op.inputs[0]) ? in : a.make(in.desc, in.shape);
  const dnnl::eltwise_forward::primitive_desc chosen(
      dnnl::eltwise_forward::desc(dnnl::prop_kind::forward_inference, how, in.desc, alpha, 0), Assembly::attributes(),
      a.engine());
  a.add(dnnl::eltwise_forward(chosen), {{DNNL_ARG_SRC, a.at(in)}, {DNNL_ARG_DST, a.at(out)}}, chosen.scratchpad_desc());
  return out;
}

// A sum that no product before it could take.
Laid sum(Compilation& c, const FusedGroup& group) {
  Assembly& a = c.assembly;
  const Op& op = c.network.ops[group.op];
  const Laid first = a.as_rows(c.input(op, 0), c.type_of(group.out)),
             second = a.as_rows(c.input(op, 1), c.type_of(group.out));
  const Laid out = a.make(first.desc, first.shape);
  const dnnl::binary::primitive_desc chosen(
      dnnl::binary::desc(algorithm::binary_add, first.desc, second.desc, out.desc), Assembly::attributes(), a.engine());
  a.add(dnnl::binary(chosen),
        {{DNNL_ARG_SRC_0, a.at(first)}, {DNNL_ARG_SRC_1, a.at(second)}, {DNNL_ARG_DST, a.at(out)}},
        chosen.scratchpad_desc());
  return out;
}

}  // namespace

Laid compile_map(Compilation& c, const FusedGroup& group) {
  const Op& op = c.network.ops[group.op];
  if (const auto* k = op.as<Pool2d>()) return pool(c, group, *k);
  if (const auto* k = op.as<Activate>()) return activate(c, group, k->function);
  return sum(c, group);
}

}  // namespace vise::networks

#include "extract/networks/onednn/assembly.h"

#include <algorithm>

namespace vise::networks {

using dnnl::memory;
using tag = memory::format_tag;
using type = memory::data_type;

Assembly::Assembly(const dnnl::engine& engine, const TrunkRequest& request)
    : engine_(engine),
      stream_(engine),
      batch_(request.batch),
      operand_(request.precision == Precision::bf16 ? type::bf16 : type::f32) {}

memory::desc Assembly::rows(const ValueShape& shape, type t) const {
  const bool map = shape.prefix == 0;
  // Tokens are laid out as a map of one row: nhwc is rows of channels either way.
  return {{batch_, shape.channels, map ? shape.height : 1, map ? shape.width : shape.tokens()}, t, tag::nhwc};
}

// Takes a place in the slab, which the value holds as long as a copy of it lives.
Laid Assembly::make(const memory::desc& desc, const ValueShape& shape) {
  return {desc, plan_.place(desc.get_size()), shape};
}

// A memory object for a value, under another view of the same bytes where `desc` differs; bind() gives it its address.
memory Assembly::at(const Laid& value, const memory::desc& desc) {
  memory made = unbound(desc);
  bindings_.emplace_back(made, value.place->offset);
  return made;
}

memory Assembly::at(const Laid& value) { return at(value, value.desc); }

void Assembly::add(dnnl::primitive primitive, Arguments arguments, const memory::desc& scratch) {
  if (scratch.get_size() > 0) {
    memory made = unbound(scratch);
    // One scratch area serves all primitives, since they run one after another; its size
    // is the largest that any asks for.
    need_scratch(scratch.get_size());
    scratches_.push_back(made);
    arguments.emplace(DNNL_ARG_SCRATCHPAD, made);
  }
  steps_.emplace_back([this, primitive, arguments] {
    primitive.execute(stream_, arguments);
    // A stream of the CPU engine has finished when execute() returns, but oneDNN's contract is to wait.
    stream_.wait();
  });
}

// A value in the layout that somebody needs: itself where it has it, else a step that reorders it.
Laid Assembly::reordered(const Laid& value, const memory::desc& to) {
  if (value.desc == to) return value;
  const Laid result = make(to, value.shape);
  const dnnl::reorder::primitive_desc chosen(engine_, value.desc, engine_, to, attributes());
  add(dnnl::reorder(chosen), {{DNNL_ARG_FROM, at(value)}, {DNNL_ARG_TO, at(result)}}, chosen.scratchpad_desc());
  return result;
}

Laid Assembly::copied(const Laid& value) {
  const Laid result = make(value.desc, value.shape);
  add([this, from = spot(value), to = spot(result), size = value.desc.get_size()] {
    std::copy_n(bytes(from), size, bytes(to));
  });
  return result;
}

void Assembly::bind() {
  slab_ = std::make_unique<AlignedBytes>(plan_.size());
  scratch_ = std::make_unique<AlignedBytes>(scratch_bytes_);
  // Memory objects are made before the slab exists, because its size is known only when
  // all values have been placed.
  for (auto& [bound, offset] : bindings_) bound.set_data_handle(slab_->data() + offset);
  for (memory& bound : scratches_) bound.set_data_handle(scratch_->data());
}

void Assembly::run() {
  for (const auto& step : steps_) step();
}

// Scratch memory comes from the caller: oneDNN would allocate it for each primitive otherwise.
dnnl::primitive_attr Assembly::attributes(const dnnl::post_ops& fused) {
  dnnl::primitive_attr made;
  made.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  made.set_post_ops(fused);
  return made;
}

}  // namespace vise::networks

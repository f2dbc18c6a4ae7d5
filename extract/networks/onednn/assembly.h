// A network compiled for oneDNN while it is put together: steps in order, activations planned into one slab, weights
// packed once.
//
// Every value has a memory descriptor that its producer chose (blocked for convolutions, rows B x T x C for everything
// else) and a place in the slab, which is free again when its last holder lets go. Steps bind to the slab when all are
// planned. Not thread-safe; one thread runs the steps.
#pragma once

#include <dnnl.hpp>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "extract/networks/onednn/slab.h"
#include "extract/networks/op.h"
#include "extract/networks/trunk.h"

namespace vise::networks {

// An activation: its layout and its place in the slab.
struct Laid {
  dnnl::memory::desc desc;
  std::shared_ptr<const SlabPlan::Place> place;
  ValueShape shape;

  dnnl::memory::data_type type() const { return desc.data_type(); }
};

// Where a value is in memory, without holding its place: what steps keep.
struct Spot {
  std::size_t offset = 0;
  bool bf16 = false;  // else float32
};

// Weights in the layout their step asked for, by the index of the group's first operation; immutable once packed, and
// shared by all replicas.
struct PackedWeights {
  std::map<std::size_t, std::vector<dnnl::memory>> by_op;
  std::map<std::string, int> algorithms;  // "winograd convolutions" -> 13
};

class Assembly {
 public:
  Assembly(const dnnl::engine& engine, const TrunkRequest& request);
  Assembly(const Assembly&) = delete;
  Assembly& operator=(const Assembly&) = delete;

  const dnnl::engine& engine() const { return engine_; }
  dnnl::stream& stream() { return stream_; }
  int batch() const { return batch_; }
  // What products and convolutions compute with: f32 or bf16.
  dnnl::memory::data_type operand_type() const { return operand_; }

  // B x T x C, row-major: of a map's places as NHWC.
  dnnl::memory::desc rows(const ValueShape& shape, dnnl::memory::data_type type) const;
  Laid make(const dnnl::memory::desc& desc, const ValueShape& shape);
  Laid make_rows(const ValueShape& shape, dnnl::memory::data_type type) { return make(rows(shape, type), shape); }
  // `value` in that layout: itself where it has it, else by a step.
  Laid reordered(const Laid& value, const dnnl::memory::desc& to);
  Laid as_rows(const Laid& value, dnnl::memory::data_type type) { return reordered(value, rows(value.shape, type)); }
  Laid copied(const Laid& value);

  // Memory at the place of `value`, seen as `desc` (its own by default).
  dnnl::memory at(const Laid& value);
  dnnl::memory at(const Laid& value, const dnnl::memory::desc& desc);
  // A memory without a place, whose handle a step sets itself.
  dnnl::memory unbound(const dnnl::memory::desc& desc) const { return {desc, engine_, DNNL_MEMORY_NONE}; }

  using Arguments = std::unordered_map<int, dnnl::memory>;
  void add(dnnl::primitive primitive, Arguments arguments, const dnnl::memory::desc& scratch);
  // A step of our own. It may call bytes() and scratch(), and has asked for the scratch it needs; it keeps spots, not
  // values, whose places it would hold for ever.
  void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
  void need_scratch(std::size_t bytes) { scratch_bytes_ = std::max(scratch_bytes_, bytes); }

  // Allocates, and binds every step. Afterwards nothing is added.
  void bind();
  void run();

  static Spot spot(const Laid& value) { return {value.place->offset, value.type() == dnnl::memory::data_type::bf16}; }
  // Valid after bind().
  std::byte* bytes(Spot spot) const { return slab_->data() + spot.offset; }
  float* floats(Spot spot) const { return reinterpret_cast<float*>(bytes(spot)); }
  std::byte* scratch() const { return scratch_->data(); }

  // Attributes of every primitive: its scratchpad is the assembly's.
  static dnnl::primitive_attr attributes(const dnnl::post_ops& fused = {});

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  int batch_;
  dnnl::memory::data_type operand_;
  SlabPlan plan_;  // before every Laid: places return to it
  std::vector<std::function<void()>> steps_;
  std::vector<std::pair<dnnl::memory, std::size_t>> bindings_;
  std::vector<dnnl::memory> scratches_;
  std::size_t scratch_bytes_ = 0;
  std::unique_ptr<AlignedBytes> slab_, scratch_;
};

}  // namespace vise::networks

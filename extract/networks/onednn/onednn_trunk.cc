#include "extract/networks/onednn/onednn_trunk.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "extract/networks/bf16.h"
#include "extract/networks/onednn/compile.h"
#include "extract/networks/onednn/one_thread.h"

namespace vise::networks {
namespace {

using dnnl::memory;
using type = memory::data_type;

// What a replica needs to be built again: the network's values are only kept until they are packed.
struct Blueprint {
  Network shape;
  TrunkRequest request;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  PackedWeights packed;
};

// Every operation has one place that compiles it; what works on rows is last and refuses what it doesn't know.
Laid compile(Compilation& c, const FusedGroup& group) {
  const Op& op = c.network.ops[group.op];
  if (const auto* conv = op.as<Convolution>())
    return is_patch_product(*conv) ? compile_product(c, group) : compile_convolution(c, group);
  if (op.as<Linear>()) return compile_product(c, group);
  if (op.as<Attention>()) return compile_attention(c, group);
  if (op.as<CrossAttention>()) return compile_cross_attention(c, group);
  if (op.as<Pool2d>() || op.as<Activate>() || op.as<Add>()) return compile_map(c, group);
  return compile_rows(c, group);
}

bool has_layer_norms(const Network& network) {
  return std::ranges::any_of(network.ops, [](const Op& op) { return op.as<LayerNorm>() != nullptr; });
}

class OneDnnTrunk final : public Trunk {
 public:
  // `weights` is null for a replica, which finds everything packed in the blueprint.
  OneDnnTrunk(std::shared_ptr<Blueprint> blueprint, const Network* weights)
      : blueprint_(std::move(blueprint)), assembly_(blueprint_->engine, blueprint_->request) {
    // Reordering weights is work as well, and runs on one thread like all of it.
    const OneThread one;
    const Network& network = weights ? *weights : blueprint_->shape;
    const std::vector<int> wanted = wanted_values(network);
    Compilation c{network, weights != nullptr, assembly_, blueprint_->packed, fuse(network, wanted)};
    c.shapes = value_shapes(network, blueprint_->request.side);
    c.laid.resize(c.shapes.size());
    c.tapped.resize(c.shapes.size());
    for (const int value : wanted) c.tapped[static_cast<std::size_t>(value)] = true;
    c.keeps_stream = has_layer_norms(network);
    compile_all(c, wanted);
    assembly_.bind();
  }

  std::span<float> input() override {
    const int side = blueprint_->request.side;
    return {assembly_.floats(input_), static_cast<std::size_t>(batch()) * 3 * static_cast<std::size_t>(side * side)};
  }

  void forward() override {
    const OneThread one;
    assembly_.run();
  }

  FeatureMaps maps(std::size_t layer) override {
    const auto& [spot, shape] = taps_.at(layer);
    const auto size = static_cast<std::size_t>(batch()) * static_cast<std::size_t>(shape.tokens()) *
                      static_cast<std::size_t>(shape.channels);
    return {{assembly_.floats(spot), size}, batch(), shape.height, shape.width, shape.channels, shape.prefix};
  }

  int batch() const override { return blueprint_->request.batch; }

  std::unique_ptr<Trunk> replicate() const override { return std::make_unique<OneDnnTrunk>(blueprint_, nullptr); }

  // For the proof of frozenness: taken before and after a run, both must be equal.
  std::string state_hash() const override {
    Sha256 hash;
    for (const auto& [op, parts] : blueprint_->packed.by_op) {
      // Packed weights in the order of operations: the bytes that are computed with, so that
      // a bit that flips in memory is seen.
      hash.update(blueprint_->shape.ops[op].name);
      for (const memory& part : parts)
        hash.update(ByteView(static_cast<const std::byte*>(part.get_data_handle()), part.get_desc().get_size()));
    }
    return hash.hex();
  }

  std::string description() const override {
    std::string text = "oneDNN " + onednn_version();
    for (const auto& [name, count] : blueprint_->packed.algorithms) text += fmt::format(", {} {}", count, name);
    return text + (blueprint_->packed.algorithms.contains("products") ? "" : " convolutions");
  }

 private:
  std::vector<int> wanted_values(const Network& network) const {
    std::vector<int> values;
    for (const std::string& name : blueprint_->request.layers)
      values.push_back(std::ranges::find(network.layers, name, &Layer::name)->value);
    return values;
  }

  // The picture and the taps are held to the end: the caller writes the one and reads the others.
  void compile_all(Compilation& c, const std::vector<int>& wanted) {
    const int side = blueprint_->request.side;
    const Laid pixels = assembly_.make({{batch(), 3, side, side}, type::f32, memory::format_tag::nchw}, c.shapes[0]);
    input_ = Assembly::spot(pixels);
    held_.push_back(pixels);
    c.laid[0] = pixels;
    taps_.resize(wanted.size());
    for (const FusedGroup& group : c.plan.groups) {
      const Laid made = compile(c, group);
      c.laid[static_cast<std::size_t>(group.out)] = made;
      for (std::size_t i = 0; i < wanted.size(); ++i)
        if (wanted[i] == group.out) keep(i, assembly_.as_rows(made, type::f32));
      // What nobody reads any more gives its place to the next.
      for (std::size_t value = 1; value < c.laid.size(); ++value)
        if (c.laid[value] && c.plan.last_reader[value] <= c.group) c.laid[value].reset();
      ++c.group;
    }
  }

  void keep(std::size_t tap, const Laid& rows) {
    taps_[tap] = {Assembly::spot(rows), rows.shape};
    held_.push_back(rows);
  }

  std::shared_ptr<Blueprint> blueprint_;
  Assembly assembly_;  // before what holds places of it
  Spot input_;
  std::vector<std::pair<Spot, ValueShape>> taps_;
  std::vector<Laid> held_;  // the input and the taps: their places are never given away
};

void check_request(const TrunkRequest& request) {
  if (request.precision == Precision::bf16 && !cpu_has_bf16())
    throw Error(ErrorKind::usage, "--precision bf16: this CPU has no bf16 instructions (AVX-512 BF16)",
                "use --precision fp32; emulated bf16 would be slower than fp32 and less exact");
}

}  // namespace

std::string onednn_version() {
  return fmt::format("{}.{}.{}", dnnl_version()->major, dnnl_version()->minor, dnnl_version()->patch);
}

std::unique_ptr<Trunk> make_onednn_trunk(const Network& network, const TrunkRequest& request) {
  check_request(request);
  try {
    auto blueprint = std::make_shared<Blueprint>();
    // Packed weights are what a replica needs; to keep the network's own floats beside
    // them would double the memory.
    blueprint->shape = without_values(network);
    blueprint->request = request;
    return std::make_unique<OneDnnTrunk>(std::move(blueprint), &network);
  } catch (const dnnl::error& e) {
    throw Error(ErrorKind::system, fmt::format("oneDNN can't run {} here: {}", network.architecture, e.what()));
  }
}

}  // namespace vise::networks

#include "extract/networks/onednn/resnet_trunk.h"

#include <fmt/format.h>
#include <omp.h>

#include <cstring>
#include <dnnl.hpp>
#include <functional>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "extract/networks/onednn/fold.h"
#include "extract/networks/onednn/slab.h"
#include "extract/networks/onednn/winograd.h"

namespace vise {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using tag = memory::format_tag;
using type = memory::data_type;

// Weights and biases in the layout their primitive asked for; immutable once every convolution has packed its own, and
// shared by all replicas.
struct PackedWeights {
  std::map<std::string, std::pair<memory, memory>> by_conv;  // name -> weights, bias
};

// What a replica needs to be built again: the folded network is only kept until the weights are packed.
struct Blueprint {
  ResNet shape;  // names and geometry, its weights emptied
  TrunkRequest request;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  PackedWeights packed;
  std::map<std::string, int> algorithms;  // "winograd" -> 13
};

// One thread computes a trunk; oneDNN asks OpenMP when a primitive is made and when it runs.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// An activation: its shape, the layout its producer chose, and its place in the slab.
struct Value {
  memory::desc desc;
  std::shared_ptr<const SlabPlan::Place> place;
  int channels = 0, side = 0;
};

class OneDnnTrunk final : public Trunk {
 public:
  // `weights` is null for a replica, which finds everything packed in the blueprint.
  OneDnnTrunk(std::shared_ptr<Blueprint> blueprint, const ResNet* weights)
      : blueprint_(std::move(blueprint)),
        stream_(blueprint_->engine),
        batch_(blueprint_->request.batch),
        side_(blueprint_->request.side) {
    const OneThread one;
    plan_all(weights);
    place_all();
  }

  std::span<float> input() override {
    return {reinterpret_cast<float*>(slab_->data() + input_->offset), input_floats()};
  }

  void forward() override {
    const OneThread one;
    for (const auto& step : steps_) step();
  }

  FeatureMaps maps(std::size_t layer) override {
    const Value& tap = taps_.at(layer);
    const auto size = static_cast<std::size_t>(batch_) * tap.side * tap.side * tap.channels;
    return {{reinterpret_cast<const float*>(slab_->data() + tap.place->offset), size},
            batch_,
            tap.side,
            tap.side,
            tap.channels};
  }

  int batch() const override { return batch_; }

  std::unique_ptr<Trunk> replicate() const override { return std::make_unique<OneDnnTrunk>(blueprint_, nullptr); }

  std::string state_hash() const override {
    Sha256 hash;
    for (const auto& [name, weights_and_bias] : blueprint_->packed.by_conv) {
      hash.update(name);
      for (const memory& part : {weights_and_bias.first, weights_and_bias.second})
        hash.update(ByteView(static_cast<const std::byte*>(part.get_data_handle()), part.get_desc().get_size()));
    }
    return hash.hex();
  }

  std::string description() const override {
    std::string text = "oneDNN " + onednn_version();
    for (const auto& [name, count] : blueprint_->algorithms) text += fmt::format(", {} {}", count, name);
    return text + " convolutions";
  }

 private:
  using Arguments = std::unordered_map<int, memory>;

  std::size_t input_floats() const { return static_cast<std::size_t>(batch_) * 3 * side_ * side_; }
  type activation_type() const { return blueprint_->request.precision == Precision::bf16 ? type::bf16 : type::f32; }

  // A memory that will lie at `place`; bound to the slab once the plan is complete.
  memory at(const memory::desc& desc, const std::shared_ptr<const SlabPlan::Place>& place) {
    memory made(desc, blueprint_->engine, DNNL_MEMORY_NONE);
    bindings_.emplace_back(made, place->offset);
    return made;
  }

  Value new_value(const memory::desc& desc, int channels, int side) {
    return {desc, plan_.place(desc.get_size()), channels, side};
  }

  void add_step(dnnl::primitive primitive, Arguments arguments, const memory::desc& scratch) {
    if (scratch.get_size() > 0) {
      memory made(scratch, blueprint_->engine, DNNL_MEMORY_NONE);
      scratch_bytes_ = std::max(scratch_bytes_, scratch.get_size());
      scratches_.push_back(made);
      arguments.emplace(DNNL_ARG_SCRATCHPAD, made);
    }
    steps_.emplace_back([this, primitive, arguments] {
      primitive.execute(stream_, arguments);
      stream_.wait();
    });
  }

  static dnnl::primitive_attr user_scratch() {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
  }

  Value reordered(const Value& from, const memory::desc& to) {
    if (from.desc == to) return from;
    Value result = new_value(to, from.channels, from.side);
    const dnnl::reorder::primitive_desc chosen(blueprint_->engine, from.desc, blueprint_->engine, to, user_scratch());
    add_step(dnnl::reorder(chosen), {{DNNL_ARG_FROM, at(from.desc, from.place)}, {DNNL_ARG_TO, at(to, result.place)}},
             chosen.scratchpad_desc());
    return result;
  }

  dnnl::convolution_forward::primitive_desc describe(const ConvBn& conv, int side, bool relu, bool sum,
                                                     algorithm how) const {
    const int out_side = (side + 2 * conv.pad - conv.kernel) / conv.stride + 1;
    dnnl::post_ops fused;
    if (sum) fused.append_sum(1.f);
    if (relu) fused.append_eltwise(1.f, algorithm::eltwise_relu, 0, 0);
    dnnl::primitive_attr attributes = user_scratch();
    attributes.set_post_ops(fused);
    const type precision = activation_type();
    const memory::dims weight_dims = conv.groups == 1 ? memory::dims{conv.out, conv.in, conv.kernel, conv.kernel}
                                                      : memory::dims{conv.groups, conv.out / conv.groups,
                                                                     conv.in / conv.groups, conv.kernel, conv.kernel};
    const memory::desc source({batch_, conv.in, side, side}, precision, tag::any),
        weights(weight_dims, precision, tag::any), bias({conv.out}, type::f32, tag::x),
        result({batch_, conv.out, out_side, out_side}, precision, tag::any);
    return {dnnl::convolution_forward::desc(dnnl::prop_kind::forward_inference, how, source, weights, bias, result,
                                            {conv.stride, conv.stride}, {conv.pad, conv.pad}, {conv.pad, conv.pad}),
            attributes, blueprint_->engine};
  }

  bool may_be_winograd(const ConvBn& conv) const {
    return conv.kernel == 3 && conv.stride == 1 && conv.pad == 1 && conv.groups == 1 && activation_type() == type::f32;
  }

  // oneDNN's Winograd where it is lawful and offered, else its direct convolution.
  dnnl::convolution_forward::primitive_desc choose(const ConvBn& conv, int side, bool relu, bool sum,
                                                   std::string& how) const {
    if (may_be_winograd(conv)) {
      try {
        how = "winograd";
        return describe(conv, side, relu, sum, algorithm::convolution_winograd);
      } catch (const dnnl::error&) {  // this CPU has no Winograd kernel
      }
    }
    how = "direct";
    return describe(conv, side, relu, sum, algorithm::convolution_direct);
  }

  std::pair<memory, memory> pack(const ConvBn& conv, const dnnl::convolution_forward::primitive_desc& chosen) {
    FoldedConv folded = fold_batch_norm(conv);
    const memory::desc packed_desc = chosen.weights_desc();
    const memory plain({packed_desc.dims(), type::f32, conv.groups == 1 ? tag::oihw : tag::goihw}, blueprint_->engine,
                       folded.weight.data());
    memory packed(packed_desc, blueprint_->engine), bias(chosen.bias_desc(), blueprint_->engine);
    std::memset(packed.get_data_handle(), 0, packed_desc.get_size());
    dnnl::reorder(plain, packed).execute(stream_, const_cast<memory&>(plain), packed);
    stream_.wait();
    std::memcpy(bias.get_data_handle(), folded.bias.data(), folded.bias.size() * sizeof(float));
    return {packed, bias};
  }

  // Plain memory with these values.
  memory filled(const std::vector<float>& values) {
    memory made({{static_cast<memory::dim>(values.size())}, type::f32, tag::x}, blueprint_->engine);
    std::memcpy(made.get_data_handle(), values.data(), values.size() * sizeof(float));
    return made;
  }

  // Our own Winograd. As convolve.
  Value convolve_winograd(const Value& in, const ConvBn& conv, const ConvBn* weights, bool relu, const Value* sum) {
    if (weights) {
      const FoldedConv folded = fold_batch_norm(*weights);
      blueprint_->packed.by_conv.emplace(
          conv.name, std::pair(filled(winograd_weights(folded.weight, conv.out, conv.in)), filled(folded.bias)));
      ++blueprint_->algorithms["AVX2 winograd"];
    }
    const WinogradConv shape{batch_, conv.in, conv.out, in.side, sum != nullptr, relu};
    const auto blocked = [&](int channels) {
      return memory::desc({batch_, channels, in.side, in.side}, type::f32, tag::nChw8c);
    };
    const Value source = reordered(in, blocked(conv.in));
    const Value target = sum ? reordered(*sum, blocked(conv.out)) : new_value(blocked(conv.out), conv.out, in.side);
    scratch_bytes_ = std::max(scratch_bytes_, winograd_scratch(shape) * sizeof(float));
    const auto& [packed, bias] = blueprint_->packed.by_conv.at(conv.name);
    steps_.emplace_back([this, shape, from = source.place->offset, to = target.place->offset,
                         packed = static_cast<const float*>(packed.get_data_handle()),
                         bias = static_cast<const float*>(bias.get_data_handle())] {
      winograd_convolve(shape, reinterpret_cast<const float*>(slab_->data() + from), packed, bias,
                        reinterpret_cast<float*>(slab_->data() + to), reinterpret_cast<float*>(scratch_->data()));
    });
    return target;
  }

  // `weights`: the convolution with its values while packing, null in a replica.
  Value convolve(const Value& in, const ConvBn& conv, const ConvBn* weights, bool relu, const Value* sum = nullptr) {
    std::string how;
    const auto chosen = choose(conv, in.side, relu, sum != nullptr, how);
    if (how == "direct" && may_be_winograd(conv) && has_winograd(conv.in, conv.out))
      return convolve_winograd(in, conv, weights, relu, sum);
    if (weights) {
      blueprint_->packed.by_conv.emplace(conv.name, pack(*weights, chosen));
      ++blueprint_->algorithms[how];
    }
    const auto& [packed, bias] = blueprint_->packed.by_conv.at(conv.name);
    const Value source = reordered(in, chosen.src_desc());
    const int out_side = static_cast<int>(chosen.dst_desc().dims()[2]);
    const Value target = sum ? reordered(*sum, chosen.dst_desc()) : new_value(chosen.dst_desc(), conv.out, out_side);
    add_step(dnnl::convolution_forward(chosen),
             {{DNNL_ARG_SRC, at(source.desc, source.place)},
              {DNNL_ARG_WEIGHTS, packed},
              {DNNL_ARG_BIAS, bias},
              {DNNL_ARG_DST, at(target.desc, target.place)}},
             chosen.scratchpad_desc());
    return target;
  }

  Value max_pool(const Value& in) {
    const int side = (in.side + 2 - 3) / 2 + 1;
    const memory::desc result({batch_, in.channels, side, side}, activation_type(), tag::any);
    const dnnl::pooling_forward::primitive_desc chosen(
        dnnl::pooling_forward::desc(dnnl::prop_kind::forward_inference, algorithm::pooling_max, in.desc, result, {2, 2},
                                    {3, 3}, {1, 1}, {1, 1}),
        user_scratch(), blueprint_->engine);
    const Value out = new_value(chosen.dst_desc(), in.channels, side);
    add_step(dnnl::pooling_forward(chosen),
             {{DNNL_ARG_SRC, at(in.desc, in.place)}, {DNNL_ARG_DST, at(out.desc, out.place)}},
             chosen.scratchpad_desc());
    return out;
  }

  Value run_block(const Value& in, const Block& block, const Block* weights) {
    const Value shortcut =
        block.shortcut ? convolve(in, *block.shortcut, weights ? &*weights->shortcut : nullptr, false) : in;
    Value x = in;
    for (std::size_t i = 0; i < block.convs.size(); ++i)
      x = convolve(x, block.convs[i], weights ? &weights->convs[i] : nullptr, true,
                   i + 1 == block.convs.size() ? &shortcut : nullptr);
    return x;
  }

  void plan_all(const ResNet* weights) {
    const memory::desc image({batch_, 3, side_, side_}, type::f32, tag::nchw);
    const Value pixels = new_value(image, 3, side_);
    input_ = pixels.place;
    const ResNet& shape = blueprint_->shape;
    const Value start =
        activation_type() == type::f32 ? pixels : reordered(pixels, {{batch_, 3, side_, side_}, type::bf16, tag::nhwc});
    Value x = max_pool(convolve(start, shape.stem, weights ? &weights->stem : nullptr, true));
    taps_.resize(blueprint_->request.layers.size());
    for (std::size_t stage = 0; stage < shape.stages.size(); ++stage) {
      for (std::size_t block = 0; block < shape.stages[stage].size(); ++block)
        x = run_block(x, shape.stages[stage][block], weights ? &weights->stages[stage][block] : nullptr);
      for (std::size_t i = 0; i < taps_.size(); ++i)
        if (blueprint_->request.layers[i] == fmt::format("layer{}", stage + 1))
          taps_[i] = reordered(x, {{batch_, x.channels, x.side, x.side}, type::f32, tag::nhwc});
    }
  }

  void place_all() {
    slab_ = std::make_unique<AlignedBytes>(plan_.size());
    scratch_ = std::make_unique<AlignedBytes>(scratch_bytes_);
    for (auto& [bound, offset] : bindings_) bound.set_data_handle(slab_->data() + offset);
    for (memory& bound : scratches_) bound.set_data_handle(scratch_->data());
  }

  std::shared_ptr<Blueprint> blueprint_;
  dnnl::stream stream_;
  int batch_, side_;
  SlabPlan plan_;  // before every Value: places return to it
  std::shared_ptr<const SlabPlan::Place> input_;
  std::vector<Value> taps_;
  std::vector<std::function<void()>> steps_;
  std::vector<std::pair<memory, std::size_t>> bindings_;
  std::vector<memory> scratches_;
  std::size_t scratch_bytes_ = 0;
  std::unique_ptr<AlignedBytes> slab_, scratch_;
};

void check_request(const TrunkRequest& request) {
  if (request.precision == Precision::bf16 && dnnl::get_effective_cpu_isa() < dnnl::cpu_isa::avx512_core_bf16)
    throw Error(ErrorKind::usage, "--precision bf16: this CPU has no bf16 instructions (AVX-512 BF16)",
                "use --precision fp32; emulated bf16 would be slower than fp32 and less exact");
}

}  // namespace

std::string onednn_version() {
  return fmt::format("{}.{}.{}", dnnl_version()->major, dnnl_version()->minor, dnnl_version()->patch);
}

std::unique_ptr<Trunk> make_onednn_trunk(const ResNet& network, const TrunkRequest& request) {
  check_request(request);
  try {
    auto blueprint = std::make_shared<Blueprint>();
    blueprint->shape = network;
    for (ConvBn* conv : convolutions(blueprint->shape))
      conv->weight = conv->gamma = conv->beta = conv->mean = conv->variance = {};
    blueprint->request = request;
    return std::make_unique<OneDnnTrunk>(std::move(blueprint), &network);
  } catch (const dnnl::error& e) {
    throw Error(ErrorKind::system, fmt::format("oneDNN can't run {} here: {}", network.architecture, e.what()));
  }
}

}  // namespace vise

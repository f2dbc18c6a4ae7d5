#include "extract/networks/clip_resnet.h"

#include <fmt/format.h>

#include <span>

#include "base/error.h"
#include "base/hash.h"
#include "extract/networks/load_conv.h"

namespace vise {
namespace {

constexpr std::string_view kName = "clip-rn50";
constexpr std::array<int, 4> kBlocks{3, 4, 6, 3};
constexpr int kWidth = 64, kDim = kWidth * 32, kOut = 1024;
constexpr std::string_view kTextKeys[] = {"transformer",      "token_embedding", "positional_embedding",
                                          "ln_final",         "text_projection", "logit_scale",
                                          "input_resolution", "context_length",  "vocab_size"};

ConvBn make_conv(std::string name, int in, int out, int kernel, int stride = 1) {
  ConvBn conv;
  conv.name = std::move(name);
  conv.in = in;
  conv.out = out;
  conv.kernel = kernel;
  conv.stride = stride;
  conv.pad = kernel / 2;
  return conv;
}

ClipBlock make_block(int stage, int place) {
  const std::string name = fmt::format("layer{}.{}", stage + 1, place);
  const int width = kWidth << stage, out = width * 4;
  const int in = place > 0 ? out : stage > 0 ? out / 2 : kWidth;
  ClipBlock block;
  block.convs = {make_conv(name + ".conv1", in, width, 1), make_conv(name + ".conv2", width, width, 3),
                 make_conv(name + ".conv3", width, out, 1)};
  block.pool = stage > 0 && place == 0 ? 2 : 1;
  if (place == 0) block.shortcut = make_conv(name + ".downsample.0", in, out, 1);
  return block;
}

ClipResNet empty_clip_resnet() {
  ClipResNet net;
  net.stem = {make_conv("conv1", 3, kWidth / 2, 3, 2), make_conv("conv2", kWidth / 2, kWidth / 2, 3),
              make_conv("conv3", kWidth / 2, kWidth, 3)};
  for (int stage = 0; stage < 4; ++stage) {
    auto& blocks = net.stages.emplace_back();
    for (int place = 0; place < kBlocks[static_cast<std::size_t>(stage)]; ++place)
      blocks.push_back(make_block(stage, place));
  }
  auto& attention = net.attention;
  for (ClipLinear* linear : {&attention.query, &attention.key, &attention.value}) linear->in = linear->out = kDim;
  attention.output.in = kDim;
  attention.output.out = kOut;
  return net;
}

void load_linear(ClipLinear& linear, std::string_view name, KeyMatcher& keys) {
  linear.weight = keys.take(fmt::format("attnpool.{}.weight", name), {linear.out, linear.in});
  linear.bias = keys.take(fmt::format("attnpool.{}.bias", name), {linear.out});
}

void load_attention(ClipAttentionPool& attention, KeyMatcher& keys) {
  attention.positional = keys.take("attnpool.positional_embedding", {attention.tokens, kDim});
  load_linear(attention.query, "q_proj", keys);
  load_linear(attention.key, "k_proj", keys);
  load_linear(attention.value, "v_proj", keys);
  load_linear(attention.output, "c_proj", keys);
}

template <typename Conv, typename Net>
std::vector<Conv*> all_convolutions(Net& net) {
  std::vector<Conv*> all;
  for (auto& conv : net.stem) all.push_back(&conv);
  for (auto& stage : net.stages)
    for (auto& block : stage) {
      for (auto& conv : block.convs) all.push_back(&conv);
      if (block.shortcut) all.push_back(&*block.shortcut);
    }
  return all;
}

}  // namespace

std::string ClipResNet::parameters_hash() const {
  Sha256 hash;
  hash.update("vise-eval clip-rn50 parameters 1\n");
  const auto add = [&](const std::vector<float>& values) { hash.update(std::as_bytes(std::span(values))); };
  for (const ConvBn* conv : convolutions(*this)) {
    hash.update(fmt::format("{} {} {} {} {}\n", conv->name, conv->out, conv->in, conv->kernel, conv->stride));
    for (const auto* values : {&conv->weight, &conv->gamma, &conv->beta, &conv->mean, &conv->variance}) add(*values);
  }
  add(attention.positional);
  for (const ClipLinear* linear : {&attention.query, &attention.key, &attention.value, &attention.output}) {
    add(linear->weight);
    add(linear->bias);
  }
  return hash.hex();
}

ClipResNet load_clip_resnet(const Checkpoint& checkpoint, const LoadRequest& request, LoadReport* report) {
  const std::vector<TrunkPlace> places = find_trunks(checkpoint);
  const TrunkPlace place = choose_trunk(checkpoint, places, request.branch);
  if (place.layout != KeyLayout::clip)
    throw Error(ErrorKind::input,
                fmt::format("{}: holds no {} (its stem and attnpool are missing)", checkpoint.path.string(), kName));
  LoadReport found{std::string(kName), place.prefix, std::string(key_layout_name(place.layout)), 0, {}, {}, {}};
  std::vector<TrunkPlace> others = places;
  std::erase_if(others, [&](const TrunkPlace& other) { return other.prefix == place.prefix; });
  for (const TrunkPlace& other : others) found.passed_over.push_back(other.prefix);
  KeyMatcher keys(checkpoint, place, std::move(others));
  ClipResNet net = empty_clip_resnet();
  for (ConvBn* conv : convolutions(net)) load_conv(*conv, keys, place.layout, found.absent);
  load_attention(net.attention, keys);
  std::map<std::string, std::string> more;
  for (const std::string_view key : kTextKeys) more[std::string(key)] = "CLIP's text encoder";
  for (const std::string& component : request.drop) more[component] = "asked for";
  found.dropped = keys.finish(std::string(kName), more);
  found.matched = keys.matched();
  if (report) *report = std::move(found);
  return net;
}

std::vector<const ConvBn*> convolutions(const ClipResNet& net) { return all_convolutions<const ConvBn>(net); }
std::vector<ConvBn*> convolutions(ClipResNet& net) { return all_convolutions<ConvBn>(net); }

}  // namespace vise

// CLIP's RN50 image encoder (Radford et al. 2021, arXiv 2103.00020; openai/CLIP clip/model.py).
//
// Not torchvision's network: three 3x3 convolutions for a stem (the first of stride 2), each with batch norm and ReLU,
// then 2x2 average pooling; bottlenecks whose stride is an average pooling before the last convolution and before the
// shortcut's; and attention pooling in place of the mean:
//
//   tokens = [mean over places; each place] + positional            (1 + 7 x 7) x 2048
//   out    = c(softmax(q(token 0) k(tokens)^T / sqrt(2048 / heads)) v(tokens)), per head          1024
//
// So an input has to be 224 x 224. Layers: layer1 ... layer4, attnpool.
#include <fmt/format.h>

#include <array>

#include "extract/networks/builder.h"
#include "extract/networks/families/families.h"
#include "extract/networks/families/resnet/resnet.h"

namespace vise::networks {
namespace {

constexpr std::string_view kName = "clip-rn50";
constexpr std::array<int, 4> kBlocks{3, 4, 6, 3};
// Channels of the stem, of the last map, and of the pooled feature; heads of the pooling, and the edge of its grid.
constexpr int kWidth = 64, kDim = kWidth * 32, kOut = 1024, kHeads = 32, kSide = 7;

// 2 x 2 average pooling, CLIP's stand-in for a stride.
int halved(NetworkBuilder& b, const std::string& name, int x) {
  return b.append(name, {x}, Pool2d{Pool2d::Kind::average, 2, 2, 0});
}

int block(NetworkBuilder& b, int stage, int place, int in) {
  const std::string name = fmt::format("layer{}.{}", stage + 1, place);
  const int width = kWidth << stage, out = width * 4;
  // The block before made four times its width; the first of all follows the stem.
  const int channels = place > 0 ? out : stage > 0 ? out / 2 : kWidth;
  const bool strides = stage > 0 && place == 0;
  int x = conv_norm_relu(b, name + ".conv1", in, {.out = width, .in = channels});
  x = conv_norm_relu(b, name + ".conv2", x, {.out = width, .in = width, .kernel = 3});
  if (strides) x = halved(b, name + ".avgpool", x);
  x = conv_norm(b, name + ".conv3", x, {.out = out, .in = width});
  int shortcut = in;
  if (place == 0) {
    // OpenAI's code calls the pooling "-1" so that the convolution behind it has torchvision's name.
    if (strides) shortcut = halved(b, name + ".downsample.-1", shortcut);
    shortcut = conv_norm(b, name + ".downsample.0", shortcut, {.out = out, .in = channels});
  }
  return b.relu(name + ".relu", b.add(name + ".add", x, shortcut));
}

// Keys and values are one product: k's rows, then v's.
Linear joined(NetworkBuilder& b) {
  const auto both = [&](const std::string& leaf, std::vector<std::int64_t> shape, Init init) {
    const Parameter k = b.take("attnpool.k_proj." + leaf, shape, init),
                    v = b.take("attnpool.v_proj." + leaf, shape, init);
    shape[0] *= 2;
    // Shapes alone (an outline) or missing keys, which the matcher reports later, all of them at once.
    if (k.values().empty() || v.values().empty()) return Parameter(shape);
    std::vector<float> values(k.values().begin(), k.values().end());
    values.insert(values.end(), v.values().begin(), v.values().end());
    return Parameter(shape, std::move(values));
  };
  Linear linear{2 * kDim, kDim, {}, {}};
  linear.weight = both("weight", {kDim, kDim}, Init::small);
  linear.bias = both("bias", {kDim}, Init::zero);
  return linear;
}

int attention_pool(NetworkBuilder& b, int x) {
  // Row 0 is the mean token's position, the others the grid's.
  const Parameter all = b.take("attnpool.positional_embedding", {1 + kSide * kSide, kDim}, Init::small);
  Tokens tokens{Parameter({1, kDim}), Parameter({kSide, kSide, kDim}), {}, true};
  if (const auto values = all.values(); !values.empty()) {
    tokens.prefix = Parameter({1, kDim}, {values.begin(), values.begin() + kDim});
    tokens.positions = Parameter({kSide, kSide, kDim}, {values.begin() + kDim, values.end()});
  }
  x = b.append("attnpool.tokens", {x}, std::move(tokens));
  // Only the mean token asks (CrossAttention): its answer is the pooled feature.
  const int query = b.linear("attnpool.q_proj", b.append("attnpool.mean", {x}, Select{0}), kDim, kDim);
  const int answers = b.append("attnpool.kv_proj", {x}, joined(b));
  x = b.append("attnpool.attention", {query, answers}, CrossAttention{kHeads});
  return b.linear("attnpool.c_proj", x, kDim, kOut);
}

// The stem, four stages, and attention pooling, each a layer that can be probed.
Network build(std::string_view, WeightSource& weights) {
  NetworkBuilder b(weights);
  int x = conv_norm_relu(b, "conv1", NetworkBuilder::input(), {.out = kWidth / 2, .in = 3, .kernel = 3, .stride = 2});
  x = conv_norm_relu(b, "conv2", x, {.out = kWidth / 2, .in = kWidth / 2, .kernel = 3});
  x = conv_norm_relu(b, "conv3", x, {.out = kWidth, .in = kWidth / 2, .kernel = 3});
  x = halved(b, "avgpool", x);
  for (int stage = 0; stage < 4; ++stage) {
    for (int place = 0; place < kBlocks[static_cast<std::size_t>(stage)]; ++place) x = block(b, stage, place, x);
    b.layer(fmt::format("layer{}", stage + 1), x);
  }
  b.layer("attnpool", attention_pool(b, x));
  // The table of positions has 7 x 7 places, and OpenAI's code has no rule to resize it.
  b.network().any_side = false;
  b.network().revision = 1;  // keys and values are one product now, which moved LibTorch's last bits by 4e-7
  return b.finish("clip-resnet", std::string(kName));
}

// The table of positions of the pooling is what no other network has.
std::vector<Place> find(const KeyIndex& keys) {
  std::vector<Place> places;
  for (const std::string& prefix : keys.prefixes_before("attnpool.positional_embedding"))
    if (keys.has(prefix, "layer1.0.conv1.weight") && keys.has(prefix, "conv3.weight"))
      places.push_back({prefix, "clip"});
  return places;
}

Network load(KeyMatcher& keys, const Place&, Facts&) { return build(kName, keys); }

}  // namespace

Family clip_resnet_family() {
  Family family{"clip-resnet", {std::string(kName)}, find, load, build};
  // Beside the image encoder in OpenAI's file; some of these are TorchScript's constants.
  for (const char* key : {"transformer", "token_embedding", "positional_embedding", "ln_final", "text_projection",
                          "logit_scale", "input_resolution", "context_length", "vocab_size"})
    family.beside.emplace_back(key, "CLIP's text encoder");
  // Activation, epsilon and heads follow from the architecture.
  family.tensors_say_all = true;
  return family;
}

}  // namespace vise::networks

// EfficientNets in checkpoints: torchvision's and timm's names for the same tensors.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "extract/networks/families/efficientnet/efficientnet.h"
#include "extract/networks/families/families.h"
#include "extract/networks/renamed_keys.h"

namespace vise::networks {
namespace {

// torchvision/models/efficientnet.py, pytorch/vision 07a929e. A block's layers are numbered, and the first stage's lack
// the widening one.
constexpr KeyRule kTorchvision[]{
    {"conv_stem", "features.0.0"},
    {"bn1", "features.0.1"},
    // The rules of the first stage come first, since the first that fits is taken.
    {"blocks.0.#.conv_dw", "features.1.#.block.0.0"},
    {"blocks.0.#.bn1", "features.1.#.block.0.1"},
    // The gate's two layers are 1 x 1 convolutions in both codes and linear here: `.after
    // = 2` drops the two edges of 1.
    {"blocks.0.#.se.conv_reduce.weight", "features.1.#.block.1.fc1.weight", {.after = 2}},
    {"blocks.0.#.se.conv_reduce", "features.1.#.block.1.fc1"},
    {"blocks.0.#.se.conv_expand.weight", "features.1.#.block.1.fc2.weight", {.after = 2}},
    {"blocks.0.#.se.conv_expand", "features.1.#.block.1.fc2"},
    {"blocks.0.#.conv_pw", "features.1.#.block.2.0"},
    {"blocks.0.#.bn2", "features.1.#.block.2.1"},
    {"blocks.#.#.conv_pw", "features.#+1.#.block.0.0"},
    {"blocks.#.#.bn1", "features.#+1.#.block.0.1"},
    {"blocks.#.#.conv_dw", "features.#+1.#.block.1.0"},
    {"blocks.#.#.bn2", "features.#+1.#.block.1.1"},
    {"blocks.#.#.se.conv_reduce.weight", "features.#+1.#.block.2.fc1.weight", {.after = 2}},
    {"blocks.#.#.se.conv_reduce", "features.#+1.#.block.2.fc1"},
    {"blocks.#.#.se.conv_expand.weight", "features.#+1.#.block.2.fc2.weight", {.after = 2}},
    {"blocks.#.#.se.conv_expand", "features.#+1.#.block.2.fc2"},
    {"blocks.#.#.conv_pwl", "features.#+1.#.block.3.0"},
    {"blocks.#.#.bn3", "features.#+1.#.block.3.1"},
    {"conv_head", "features.8.0"},
    {"bn2", "features.8.1"}};

// timm/models/efficientnet.py, aa4b585: the names that are used here.
constexpr KeyRule kTimm[]{{"blocks.#.#.se.conv_reduce.weight", "blocks.#.#.se.conv_reduce.weight", {.after = 2}},
                          {"blocks.#.#.se.conv_expand.weight", "blocks.#.#.se.conv_expand.weight", {.after = 2}}};

struct Layout {
  std::string_view name;
  std::string_view marker;  // a key that tells it: the first block's gate
  std::string_view blocks;  // a stage's blocks are below; "#" is the stage
  std::span<const KeyRule> rules;
};

constexpr Layout kLayouts[]{{"torchvision", "features.1.0.block.1.fc1.weight", "features.#+1.", kTorchvision},
                            {"timm", "blocks.0.0.se.conv_reduce.weight", "blocks.#.", kTimm}};

std::vector<Place> find(const KeyIndex& keys) {
  std::vector<Place> places;
  for (const Layout& layout : kLayouts)
    for (const std::string& prefix : keys.prefixes_before(layout.marker))
      places.push_back({prefix, std::string(layout.name)});
  return places;
}

// The sizes of the network at a place.
EfficientNetSpec detect(const KeyIndex& keys, const Place& place, const Layout& layout) {
  const auto size = [&](const std::string& name) {
    const std::int64_t channels = keys.size(place.prefix, file_key(layout.rules, name).key, 0);
    return static_cast<int>(std::min<std::int64_t>(channels, 1 << 16));
  };
  // A convolution and its norm say the same; one of them may be what is missing.
  const auto channels = [&](const std::string& conv, const std::string& norm) {
    return std::max(size(conv + ".weight"), size(norm + ".weight"));
  };
  const KeyRule blocks[]{{"#", layout.blocks}};
  EfficientNetSpec spec;
  spec.stem = channels("conv_stem", "bn1");
  spec.head = channels("conv_head", "bn2");
  for (std::size_t stage = 0; stage < kEfficientNetStages; ++stage) {
    const std::string first = fmt::format("blocks.{}.0.", stage);
    spec.depths[stage] = keys.numbered(place.prefix, file_key(blocks, std::to_string(stage)).key);
    spec.dims[stage] =
        stage == 0 ? channels(first + "conv_pw", first + "bn2") : channels(first + "conv_pwl", first + "bn3");
    if (spec.depths[stage] == 0 || spec.dims[stage] == 0)
      throw Error(ErrorKind::input,
                  fmt::format("{}: the EfficientNet below '{}' has no stage {} of {}", keys.checkpoint().path.string(),
                              place.prefix, stage + 1, kEfficientNetStages),
                  "the first version's B0 to B7 are read; backbone inspect lists what the file holds");
  }
  return spec;
}

// Two networks of different sizes never share a name.
std::string name_of_sizes(const EfficientNetSpec& spec) {
  std::string name = fmt::format("efficientnet-{}", spec.stem);
  for (std::size_t stage = 0; stage < kEfficientNetStages; ++stage)
    name += fmt::format("-{}x{}", spec.dims[stage], spec.depths[stage]);
  return fmt::format("{}-{}", name, spec.head);
}

// timm's efficientnet_b0 and its tf_efficientnet_b0 have the same keys and shapes, and differ by the batch norms'
// epsilon and by the padding of strided convolutions, which in TensorFlow depends on the input's size.
double timm_eps(Facts& facts, const std::string& file) {
  const double eps = facts.eps("1e-5 in timm's efficientnet_b0 to b7; its tf_efficientnet_* have 1e-3");
  if (eps == 1e-3)
    throw Error(ErrorKind::input,
                fmt::format("{}: timm's EfficientNets of epsilon 1e-3 are TensorFlow's, which pads "
                            "strided convolutions by a rule that is not computed here",
                            file),
                "use timm's efficientnet_* or torchvision's file, or export the network to TorchScript: "
                "arch=torchscript");
  return eps;
}

// torchvision's code fixes both facts for the sizes it has; timm's fixes the activation alone.
void settle(EfficientNetSpec& spec, const Layout& layout, const EfficientNetSpec* published, Facts& facts,
            const std::string& file) {
  const std::string source = fmt::format("the key layout ({}'s code)", layout.name);
  facts.say("act", "silu", source);
  spec.act = facts.activation();
  if (layout.name == "timm") {
    spec.eps = timm_eps(facts, file);
    return;
  }
  if (published) facts.say("eps", published->eps == 1e-3 ? "1e-3" : "1e-5", source);
  spec.eps = facts.eps("1e-5 in torchvision's B0 to B4, 1e-3 in its B5 to B7");
}

Network load(KeyMatcher& keys, const Place& place, Facts& facts) {
  const Layout& layout = *std::ranges::find(kLayouts, place.layout, &Layout::name);
  EfficientNetSpec spec = detect(keys.index(), place, layout);
  const EfficientNetSpec* const published = published_efficientnet(spec);
  spec.name = published ? published->name : name_of_sizes(spec);
  // The side at which it was trained and is published, which no tensor shows.
  if (published) spec.side = published->side;
  settle(spec, layout, published, facts, keys.index().checkpoint().path.string());
  RenamedKeys source(keys, layout.rules);
  return build_efficientnet(spec, source);
}

Network build(std::string_view architecture, WeightSource& weights) {
  return build_efficientnet(efficientnet_spec(architecture), weights);
}

}  // namespace

Family efficientnet_family() {
  Family family{"efficientnet", {}, find, load, build};
  for (const EfficientNetSpec& spec : efficientnet_specs()) family.architectures.push_back(spec.name);
  return family;
}

}  // namespace vise::networks

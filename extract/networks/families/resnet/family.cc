// ResNets in checkpoints: where they are, and which one a file's shapes are.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/families/families.h"
#include "extract/networks/families/resnet/resnet.h"

namespace vise::networks {
namespace {

constexpr std::string_view kTorchvision = "torchvision", kSequential = "vise-sequential";

// A torchvision key in the file's layout: VisE's files number the trunk's children.
std::string file_key(const std::string& key, std::string_view layout) {
  if (layout != kSequential) return key;
  // children()[:-2] of torchvision's ResNet: conv1 0, bn1 1, relu 2, maxpool 3, layer1 to layer4 4 to 7.
  if (key.starts_with("layer")) return fmt::format("{}{}", key[5] - '1' + 4, key.substr(6));
  return fmt::format("{}{}", key.starts_with("conv1") ? 0 : 1, key.substr(key.find('.')));
}

std::vector<Place> find(const KeyIndex& keys) {
  std::vector<Place> places;
  for (const NamedTensor& named : keys.checkpoint().tensors) {
    const auto before = [&](std::string_view key) -> std::string_view {
      const std::string_view name = named.name;
      // "?" ends in no dot and is no prefix of any key, so it stands for "none" beside the
      // empty prefix, which is a real one.
      if (!name.ends_with(key)) return "?";
      const std::string_view prefix = name.substr(0, name.size() - key.size());
      return prefix.empty() || prefix.ends_with('.') ? prefix : "?";
    };
    const std::string_view usual = before("layer1.0.conv1.weight"), numbered = before("4.0.conv1.weight");
    // CLIP's modified ResNet has these keys too, and an attention pooling beside them.
    if (usual != "?" && keys.has(usual, "conv1.weight") && !keys.has(usual, "attnpool.positional_embedding"))
      places.push_back({std::string(usual), std::string(kTorchvision)});
    else if (numbered != "?" && keys.has(numbered, "0.weight") && keys.has(numbered, "1.running_mean"))
      places.push_back({std::string(numbered), std::string(kSequential)});
  }
  return places;
}

// What the shapes below a prefix look like. Blocks of each stage, their kind, and the width of the first 3 x 3
// convolution, with its inputs a group.
struct Shape {
  int blocks[4] = {0, 0, 0, 0};
  bool bottleneck = false;
  std::int64_t width = 0, per_group = 0;  // of the first block's 3x3 convolution
};

Shape look_at(const KeyIndex& keys, const Place& place) {
  Shape shape;
  const auto key = [&](const std::string& usual) { return file_key(usual, place.layout); };
  shape.bottleneck = keys.has(place.prefix, key("layer1.0.conv3.weight"));
  shape.width = keys.size(place.prefix, key("layer1.0.conv2.weight"), 0);
  shape.per_group = keys.size(place.prefix, key("layer1.0.conv2.weight"), 1);
  // The highest number that occurs there: a block that is missing in between is a missing key, not another network.
  for (const NamedTensor& named : keys.checkpoint().tensors)
    for (int stage = 0; stage < 4; ++stage) {
      const std::string start = place.prefix + key(fmt::format("layer{}.", stage + 1));
      if (!named.name.starts_with(start) || !named.name.ends_with(".conv1.weight")) continue;
      std::int64_t number = 0;
      const std::string_view middle = std::string_view(named.name).substr(start.size());
      if (parse_int(middle.substr(0, middle.find('.')), number) && number >= 0 && number < 1000)
        shape.blocks[stage] = std::max(shape.blocks[stage], static_cast<int>(number) + 1);
    }
  return shape;
}

bool fits(const ResNetSpec& spec, const Shape& shape) {
  // The first 3 x 3 convolution's width and its inputs a group tell ResNeXts and wide
  // ResNets from the plain ones.
  return std::equal(spec.blocks, spec.blocks + 4, shape.blocks) && spec.bottleneck == shape.bottleneck &&
         spec.width(0) == shape.width && spec.width(0) == shape.per_group * spec.groups;
}

// For messages and for --arch, in the order in which they are tried.
std::vector<std::string> architectures() {
  std::vector<std::string> names;
  for (const ResNetSpec& spec : resnet_specs()) names.emplace_back(spec.name);
  return names;
}

// Of several that fit, the one that was asked for, else the first: torchvision's.
const ResNetSpec& detect(const KeyIndex& keys, const Place& place, const std::string& asked) {
  const Shape shape = look_at(keys, place);
  for (const ResNetSpec& spec : resnet_specs())
    if (spec.name == asked && fits(spec, shape)) return spec;
  for (const ResNetSpec& spec : resnet_specs())
    if (fits(spec, shape)) return spec;
  throw Error(
      ErrorKind::input,
      fmt::format("{}: the network below '{}' is none known: {} blocks {}, {}, {}, {}, first 3x3 convolution {} wide "
                  "with {} inputs a group",
                  keys.checkpoint().path.string(), place.prefix, shape.bottleneck ? "bottleneck" : "basic",
                  shape.blocks[0], shape.blocks[1], shape.blocks[2], shape.blocks[3], shape.width, shape.per_group),
      fmt::format("known: {}", join(architectures(), ", ")));
}

// The file's own names. A source that asks the matcher by the file's numbers where the layout has them.
class ResNetKeys final : public WeightSource {
 public:
  ResNetKeys(KeyMatcher& keys, std::string_view layout) : keys_(keys), layout_(layout) {}

  Parameter take(const std::string& name, std::vector<std::int64_t> shape, Init init) override {
    return keys_.take(file_key(name, layout_), std::move(shape), init);
  }

 private:
  KeyMatcher& keys_;
  std::string_view layout_;
};

// torchvision's replace_stride_with_dilation refuses basic blocks, too.
int output_stride(const ResNetSpec& spec, Facts& facts) {
  const int stride = facts.output_stride();
  if (stride != 32 && !spec.bottleneck)
    throw Error(ErrorKind::usage, fmt::format("dilated={}: a {} has no bottlenecks to dilate", stride, spec.name));
  return stride;
}

// `assumed` is printed with the features: nothing in the tensors could contradict it.
Network load(KeyMatcher& keys, const Place& place, Facts& facts) {
  ResNetKeys source(keys, place.layout);
  const std::string& asked = facts.asked_architecture();
  const ResNetSpec& spec = detect(keys.index(), place, asked);
  const int stride = output_stride(spec, facts);
  Network network = build_resnet(spec, source, stride);
  if (spec.bottleneck && asked.empty() && stride == 32)
    network.assumed =
        "stride in the 3x3 convolutions and no dilation, as torchvision's; Caffe's and MSRA's networks "
        "(arch=resnet50-caffe) and trunks of segmentation (dilated=8|16) have the same tensors";
  return network;
}

Network build(std::string_view architecture, WeightSource& weights) {
  return build_resnet(resnet_spec(architecture), weights);
}

}  // namespace

Family resnet_family() { return {"resnet", architectures(), find, load, build, {}, true}; }

}  // namespace vise::networks

#include "extract/networks/load_resnet.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/load_conv.h"

namespace vise {
namespace {

// What the shapes below a prefix look like.
struct Shape {
  int blocks[4] = {0, 0, 0, 0};
  bool bottleneck = false;
  std::int64_t width = 0, per_group = 0;  // of the first block's 3x3 convolution
};

Shape look_at(const Checkpoint& checkpoint, const TrunkPlace& place) {
  Shape shape;
  const std::string first = place.prefix + file_key("layer1.0.conv2.weight", place.layout);
  const std::string third = place.prefix + file_key("layer1.0.conv3.weight", place.layout);
  for (const NamedTensor& named : checkpoint.tensors) {
    if (named.name == third) shape.bottleneck = true;
    if (named.name == first && named.tensor.shape.size() == 4) {
      shape.width = named.tensor.shape[0];
      shape.per_group = named.tensor.shape[1];
    }
    for (int stage = 0; stage < 4; ++stage) {
      const std::string start = place.prefix + file_key(fmt::format("layer{}.", stage + 1), place.layout);
      if (!named.name.starts_with(start) || !named.name.ends_with(".conv1.weight")) continue;
      std::int64_t number = 0;
      const std::string_view middle = std::string_view(named.name).substr(start.size());
      if (parse_int(middle.substr(0, middle.find('.')), number) && number >= 0 && number < 1000)
        shape.blocks[stage] = std::max(shape.blocks[stage], static_cast<int>(number) + 1);
    }
  }
  return shape;
}

bool fits(const ResNetSpec& spec, const Shape& shape) {
  return std::equal(spec.blocks, spec.blocks + 4, shape.blocks) && spec.bottleneck == shape.bottleneck &&
         spec.width(0) == shape.width && spec.width(0) == shape.per_group * spec.groups;
}

}  // namespace

const ResNetSpec& detect_resnet(const Checkpoint& checkpoint, const TrunkPlace& place) {
  const Shape shape = look_at(checkpoint, place);
  for (const ResNetSpec& spec : resnet_specs())
    if (fits(spec, shape)) return spec;
  throw Error(
      ErrorKind::input,
      fmt::format("{}: the network below '{}' is none known: {} blocks {}, {}, {}, {}, first 3x3 convolution {} wide "
                  "with {} inputs a group",
                  checkpoint.path.string(), place.prefix, shape.bottleneck ? "bottleneck" : "basic", shape.blocks[0],
                  shape.blocks[1], shape.blocks[2], shape.blocks[3], shape.width, shape.per_group),
      fmt::format("known: {}", join(resnet_architectures(), ", ")));
}

ResNet load_resnet(const Checkpoint& checkpoint, const LoadRequest& request, LoadReport* report) {
  const ResNetSpec* wanted = request.architecture.empty() ? nullptr : &resnet_spec(request.architecture);
  const std::vector<TrunkPlace> places = find_trunks(checkpoint);
  const TrunkPlace place = choose_trunk(checkpoint, places, request.branch);
  if (place.layout == KeyLayout::clip)
    throw Error(ErrorKind::input,
                fmt::format("{}: is CLIP's modified ResNet, not torchvision's", checkpoint.path.string()),
                "load it as clip-rn50");
  const ResNetSpec& spec = detect_resnet(checkpoint, place);
  if (wanted && wanted != &spec)
    throw Error(ErrorKind::input,
                fmt::format("{}: holds a {}, not a {}", checkpoint.path.string(), spec.name, wanted->name));

  LoadReport found{std::string(spec.name), place.prefix, std::string(key_layout_name(place.layout)), 0, {}, {}, {}};
  std::vector<TrunkPlace> others = places;
  std::erase_if(others, [&](const TrunkPlace& other) { return other.prefix == place.prefix; });
  for (const TrunkPlace& other : others) found.passed_over.push_back(other.prefix);
  KeyMatcher keys(checkpoint, place, std::move(others));
  ResNet net = empty_resnet(spec);
  for (ConvBn* conv : convolutions(net)) load_conv(*conv, keys, place.layout, found.absent);
  std::map<std::string, std::string> more;
  for (const std::string& component : request.drop) more[component] = "asked for";
  found.dropped = keys.finish(std::string(spec.name), more);
  found.matched = keys.matched();
  if (report) *report = std::move(found);
  return net;
}

}  // namespace vise

#include "extract/networks/load_conv.h"

#include <fmt/format.h>

namespace vise {
namespace {

// "layer1.0.conv2" -> "layer1.0.bn2"; "layer2.0.downsample.0" -> "layer2.0.downsample.1".
std::string norm_name(const std::string& conv) {
  const std::size_t place = conv.rfind("conv");
  if (place != std::string::npos) return fmt::format("{}bn{}", conv.substr(0, place), conv.substr(place + 4));
  return fmt::format("{}1", conv.substr(0, conv.size() - 1));
}

}  // namespace

std::string file_key(const std::string& key, KeyLayout layout) {
  if (layout != KeyLayout::vise_sequential) return key;
  if (key.starts_with("layer")) return fmt::format("{}{}", key[5] - '1' + 4, key.substr(6));
  return fmt::format("{}{}", key.starts_with("conv1") ? 0 : 1, key.substr(key.find('.')));
}

void load_conv(ConvBn& conv, KeyMatcher& keys, KeyLayout layout, std::vector<std::string>& absent) {
  const auto key = [&](const std::string& base, std::string_view leaf) {
    return file_key(fmt::format("{}.{}", base, leaf), layout);
  };
  const std::string norm = norm_name(conv.name);
  conv.weight = keys.take(key(conv.name, "weight"), {conv.out, conv.in / conv.groups, conv.kernel, conv.kernel});
  conv.gamma = keys.take(key(norm, "weight"), {conv.out});
  conv.beta = keys.take(key(norm, "bias"), {conv.out});
  conv.mean = keys.take(key(norm, "running_mean"), {conv.out});
  conv.variance = keys.take(key(norm, "running_var"), {conv.out}, true);
  const std::string tracked = key(norm, "num_batches_tracked");
  if (!keys.skip(tracked)) absent.push_back(tracked);
}

}  // namespace vise

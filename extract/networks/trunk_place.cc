#include "extract/networks/trunk_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"

namespace vise {
namespace {

constexpr std::size_t kMaxPlaces = 64;

using Names = std::unordered_set<std::string_view>;

bool has(const Names& names, std::string_view prefix, std::string_view key) {
  return names.contains(fmt::format("{}{}", prefix, key));
}

std::string_view prefix_before(std::string_view name, std::string_view key) {
  if (!name.ends_with(key)) return "?";
  const std::string_view prefix = name.substr(0, name.size() - key.size());
  return prefix.empty() || prefix.ends_with('.') ? prefix : "?";
}

// A prefix's components, with the branch's replaced by one name for both of a pair.
std::string without_branch(const std::string& prefix, std::string_view first, std::string_view second) {
  std::vector<std::string> parts = split(prefix, '.');
  for (std::string& part : parts)
    if (part == first || part == second) part.assign(1, '*');
  return join(parts, ".");
}

bool has_component(const std::string& prefix, std::string_view component) {
  const std::vector<std::string> parts = split(prefix, '.');
  return std::find(parts.begin(), parts.end(), component) != parts.end();
}

// Drops every place whose pair's preferred sibling is there too.
void prefer(std::vector<TrunkPlace>& places, std::string_view preferred, std::string_view other) {
  const auto beaten = [&](const TrunkPlace& place) {
    return has_component(place.prefix, other) &&
           std::any_of(places.begin(), places.end(), [&](const TrunkPlace& rival) {
             return has_component(rival.prefix, preferred) &&
                    without_branch(rival.prefix, preferred, other) == without_branch(place.prefix, preferred, other);
           });
  };
  std::vector<TrunkPlace> kept;
  std::copy_if(places.begin(), places.end(), std::back_inserter(kept), [&](const auto& p) { return !beaten(p); });
  places = std::move(kept);
}

std::string listed(const std::vector<TrunkPlace>& places) {
  std::vector<std::string> names;
  for (const TrunkPlace& place : places)
    names.push_back(place.prefix.empty() ? "(the top)" : printable(place.prefix.substr(0, 200)));
  return join(names, ", ");
}

}  // namespace

std::string_view key_layout_name(KeyLayout layout) {
  static constexpr std::array<std::string_view, 3> names{"torchvision", "vise-sequential", "clip"};
  return names[static_cast<std::size_t>(layout)];
}

std::vector<TrunkPlace> find_trunks(const Checkpoint& checkpoint) {
  Names names;
  for (const NamedTensor& named : checkpoint.tensors) names.insert(named.name);
  std::vector<TrunkPlace> places;
  for (const NamedTensor& named : checkpoint.tensors) {
    const std::string_view usual = prefix_before(named.name, "layer1.0.conv1.weight");
    const std::string_view numbered = prefix_before(named.name, "4.0.conv1.weight");
    if (usual != "?" && has(names, usual, "conv1.weight")) {
      const bool clip = has(names, usual, "attnpool.positional_embedding") && has(names, usual, "conv3.weight");
      places.push_back({std::string(usual), clip ? KeyLayout::clip : KeyLayout::torchvision});
    } else if (numbered != "?" && has(names, numbered, "0.weight") && has(names, numbered, "1.running_mean")) {
      places.push_back({std::string(numbered), KeyLayout::vise_sequential});
    }
  }
  return places;
}

TrunkPlace choose_trunk(const Checkpoint& checkpoint, const std::vector<TrunkPlace>& places, std::string_view branch) {
  const std::string path = checkpoint.path.string();
  if (places.empty())
    throw Error(ErrorKind::input,
                fmt::format("{}: holds {} tensors, but no residual network's (no conv1.weight beside "
                            "layer1.0.conv1.weight, nor VisE's 0.weight beside 4.0.conv1.weight)",
                            path, checkpoint.tensors.size()),
                "backbone inspect lists what the file holds");
  if (places.size() > kMaxPlaces)
    throw Error(ErrorKind::input,
                fmt::format("{}: holds {} networks, too many to be a backbone's weights", path, places.size()));
  std::vector<TrunkPlace> left = places;
  if (!branch.empty()) {
    std::erase_if(left, [&](const TrunkPlace& place) { return !has_component(place.prefix, branch); });
    if (left.empty())
      throw Error(ErrorKind::usage, fmt::format("{}: holds no branch '{}'", path, branch),
                  fmt::format("its networks stand under {}", listed(places)));
  }
  prefer(left, "encoder_q", "encoder_k");
  prefer(left, "base_encoder", "momentum_encoder");
  prefer(left, "teacher", "student");
  if (left.size() > 1)
    throw Error(ErrorKind::input, fmt::format("{}: holds {} networks: {}", path, left.size(), listed(left)),
                "say which one by branch=NAME, a component of its prefix");
  return left.front();
}

}  // namespace vise

#include "extract/networks/family_registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/families/families.h"

namespace vise::networks {
namespace {

std::vector<Family>& list() {
  // Built at first use: a family that registers itself before main() must not depend on
  // the order of initialisation.
  static std::vector<Family> all = builtin_families();
  return all;
}

}  // namespace

const std::vector<Family>& families() { return list(); }

void add_family(Family family) { list().push_back(std::move(family)); }

std::vector<std::string> network_architectures() {
  std::vector<std::string> names;
  for (const Family& family : families())
    names.insert(names.end(), family.architectures.begin(), family.architectures.end());
  return names;
}

const Family& family_of(std::string_view architecture) {
  for (const Family& family : families())
    if (std::ranges::find(family.architectures, architecture) != family.architectures.end()) return family;
  throw Error(ErrorKind::usage, fmt::format("there is no architecture '{}'", architecture),
              suggest(architecture, network_architectures()));
}

// For the row `random`: the network's form without training.
Network random_network(std::string_view architecture, std::uint64_t seed) {
  // The stream's name holds the architecture: the same seed gives unrelated values to different networks.
  RandomWeights weights(fmt::format("random/{}", architecture), seed);
  return family_of(architecture).build(architecture, weights);
}

// Without values nothing is drawn or read.
Outline outline_of(std::string_view architecture) {
  NoWeights none;
  return outline(family_of(architecture).build(architecture, none));
}

}  // namespace vise::networks

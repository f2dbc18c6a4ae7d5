#include "extract/networks/checkpoint/state_dict.h"

#include <array>

namespace vise::networks {

std::string_view container_name(Container container) {
  // In the order of Container.
  static constexpr std::array<std::string_view, 6> names{"zip",         "legacy",      "tar",
                                                         "safetensors", "torchscript", "folder"};
  return names[static_cast<std::size_t>(container)];
}

}  // namespace vise::networks

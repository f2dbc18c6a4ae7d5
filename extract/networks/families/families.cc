#include "extract/networks/families/families.h"

namespace vise::networks {

std::vector<Family> builtin_families() {
  return {resnet_family(), clip_resnet_family(), vit_family(), convnext_family(), swin_family(), efficientnet_family()};
}

}  // namespace vise::networks

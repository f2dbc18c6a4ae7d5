// The families that ship with the program.
#pragma once

#include <vector>

#include "extract/networks/family.h"

namespace vise::networks {

std::vector<Family> builtin_families();

// One function a family, in its own folder.
Family resnet_family();
Family clip_resnet_family();
Family vit_family();
Family convnext_family();
Family swin_family();
Family efficientnet_family();

}  // namespace vise::networks

// A convolution and its batch norm from a checkpoint; shared by the loaders of this folder.
#pragma once

#include <string>
#include <vector>

#include "extract/networks/key_matcher.h"
#include "extract/networks/resnet.h"

namespace vise {

// A torchvision key in the file's layout: VisE's files number the trunk's children.
std::string file_key(const std::string& key, KeyLayout layout);

// Fills the values of `conv`, whose name and shape are set; its batch norm's name follows from the convolution's. Keys
// that may be absent, and are, are added to `absent` as the file would call them.
void load_conv(ConvBn& conv, KeyMatcher& keys, KeyLayout layout, std::vector<std::string>& absent);

}  // namespace vise

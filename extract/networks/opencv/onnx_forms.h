// Forms of ONNX operations that OpenCV 4.6 doesn't read, written as older ones of the same values.
//
//   if (const std::optional<std::string> older = in_older_forms(file)) ...   // else `file` has none of them
//
//   Clip since opset 11, whose bounds are inputs: as of opset 6, where they are attributes, if both are constants
//   Identity of an initializer, which torch.onnx.export writes for equal tensors: its readers take the initializer
#pragma once

#include <optional>
#include <string>

#include "base/file.h"

namespace vise::networks {

// The whole file again. For files that read_onnx_shape() has passed; what isn't whole is left as it is.
std::optional<std::string> in_older_forms(ByteView file);

}  // namespace vise::networks

// The one thing of EXIF that is shown: tag 274, orientation.
#pragma once

#include <optional>

#include "base/file.h"

namespace vise::images {

// Orientation in IFD 0 of a TIFF-framed EXIF block, as stored, lawful (1 to 8) or not; nothing where there is none or
// the block is damaged before it. `tiff` may begin with "Exif\0\0".
std::optional<int> exif_orientation(ByteView tiff);

}  // namespace vise::images

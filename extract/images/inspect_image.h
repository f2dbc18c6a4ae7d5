// What the program sees in an image file, for people who ask why two pipelines differ, and the self-test of its pixels.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "extract/images/decode/decode.h"
#include "extract/images/transform/transform.h"

namespace vise::images {

// {path, format, mode, width, height, exif_orientation (null where there is none; never applied), rgb_sha256,
// transform, pixels_sha256}: rgb_sha256 is of the decoded bytes, row-major R G B, as Pillow's
// Image.open(f).convert("RGB").tobytes(); pixels_sha256 of the transform's result before normalisation.
// A file that can't be read gives {path, error, hint}; only a failing system (memory, disk) throws.
Json inspect_image(const Path& path, const Transform& transform, const DecodeOptions& options = {});

struct ParityCheck {
  std::string name;  // "JPEG 4:2:0, decoded", "GIF, resized bilinear" ...
  bool passed = false;
  std::string detail;  // what differs; empty when passed
};

// Decodes and resizes the pictures inside the program on this machine's kernels and compares the results with
// Pillow's. Takes a few milliseconds.
std::vector<ParityCheck> pixel_parity_selftest();

}  // namespace vise::images

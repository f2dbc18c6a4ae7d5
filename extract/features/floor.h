// Features without a network: what a table's floor rows are made of. If a floor does as well as a network, the network
// has learnt nothing that the task needs, or the data set leaks its labels through its files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "extract/images/image.h"

namespace vise::features {

// An image file as it was read and decoded.
struct DecodedFile {
  ByteView bytes;
  const images::Image& image;
};

inline constexpr std::size_t kColourHistogramDim = 8 * 8 * 8;

// The share of pixels in each cell of an 8 x 8 x 8 grid over RGB, red slowest; square roots, so that Euclidean distance
// is Hellinger's. 512 floats that depend on the decoded pixels alone (no resize, no crop).
std::vector<float> colour_histogram(const images::Image& image);

inline constexpr std::size_t kImageMetadataDim = 8;

// What a file tells without its picture, in powers of two so that a linear probe can use it: log2 of width, height,
// width / height, |log2 of width / height|, log2 of the file's bytes, its bits a pixel; then JPEG quality / 100 (0:
// none) and whether it is a JPEG.
std::vector<float> image_metadata(const DecodedFile& file);

// libjpeg's quality, 1 to 100, whose luminance table is nearest to the file's first quantisation table (ITU T.81, K.1,
// scaled as jpeg_set_quality() does); 0 where the file isn't a JPEG or has no table before its first scan.
int jpeg_quality(ByteView bytes);

}  // namespace vise::features

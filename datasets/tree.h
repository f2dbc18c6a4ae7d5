// The images below a folder.
//
//   const ImageTree tree = list_images(root, "images");   // ids such as "images/joy/1.jpg", sorted bytewise
//
// An image is recognised by its extension, in any case; any other file is counted, never opened. .DS_Store, Thumbs.db,
// desktop.ini, __MACOSX, and names beginning with a dot (AppleDouble's "._1.jpg") are skipped without a word. Links are
// followed, except to a folder that is being listed. A million files take as long as the file system needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace vise::datasets {

struct ImageTree {
  std::vector<std::string> images;  // relative to the root, with '/'
  std::vector<std::string> others;  // files whose names don't end like an image's, sorted
  std::vector<std::string> bare;    // folders below which no image is, the topmost of each, sorted
};

// jpg, jpeg, jpe, jfif, png, webp, gif, bmp, tif, tiff, pnm, ppm, pgm or pbm, in any case.
bool has_image_extension(std::string_view name);
// What no person put there: see above.
bool is_junk_name(std::string_view name);

// Lists root/below, recursively; paths are relative to `root`. Error{missing} where that isn't a folder.
ImageTree list_images(const Path& root, const std::string& below = {});

// "12 other files, such as readme.txt, labels.csv", or "" where there are none.
std::string describe_others(const ImageTree& tree);

}  // namespace vise::datasets

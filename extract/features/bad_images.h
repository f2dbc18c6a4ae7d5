// The error that ends a run on images that can't be read: whoever repairs a set wants to hear of all of them at once.
#pragma once

#include <string>
#include <vector>

namespace vise::features {

struct BadImage {
  std::string file;
  std::string reason;  // "is cut off"
  std::string hint;    // empty: to repair or remove it

  // "a.png: is cut off"
  std::string message() const { return file + ": " + reason; }
};

// Error{input}: one image as it is; several in the order of their names, the first twenty. `images` holds one at least.
[[noreturn]] void throw_bad_images(std::vector<BadImage> images);

}  // namespace vise::features

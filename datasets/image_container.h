// Where a data set's images are stored when they are not files: in archives, in a table of bytes. A Dataset has
// one or none, and Dataset::read() and identity() are the only ones who ask: to everybody else an image is an item.
//
// An id is what Dataset::ids holds. Every function is safe from many threads, and throws Error{missing} naming the
// container for an id that isn't in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/file_identity.h"

namespace vise::datasets {

class ImageContainer {
 public:
  virtual ~ImageContainer() = default;

  virtual bool has(const std::string& id) const = 0;
  // The image's own bytes, as a file of it would hold them. Error{input} where the container is damaged or has changed
  // since it was opened.
  virtual std::vector<std::byte> read(const std::string& id) const = 0;
  // Opens nothing: what is known since the container was opened.
  virtual FileIdentity identity(const std::string& id) const = 0;
  // Images that are read in ascending order of place cost least. Places say nothing else, and may be equal.
  virtual std::uint64_t place(const std::string& id) const = 0;
  // Whether images can be read in any other order at a like price; a compressed tar has to be read from its beginning
  // again for one far behind.
  virtual bool has_random_access() const { return true; }
};

}  // namespace vise::datasets

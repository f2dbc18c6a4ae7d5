// A data set as it is stored on disk: its images in a stable order, and what is known about each.
//
//   const auto dataset = DatasetRegistry::instance().open("emotion", data_root);
//   dataset.read(i);                          // the bytes of item i's image, wherever they are stored
//   dataset.target("label").names();          // its classes
//
// Items are ordered bytewise by id unless a manifest gives an order; an id is the path relative to `root`, with '/',
// and is unique. Nothing here decodes an image.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file_identity.h"
#include "base/log.h"
#include "datasets/image_container.h"
#include "datasets/split.h"
#include "datasets/targets.h"

namespace vise::datasets {

struct Dataset {
  std::string name;
  Path root;
  std::vector<std::string> ids;
  std::shared_ptr<const ImageContainer> container;             // of the images; null where they are files below root
  std::map<std::string, Targets> targets;                      // by name; "label" is the usual one
  std::map<std::string, std::vector<std::string>> attributes;  // "publisher", "topic", ...: one text an item
  std::optional<Split> official;                               // as distributed; it may lack val
  std::vector<std::string> notes;                              // what a reader of the table must know; footnotes
  // By item, or empty: nobody asks about it. Its content counts for what the data set is, but no network runs on it.
  std::vector<bool> unused;

  std::size_t size() const { return ids.size(); }
  bool wants_features(std::size_t item) const { return unused.empty() || !unused[item]; }
  // What a message calls the image. A file of that name is there only where the images are files.
  Path path(std::size_t item) const { return root / Path(ids[item]); }
  // The image's bytes, and what identifies it without reading it: from the container, or from the file. Error{missing}
  // where it isn't there. Safe from many threads.
  std::vector<std::byte> read(std::size_t item) const;
  FileIdentity identity(std::size_t item) const;
  bool has_image(std::size_t item) const;
  // Puts items into the order in which reading them costs least: as they are, where images are files.
  void sort_for_reading(std::vector<std::uint32_t>& items) const;
  // Error{usage} naming the nearest target.
  const Targets& target(const std::string& target_name) const;
  const std::vector<std::string>& attribute(const std::string& attribute_name) const;
  // Error{input} naming two equal ids, or a column that hasn't size() rows.
  void check() const;
};

// Items a and b, a < b, with the same id, if there are any.
std::optional<std::pair<std::size_t, std::size_t>> equal_ids(std::span<const std::string> ids);

}  // namespace vise::datasets

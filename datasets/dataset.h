// A data set as it lies on disk: its images in a stable order, and what is known about each.
//
//   const auto dataset = DatasetRegistry::instance().open("emotion", data_root);
//   dataset.read(i);                          // the bytes of item i's image, wherever they lie
//   dataset.target("label").names();          // its classes
//
// Items are ordered bytewise by id unless a manifest gives an order; an id is the path relative to `root`, with '/',
// and is unique. Nothing here decodes an image.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file_identity.h"
#include "base/log.h"
#include "datasets/data_folder.h"
#include "datasets/image_container.h"
#include "datasets/split.h"
#include "datasets/targets.h"

namespace vise {

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
  // The image's bytes, and what tells it from others unread: from the container, or from the file. Error{missing} where
  // it isn't there. Safe from many threads.
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

// What is known of a data set without reading it.
struct DatasetInfo {
  std::string name;                  // "emotion"
  std::string title;                 // "UnBiasedEmotion (Panda et al., ECCV 2018)"
  std::vector<std::string> folders;  // looked for below a data root, first match wins (misspellings included)
  std::string tree;                  // the expected tree, shown in the error when it isn't there
  std::string page;                  // where a person gets it, and on what terms
  std::string licence;
  std::string citation;
};

struct DatasetRequest {
  Path root;   // the data set's own folder; empty for one that is made by code
  Path cache;  // where data sets made by code (demo) may write
  Log& log;
  // The folder with archives in it for folders; null where nobody looked.
  std::shared_ptr<const DataFolder> images = {};

  // A folder of images below the root, or an archive in its place (data_folder.h).
  bool has_folder(const std::string& below) const;
  // The images in it, as list_images() gives them: a data set of theirs has container().
  ImageTree list(const std::string& below) const;
  std::shared_ptr<const ImageContainer> container() const;  // null where all images are files
};

// Reads the data set below `request.root`. Error{missing} without a hint when it doesn't look like it: the registry
// adds the expected tree. A known defect or an unexpected count is a warning to the log and, where it concerns whoever
// reads a table, a note.
using DatasetReader = std::function<Dataset(const DatasetRequest& request)>;

// The one list of data sets. Registered at start, read afterwards; not thread-safe while registering.
class DatasetRegistry {
 public:
  static DatasetRegistry& instance();
  void add(DatasetInfo info, DatasetReader reader);
  std::vector<std::string> names() const;
  const DatasetInfo& info(const std::string& name) const;  // Error{usage} with the nearest name
  // Looks for one of the folders below each of `roots` (a root may also be that folder itself), then reads and checks.
  // Error{missing} says page, licence and tree.
  Dataset open(const std::string& name, const std::vector<Path>& roots, const Path& cache, Log& log) const;

 private:
  struct Entry {
    DatasetInfo info;
    DatasetReader reader;
  };
  std::map<std::string, Entry> entries_;
};

// Adds the data sets that ship with the program. Called once by main(); registrations by static objects in a static
// library would be dropped by the linker.
void register_builtin_datasets(DatasetRegistry& registry);

// Items a and b, a < b, with the same id, if there are any.
std::optional<std::pair<std::size_t, std::size_t>> equal_ids(std::span<const std::string> ids);

// Which columns of a table say what, where their names don't (manifest.h), and what its labels are.
struct DataColumns {
  std::string path, label, split;  // names of columns; "" for the usual ones
  std::string kind;                // of the labels, of class folders too: "classes" or "values"; "" as they look
};

// Reads what `--data PATH` names: a folder of class folders or one with metadata.csv|jsonl (folder.h), a
// .csv|.tsv|.jsonl manifest (manifest.h), archives, or Parquet files (parquet_data.h). A folder's name is its own, a
// manifest's that of its folder and its own: "omi300/happy". `cache` is where what is learnt of containers is kept, so
// that a later run opens none; empty: nowhere.
Dataset open_data_path(const Path& path, Log& log, const DataColumns& columns = {}, const Path& cache = {});

}  // namespace vise

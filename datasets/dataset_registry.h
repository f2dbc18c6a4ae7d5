// The one list of data sets: those that ship with the program, and those that users add.
//
//   const auto dataset = DatasetRegistry::instance().open("emotion", {data_root}, cache, log);
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "datasets/data_folder.h"
#include "datasets/dataset.h"

namespace vise::datasets {

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
  const Entry& entry(const std::string& name) const;

  std::map<std::string, Entry> entries_;
};

// Adds the data sets that ship with the program. Called once by main(); registrations by static objects in a static
// library would be dropped by the linker.
void register_builtin_datasets(DatasetRegistry& registry);

}  // namespace vise::datasets

// A data set's own folder, in which archives may stand for folders: images.zip, images.tar ... is images/, where there
// is no such folder. What adapters and tables look for below it is found in either; an archive is looked through when
// something is asked for that may be in it, and nothing is unpacked.
//
//   request.has_folder("images");             // images/ or images.zip
//   request.list("images").images;            // "images/joy/1.jpg", ... of either
//
// An archive whose images are all in a folder of its own name (images.zip has images/joy/1.jpg) is that folder.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "datasets/image_container.h"
#include "datasets/tree.h"

namespace vise::datasets {

class ArchiveImages;

class DataFolder final : public ImageContainer {
 public:
  DataFolder(Path root, Path cache);
  ~DataFolder() override;

  // Whether there is an archive right in the folder whose name no folder beside it has.
  bool has_archives() const { return !archives_.empty(); }
  // Whether anything was looked for in one.
  bool has_opened_archives() const;
  bool has_folder(const std::string& below) const;
  // As list_images(root, below).
  ImageTree list(const std::string& below) const;

  bool has(const std::string& id) const override;
  std::vector<std::byte> read(const std::string& id) const override;
  FileIdentity identity(const std::string& id) const override;
  std::uint64_t place(const std::string& id) const override;
  bool has_random_access() const override;

 private:
  bool is_file(const std::string& id) const;
  const ArchiveImages& opened(const std::string& stem) const;
  std::string archive_for(const std::string& id) const;
  // Null where no archive has it.
  const ArchiveImages* holder(const std::string& id) const;
  const ArchiveImages& known_holder(const std::string& id) const;

  Path root_, cache_;
  std::map<std::string, Path> archives_;  // by the folder that each stands for
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::unique_ptr<const ArchiveImages>> opened_;
};

// A DataFolder where `root` has archives, else null: images are files.
std::shared_ptr<const DataFolder> container_of(const Path& root, const Path& cache);

// Those of a tree's other files that are archives, with their folder before; warns of nothing.
std::vector<Path> archives_among(const Path& root, const std::vector<std::string>& others);

}  // namespace vise::datasets

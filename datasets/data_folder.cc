#include "datasets/data_folder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "datasets/archives/archive_images.h"
#include "datasets/archives/archive_names.h"
#include "datasets/data_files.h"

namespace vise::datasets {
namespace {

bool is_folder(const Path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

std::string first_folder(const std::string& id) { return id.substr(0, id.find('/')); }

}  // namespace

DataFolder::DataFolder(Path root, Path cache) : root_(std::move(root)), cache_(std::move(cache)) {
  if (!is_folder(root_)) return;
  for (const Path& file : files_ending_in(root_, kArchiveEndings))
    if (const std::string stem = archive_stem(file); !stem.empty() && !is_folder(root_ / stem))
      // Where an archive is unpacked beside itself, the folder is read.
      archives_.emplace(stem, file);  // of a.zip and a.tar the first by name
}

DataFolder::~DataFolder() = default;

const ArchiveImages& DataFolder::opened(const std::string& stem) const {
  // Held while the archive is looked through: threads that ask for it meanwhile wait instead of doing the same.
  const std::lock_guard lock(mutex_);
  // Opened when first asked for: looking through a large archive takes long, and a data set may not need it.
  std::unique_ptr<const ArchiveImages>& images = opened_[stem];
  if (!images) {
    PlacedArchive placed;
    placed.index = archive_index(archives_.at(stem), cache_);
    placed.prefix = stem + '/';
    placed.inside = own_folder(placed.index, stem);
    images = std::make_unique<const ArchiveImages>(std::vector{std::move(placed)}, archives_.at(stem).string());
  }
  return *images;
}

bool DataFolder::is_file(const std::string& id) const {
  std::error_code ignored;
  return std::filesystem::is_regular_file(root_ / Path(id), ignored);
}

bool DataFolder::has_opened_archives() const {
  const std::lock_guard lock(mutex_);
  return !opened_.empty();
}

// Which archive is the id's first folder: "images/1.jpg" and "images.zip/1.jpg" are in images.zip. "" for none.
std::string DataFolder::archive_for(const std::string& id) const {
  const std::string folder = first_folder(id);
  if (archives_.contains(folder)) return folder;
  const auto named = std::find_if(archives_.begin(), archives_.end(),
                                  [&](const auto& archive) { return archive.second.filename() == folder; });
  return named == archives_.end() ? std::string() : named->first;
}

// An id in no folder may be in any archive; for one in a folder that isn't there no archive is looked through, which
// may be large and somebody else's.
const ArchiveImages* DataFolder::holder(const std::string& id) const {
  if (const std::string stem = archive_for(id); !stem.empty()) {
    const ArchiveImages& images = opened(stem);
    return images.has(id) ? &images : nullptr;
  }
  if (id.find('/') != std::string::npos) return nullptr;
  for (const auto& [stem, file] : archives_)
    if (const ArchiveImages& images = opened(stem); images.has(id)) return &images;
  return nullptr;
}

const ArchiveImages& DataFolder::known_holder(const std::string& id) const {
  if (const ArchiveImages* const images = holder(id)) return *images;
  throw Error(ErrorKind::missing,
              fmt::format("cannot read {}: it is neither a file nor in an archive", (root_ / Path(id)).string()));
}

bool DataFolder::has_folder(const std::string& below) const {
  return is_folder(root_ / below) || archives_.contains(first_folder(below));
}

ImageTree DataFolder::list(const std::string& below) const {
  ImageTree tree;
  if (is_folder(root_ / below)) tree = list_images(root_, below);
  // All archives, where the whole folder is asked for and nobody has unpacked them.
  const bool whole = below.empty() && tree.images.empty();
  for (const auto& [stem, file] : archives_) {
    if (!whole && (below.empty() || stem != first_folder(below))) continue;
    for (std::string& id : opened(stem).ids())
      if (whole || id.starts_with(below + '/')) tree.images.push_back(std::move(id));
    // The archive was listed among the files that are no images; its images are in the list now.
    std::erase(tree.others, file.filename().string());
  }
  std::sort(tree.images.begin(), tree.images.end());
  return tree;
}

// A file wins over a member of the same name in all of these: it is what a person sees in the folder.
bool DataFolder::has(const std::string& id) const { return is_file(id) || holder(id); }

std::vector<std::byte> DataFolder::read(const std::string& id) const {
  return is_file(id) ? read_file(root_ / Path(id)) : known_holder(id).read(id);
}

FileIdentity DataFolder::identity(const std::string& id) const {
  return is_file(id) ? FileIdentity::of(root_ / Path(id)) : known_holder(id).identity(id);
}

std::uint64_t DataFolder::place(const std::string& id) const { return is_file(id) ? 0 : known_holder(id).place(id); }

// Only what is open counts: an archive that nobody asked for has no image of this data set.
bool DataFolder::has_random_access() const {
  const std::lock_guard lock(mutex_);
  return std::all_of(opened_.begin(), opened_.end(), [](const auto& one) { return one.second->has_random_access(); });
}

std::shared_ptr<const DataFolder> container_of(const Path& root, const Path& cache) {
  auto folder = std::make_shared<const DataFolder>(root, cache);
  return folder->has_archives() ? folder : nullptr;
}

std::vector<Path> archives_among(const Path& root, const std::vector<std::string>& others) {
  std::vector<Path> archives;
  for (const std::string& name : others)
    if (is_archive_name(name)) archives.push_back(root / name);
  return archives;
}

}  // namespace vise::datasets

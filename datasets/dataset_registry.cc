#include "datasets/dataset_registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "datasets/data_folder.h"

namespace vise::datasets {
namespace {

bool is_folder(const Path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

// The first root that has the data set in one of its usual folders, or is itself such a folder.
std::optional<Path> find_folder(const DatasetInfo& info, const std::vector<Path>& roots) {
  for (const Path& root : roots) {
    for (const std::string& folder : info.folders)
      if (is_folder(root / folder)) return root / folder;
    const Path plain = root.has_filename() ? root : root.parent_path();  // "D/" is D
    const bool itself = std::find(info.folders.begin(), info.folders.end(), plain.filename()) != info.folders.end();
    if (itself && is_folder(plain)) return plain;
  }
  return std::nullopt;
}

[[noreturn]] void throw_not_found(const DatasetInfo& info, const std::vector<Path>& roots) {
  std::vector<std::string> places;
  for (const Path& root : roots) places.push_back(root.string());
  const std::string where = places.empty() ? "no data root was given" : "looked below " + join(places, ", ");
  throw Error(
      ErrorKind::missing, fmt::format("data set '{}' ({}) was not found: {}", info.name, info.title, where),
      fmt::format("get it from {} (licence: {}), then put it under a data root as\n{}\nother names of its folder: {}",
                  info.page, info.licence, info.tree, join(info.folders, ", ")));
}

}  // namespace

// With `images` an archive beside the folders counts for a folder that isn't there (data_folder.h).
bool DatasetRequest::has_folder(const std::string& below) const {
  return images ? images->has_folder(below) : is_folder(root / below);
}

ImageTree DatasetRequest::list(const std::string& below) const {
  return images ? images->list(below) : list_images(root, below);
}

std::shared_ptr<const ImageContainer> DatasetRequest::container() const {
  return images && images->has_archives() ? images : nullptr;
}

DatasetRegistry& DatasetRegistry::instance() {
  static DatasetRegistry registry;
  return registry;
}

// Of two of one name the later counts; that a user's has the name of a built-in one is refused by cli/program.cc.
void DatasetRegistry::add(DatasetInfo info, DatasetReader reader) {
  std::string name = info.name;
  entries_.insert_or_assign(std::move(name), Entry{std::move(info), std::move(reader)});
}

std::vector<std::string> DatasetRegistry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

const DatasetInfo& DatasetRegistry::info(const std::string& name) const { return entry(name).info; }

const DatasetRegistry::Entry& DatasetRegistry::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end())
    throw Error(ErrorKind::usage, fmt::format("there is no data set '{}'", name), suggest(name, names()));
  return found->second;
}

Dataset DatasetRegistry::open(const std::string& name, const std::vector<Path>& roots, const Path& cache,
                              Log& log) const {
  const auto& [info, reader] = entry(name);
  Path root;
  // A set without folders needs none: it makes its images itself.
  if (!info.folders.empty()) {
    const auto found = find_folder(info, roots);
    if (!found) throw_not_found(info, roots);
    root = *found;
  }
  try {
    const auto images = root.empty() ? nullptr : std::make_shared<const DataFolder>(root, cache);
    Dataset dataset = reader({root, cache, log, images});
    // No archive was needed, so images are read as plain files from now on.
    if (images && !images->has_opened_archives() && dataset.container == images) dataset.container = nullptr;
    dataset.check();
    return dataset;
  } catch (const Error& error) {
    // A reader that says how to cure the fault is believed; the others get the tree as their hint.
    if (error.kind() != ErrorKind::missing || !error.hint().empty()) throw;
    throw Error(ErrorKind::missing, error.message(), fmt::format("the expected tree is\n{}", info.tree));
  }
}

}  // namespace vise::datasets

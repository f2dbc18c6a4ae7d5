#include "datasets/manifest_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"
#include "datasets/tree.h"

namespace vise::datasets {
namespace {

constexpr const char* kSlashes = "write '/' between folders, not '\\'";

bool is_file(const Path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

// Folders of the root, "" first, then those that are called as images usually are, then others up to a bound: a set
// with a folder for each person has thousands.
std::vector<std::string> folders_of(const Path& root) {
  constexpr std::size_t kMost = 100;
  std::vector<std::string> folders{"", "images/", "imgs/", "img/", "image/"};
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(root, ignored)) {
    if (folders.size() == kMost) break;
    if (entry.is_directory(ignored)) folders.push_back(entry.path().filename().string() + '/');
  }
  return folders;
}

// The id with and without its first folders, which may be those in which the table is.
std::vector<std::string> tails_of(const std::string& id) {
  std::vector<std::string> tails{id};
  for (auto slash = id.find('/'); slash != std::string::npos; slash = id.find('/', slash + 1))
    tails.push_back(id.substr(slash + 1));
  return tails;
}

// The path, relative to the root, under which an image is there.
std::optional<std::string> place_of(const Path& root, const std::string& id) {
  constexpr std::array kEndings{"", ".jpg", ".jpeg", ".png", ".JPG", ".webp", ".bmp", ".tif", ".gif"};
  const bool has_ending = has_image_extension(id);
  for (const std::string& folder : folders_of(root))
    for (const std::string& tail : tails_of(id))
      for (const char* const ending : kEndings) {
        // An id with an ending is looked for with this one alone.
        if (has_ending && *ending != 0) break;
        std::string path = folder + tail + ending;
        if (!tail.empty() && is_file(root / path)) return path;
      }
  return std::nullopt;
}

// How to spell the path, from where the first image was found.
std::string hint_for(const Path& root, const std::string& id) {
  if (id.find('\\') != std::string::npos) return kSlashes;
  const auto place = place_of(root, id);
  if (!place) return "paths are relative to the table's folder";
  if (place->ends_with('/' + id))
    return fmt::format("it is in {}/: write {}", place->substr(0, place->size() - id.size() - 1), *place);
  return fmt::format("{} is there: write that", *place);
}

}  // namespace

void check_images(const Dataset& dataset, const Path& table) {
  // A wrong root makes every path wrong, so a few are enough to tell; single missing images
  // are reported when they are read.
  constexpr std::size_t kLookedFor = 5;
  if (dataset.size() == 0) throw Error(ErrorKind::input, fmt::format("{}: has no rows", table.string()));
  bool any = false;
  for (std::size_t i = 0; i < std::min(kLookedFor, dataset.size()) && !any; ++i) any = dataset.has_image(i);
  if (!any)
    throw Error(
        ErrorKind::missing,
        fmt::format("{}: none of its first images is there, for example {}", table.string(), dataset.path(0).string()),
        hint_for(dataset.root, dataset.ids[0]));
  // Written on Windows: '\\' is a letter of a file's name here, so each such row is looked at.
  for (std::size_t i = 0; i < dataset.size(); ++i)
    if (dataset.ids[i].find('\\') != std::string::npos && !dataset.has_image(i))
      throw Error(ErrorKind::input, fmt::format("{}: the path '{}' has a backslash", table.string(), dataset.ids[i]),
                  kSlashes);
}

}  // namespace vise::datasets

#include "datasets/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace vise::datasets {
namespace {

// Targets and attributes are found alike: a name that isn't there is an error that suggests those that are.
template <typename Map>
const auto& entry_named(const Map& map, const std::string& name, const std::string& message) {
  const auto found = map.find(name);
  if (found != map.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [key, value] : map) names.push_back(key);
  throw Error(ErrorKind::usage, message, names.empty() ? "it has none" : suggest(name, names));
}

}  // namespace

const Targets& Dataset::target(const std::string& target_name) const {
  return entry_named(targets, target_name, fmt::format("data set '{}' has no target '{}'", name, target_name));
}

const std::vector<std::string>& Dataset::attribute(const std::string& attribute_name) const {
  return entry_named(attributes, attribute_name,
                     fmt::format("data set '{}' has no attribute '{}'", name, attribute_name));
}

std::optional<std::pair<std::size_t, std::size_t>> equal_ids(std::span<const std::string> ids) {
  std::vector<std::pair<std::uint64_t, std::size_t>> hashes;  // a set of a million strings would take 100 MB
  hashes.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) hashes.emplace_back(checksum64(as_byte_view(ids[i])), i);
  std::sort(hashes.begin(), hashes.end());
  for (std::size_t first = 0; first < hashes.size();) {
    std::size_t end = first + 1;
    while (end < hashes.size() && hashes[end].first == hashes[first].first) ++end;
    // Equal hashes are compared in full: the hash only brings candidates together.
    for (std::size_t a = first; a < end; ++a)
      for (std::size_t b = a + 1; b < end; ++b)
        if (ids[hashes[a].second] == ids[hashes[b].second]) return std::pair(hashes[a].second, hashes[b].second);
    first = end;
  }
  return std::nullopt;
}

// Images in archives and tables are read by their container, all others are files below the root.
std::vector<std::byte> Dataset::read(std::size_t item) const {
  return container ? container->read(ids[item]) : read_file(path(item));
}

FileIdentity Dataset::identity(std::size_t item) const {
  return container ? container->identity(ids[item]) : FileIdentity::of(path(item));
}

bool Dataset::has_image(std::size_t item) const {
  std::error_code ignored;
  return container ? container->has(ids[item]) : std::filesystem::exists(path(item), ignored);
}

// Files on disk stay as they are; members of an archive are read from its beginning to its end.
void Dataset::sort_for_reading(std::vector<std::uint32_t>& items) const {
  if (!container) return;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> places;
  places.reserve(items.size());
  for (const std::uint32_t item : items) places.emplace_back(container->place(ids[item]), item);
  // Stable, so that items of one place stay in the data set's order on every machine.
  std::stable_sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = places[i].second;
}

// Every reader's last step, also of those that users write: each column must have a row for each image.
void Dataset::check() const {
  if (const auto equal = equal_ids(ids))
    throw Error(ErrorKind::input, fmt::format("data set '{}': items {} and {} are both '{}'", name, equal->first + 1,
                                              equal->second + 1, ids[equal->first]));
  const auto check_rows = [&](const std::string& what, std::size_t rows) {
    if (rows != size())
      throw Error(ErrorKind::input,
                  fmt::format("data set '{}': {} has {} rows for {} images", name, what, rows, size()));
  };
  for (const auto& [key, column] : targets) check_rows(fmt::format("target '{}'", key), column.size());
  for (const auto& [key, column] : attributes) check_rows(fmt::format("attribute '{}'", key), column.size());
  if (official) check_rows("its split", official->size());
}

}  // namespace vise::datasets

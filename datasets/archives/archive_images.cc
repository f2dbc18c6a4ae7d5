#include "datasets/archives/archive_images.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace vise::datasets {

std::strong_ordering ArchiveImages::Name::operator<=>(const Name& other) const {
  Name a = *this, b = other;
  while (true) {
    // Compares prefix + rest of both without joining them: millions of ids are sorted,
    // and each join would allocate.
    if (a.prefix.empty()) a = {a.rest, {}};
    if (b.prefix.empty()) b = {b.rest, {}};
    const std::size_t both = std::min(a.prefix.size(), b.prefix.size());
    if (both == 0) return a.prefix.size() <=> b.prefix.size();
    if (const int c = a.prefix.substr(0, both).compare(b.prefix.substr(0, both)); c != 0) return c <=> 0;
    a.prefix.remove_prefix(both);
    b.prefix.remove_prefix(both);
  }
}

ArchiveImages::Name ArchiveImages::name_of(const Item& item) const {
  const PlacedArchive& archive = archives_[item.archive];
  return {archive.prefix, std::string_view(member(item).name).substr(archive.inside.size())};
}

ArchiveImages::ArchiveImages(std::vector<PlacedArchive> archives, std::string name)
    : archives_(std::move(archives)), name_(std::move(name)) {
  std::size_t count = 0;
  for (const PlacedArchive& archive : archives_) count += archive.index.images.size();
  items_.reserve(count);
  for (std::uint32_t a = 0; a < archives_.size(); ++a) {
    for (std::uint32_t m = 0; m < archives_[a].index.images.size(); ++m) items_.push_back({a, m});
    readers_.push_back(std::make_unique<ArchiveReader>(archives_[a].index));
  }
  std::sort(items_.begin(), items_.end(), [&](const Item& x, const Item& y) { return name_of(x) < name_of(y); });
  for (std::size_t i = 1; i < items_.size(); ++i)
    if (std::is_eq(name_of(items_[i]) <=> name_of(items_[i - 1])))
      throw Error(ErrorKind::input,
                  fmt::format("{}: '{}' is in {} and in {}", name_, name_of(items_[i]).str(),
                              archives_[items_[i - 1].archive].index.identity.path,
                              archives_[items_[i].archive].index.identity.path),
                  "rename an archive, so that the names of both differ by more than their numbers");
}

ArchiveImages::~ArchiveImages() = default;

std::vector<std::string> ArchiveImages::ids() const {
  std::vector<std::string> ids;
  ids.reserve(items_.size());
  for (const Item& item : items_) ids.push_back(name_of(item).str());
  return ids;
}

std::optional<ArchiveImages::Item> ArchiveImages::find(const std::string& id) const {
  const Name wanted{id, {}};
  const auto at = std::lower_bound(items_.begin(), items_.end(), wanted,
                                   [&](const Item& item, const Name& of) { return name_of(item) < of; });
  if (at != items_.end() && std::is_eq(name_of(*at) <=> wanted)) return *at;
  // Tables name an image in several ways; an id of the set comes first, so that it can
  // never mean another image.
  if (auto item = find_by_archive(id)) return item;
  return find_inside(id);
}

// "train.tar/0001.png".
std::optional<ArchiveImages::Item> ArchiveImages::find_by_archive(std::string_view id) const {
  for (std::uint32_t a = 0; a < archives_.size(); ++a) {
    const std::string& path = archives_[a].index.identity.path;
    const std::string_view file = std::string_view(path).substr(path.rfind('/') + 1);
    if (!id.starts_with(file) || id.size() <= file.size() || id[file.size()] != '/') continue;
    if (auto item = find_inside(id.substr(file.size() + 1)); item && item->archive == a) return item;
  }
  return std::nullopt;
}

// A member's own name; nothing where two archives have it.
std::optional<ArchiveImages::Item> ArchiveImages::find_inside(std::string_view name) const {
  std::optional<Item> found;
  for (std::uint32_t a = 0; a < archives_.size(); ++a) {
    const std::vector<ArchiveMember>& images = archives_[a].index.images;
    const auto at = std::lower_bound(images.begin(), images.end(), name,
                                     [](const ArchiveMember& member, const auto& of) { return member.name < of; });
    if (at == images.end() || at->name != name) continue;
    if (found) return std::nullopt;
    found = Item{a, static_cast<std::uint32_t>(at - images.begin())};
  }
  return found;
}

ArchiveImages::Item ArchiveImages::found(const std::string& id) const {
  if (const auto item = find(id)) return *item;
  throw Error(ErrorKind::missing, fmt::format("{}: has no image '{}'", name_, id));
}

// Closes the archive that was opened first when there are too many. Items are read archive by archive (place()), so it
// is the one least likely to be asked for again.
void ArchiveImages::keep_open(std::uint32_t archive) const {
  constexpr std::size_t kMostOpen = 64;
  const std::lock_guard lock(open_mutex_);
  if (std::find(open_.rbegin(), open_.rend(), archive) != open_.rend()) return;
  open_.push_back(archive);
  if (open_.size() <= kMostOpen) return;
  // Sets of thousands of shards would exceed the limit of open files, which is 1,024 on most systems.
  readers_[open_.front()]->close();
  open_.pop_front();
}

std::vector<std::byte> ArchiveImages::read(const std::string& id) const {
  const Item item = found(id);
  keep_open(item.archive);
  return readers_[item.archive]->read(member(item));
}

FileIdentity ArchiveImages::identity(const std::string& id) const {
  const Item item = found(id);
  const ArchiveMember& image = member(item);
  // A zip's CRC and the place tell an image apart from another that takes its name when
  // the archive is written anew.
  return archives_[item.archive].index.identity.piece(image.name, image.size,
                                                      fmt::format("{}/{:08x}", image.offset, image.crc));
}

std::uint64_t ArchiveImages::place(const std::string& id) const {
  constexpr unsigned kOffsetBits = 44;  // 16 TB
  const Item item = found(id);
  // Sorting by this number reads one archive after the other, each from its beginning to its end.
  return std::uint64_t{item.archive} << kOffsetBits | (member(item).offset & ((std::uint64_t{1} << kOffsetBits) - 1));
}

bool ArchiveImages::has_random_access() const {
  return std::none_of(archives_.begin(), archives_.end(), [](const auto& a) { return a.index.is_packed_tar(); });
}

}  // namespace vise::datasets

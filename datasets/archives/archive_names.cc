#include "datasets/archives/archive_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace vise::datasets {

std::string shard_word(const Path& archive) {
  std::string stem = archive_stem(archive);
  const auto strip = [&](std::string_view letters) {
    const auto last = stem.find_last_not_of(letters);
    const bool any = last == std::string::npos ? !stem.empty() : last + 1 < stem.size();
    stem.resize(last == std::string::npos ? 0 : last + 1);
    return any;
  };
  // The number goes first, then what joins it to the word: "train-000" is "train".
  constexpr std::string_view kDigits = "0123456789", kJoints = "-_. ";
  if (!strip(kDigits)) return stem;
  strip(kJoints);
  if (!stem.ends_with("of")) return stem;  // 00000-of-00004
  // Only between two numbers is "of" a counter's: "proof-3" is "proof".
  const std::string before = stem;
  stem.resize(stem.size() - 2);
  if (!strip(kJoints) || !strip(kDigits)) return before;
  strip(kJoints);
  return stem;
}

std::string own_folder(const ArchiveIndex& index, std::string_view name) {
  const std::string folder = std::string(name) + '/';
  const bool all = !folder.starts_with('/') && !index.images.empty() &&
                   std::all_of(index.images.begin(), index.images.end(),
                               [&](const ArchiveMember& image) { return image.name.starts_with(folder); });
  return all ? folder : std::string();
}

void tell_leftovers(const ArchiveIndex& index, const Path& archive, Log& log) {
  if (index.links > 0)
    log.warn(fmt::format("{}: {} links are not followed, for example {}", archive.string(), index.links, index.link));
  if (index.others > 0)
    log.info(fmt::format("{}: left out {} other file{}, such as {}", archive.string(), index.others,
                         index.others == 1 ? "" : "s", index.other));
}

}  // namespace vise::datasets

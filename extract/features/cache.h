// The cache as a whole: what features it holds, whether they are sound, what can go, and how the caches of several
// machines become one (`vise-eval cache ls|verify|gc|merge`).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "extract/features/store.h"

namespace vise::features {

// One folder of <cache>/features.
struct CachedFeatures {
  FeatureKey key;
  Path folder;
  std::size_t rows = 0, unreadable = 0;
  std::uint64_t disk_bytes = 0;
  std::filesystem::file_time_type last_used;

  std::string words() const;  // "resnet50, weights 0676ba61, layer4/avg": for people
};

// Every folder that names its key in features.json, the latest used first; others are reported to `log`. Folders that
// another version wrote are left out with a warning.
std::vector<CachedFeatures> list_cache(const Path& cache, Log& log);

// Blocks whose checksum doesn't hold, in this folder. With `repair` they are dropped for good (their rows will be
// computed again when needed).
std::size_t check_cached(const Path& cache, const CachedFeatures& cached, bool repair, const Context& context);

// Removes a folder under its writer's lock, so that a run that is writing is waited for.
void remove_cached(const Path& cache, const CachedFeatures& cached, const Context& context);

struct MergeCounts {
  std::size_t added = 0, known = 0;
};

// Adds to `into` what `from` has and it lacks, and what is known of the images' paths: every block is checked first.
// Error{input} naming the folder if one is damaged, with nothing of that folder added; of a shard (shard.h) the damaged
// blocks are then dropped, and its record is marked, so that the command that made it computes them again. A shard that
// isn't done is Error{missing}.
//
// `move`: what was added is removed from `from`, once it is safe; a shard's record stays and says that it was merged.
MergeCounts merge_cache(const Path& from, const Path& into, bool move, const Context& context);

}  // namespace vise::features

#include "extract/features/cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "extract/features/path_cache.h"
#include "extract/features/shard.h"

namespace vise::features {
namespace {

// Bytes of the files; a sparse or compressed file system may hold fewer.
std::uint64_t size_on_disk(const Path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

// One folder as `cache ls` shows it. Throws for what isn't ours or was edited; list_cache() warns and goes on.
CachedFeatures look_into(const Path& cache, const Path& folder, Log& log) {
  const Json facts = read_json(folder / "features.json");
  CachedFeatures cached;
  cached.key.parts = facts.at("key");
  cached.key.dim = facts.at("dim").get<std::size_t>();
  cached.folder = folder;
  // A folder's name is the hash of its key's parts, so a renamed folder or an edited
  // features.json is found here.
  if (cached.key.str() != folder.filename())
    throw Error(ErrorKind::input, fmt::format("{}: its features.json has another key", folder.string()),
                "it was renamed or edited: remove it");
  // The journal is read, not features.json's count: an interrupted run has rows that its
  // features.json doesn't count.
  const FeatureStore store(cache, cached.key, log);
  for (const auto& [content, stored] : store.items()) ++(stored.row ? cached.rows : cached.unreadable);
  cached.disk_bytes = size_on_disk(folder);
  // Access times can't be used: many systems mount with noatime or relatime. The store
  // touches its lock's mtime instead.
  cached.last_used = std::filesystem::last_write_time(folder / "lock");
  return cached;
}

// A part of a key that is text; empty where the key has none of that name.
std::string text_of(const Json& parts, const char* name) {
  const auto found = parts.find(name);
  return found == parts.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

// Copies what is missing, block by block through a writer of the target: its lock, checksums and journal are as in
// any run.
void merge_folder(const Path& from, const CachedFeatures& cached, const Path& into, bool checked,
                  const Context& context, MergeCounts& counts) {
  context.throw_if_stopped();
  FeatureStore source(from, cached.key, context.log);
  if (!checked && source.count_damaged() > 0)
    throw Error(ErrorKind::input, fmt::format("{}: some of its blocks are damaged", cached.folder.string()),
                "vise-eval cache verify --repair --cache " + from.string());
  const FeatureMap rows = cached.rows > 0 ? source.map() : FeatureMap{};
  FeatureStore target(into, cached.key, context.log);
  FeatureWriter writer(target, context);
  // `stored.row` is the row's place in the source; the writer gives it one of its own.
  for (const auto& [content, stored] : source.items()) {
    // Rows are addressed by content, so one that both caches have is the same row. Its
    // values are not compared.
    if (target.has(content)) {
      ++counts.known;
      continue;
    }
    if (stored.row)
      writer.add(content, stored.bytes, rows.values.subspan(*stored.row * cached.key.dim, cached.key.dim));
    else
      writer.add_unreadable(content, stored.bytes, stored.reason);
    ++counts.added;
  }
  // Last, so that the facts of a source that was merged in part are never taken for those of a whole.
  writer.finish(read_json(cached.folder / "features.json"));
}

// Whether a shard still has everything that it said it had, to the last bit. What isn't is dropped.
void check_shard(const Path& from, const std::vector<CachedFeatures>& all, ShardRecord& shard, const Context& context) {
  std::size_t damaged = 0, kept = 0, promised = 0;
  for (const auto& [key, rows] : shard.rows) promised += rows;
  for (const CachedFeatures& cached : all) {
    damaged += check_cached(from, cached, true, context);
    kept += FeatureStore(from, cached.key, context.log).size();
  }
  if (damaged == 0 && kept >= promised) return;
  shard.state = ShardState::damaged;
  write_shard_record(from, shard);
  throw Error(ErrorKind::input,
              fmt::format("{}: shard {} is not what was written: {} damaged block(s), {} of its {} rows are left",
                          from.string(), shard.shard.str(), damaged, std::min(kept, promised), promised),
              "run the command that makes it again: only the rows that are gone are computed");
}

}  // namespace

std::string CachedFeatures::words() const {
  if (const std::string floor = text_of(key.parts, "floor"); !floor.empty()) return floor;
  const std::string weights = text_of(key.parts, "weights");
  // A SHA-256 in hex; random networks have words in this place.
  const bool is_hash = weights.size() == 64;
  std::string words = fmt::format("{}, {}, {}/{}, {}", text_of(key.parts, "architecture"),
                                  is_hash ? "weights " + weights.substr(0, 8) : weights, text_of(key.parts, "layer"),
                                  text_of(key.parts, "pool"), text_of(key.parts, "engine"));
  for (const char* unusual : {"views", "storage"})
    if (const std::string text = text_of(key.parts, unusual); !text.empty()) words += ", " + text;
  return words;
}

std::vector<CachedFeatures> list_cache(const Path& cache, Log& log) {
  std::vector<CachedFeatures> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(cache / "features", error)) {
    if (!entry.is_directory()) continue;
    try {
      all.push_back(look_into(cache, entry.path(), log));
    } catch (const std::exception& e) {
      log.warn(fmt::format("{}: left out: {}", entry.path().string(), e.what()));
    }
  }
  std::sort(all.begin(), all.end(),
            [](const CachedFeatures& a, const CachedFeatures& b) { return a.last_used > b.last_used; });
  return all;
}

std::size_t check_cached(const Path& cache, const CachedFeatures& cached, bool repair, const Context& context) {
  FeatureStore store(cache, cached.key, context.log);
  const std::size_t damaged = store.count_damaged();
  if (repair && damaged > 0) FeatureWriter(store, context).flush();  // opening for writing drops them
  return damaged;
}

void remove_cached(const Path& cache, const CachedFeatures& cached, const Context& context) {
  FeatureStore store(cache, cached.key, context.log);
  // Waits for a writer in another process, which would otherwise keep writing to a folder that has no name any more.
  const FeatureWriter holds_the_lock(store, context);
  std::filesystem::remove_all(cached.folder);
}

MergeCounts merge_cache(const Path& from, const Path& into, bool move, const Context& context) {
  std::optional<ShardRecord> shard = read_shard_record(from);
  if (shard && shard->state != ShardState::done && shard->state != ShardState::merged)
    throw Error(ErrorKind::missing, fmt::format("{}: shard {} is not done", from.string(), shard->shard.str()),
                "run the command that makes it again: it goes on where it stopped");
  std::error_code error;
  if (!std::filesystem::is_directory(from / "features", error)) {
    if (shard) return {};  // merged before, or it had nothing to do
    throw Error(ErrorKind::missing, fmt::format("{}: is no cache (it has no folder 'features')", from.string()),
                "name the folder given to --cache where the features were made");
  }
  const std::vector<CachedFeatures> all = list_cache(from, context.log);
  // A shard comes from another machine, perhaps over a copy that was cut short: it is
  // checked before its first row is taken.
  const bool is_to_check = shard && shard->state == ShardState::done;
  if (is_to_check) check_shard(from, all, *shard, context);
  MergeCounts counts;
  for (const CachedFeatures& cached : all) merge_folder(from, cached, into, is_to_check, context, counts);
  // Paths are taken after the rows: a path whose content has no row yet only costs one read.
  PathCache paths(into / "paths" / "images");
  paths.take_from(from / "paths" / "images");
  paths.save();
  if (!move) return counts;
  // The record says "merged" before the rows are removed, so that a kill in between doesn't
  // make an empty shard look damaged.
  if (shard) {
    shard->state = ShardState::merged;
    write_shard_record(from, *shard);
  }
  for (const char* folder : {"features", "paths"}) std::filesystem::remove_all(from / folder);
  return counts;
}

}  // namespace vise::features

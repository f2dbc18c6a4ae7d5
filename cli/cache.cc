// `vise-eval cache`: what features are kept, whether they are sound, and how caches are joined and emptied.
#include "extract/features/cache.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/session.h"

namespace vise::cli {
namespace {

// Of all verbs of the group; each reads its own.
struct CacheOptions {
  bool repair = false, dry_run = false, move = false;
  double older_than_days = 90;
  std::vector<std::string> from;
};

// Days and parts of days; a clock that was set back gives a negative number, which counts as just used.
double days_since(std::filesystem::file_time_type moment) {
  using Days = std::chrono::duration<double, std::ratio<86400>>;
  return std::chrono::duration_cast<Days>(std::filesystem::file_time_type::clock::now() - moment).count();
}

// One object a line, so that a long list can be read as it comes.
Json to_json(const features::CachedFeatures& cached) {
  return {{"folder", cached.folder.string()}, {"rows", cached.rows},
          {"unreadable", cached.unreadable},  {"dim", cached.key.dim},
          {"bytes", cached.disk_bytes},       {"unused_days", days_since(cached.last_used)},
          {"key", cached.key.parts}};
}

// Eight digits of the folder's name are enough to tell keys apart, and leave room for words.
std::string line_of(const features::CachedFeatures& cached) {
  return fmt::format("{}  {:>8} rows of {:>4}  {:>9.1f} MB  used {:>4.0f} d ago  {}",
                     cached.folder.filename().string().substr(0, 8), cached.rows, cached.key.dim,
                     static_cast<double>(cached.disk_bytes) / 1e6, days_since(cached.last_used), cached.words());
}

void print(const features::CachedFeatures& cached, const Session& session) {
  if (session.json)
    fmt::print("{}\n", to_json(cached).dump());
  else
    fmt::print("{}\n", line_of(cached));
}

void ls_verb(Session& session) {
  const Path cache = session.places.cache_dir();
  const std::vector<features::CachedFeatures> all = features::list_cache(cache, session.console);
  for (const features::CachedFeatures& cached : all) print(cached, session);
  // On stderr: stdout holds one line a folder and nothing else.
  session.console.info(fmt::format("{} folder(s) in {}", all.size(), cache.string()));
}

void verify_verb(const CacheOptions& options, Session& session) {
  const Path cache = session.places.cache_dir();
  const Context context = session.context();
  for (const features::CachedFeatures& cached : features::list_cache(cache, session.console)) {
    // Each block's bytes are hashed again, so this takes as long as reading the whole cache.
    const std::size_t damaged = features::check_cached(cache, cached, options.repair, context);
    fmt::print("{}  {}: {}\n", cached.folder.filename().string().substr(0, 8), cached.words(),
               damaged == 0     ? "sound"
               : options.repair ? fmt::format("{} damaged block(s) dropped", damaged)
                                : fmt::format("{} DAMAGED block(s); --repair drops them", damaged));
    // 5 says that something doesn't verify, as `verify` has it.
    if (damaged > 0 && !options.repair) session.exit_code = 5;
  }
}

void gc_verb(const CacheOptions& options, Session& session) {
  const Path cache = session.places.cache_dir();
  const Context context = session.context();
  std::uint64_t bytes = 0;
  std::size_t folders = 0;
  for (const features::CachedFeatures& cached : features::list_cache(cache, session.console)) {
    // The store marks its folder whenever its rows are read (FeatureStore::mark_used).
    if (days_since(cached.last_used) < options.older_than_days) continue;
    print(cached, session);
    bytes += cached.disk_bytes;
    ++folders;
    if (!options.dry_run) features::remove_cached(cache, cached, context);
  }
  session.console.info(fmt::format("{} {} folder(s) unused for {} days, {:.1f} MB",
                                   options.dry_run ? "would remove" : "removed", folders, options.older_than_days,
                                   static_cast<double>(bytes) / 1e6));
}

// Of several, every sound one is merged before a bad one is reported.
void merge_verb(const CacheOptions& options, Session& session) {
  const Path cache = session.places.cache_dir();
  const Context context = session.context();
  std::optional<Error> first_error;
  for (const std::string& from : options.from) {
    try {
      const features::MergeCounts counts = features::merge_cache(from, cache, options.move, context);
      fmt::print("{}: {} rows added, {} known already\n", from, counts.added, counts.known);
    } catch (const Error& e) {
      // A cache that is missing or damaged leaves the others good. Any other error (a full disk) would meet them all.
      if (e.kind() != ErrorKind::input && e.kind() != ErrorKind::missing) throw;
      if (!first_error)
        first_error = e;
      else
        session.console.warn(e.message());
    }
  }
  if (first_error) throw *first_error;
}

}  // namespace

void add_cache(Verbs& verbs) {
  auto options = std::make_shared<CacheOptions>();
  Session& session = verbs.session;
  Verbs inner = verbs.add_group("cache", "list, check, empty and merge kept features",
                                "  vise-eval cache list\n  vise-eval cache merge shard1/ shard2/ --cache all/");
  CLI::App* ls = inner.add("list", "kept features, the latest used first",
                           "  vise-eval cache list\n  vise-eval cache list --json", [&session] { ls_verb(session); });
  ls->alias("ls");
  CLI::App* verify = inner.add("verify", "compare every block with its checksum; exit code 5 if one is damaged",
                               "  vise-eval cache verify\n  vise-eval cache verify --repair",
                               [options, &session] { verify_verb(*options, session); });
  verify->add_flag("--repair", options->repair, "drop damaged blocks: their rows are computed again when needed");
  CLI::App* gc = inner.add("gc", "remove features that no run has used for long",
                           "  vise-eval cache gc --dry-run\n  vise-eval cache gc --older-than 30",
                           [options, &session] { gc_verb(*options, session); });
  gc->add_option("--older-than", options->older_than_days, "days without use [90]")
      ->type_name("DAYS")
      ->check(CLI::NonNegativeNumber);
  gc->add_flag("--dry-run", options->dry_run, "only say what would go");
  CLI::App* merge = inner.add("merge", "add other caches' features to this one, every block checked",
                              "  vise-eval cache merge shard1/ shard2/ --cache all/\n"
                              "  vise-eval cache merge /mnt/laptop/vise-eval",
                              [options, &session] { merge_verb(*options, session); });
  merge->add_option("from", options->from, "folders given to --cache elsewhere, or to extract --into")
      ->type_name("DIR")
      ->required();
  merge->add_flag("--move", options->move, "remove from there what is safe here; a shard's record stays");
  for (CLI::App* verb : {ls, verify, gc, merge})
    verb->add_option("--cache", session.places.cache, "the cache [$VISE_CACHE or ~/.cache/vise-eval]")
        ->type_name("DIR");
  for (CLI::App* verb : {ls, gc}) inner.add_json_option(verb);
}

}  // namespace vise::cli

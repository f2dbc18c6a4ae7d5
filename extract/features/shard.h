// One of N parts of an extraction: which items are its own, and what it says about itself to those who wait for it.
//
//   const Shard shard = Shard::parse("3/64");
//   extract_missing(subset(dataset, shard.items(dataset.size())), requests, {.cache = all, .into = folder}, context);
//
// A shard's folder is a cache of its own with one file more, shard.json (format: docs/formats/jobs.md). `cache merge`
// joins the folders; nothing but this file and the stores themselves says how far a shard is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace vise::features {

// A value: 1 <= number <= of.
struct Shard {
  std::size_t number = 1, of = 1;

  // "3/64". Error{usage} for anything else.
  static Shard parse(std::string_view text);
  std::string str() const;

  // Which of `count` items are this shard's, in order: every of-th block of 256 neighbours, as the store keeps them.
  // Where a shard would have fewer than 64 such blocks, one more would weigh too much: the pieces are then smaller.
  std::vector<std::uint32_t> items(std::size_t count) const;
};

enum class ShardState {
  running,  // or was, when it was stopped
  done,
  damaged,  // the merge found blocks that weren't what was written, and dropped them
  merged    // its rows are in the cache it was merged into
};

std::string_view shard_state_name(ShardState state);

struct ShardRecord {
  Shard shard;
  ShardState state = ShardState::running;
  std::string plan = {};          // SHA-256 of the study file it works for; empty without one
  std::size_t to_compute = 0;     // rows that the cache lacked at the start, of all keys; more than will be kept where
                                  // pictures are there twice, or where they must be read to know them
  std::size_t kept_at_start = 0;  // rows of an earlier start
  std::int64_t started = 0, ended = 0;           // seconds since 1970; 0: not yet
  std::map<std::string, std::size_t> rows = {};  // by key: what the stores hold; filled when done
};

// Nothing where the folder has no such file. Error{input} for one that isn't ours.
std::optional<ShardRecord> read_shard_record(const Path& folder);
void write_shard_record(const Path& folder, const ShardRecord& record);

// Rows (and images without one) in every store below a shard's folder, by key, as far as whole blocks say so: one read
// of each journal.
std::map<std::string, std::size_t> count_kept(const Path& folder);

}  // namespace vise::features

#include "extract/features/shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "extract/features/store.h"

namespace vise::features {
namespace {

// Pieces a shard at least, where there are images enough.
constexpr std::size_t kPiecesToDeal = 64;
constexpr std::array<std::string_view, 4> kStates{"running", "done", "damaged", "merged"};

Path record_path(const Path& folder) { return folder / "shard.json"; }

}  // namespace

std::string_view shard_state_name(ShardState state) { return kStates[static_cast<std::size_t>(state)]; }

Shard Shard::parse(std::string_view text) {
  const std::vector<std::string> parts = split(text, '/');
  std::int64_t number = 0, count = 0;
  if (parts.size() != 2 || !parse_int(parts[0], number) || !parse_int(parts[1], count) || number < 1 || number > count)
    throw Error(ErrorKind::usage, fmt::format("--shard: '{}' is not I/N with 1 <= I <= N", text));
  return {static_cast<std::size_t>(number), static_cast<std::size_t>(count)};
}

std::string Shard::str() const { return fmt::format("{}/{}", number, of); }

std::vector<std::uint32_t> Shard::items(std::size_t count) const {
  // Dealt like cards, in runs of neighbours: data sets are ordered by class or source, and images of one
  // source are of a size. About 64 runs a shard, none longer than a block of the store.
  const std::size_t unit = std::clamp<std::size_t>(count / (kPiecesToDeal * of), 1, FeatureWriter::kBlockRows);
  std::vector<std::uint32_t> mine;
  mine.reserve(count / of + unit);
  for (std::size_t begin = (number - 1) * unit; begin < count; begin += of * unit)
    for (std::size_t item = begin; item < std::min(begin + unit, count); ++item)
      mine.push_back(static_cast<std::uint32_t>(item));
  return mine;
}

std::optional<ShardRecord> read_shard_record(const Path& folder) {
  std::error_code error;
  if (!std::filesystem::exists(record_path(folder), error)) return std::nullopt;
  const Json facts = read_json(record_path(folder), 16 << 20);
  try {
    if (facts.at("schema") != "vise-eval/shard" || facts.at("version") != 1)
      throw Error(ErrorKind::input, fmt::format("{}: was written by another version", record_path(folder).string()));
    const auto state = std::ranges::find(kStates, facts.at("state").get<std::string>());
    if (state == kStates.end())
      throw Error(ErrorKind::input, fmt::format("{}: has an unknown state", record_path(folder).string()));
    ShardRecord record{Shard::parse(facts.at("shard").get<std::string>()),
                       static_cast<ShardState>(state - kStates.begin()), facts.at("plan").get<std::string>()};
    facts.at("to_compute").get_to(record.to_compute);
    facts.at("kept_at_start").get_to(record.kept_at_start);
    facts.at("started").get_to(record.started);
    facts.at("ended").get_to(record.ended);
    facts.at("rows").get_to(record.rows);
    return record;
  } catch (const Json::exception& e) {
    throw Error(ErrorKind::input, fmt::format("{}: {}", record_path(folder).string(), e.what()),
                "remove it: its shard is then computed as far as it isn't kept");
  }
}

// Atomic: `status` and the merge read it at any moment.
void write_shard_record(const Path& folder, const ShardRecord& record) {
  const Json facts = {{"schema", "vise-eval/shard"},
                      {"version", 1},
                      {"shard", record.shard.str()},
                      {"state", shard_state_name(record.state)},
                      {"plan", record.plan},
                      {"to_compute", record.to_compute},
                      {"kept_at_start", record.kept_at_start},
                      {"started", record.started},
                      {"ended", record.ended},
                      {"rows", record.rows}};
  write_file_atomically(record_path(folder), facts.dump(2) + "\n");
}

// From journals alone.
std::map<std::string, std::size_t> count_kept(const Path& folder) {
  std::map<std::string, std::size_t> kept;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "features", error)) {
    const Path manifest = entry.path() / "manifest.csv";
    if (!std::filesystem::exists(manifest, error)) continue;
    const std::string text = read_text_file(manifest);
    std::size_t& rows = kept[entry.path().filename().string()];
    for (const JournalBlock& block : parse_journal(text, manifest.string()).blocks) {
      const auto begin = text.begin() + static_cast<std::ptrdiff_t>(block.begin);
      // The block's lines less its trailer. The journal is enough: counting must not read gigabytes of rows.
      rows += static_cast<std::size_t>(std::count(begin, begin + static_cast<std::ptrdiff_t>(block.bytes), '\n')) - 1;
    }
  }
  return kept;
}

}  // namespace vise::features

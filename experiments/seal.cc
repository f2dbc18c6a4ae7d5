#include "experiments/seal.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/version.h"

namespace vise::experiments {
namespace {

constexpr const char *kSeal = "seal.json", *kPage = "report.html", *kSchema = "vise-eval/seal";
// What a run writes; any other file is its owner's.
const std::vector<std::string> kFolders{"scores", "splits", "skipped", "clean"};
const std::vector<std::string> kFiles{"results.jsonl", "plan.yaml", "published.yaml"};

std::string hash_of(const Path& file) { return sha256_hex(MappedFile(file).bytes()); }

// Paths below the folder of everything that is sealed, sorted.
std::vector<std::string> sealed_files(const Path& folder, const Json& tables) {
  std::vector<std::string> files;
  std::error_code error;
  std::vector<std::string> names = kFiles;
  if (tables.is_object())
    for (const Json& name : tables.value("files", Json::array()))
      if (name.is_string() && name != kPage) names.push_back(name.get<std::string>());
  for (const std::string& name : names)
    if (std::filesystem::is_regular_file(folder / name, error)) files.push_back(name);
  for (const std::string& name : kFolders)
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / name, error))
      if (entry.is_regular_file(error)) files.push_back(entry.path().lexically_relative(folder).generic_string());
  std::ranges::sort(files);
  return files;
}

// One number for the whole folder: a hash over the files' hashes, in canonical JSON, so that it
// can be quoted beside a table and computed again by anybody.
std::string digest_of(const Seal& seal) {
  return sha256_hex(canonical_json(Json{{"version", seal.version}, {"tables", seal.tables}, {"files", seal.files}}));
}

// Pretty-printed with sorted keys: the same seal has the same bytes, which seal_differences() relies on.
std::string text_of(const Seal& seal) {
  const Json json{{"schema", kSchema},     {"schema_version", 1}, {"digest", seal.digest}, {"version", seal.version},
                  {"tables", seal.tables}, {"files", seal.files}, {"pages", seal.pages}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Adds a sentence for each file that changed, went or came.
void compare(const std::map<std::string, std::string>& sealed, const std::map<std::string, std::string>& now,
             std::vector<std::string>& differences) {
  for (const auto& [name, hash] : sealed) {
    const auto found = now.find(name);
    if (found == now.end())
      differences.push_back(fmt::format("{} was sealed and is gone", name));
    else if (found->second != hash)
      differences.push_back(fmt::format("{} isn't what was sealed: SHA-256 {}... instead of {}...", name,
                                        found->second.substr(0, 8), hash.substr(0, 8)));
  }
  for (const auto& [name, hash] : now)
    if (!sealed.contains(name)) differences.push_back(fmt::format("{} came after the seal", name));
}

// Hashes of what shows the digest.
std::map<std::string, std::string> pages_of(const Path& folder) {
  std::map<std::string, std::string> pages;
  std::error_code error;
  if (std::filesystem::is_regular_file(folder / kPage, error)) pages[kPage] = hash_of(folder / kPage);
  return pages;
}

}  // namespace

Seal seal_of(const Path& folder, Json tables) {
  Seal seal{kVersion, std::move(tables), {}, {}, {}};
  for (const std::string& name : sealed_files(folder, seal.tables)) seal.files[name] = hash_of(folder / name);
  seal.digest = digest_of(seal);
  return seal;
}

void write_seal(const Path& folder, Seal seal) {
  // The page shows the digest, so it can't be part of what the digest is of; it is hashed beside it.
  seal.pages = pages_of(folder);
  write_file_atomically(folder / kSeal, text_of(seal));
}

// Every member is asked for: a seal without one is damaged, not an older form.
std::optional<Seal> read_seal(const Path& folder) {
  std::error_code error;
  const Path file = folder / kSeal;
  if (!std::filesystem::exists(file, error)) return std::nullopt;
  const Json json = parse_json(read_text_file(file), file.string());
  try {
    if (json.at("schema") != kSchema || json.at("schema_version") != 1)
      throw Error(ErrorKind::input, fmt::format("{}: is no seal that this program knows", file.string()));
    return Seal{json.at("version").get<std::string>(), json.at("tables"),
                json.at("files").get<std::map<std::string, std::string>>(),
                json.at("pages").get<std::map<std::string, std::string>>(), json.at("digest").get<std::string>()};
  } catch (const Json::exception& e) {
    throw Error(ErrorKind::input, fmt::format("{}: is no seal that this program knows", file.string()), e.what());
  }
}

void break_seal(const Path& folder) {
  std::error_code ignored;
  // A run that is resumed changes what was sealed. The seal goes first, so that a killed run
  // leaves none rather than a wrong one.
  std::filesystem::remove(folder / kSeal, ignored);
}

std::vector<std::string> seal_differences(const Path& folder) {
  std::vector<std::string> differences;
  // A seal that can't be read is a difference, not an error: whoever asks wants to know the state of the folder.
  std::optional<Seal> sealed;
  try {
    sealed = read_seal(folder);
  } catch (const Error& e) {
    return {e.message()};
  }
  if (!sealed) return differences;
  Seal now = seal_of(folder, sealed->tables);
  compare(sealed->files, now.files, differences);
  compare(sealed->pages, pages_of(folder), differences);
  // Its own text holds nothing that doesn't follow from the rest.
  if (sealed->digest != digest_of(*sealed) || read_text_file(folder / kSeal) != text_of(*sealed))
    differences.push_back("seal.json was edited: its digest isn't that of what it says");
  return differences;
}

void warn_of_changes(const Path& folder, Log& log) {
  const std::vector<std::string> differences = seal_differences(folder);
  if (differences.empty()) return;
  log.warn(fmt::format("{}: not as it was sealed: {}{}; `vise-eval verify` says more", folder.string(),
                       differences.front(),
                       differences.size() > 1 ? fmt::format(" (and {} more)", differences.size() - 1) : ""));
}

}  // namespace vise::experiments

// Where a backbone's weights are stored, and what is known of them once they are found.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "extract/features/backbone.h"
#include "extract/features/fetch.h"
#include "extract/networks/checkpoint/folder.h"
#include "extract/networks/checkpoint/hub_config.h"
#include "extract/networks/checkpoint/read_hub_config.h"
#include "extract/networks/inspect.h"

namespace vise::features {
namespace {

// The hub's cache has a folder a model: models--ORG--NAME.
constexpr std::string_view kHubFolder = "models--";

bool is_hub_folder(std::string_view name) { return name.starts_with(kHubFolder); }

// "models--openai--clip-vit-base-patch16" -> "openai/clip-vit-base-patch16"
std::string hub_name(std::string_view folder) {
  const std::string_view name = folder.substr(kHubFolder.size());
  const auto dashes = name.find("--");
  if (dashes == std::string_view::npos) return std::string(name);
  return fmt::format("{}/{}", name.substr(0, dashes), name.substr(dashes + 2));
}

// Folders before hubs, and within a folder the preferred name before others.
std::optional<Path> look_for(const Backbone& backbone, const WeightsSearch& search) {
  std::error_code error;
  for (const Path& folder : search.folders)
    for (const std::string& file : backbone.files) {
      const bool there = is_hub_folder(file) ? networks::is_model_folder(folder / file)
                                             : std::filesystem::is_regular_file(folder / file, error);
      if (there) return folder / file;
    }
  for (const Path& hub : search.hubs)
    for (const std::string& file : backbone.files)
      if (is_hub_folder(file) && networks::is_model_folder(hub / file)) return hub / file;
  return std::nullopt;
}

// How to have the hub's client fetch it, and where it will be found then.
std::string hub_cure(const Backbone& backbone, const WeightsSearch& search) {
  std::string text;
  for (const std::string& file : backbone.files)
    if (is_hub_folder(file))
      text += fmt::format("\n  or have the hub's client fetch it: huggingface-cli download {}", hub_name(file));
  if (text.empty()) return text;
  for (const Path& hub : search.hubs) text += "\n    into " + hub.string();
  return text;
}

// What to do about weights that aren't there.
std::string cure(const Backbone& backbone, const WeightsSearch& search) {
  if (backbone.files.empty())
    return fmt::format("there is no official file: name yours, --backbone {}=FILE[,keys=MAP]", backbone.name);
  std::string text = fmt::format("put {} ({}licence: {}) into one of", join(backbone.files, " or "),
                                 backbone.urls.empty() ? "no download known; " : "", backbone.licence);
  for (const Path& folder : search.folders) text += "\n    " + folder.string();
  text += fmt::format("\n  or name the folder that has it: --weights-dir DIR\n  or the file: --backbone {}=FILE",
                      backbone.name);
  text += hub_cure(backbone, search);
  if (backbone.urls.empty()) return text;
  text += "\n  or a mirror that your network reaches: VISE_MIRROR=http://HOST";
  for (const std::string& url : backbone.urls) text += "\n  published at " + url;
  return text;
}

// Error{missing} with a line for every link that failed; Error{system} where the folder can't be written.
Path fetch_missing(const Backbone& backbone, const WeightsSearch& search, const Context& context) {
  try {
    return fetch_weights(backbone, search, context);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::missing)
      throw Error(ErrorKind::missing,
                  fmt::format("no weights for {} ({}), and fetching them failed:{}", backbone.name, backbone.title,
                              e.message()),
                  cure(backbone, search));
    if (e.kind() == ErrorKind::system)
      throw Error(ErrorKind::system, fmt::format("weights for {}: {}", backbone.name, e.message()),
                  "TORCH_HOME=DIR has them fetched into DIR/hub/checkpoints; or " + cure(backbone, search));
    throw;
  }
}

// The one place that decides where weights are: --backbone's own file, a folder that has it, a link, or nowhere.
WeightsStatus locate(const Backbone& backbone, const WeightsSearch& search) {
  std::error_code error;
  if (!backbone.file.empty() && std::filesystem::exists(backbone.file, error)) return {.file = backbone.file};
  if (!backbone.file.empty())
    return {.problem = fmt::format("--backbone {}: {}: there is no such file", backbone.name, backbone.file.string())};
  if (const auto path = look_for(backbone, search)) return {.file = *path};
  // Not fetched here: `weights list` and plans ask the same question and must not download.
  if (!search.offline && !backbone.urls.empty() && !search.into.empty()) return {.fetched_from = backbone.urls.front()};
  return {.problem = fmt::format("no weights for {} ({}){}", backbone.name, backbone.title,
                                 search.offline ? ", and fetching is off (--offline)" : ""),
          .hint = cure(backbone, search)};
}

std::string file_sha256(const Path& file, PathCache& known) {
  // Hashing a file of gigabytes takes seconds, so the hash is remembered for as long as the
  // file's size, times and inode stay the same.
  const FileIdentity identity = FileIdentity::of(file);
  if (const std::string* hash = known.find(identity)) return *hash;
  const MappedFile map(file);
  std::string hash = sha256_hex(map.bytes());
  known.put(identity, hash);
  known.save();
  return hash;
}

// Of each of the folder's files once, so that a warm run reads none.
void identify_folder(FoundWeights& found, PathCache& known) {
  const networks::ModelFolder folder = networks::find_model_folder(found.file);
  const auto hash_of = [&](const Path& file) { return file_sha256(file, known); };
  for (const std::string& name : folder.weights) found.hashes.push_back(hash_of(folder.root / name));
  found.anchor = folder.root / folder.weights.front();
  found.sha256 = networks::model_folder_sha256(folder, hash_of);
}

// Said now and in the table's foot.
void note(FoundWeights& found, const Context& context, std::string text) {
  context.log.warn(text);
  found.notes.push_back(std::move(text));
}

void check_published_hash(const Backbone& backbone, FoundWeights& found, const Context& context) {
  const std::string name = found.file.filename().string();
  // A warning only: the file's own hash enters the key, so its rows are never taken for the published file's.
  if (!found.sha256.starts_with(backbone.sha256))
    note(found, context,
         fmt::format("{}: {} is not the published file: SHA-256 {}... instead of {}...", backbone.name, name,
                     found.sha256.substr(0, 8), backbone.sha256.substr(0, 8)));
  const networks::NameHash promised = networks::hash_in_name(found.file, found.sha256);
  if (!promised.digits.empty() && !promised.agrees)
    note(found, context,
         fmt::format("{}: {} does not hold what its name says: the name promises SHA-256 {}..., the file has {}...",
                     backbone.name, name, promised.digits, found.sha256.substr(0, 8)));
}

// A folder of several files has no published hash of its own.
const Backbone* row_of(const FoundWeights& found) {
  return found.hashes.size() == 1 ? backbone_of_sha256(found.hashes.front()) : nullptr;
}

}  // namespace

WeightsStatus weights_status(const Backbone& backbone, const WeightsSearch& search) {
  return backbone.kind == BackboneKind::weights ? locate(backbone, search) : WeightsStatus{};
}

FoundWeights find_weights(const Backbone& backbone, const WeightsSearch& search, PathCache& known,
                          const Context& context) {
  FoundWeights found;
  const WeightsStatus status = locate(backbone, search);
  if (!status.problem.empty()) throw Error(ErrorKind::missing, status.problem, status.hint);
  found.file = status.file.empty() ? fetch_missing(backbone, search, context) : status.file;
  if (std::error_code error; std::filesystem::is_directory(found.file, error)) {
    identify_folder(found, known);
    return found;
  }
  found.anchor = found.file;
  found.sha256 = file_sha256(found.file, known);
  found.hashes = {found.sha256};
  check_published_hash(backbone, found, context);
  return found;
}

void learn_from_weights(Backbone& backbone, const FoundWeights& found) {
  // The order of the voices is their precedence: what the user says, then the config beside the file,
  // then the row whose published hash the file has, and last the row whose name was used.
  std::vector<networks::Fact> voices, row_of_name;
  for (const networks::Fact& fact : backbone.facts) (fact.source == kUserSource ? voices : row_of_name).push_back(fact);
  const bool user_said_transform = backbone.transform_source == kUserSource;
  bool transform_is_known = user_said_transform;
  if (const std::optional<networks::HubConfig> config = networks::config_beside(found.file)) {
    voices.insert(voices.end(), config->facts.begin(), config->facts.end());
    if (!transform_is_known && !config->transform.empty()) {
      backbone.transform = config->transform;
      backbone.transform_source = config->transform_source;
      transform_is_known = true;
    }
    for (const std::string& text : config->notes) backbone.notes.push_back(backbone.name + ": " + text);
  }
  // The bytes are known even though the name isn't: a renamed copy of a published file
  // gets that row's transform and layer.
  if (const Backbone* const row = row_of(found); row && row->name != backbone.name) {
    const std::string source = fmt::format("the published SHA-256 of {}", row->name);
    for (const networks::Fact& fact : row->facts) voices.push_back({fact.name, fact.value, source});
    if (!transform_is_known) {
      backbone.transform = row->transform;
      backbone.transform_source = source;
    }
    if (backbone.architecture.empty()) backbone.architecture = row->architecture;
    if (backbone.layer == "default") backbone.layer = row->layer;
    if (backbone.pool == "default") backbone.pool = row->pool;
    backbone.notes.push_back(
        fmt::format("{}: has the published SHA-256 of {} ({})", backbone.name, row->name, row->title));
  }
  voices.insert(voices.end(), row_of_name.begin(), row_of_name.end());
  backbone.facts = std::move(voices);
}

}  // namespace vise::features

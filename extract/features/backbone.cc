#include "extract/features/backbone.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "extract/features/fetch.h"
#include "extract/networks/inspect.h"

namespace vise {
namespace {

const std::vector<std::string> kOptions{"arch", "transform", "branch", "drop", "skip-foreign", "keys", "seed"};

// What follows transform= and is split off by the same commas: "transform=resize=232,crop=224".
const std::vector<std::string> kTransformSettings{"resize", "squash", "filter", "crop", "mean", "std"};

bool is_one_of(const std::vector<std::string>& names, const std::string& option) {
  return std::find(names.begin(), names.end(), option.substr(0, option.find('='))) != names.end();
}

// One element an option, a transform's settings with it.
std::vector<std::string> split_options(const std::vector<std::string>& parts) {
  std::vector<std::string> options;
  for (const std::string& part : parts)
    if (!options.empty() && options.back().starts_with("transform=") && is_one_of(kTransformSettings, part))
      options.back() += "," + part;
    else
      options.push_back(part);
  return options;
}

void apply_option(Backbone& backbone, const std::string& text) {
  const auto equals = text.find('=');
  const std::string key = text.substr(0, equals), value = equals == std::string::npos ? "" : text.substr(equals + 1);
  if (equals == std::string::npos || !is_one_of(kOptions, key))
    throw Error(ErrorKind::usage, fmt::format("--backbone: unknown option '{}'", text),
                suggest(key, kOptions) + "; each NAME=FILE stands in a --backbone of its own");
  std::int64_t seed = 0;
  if (key == "arch") backbone.architecture = value;
  if (key == "transform") backbone.transform = value;
  if (key == "branch") backbone.branch = value;
  if (key == "drop") backbone.drop.push_back(value);
  if (key == "keys") backbone.key_map = Path(value);
  if (key == "skip-foreign") {
    if (value != "yes" && value != "no")
      throw Error(ErrorKind::usage, fmt::format("--backbone: 'skip-foreign={}': yes or no", value));
    backbone.skip_foreign = value == "yes";
  }
  if (key == "seed") {
    if (backbone.kind != BackboneKind::random || !parse_int(value, seed) || seed < 0)
      throw Error(ErrorKind::usage,
                  fmt::format("--backbone: 'seed={}': a whole number, for random backbones only", value));
    backbone.seed = static_cast<std::uint64_t>(seed);
  }
}

const Backbone* find_row(std::string_view name) {
  const auto& rows = registry_backbones();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Backbone& b) { return b.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

// A registry's name keeps its row's architecture and transform, so that dino=FILE is DINO's however the file is called.
// Commas inside a file's name are not supported by the syntax; an option that isn't known says so.
Backbone from_file(std::string_view name, std::string_view file) {
  if (name.empty() || file.empty())
    throw Error(ErrorKind::usage, fmt::format("--backbone: '{}={}': NAME=FILE needs both", name, file));
  Backbone backbone;
  if (const Backbone* const row = find_row(name)) {
    if (row->kind != BackboneKind::weights)
      throw Error(ErrorKind::usage, fmt::format("--backbone: '{}' is a floor without a weights file", name),
                  "give the file's row another name");
    backbone = *row;
  } else {
    backbone.title = fmt::format("weights from {}", Path(file).filename().string());
    backbone.licence = "unknown";
  }
  backbone.name = name;
  backbone.file = Path(file);
  return backbone;
}

std::optional<Path> look_for(const Backbone& backbone, const WeightsSearch& search) {
  std::error_code error;
  for (const Path& folder : search.folders)
    for (const std::string& file : backbone.files)
      if (std::filesystem::is_regular_file(folder / file, error)) return folder / file;
  return std::nullopt;
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

std::string file_sha256(const Path& file, PathCache& known) {
  const FileIdentity identity = FileIdentity::of(file);
  if (const std::string* hash = known.find(identity)) return *hash;
  const MappedFile map(file);
  std::string hash = sha256_hex(map.bytes());
  known.put(identity, hash);
  known.save();
  return hash;
}

}  // namespace

std::vector<std::string> registry_backbone_names() {
  std::vector<std::string> names;
  for (const Backbone& backbone : registry_backbones()) names.push_back(backbone.name);
  return names;
}

Backbone parse_backbone(std::string_view text) {
  const std::vector<std::string> parts = split(text, ',');
  const auto equals = parts[0].find('=');
  Backbone backbone;
  if (equals != std::string::npos) {
    backbone = from_file(std::string_view(parts[0]).substr(0, equals), std::string_view(parts[0]).substr(equals + 1));
  } else {
    const Backbone* const found = find_row(parts[0]);
    if (!found) {
      const std::vector<std::string> names = registry_backbone_names();
      throw Error(ErrorKind::usage, fmt::format("unknown backbone '{}'", parts[0]),
                  suggest(parts[0], names) + "; a file of your own is NAME=FILE");
    }
    backbone = *found;
  }
  for (const std::string& option : split_options({parts.begin() + 1, parts.end()})) apply_option(backbone, option);
  return backbone;
}

LoadRequest load_request(const Backbone& backbone) {
  LoadRequest request{backbone.architecture, backbone.branch, backbone.drop};
  for (const Fact& fact : backbone.facts) request.facts.say(fact.name, fact.value, fact.source);
  return request;
}

FoundWeights find_weights(const Backbone& backbone, const WeightsSearch& search, PathCache& known,
                          const Context& context) {
  FoundWeights found;
  if (!backbone.file.empty()) {
    found.file = backbone.file;
    std::error_code error;
    if (!std::filesystem::exists(found.file, error))
      throw Error(ErrorKind::missing,
                  fmt::format("--backbone {}: {}: there is no such file", backbone.name, found.file.string()));
  } else if (const auto path = look_for(backbone, search)) {
    found.file = *path;
  } else if (search.offline || backbone.urls.empty() || search.into.empty()) {
    throw Error(ErrorKind::missing,
                fmt::format("no weights for {} ({}){}", backbone.name, backbone.title,
                            search.offline ? ", and fetching is off (--offline)" : ""),
                cure(backbone, search));
  } else {
    found.file = fetch_missing(backbone, search, context);
  }
  found.sha256 = file_sha256(found.file, known);
  if (!found.sha256.starts_with(backbone.sha256)) {
    found.notes.push_back(fmt::format("{}: {} is not the published file: SHA-256 {}... instead of {}...", backbone.name,
                                      found.file.filename().string(), found.sha256.substr(0, 8),
                                      backbone.sha256.substr(0, 8)));
    context.log.warn(found.notes.back());
  }
  const std::string name = found.file.filename().string();
  const NameHash promised = hash_in_name(found.file, found.sha256);
  if (!promised.digits.empty() && !promised.agrees) {
    found.notes.push_back(
        fmt::format("{}: {} does not hold what its name says: the name promises SHA-256 {}..., the file has {}...",
                    backbone.name, name, promised.digits, found.sha256.substr(0, 8)));
    context.log.warn(found.notes.back());
  }
  return found;
}

}  // namespace vise

#include "extract/features/backbone.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "extract/images/transform/transform.h"

namespace vise::features {
namespace {

const std::vector<std::string> kOptions{"arch",      "transform", "act",          "eps",    "final-eps",
                                        "positions", "heads",     "dilated",      "branch", "drop",
                                        "keys",      "prototxt",  "skip-foreign", "seed",   "side"};

// Whether the part before '=' is one of the names.
bool is_one_of(const std::vector<std::string>& names, const std::string& option) {
  return std::find(names.begin(), names.end(), option.substr(0, option.find('='))) != names.end();
}

// One element an option, a transform's settings with it: "transform=resize=232,crop=224" is split off by the same
// commas.
std::vector<std::string> split_options(const std::vector<std::string>& parts) {
  std::vector<std::string> options;
  for (const std::string& part : parts)
    if (!options.empty() && options.back().starts_with("transform=") &&
        is_one_of(images::transform_setting_names(), part))
      options.back() += "," + part;
    else
      options.push_back(part);
  return options;
}

// Before what the row says.
void say_fact(Backbone& backbone, const std::string& name, const std::string& value) {
  if (backbone.kind != BackboneKind::weights)
    throw Error(ErrorKind::usage, fmt::format("--backbone: '{}={}': of networks from a file only", name, value));
  // Checks the name and the value; the result isn't needed.
  networks::Facts().say(name, value, kUserSource);
  const auto said = [&](const networks::Fact& fact) { return fact.name == name && fact.source == kUserSource; };
  if (std::ranges::any_of(backbone.facts, said))
    throw Error(ErrorKind::usage, fmt::format("--backbone: {}= is given twice", name));
  backbone.facts.insert(backbone.facts.begin(), {name, value, std::string(kUserSource)});
}

// Another input size is another row.
void set_side(Backbone& backbone, const std::string& value) {
  std::int64_t side = 0;
  if (backbone.kind == BackboneKind::image_function)
    throw Error(ErrorKind::usage, fmt::format("--backbone: '{}' is a floor without an input size", backbone.name));
  if (!parse_int(value, side) || side < 16 || side > 4096)
    throw Error(ErrorKind::usage, fmt::format("--backbone: 'side={}': pixels, 16 to 4096", value));
  backbone.side = static_cast<int>(side);
  // The name carries the size, so that the tables show the two sizes as two rows.
  backbone.name += fmt::format("@{}", side);
}

// One KEY=VALUE. Everything that needs the file itself (whether its architecture has that fact) is checked when it is
// loaded.
void apply_option(Backbone& backbone, const std::string& text) {
  const auto equals = text.find('=');
  const std::string key = text.substr(0, equals), value = equals == std::string::npos ? "" : text.substr(equals + 1);
  if (equals == std::string::npos || !is_one_of(kOptions, key))
    throw Error(ErrorKind::usage, fmt::format("--backbone: unknown option '{}'", text),
                suggest(key, kOptions) + "; each NAME=FILE stands in a --backbone of its own");
  std::int64_t seed = 0;
  if (key == "side") set_side(backbone, value);
  if (key == "arch") backbone.architecture = value;
  if (key == "transform") {
    backbone.transform = value;
    backbone.transform_source = kUserSource;
  }
  // A fact is what a checkpoint's tensors don't show and the numbers depend on, such as
  // the activation or the epsilon.
  if (is_one_of(networks::fact_names(), key)) say_fact(backbone, key, value);
  if (key == "branch") backbone.branch = value;
  if (key == "drop") backbone.drop.push_back(value);
  if (key == "keys") backbone.key_map = Path(value);
  if (key == "prototxt") backbone.prototxt = Path(value);
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

// A row of the registry, or null.
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
    // A registry's name goes before a file of the same name in the working folder: what a command
    // means must not depend on the folder that it runs in.
    const Backbone* const found = find_row(parts[0]);
    std::error_code error;
    if (!found && std::filesystem::exists(parts[0], error)) {
      Path file = Path(parts[0]).lexically_normal();
      if (!file.has_filename()) file = file.parent_path();  // "clip/"
      backbone = from_file(std::filesystem::is_directory(file, error) ? file.filename().string() : file.stem().string(),
                           parts[0]);
    } else if (!found) {
      const std::vector<std::string> names = registry_backbone_names();
      throw Error(ErrorKind::usage, fmt::format("unknown backbone '{}'", parts[0]),
                  suggest(parts[0], names) + "; a file of your own is NAME=FILE, or FILE alone where it is there");
    } else {
      backbone = *found;
    }
  }
  for (const std::string& option : split_options({parts.begin() + 1, parts.end()})) apply_option(backbone, option);
  backbone.text = text;
  return backbone;
}

// For programs: the row as it is now, options applied.
Json to_json(const Backbone& b) {
  Json facts = Json::object();
  for (const networks::Fact& fact : b.facts) facts[fact.name] = fact.value;
  return {{"name", b.name},           {"title", b.title}, {"architecture", b.architecture},
          {"transform", b.transform}, {"layer", b.layer}, {"pool", b.pool},
          {"probed", b.probed},       {"facts", facts},   {"branch", b.branch},
          {"drop", b.drop},           {"files", b.files}, {"urls", b.urls},
          {"sha256", b.sha256},       {"md5", b.md5},     {"licence", b.licence},
          {"citation", b.citation},   {"notes", b.notes}, {"unverified", b.unverified}};
}

std::vector<Backbone> with_sides(std::vector<Backbone> backbones, const std::vector<int>& sides) {
  if (sides.empty()) return backbones;
  std::vector<Backbone> all;
  for (Backbone& backbone : backbones) {
    // A floor has no input size, and a size that was given for one backbone takes precedence over the list.
    if (backbone.kind == BackboneKind::image_function || backbone.side > 0) {
      all.push_back(std::move(backbone));
      continue;
    }
    for (const int side : sides) {
      Backbone& row = all.emplace_back(backbone);
      apply_option(row, fmt::format("side={}", side));
      row.text += fmt::format(",side={}", side);
    }
  }
  return all;
}

networks::LoadRequest load_request(const Backbone& backbone) {
  networks::LoadRequest request{backbone.architecture, backbone.branch, backbone.drop};
  for (const networks::Fact& fact : backbone.facts) request.facts.say(fact.name, fact.value, fact.source);
  return request;
}

}  // namespace vise::features

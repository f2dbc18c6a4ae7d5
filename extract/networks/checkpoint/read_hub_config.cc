#include "extract/networks/checkpoint/read_hub_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/checkpoint/config_readers.h"
#include "extract/networks/checkpoint/folder.h"

namespace vise::networks {
namespace {

constexpr std::uint64_t kMaxConfig = 4'000'000;

// "0.485/0.456/0.406", as a transform's text has it.
std::string three(const std::vector<double>& values) {
  return number(values.at(0)) + "/" + number(values.at(1)) + "/" + number(values.at(2));
}

using Reader = void (*)(const ConfigObject&, HubConfig&);

// No file, no text: what it would say stays open.
void read_one(const std::string& text, const char* name, Reader reader, HubConfig& config) {
  if (text.empty()) return;
  const Json json = parse_config(text, name);
  reader(ConfigObject(json, name), config);
}

// timm's config.json has `pretrained_cfg`, transformers' `model_type`.
void read_config(const ConfigObject& json, HubConfig& config) {
  json.has("pretrained_cfg") ? read_timm_config(json, config) : read_transformers_config(json, config);
}

void read_open_clip(const ConfigTexts& texts, HubConfig& config) {
  read_one(texts.open_clip, "open_clip_config.json", read_open_clip_config, config);
}

// The texts of those of the configs that are in `root`.
ConfigTexts texts_in(const Path& root) {
  ConfigTexts texts;
  const auto read = [&](const char* name) {
    std::error_code error;
    return std::filesystem::is_regular_file(root / name, error) ? read_text_file(root / name, kMaxConfig) : "";
  };
  texts.config = read("config.json");
  texts.preprocessor = read("preprocessor_config.json");
  texts.open_clip = read("open_clip_config.json");
  return texts;
}

}  // namespace

void say_once(HubConfig& config, std::string_view name, std::string value, std::string source) {
  // The first voice counts: configs are read in the order in which they are believed.
  if (std::ranges::find(config.facts, name, &Fact::name) != config.facts.end()) return;
  config.facts.push_back({std::string(name), std::move(value), std::move(source)});
}

// Names as in transformers' ACT2FN. "gelu_python" is the exact form written out; "gelu_new",
// "gelu_pytorch_tanh" and "gelu_tanh" are the tanh approximation.
std::string activation_of(std::string_view name) {
  if (name == "gelu" || name == "gelu_python") return "exact";
  if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_tanh") return "tanh";
  if (name == "quick_gelu") return "quick";
  if (name == "silu" || name == "swish") return "silu";
  return name == "relu" ? "relu" : "";
}

std::string epsilon_text(double eps) { return number(eps); }

std::string TransformText::str() const {
  return fmt::format("{}{}filter={},crop={},{}mean={},std={}", resizing, resizing.empty() ? "" : ",", filter, crop,
                     more, three(mean), three(std));
}

// The most specific voice first: the config written by the code that wrote these weights.
HubConfig read_configs(const ConfigTexts& texts) {
  HubConfig config;
  if (texts.open_clip_first) read_open_clip(texts, config);
  read_one(texts.config, "config.json", read_config, config);
  if (config.transform.empty()) read_one(texts.preprocessor, "preprocessor_config.json", read_preprocessor, config);
  // Beside transformers' weights, for what those configs leave open alone.
  if (!texts.open_clip_first && (config.model.empty() || config.transform.empty())) read_open_clip(texts, config);
  return config;
}

std::optional<HubConfig> config_beside(const Path& path) {
  std::error_code error;
  const bool folder = std::filesystem::is_directory(path, error);
  // A file of any other name may be somebody's download folder, where a config.json beside
  // it belongs to something else.
  if (!folder && !is_model_file_name(path.filename().string())) return std::nullopt;
  const ModelFolder found = folder ? find_model_folder(path) : ModelFolder{path.parent_path(), {}, {}, {}, {}};
  ConfigTexts texts = texts_in(found.root);
  if (texts.config.empty() && texts.preprocessor.empty() && texts.open_clip.empty()) return std::nullopt;
  const std::string weights = folder ? found.weights.front() : path.filename().string();
  // Weights named so were written by open_clip, so its config describes them best.
  texts.open_clip_first = weights.starts_with("open_clip_");
  try {
    return read_configs(texts);
  } catch (const Error& e) {
    throw Error(e.kind(), fmt::format("{}: {}", found.root.string(), e.message()), e.hint());
  }
}

}  // namespace vise::networks

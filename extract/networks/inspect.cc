#include "extract/networks/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "extract/networks/checkpoint/read_checkpoint.h"
#include "extract/networks/checkpoint/read_hub_config.h"

namespace vise::networks {
namespace {

// Fewer hex digits at a name's end are mostly a version; of long lists of keys a few are shown.
constexpr std::size_t kMinDigits = 8, kShownKeys = 3;

// Whether it has a table of positions and nobody said how it is resized.
bool needs_position_rule(const Network& network) {
  return std::ranges::any_of(network.ops, [](const Op& op) {
    const auto* const tokens = op.as<Tokens>();
    return tokens && tokens->positions.exists() && !tokens->rule && !tokens->mean_token;
  });
}

// Loads the network as a run would, but with facts left open, so that all of them are listed at once.
void match(CheckpointInspection& seen, const LoadRequest& request) {
  const Checkpoint& checkpoint = seen.checkpoint;
  try {
    LoadReport report;
    LoadRequest open = request;
    open.facts.leave_open();
    const Network network = load_network(checkpoint, open, &report);
    seen.parameters_hash = parameters_hash(network);
    seen.outline = outline(network);
    if (needs_position_rule(network))
      seen.outline->facts.push_back(
          {"positions", "?",
           fmt::format("positions=scale|size|antialias, at other sizes than {} x {}", network.side, network.side)});
    seen.match = std::move(report);
  } catch (const Error& e) {
    // A misspelt option is the caller's; anything else is what inspect is there to show.
    if (e.kind() == ErrorKind::usage) throw;
    seen.mismatch = e.message();
    seen.hint = e.hint();
    const std::string start = checkpoint.path.string() + ": ";
    if (seen.mismatch.starts_with(start)) seen.mismatch.erase(0, start.size());
  }
}

// As `--json` has it; null where nobody says a transform.
Json config_json(const HubConfig& config) {
  Json facts = Json::array();
  for (const Fact& fact : config.facts)
    facts.push_back({{"name", fact.name}, {"value", fact.value}, {"source", fact.source}});
  return {{"model", config.model},
          {"facts", facts},
          {"transform", config.transform.empty() ? Json() : Json(config.transform)},
          {"transform_source", config.transform_source},
          {"notes", config.notes}};
}

std::string config_text(const HubConfig& config) {
  std::string text;
  if (!config.model.empty()) text += fmt::format("  config        {}\n", printable(config.model));
  for (const Fact& fact : config.facts)
    text += fmt::format("  config says   {}={} ({})\n", fact.name, fact.value, printable(fact.source));
  if (!config.transform.empty())
    text += fmt::format("  transform     {} ({})\n", config.transform, config.transform_source);
  for (const std::string& note : config.notes) text += fmt::format("  note          {}\n", printable(note));
  return text;
}

// Which of the folder's files were read, and which have the same weights in another form.
std::string folder_text(const ModelFolder& folder) {
  std::string text = fmt::format("  files         {}\n", printable(join(folder.files(), ", ")));
  if (!folder.passed_over.empty())
    text += fmt::format("  passed over   {}: other files of the same weights\n", join(folder.passed_over, ", "));
  return text;
}

Json number_or_text(double value) {
  // JSON has no NaN and no infinity.
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

// Two numbers for complex tensors, one for all others.
Json sum_json(const Tensor& tensor) {
  const TensorSum total = sum(tensor);
  const bool is_complex = tensor.dtype == DType::complex64 || tensor.dtype == DType::complex128;
  if (!is_complex) return number_or_text(total.real);
  return Json::array({number_or_text(total.real), number_or_text(total.imaginary)});
}

// For comparing with other tools: the SHA-256 is that of the contiguous bytes.
Json tensor_json(const NamedTensor& named) {
  const Tensor& tensor = named.tensor;
  return {{"name", named.name},    {"pointer", named.pointer}, {"dtype", dtype_name(tensor.dtype)},
          {"shape", tensor.shape}, {"sum", sum_json(tensor)},  {"sha256", content_sha256(tensor)}};
}

Json match_json(const LoadReport& match) {
  Json dropped = Json::array();
  for (const DroppedKeys& keys : match.dropped)
    dropped.push_back({{"rule", keys.rule}, {"count", keys.keys.size()}, {"keys", keys.keys}});
  return {{"architecture", match.architecture}, {"prefix", match.prefix}, {"layout", match.layout},
          {"matched", match.matched},           {"dropped", dropped},     {"absent", match.absent},
          {"passed_over", match.passed_over}};
}

// Names of strangers' tensors, made harmless for a terminal.
std::string few(const std::vector<std::string>& keys) {
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(keys.size(), kShownKeys); ++i) shown.push_back(printable(keys[i]));
  return join(shown, ", ") + (keys.size() > kShownKeys ? ", ..." : "");
}

// Each layer's name and width, what is taken where nobody says, and what the tensors don't say.
std::string layers_text(const Outline& network) {
  std::vector<std::string> shown;
  for (const std::string& name : network.layer_names()) {
    const LayerOutline& layer = network.layer(name);
    shown.push_back(fmt::format("{} ({}{})", name, layer.channels, layer.vector ? ", a vector" : ""));
  }
  std::string text = fmt::format("  layers        {}\n", join(shown, ", "));
  text += fmt::format("  default       --layer {} --pool {}\n", network.default_layer, network.default_pool);
  if (const int prefix = network.layers.front().prefix; prefix > 0)
    text += fmt::format("  tokens        {} before the grid's: {}{}\n", prefix,
                        network.has_class_token ? "the class token" : "none a class token",
                        network.has_distillation_token ? ", the distillation token"
                        : prefix > 1                   ? fmt::format(", {} registers", prefix - 1)
                                                       : "");
  for (const Fact& fact : network.facts)
    text += fact.is_open() ? fmt::format("  open          {}: nobody says it; {}\n", fact.name, fact.source)
                           : fmt::format("  not in it     {}={}, said by {}\n", fact.name, fact.value, fact.source);
  if (!network.assumed.empty()) text += fmt::format("  assumed       {}\n", network.assumed);
  return text;
}

// What was matched, dropped, absent and passed over: nothing of the file is left unmentioned.
std::string match_text(const LoadReport& match, const std::string& hash) {
  std::string text = fmt::format("  matches       {}, {} tensors below '{}', {} keys\n", match.architecture,
                                 match.matched, printable(match.prefix), match.layout);
  text += fmt::format("  parameters    {}\n", hash);
  for (const std::string& prefix : match.passed_over)
    text += fmt::format("  passed over   the network below '{}'\n", printable(prefix));
  for (const DroppedKeys& keys : match.dropped)
    text += fmt::format("  dropped       {} ({}): {}\n", keys.keys.size(), keys.rule, few(keys.keys));
  if (!match.absent.empty())
    text += fmt::format("  absent        {}, as allowed: {}\n", match.absent.size(), few(match.absent));
  return text;
}

}  // namespace

// torch.hub's and torchvision's names end in the hash's first digits.
NameHash hash_in_name(const Path& path, std::string_view sha256) {
  const std::string name = path.filename().string();
  const std::size_t dash = name.rfind('-');
  if (dash == std::string::npos) return {};
  const std::string digits = name.substr(dash + 1, name.find('.', dash) - dash - 1);
  const auto all = [&](std::string_view set) { return digits.find_first_not_of(set) == std::string::npos; };
  if (digits.size() < kMinDigits || digits.size() > 64 || !all("0123456789abcdef")) return {};
  const bool agrees = sha256.starts_with(digits);
  // torch.hub's names end in the first eight digits of the SHA-256 ("resnet50-0676ba61.pth");
  // eight decimal digits may as well be a date.
  const bool date = digits.size() == 8 && all("0123456789") && (digits.starts_with("19") || digits.starts_with("20"));
  if (date && !agrees) return {};
  return {digits, agrees};
}

CheckpointInspection inspect_checkpoint(const Path& path, const NetworkRequest& request, const KnownFacts& known) {
  CheckpointInspection seen;
  seen.checkpoint = read_checkpoint(path, request.read);
  LoadRequest load = request.load;
  if (seen.checkpoint.container == Container::folder)
    seen.folder = find_model_folder(path);
  else
    seen.name_hash = hash_in_name(path, seen.checkpoint.sha256);
  // In the order in which they are believed: the user's facts are there already, then the config's, then the
  // registry's.
  seen.config = config_beside(path);
  if (seen.config)
    for (const Fact& fact : seen.config->facts) load.facts.say(fact.name, fact.value, fact.source);
  if (known)
    for (const Fact& fact : known(seen.checkpoint)) load.facts.say(fact.name, fact.value, fact.source);
  rename_keys(seen.checkpoint, request.key_map);
  match(seen, load);
  // Its attributes are no known network; to run it as a graph must be asked for.
  if (seen.checkpoint.container == Container::torchscript && !seen.match && !request.run_torchscript)
    refuse_torchscript(seen.checkpoint, seen.mismatch);
  return seen;
}

Json to_json(const CheckpointInspection& seen, bool tensors) {
  const Checkpoint& checkpoint = seen.checkpoint;
  Json json{{"file", printable(checkpoint.path.string())},
            {"container", container_name(checkpoint.container)},
            {"bytes", checkpoint.file_size},
            {"sha256", checkpoint.sha256},
            {"tensor_count", checkpoint.tensors.size()},
            {"name_hash", nullptr},
            {"match", nullptr}};
  if (!seen.name_hash.digits.empty())
    json["name_hash"] = {{"digits", seen.name_hash.digits}, {"agrees", seen.name_hash.agrees}};
  if (seen.match) {
    json["match"] = match_json(*seen.match);
    json["match"]["parameters_sha256"] = seen.parameters_hash;
    json["match"]["network"] = to_json(*seen.outline);
  } else {
    json["mismatch"] = seen.mismatch;
  }
  if (seen.folder) json["files"] = seen.folder->files();
  if (seen.folder) json["passed_over_files"] = seen.folder->passed_over;
  if (seen.config) json["config"] = config_json(*seen.config);
  if (!checkpoint.opaque.empty()) json["opaque"] = checkpoint.opaque;
  if (tensors) {
    json["tensors"] = Json::array();
    for (const NamedTensor& named : checkpoint.tensors) json["tensors"].push_back(tensor_json(named));
  }
  return json;
}

std::string to_text(const CheckpointInspection& seen, bool tensors) {
  const Checkpoint& checkpoint = seen.checkpoint;
  std::string text = fmt::format("{}\n  container     {}, {}, {} tensors\n  sha256        {}\n",
                                 checkpoint.path.string(), container_name(checkpoint.container),
                                 bytes_text(checkpoint.file_size), checkpoint.tensors.size(), checkpoint.sha256);
  if (!seen.name_hash.digits.empty())
    text += fmt::format("  name's hash   {} {}\n", seen.name_hash.digits,
                        seen.name_hash.agrees ? "agrees" : "DISAGREES: the file is not the one its name says");
  if (seen.folder) text += folder_text(*seen.folder);
  if (seen.config) text += config_text(*seen.config);
  text += seen.match ? match_text(*seen.match, seen.parameters_hash) + layers_text(*seen.outline)
                     : fmt::format("  matches       nothing known: {}\n", printable(seen.mismatch));
  if (!seen.hint.empty()) text += fmt::format("  hint          {}\n", printable(seen.hint));
  if (!checkpoint.opaque.empty()) text += fmt::format("  not built     {}\n", join(checkpoint.opaque, ", "));
  if (tensors)
    for (const NamedTensor& named : checkpoint.tensors)
      text += fmt::format("  {:<48} {:<10} {:<16} sum {} sha256 {}\n", printable(named.name),
                          dtype_name(named.tensor.dtype), shape_text(named.tensor.shape), sum_json(named.tensor).dump(),
                          content_sha256(named.tensor));
  return text;
}

}  // namespace vise::networks

// `vise-eval backbone inspect|fetch|show`.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "cli/lines.h"
#include "cli/session.h"
#include "extract/features/backbone.h"
#include "extract/features/fetch.h"
#include "extract/networks/inspect.h"
#include "extract/networks/inspect_graph.h"

namespace vise::cli {
namespace {

// What `inspect` is asked for, as the options give it.
struct InspectOptions {
  std::vector<std::string> files, drop;
  std::string architecture, branch, keys, prototxt;
  std::map<std::string, std::string> facts{};  // what its tensors don't say
  bool tensors = false, skip_foreign = false;
};

// An option that says what a checkpoint's tensors don't say, under the name that a NAME=FILE has for it too.
struct FactOption {
  std::string_view name, what, value;
};
constexpr FactOption kFactOptions[] = {
    {"act", "what its tensors don't say: exact, tanh or quick GELU", "ACT"},
    {"eps", "its norms' epsilon", "E"},
    {"final-eps", "its last norm's epsilon", "E"},
    {"positions", "how its positions are resized: scale, size or antialias", "RULE"},
    {"heads", "how many heads its attention has", "N"},
    {"dilated", "the output stride of a ResNet whose last stages are dilated: 8 or 16", "S"}};

// The registry's row that has a file's SHA-256.
const features::Backbone* known_row(const networks::Checkpoint& checkpoint) {
  return checkpoint.hashes.size() == 1 ? features::backbone_of_sha256(checkpoint.hashes.front()) : nullptr;
}

// What the registry knows of these very bytes, so that `inspect` shows what a run would take.
std::vector<networks::Fact> known_facts(const networks::Checkpoint& checkpoint) {
  std::vector<networks::Fact> facts;
  if (const features::Backbone* const row = known_row(checkpoint)) facts = row->facts;
  // Here the row's facts hold because the bytes are the row's, not because of a name.
  for (networks::Fact& fact : facts) fact.source = "the published SHA-256";
  return facts;
}

// Of networks whose transform nobody says; a ResNet is given ImageNet's.
bool transform_is_open(const networks::CheckpointInspection& seen, const features::Backbone* row) {
  const bool said = row || (seen.config && !seen.config->transform.empty());
  return !said && seen.outline && seen.outline->family != "resnet" && !seen.outline->graph;
}

constexpr const char* kOpenTransform =
    "  open          transform: nobody says it; transform=T, or the name of the registry's row it is\n";

// Of a graph (ONNX, Caffe), whose transform is never known: nothing in the file says it.
std::string report(const networks::GraphInspection& seen, bool as_json) {
  if (!as_json) return networks::to_text(seen) + kOpenTransform + "\n";
  Json json = networks::to_json(seen);
  json["transform_is_open"] = true;
  return json_line(json);
}

// Of a checkpoint, with what the registry knows of its bytes.
std::string report(const networks::CheckpointInspection& seen, bool tensors, bool as_json) {
  const features::Backbone* const row = known_row(seen.checkpoint);
  const bool open = transform_is_open(seen, row);
  if (!as_json)
    return networks::to_text(seen, tensors) + (open ? kOpenTransform : "") +
           (row ? fmt::format("  known as      {}: {}\n", row->name, row->title) : "") + "\n";
  Json json = networks::to_json(seen, tensors);
  if (row) json["known_as"] = row->name;
  if (open) json["transform_is_open"] = true;
  return json_line(json);
}

// One line of JSON, or some of text; a file that can't be read is a line too.
std::string describe(const std::string& file, const InspectOptions& options, const networks::NetworkRequest& request,
                     Session& session) {
  try {
    // Graphs come first: their files hold no tensors by name, which the reader of checkpoints would refuse.
    if (const std::optional<networks::GraphInspection> graph = networks::inspect_graph(file, request))
      return report(*graph, session.json);
    const networks::CheckpointInspection seen = networks::inspect_checkpoint(file, request, known_facts);
    // A TorchScript graph that fits no family can be run all the same (arch=torchscript).
    if (!seen.match && seen.checkpoint.container != networks::Container::torchscript)
      session.exit_code = std::max(session.exit_code, exit_code_of(ErrorKind::input));
    return report(seen, options.tensors, session.json);
  } catch (const Error& e) {
    // A wrong option is wrong for every file; a bad file is reported in its place, and
    // the next ones are still inspected.
    if (e.kind() == ErrorKind::usage) throw;
    session.exit_code = std::max(session.exit_code, exit_code_of(e.kind()));
    if (session.json) return json_line({{"file", file}, {"error", e.message()}, {"hint", e.hint()}});
    return fmt::format("{}\n  error         {}\n{}\n", file, e.message(),
                       e.hint().empty() ? "" : fmt::format("  hint          {}\n", e.hint()));
  }
}

void inspect_verb(const InspectOptions& options, Session& session) {
  networks::NetworkRequest request{{options.architecture, options.branch, options.drop},
                                   {.skip_foreign = options.skip_foreign},
                                   networks::read_key_map(options.keys),
                                   true,
                                   options.prototxt};
  for (const auto& [name, value] : options.facts)
    // Only what was said: an empty value would win over what the file or the registry knows.
    if (!value.empty()) request.load.facts.say(name, value, features::kUserSource);
  for (const std::string& file : options.files) fmt::print("{}", describe(file, options, request, session));
}

// For a registry's name, or NAME=FILE with its options: what a run would take.
void show_verb(const std::string& name, const Session& session) {
  const features::Backbone backbone = features::parse_backbone(name);
  if (session.json) {
    fmt::print("{}\n", features::to_json(backbone).dump());
    return;
  }
  std::vector<std::string> facts;
  for (const networks::Fact& fact : backbone.facts)
    facts.push_back(fmt::format("{}={} ({})", fact.name, fact.value, fact.source));
  fmt::print("{}: {}\n", backbone.name, backbone.title);
  const auto line = [](const char* label, const std::string& text) {
    if (!text.empty()) fmt::print("  {:<13} {}\n", label, text);
  };
  line("architecture", backbone.architecture.empty() ? "as its tensors say" : backbone.architecture);
  line("transform", backbone.transform);
  if (backbone.layer != "default") line("feature", fmt::format("--layer {} --pool {}", backbone.layer, backbone.pool));
  line("probed", backbone.probed);
  line("not in it", join(facts, ", "));
  line("files", join(backbone.files, ", "));
  line("from", join(backbone.urls, "\n                "));
  line("sha256", backbone.sha256);
  line("licence", backbone.licence);
  line("citation", backbone.citation);
  for (const std::string& note : backbone.notes) line("note", note);
  for (const std::string& what : backbone.unverified) line("unverified", what);
}

// Finds weights as a run does, downloading what is missing, and prints where they are.
void fetch_verb(const std::vector<std::string>& names, Session& session) {
  const features::WeightsSearch search = session.places.weights_search();
  features::PathCache known(session.places.cache_dir() / "paths" / "weights");
  const Context context = session.context();
  for (const std::string& name : names) {
    const features::Backbone backbone = features::parse_backbone(name);
    if (backbone.kind != features::BackboneKind::weights)
      throw Error(ErrorKind::usage, fmt::format("{}: is a floor and has no weights to fetch", name));
    const features::FoundWeights found = features::find_weights(backbone, search, known, context);
    session.console.end_progress();
    if (session.json)
      fmt::print("{}", json_line({{"name", backbone.name}, {"file", found.file.string()}, {"sha256", found.sha256}}));
    else
      fmt::print("{}  {}\n", found.sha256, found.file.string());
  }
}

}  // namespace

void add_backbone(Verbs& verbs) {
  // One value for both verbs that name backbones: CLI11 fills it for the one that was chosen.
  auto names = std::make_shared<std::vector<std::string>>();
  auto inspected = std::make_shared<InspectOptions>();
  Session& session = verbs.session;
  Verbs inner = verbs.add_group("backbone", "look into weights files, show and fetch registry backbones",
                                "  vise-eval backbone inspect run7.pth\n  vise-eval backbone show vise-250m");
  CLI::App* inspect =
      inner.add("inspect", "what a checkpoint holds: container, tensors, what matches which network",
                "  vise-eval backbone inspect run7.pth\n  vise-eval backbone inspect --json --tensors *.pth",
                [=, &session] { inspect_verb(*inspected, session); });
  inspect->add_option("file", inspected->files, "weights files, or folders with config and weights")
      ->required()
      ->type_name("FILE");
  inspect->add_flag("--tensors", inspected->tensors, "each tensor's dtype, shape, sum and SHA-256");
  inspect->add_option("--arch", inspected->architecture, "what it has to be [as its shapes say]")->type_name("ARCH");
  inspect->add_option("--branch", inspected->branch, "which of several networks: teacher, encoder_k ...")
      ->type_name("BRANCH");
  inspect->add_option("--drop", inspected->drop, "leave out keys that have this component")->type_name("KEY");
  inspect->add_option("--keys", inspected->keys, "a file of rules that rename keys")->type_name("FILE");
  inspect->add_option("--prototxt", inspected->prototxt, "what describes a Caffe network's weights")->type_name("FILE");
  for (const auto& [name, what, value] : kFactOptions)
    inspect->add_option(fmt::format("--{}", name), inspected->facts[std::string(name)], std::string(what))
        ->type_name(std::string(value));
  inspect->add_flag("--skip-foreign", inspected->skip_foreign, "pass over what isn't a tensor (argparse.Namespace)");
  inner.add_json_option(inspect);
  CLI::App* show = inner.add("show", "a registry backbone: files, transform, licence, citation",
                             "  vise-eval backbone show vise-250m\n  vise-eval backbone show swav --json",
                             [=, &session] { show_verb(names->front(), session); });
  show->add_option("name", *names, "a backbone's name")->type_name("B")->required()->expected(1);
  inner.add_json_option(show);
  CLI::App* fetch = inner.add("fetch", "download registry weights, and print their SHA-256",
                              "  vise-eval backbone fetch vise-250m imagenet-v1\n  VISE_MIRROR=http://127.0.0.1:8000 "
                              "vise-eval backbone fetch resnet18",
                              [=, &session] { fetch_verb(*names, session); });
  fetch->add_option("name", *names, "backbones' names")->type_name("B")->required();
  inner.add_place_options(fetch);
  inner.add_json_option(fetch);
}

}  // namespace vise::cli

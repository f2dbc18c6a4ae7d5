#include "extract/networks/load.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/checkpoint/read_checkpoint.h"
#include "extract/networks/family_registry.h"
#include "extract/networks/opencv/open.h"
#include "extract/networks/place.h"

namespace vise::networks {
namespace {

// A graph's weights are its own; what is asked of it is only that the file is an archive.
Network open_torchscript(const Checkpoint& checkpoint) {
  if (checkpoint.container != Container::torchscript)
    throw Error(ErrorKind::input, fmt::format("{}: is no TorchScript archive, but {}", checkpoint.path.string(),
                                              container_name(checkpoint.container)));
  Network network;
  network.family = network.architecture = kTorchScript;
  network.default_layer = "output";
  network.graph = torchscript_graph(checkpoint.path, checkpoint.sha256);
  return network;
}

// With the user's word against the file's shapes, neither is believed.
void expect_architecture(const Checkpoint& checkpoint, const std::string& found, const std::string& wanted) {
  if (!wanted.empty() && found != wanted)
    throw Error(ErrorKind::input, fmt::format("{}: holds a {}, not a {}", checkpoint.path.string(), found, wanted));
}

}  // namespace

// The family's own reason is kept: most such archives are a known network with a change.
void refuse_torchscript(const Checkpoint& checkpoint, const std::string& mismatch) {
  const std::string start = checkpoint.path.string() + ": ";
  throw Error(
      ErrorKind::input,
      fmt::format("{}is a TorchScript archive, not a state dict, and its attributes fit no known architecture: {}",
                  start, mismatch.starts_with(start) ? mismatch.substr(start.size()) : mismatch),
      "save model.state_dict(), or run the archive itself: arch=torchscript, which executes what the file says");
}

Network load_network(const Checkpoint& checkpoint, const LoadRequest& request, LoadReport* report) {
  const Family* const wanted = request.architecture.empty() ? nullptr : &family_of(request.architecture);
  const KeyIndex index(checkpoint);
  const std::vector<Place> places = find_places(index);
  const Place place = choose_place(index, places, request.branch, request.drop);
  // Before anything is read: "missing keys" of the wrong family would mislead.
  if (wanted && wanted != place.family)
    expect_architecture(checkpoint, fmt::format("network of the family {} ({} keys)", place.family->name, place.layout),
                        request.architecture);
  LoadReport found;
  std::vector<Place> others = places;
  std::erase_if(others, [&](const Place& other) { return other.prefix == place.prefix; });
  for (const Place& other : others) found.passed_over.push_back(other.prefix);
  // Keys of the networks that are passed over are not unexpected.
  KeyMatcher keys(index, place, std::move(others));
  Facts facts = request.facts;
  facts.set_subject(checkpoint.path.string());
  facts.ask_for(request.architecture);
  Network network = place.family->load(keys, place, facts);
  // Only now is it known which architecture the shapes are.
  expect_architecture(checkpoint, network.architecture, request.architecture);
  network.facts = facts.used();
  found.dropped =
      keys.finish(network.architecture, {{place.family->beside.begin(), place.family->beside.end()}, request.drop});
  found.architecture = network.architecture;
  found.prefix = place.prefix;
  found.layout = place.layout;
  found.matched = keys.matched();
  found.absent = keys.absent();
  if (report) *report = std::move(found);
  return network;
}

Network load_network(const Path& file, const NetworkRequest& request, LoadReport* report) {
  // Graphs first, then TorchScript as it was asked for, then checkpoints of any kind.
  if (std::optional<Network> graph = open_graph(file, request)) return *std::move(graph);
  if (request.load.architecture == kTorchScript) return open_torchscript(read_checkpoint(file, {.skip_foreign = true}));
  Checkpoint checkpoint = read_checkpoint(file, request.read);
  rename_keys(checkpoint, request.key_map);
  if (checkpoint.container != Container::torchscript) return load_network(checkpoint, request.load, report);
  try {
    return load_network(checkpoint, request.load, report);
  } catch (const Error& e) {
    // An archive's attributes are tried as a state dict first: a network that is known needs no code of a
    // stranger's. Only what fits no family is run as a graph, and only if that was allowed.
    if (e.kind() != ErrorKind::input || !request.load.architecture.empty()) throw;
    if (request.run_torchscript) return open_torchscript(checkpoint);
    // A network that is known but for a fact is none to be run as a graph: the message says what to say.
    if (!find_places(KeyIndex(checkpoint)).empty()) throw;
    refuse_torchscript(checkpoint, e.message());
  }
}

}  // namespace vise::networks

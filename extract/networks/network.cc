#include "extract/networks/network.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace vise {
namespace {

constexpr std::string_view kClip = "clip-rn50";
constexpr std::size_t kClipDim = 1024;

// A program's weights are its own; what is asked of it is only that the file is an archive.
TorchProgram open_program(const Checkpoint& checkpoint) {
  if (checkpoint.container != Container::torchscript)
    throw Error(ErrorKind::input, fmt::format("{}: is no TorchScript archive, but {}", checkpoint.path.string(),
                                              container_name(checkpoint.container)));
  return {checkpoint.path, checkpoint.sha256};
}

void check_known(const std::string& architecture) {
  const std::vector<std::string> known = network_architectures();
  if (std::find(known.begin(), known.end(), architecture) == known.end())
    throw Error(ErrorKind::usage, fmt::format("unknown architecture '{}'", architecture), suggest(architecture, known));
}

}  // namespace

void refuse_program(const Checkpoint& checkpoint, const std::string& mismatch) {
  const std::string start = checkpoint.path.string() + ": ";
  throw Error(
      ErrorKind::input,
      fmt::format("{}is a TorchScript archive, not a state dict, and its attributes fit no known architecture: {}",
                  start, mismatch.starts_with(start) ? mismatch.substr(start.size()) : mismatch),
      "save model.state_dict(), or run the archive itself: arch=torchscript, which executes what the file says");
}

Network load_network(const Checkpoint& checkpoint, const LoadRequest& request, LoadReport* report) {
  if (!request.architecture.empty()) check_known(request.architecture);
  const TrunkPlace place = choose_trunk(checkpoint, find_trunks(checkpoint), request.branch);
  const bool clip = request.architecture.empty() ? place.layout == KeyLayout::clip : request.architecture == kClip;
  if (clip) return load_clip_resnet(checkpoint, request, report);
  return load_resnet(checkpoint, request, report);
}

Network load_network(const Path& file, const NetworkRequest& request, LoadReport* report) {
  if (request.load.architecture == kTorchScript) return open_program(read_checkpoint(file, {.skip_foreign = true}));
  Checkpoint checkpoint = read_checkpoint(file, request.read);
  rename_keys(checkpoint, request.key_map);
  if (checkpoint.container != Container::torchscript) return load_network(checkpoint, request.load, report);
  try {
    return load_network(checkpoint, request.load, report);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::input || !request.load.architecture.empty()) throw;
    if (request.programs) return open_program(checkpoint);
    refuse_program(checkpoint, e.message());
  }
}

std::string architecture_of(const Network& network) {
  if (const auto* resnet = std::get_if<ResNet>(&network)) return resnet->architecture;
  if (const auto* clip = std::get_if<ClipResNet>(&network)) return clip->architecture;
  return std::string(kTorchScript);
}

std::string parameters_hash(const Network& network) {
  if (const auto* resnet = std::get_if<ResNet>(&network)) return resnet->parameters_hash();
  if (const auto* clip = std::get_if<ClipResNet>(&network)) return clip->parameters_hash();
  return "";
}

std::vector<std::string> network_architectures() {
  std::vector<std::string> names = resnet_architectures();
  names.emplace_back(kClip);
  names.emplace_back(kTorchScript);
  return names;
}

std::vector<std::string> layers_of(const std::string& architecture) {
  if (architecture == kTorchScript) return {"output"};
  check_known(architecture);
  std::vector<std::string> layers{"layer1", "layer2", "layer3", "layer4"};
  if (architecture == kClip) layers.emplace_back("attnpool");
  return layers;
}

std::string final_layer(const std::string& architecture) { return layers_of(architecture).back(); }

bool is_torch_only(const std::string& architecture) { return architecture == kClip || architecture == kTorchScript; }

std::size_t layer_dim(const std::string& architecture, const std::string& layer) {
  const std::vector<std::string> known = layers_of(architecture);
  const auto found = std::find(known.begin(), known.end(), layer);
  if (found == known.end())
    throw Error(ErrorKind::usage, fmt::format("{} has no layer '{}'", architecture, layer),
                fmt::format("it has {}", join(known, ", ")));
  if (architecture == kTorchScript) return 0;
  if (layer == "attnpool") return kClipDim;
  const auto stage = static_cast<int>(found - known.begin());
  return static_cast<std::size_t>(resnet_spec(architecture == kClip ? "resnet50" : architecture).out(stage));
}

}  // namespace vise

#include "extract/trunk.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/module.h"
#include "base/text.h"
#include "extract/onednn/resnet_trunk.h"
#include "extract/torch/entry.h"

namespace vise {
namespace {

const std::vector<std::string> kEngines{"onednn", "torch"}, kPrecisions{"fp32", "bf16"};

std::size_t index_of(std::string_view text, const std::vector<std::string>& names, std::string_view what) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == text) return i;
  throw Error(ErrorKind::usage, fmt::format("unknown {} '{}'", what, text), suggest(text, names));
}

}  // namespace

std::string_view engine_name(Engine engine) { return kEngines[static_cast<std::size_t>(engine)]; }
std::string_view precision_name(Precision precision) { return kPrecisions[static_cast<std::size_t>(precision)]; }
Engine parse_engine(std::string_view text) { return static_cast<Engine>(index_of(text, kEngines, "engine")); }
Precision parse_precision(std::string_view text) {
  return static_cast<Precision>(index_of(text, kPrecisions, "precision"));
}

std::unique_ptr<Trunk> make_trunk(const ResNet& network, const TrunkRequest& request) {
  if (request.engine == Engine::onednn) return make_onednn_trunk(network, request);
  std::unique_ptr<Trunk> trunk;
  Module::torch().symbol<TorchTrunkEntry>("vise_torch_trunk")(network, request, trunk);
  return trunk;
}

}  // namespace vise

#include "extract/load_backbone.h"

#include <fmt/format.h>

#include "base/error.h"

namespace vise {

NetworkRequest network_request(const Backbone& backbone, Engine engine) {
  return {{backbone.architecture, backbone.branch, backbone.drop},
          {.skip_foreign = backbone.skip_foreign},
          read_key_map(backbone.key_map),
          engine == Engine::torch};
}

Network load_backbone(const Backbone& backbone, const ExtractOptions& options, Log& log) {
  switch (backbone.kind) {
    case BackboneKind::colour_histogram:
      throw Error(ErrorKind::usage, fmt::format("{} is a floor without a network", backbone.name));
    case BackboneKind::random:
      return random_resnet(backbone.architecture, backbone.seed);
    case BackboneKind::weights:
      break;
  }
  PathCache known(options.cache / "paths" / "weights");
  const FoundWeights weights = find_weights(backbone, options.weights, known, log);
  return load_network(weights.file, network_request(backbone, Engine::onednn));
}

}  // namespace vise

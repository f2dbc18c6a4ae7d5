#include "extract/features/image_runs.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "extract/images/decode/decode.h"
#include "extract/networks/make_trunk.h"

namespace vise::features {

// As many trunks as the device's plan has; a thread uses one.
ImageRuns::ImageRuns(const Recipe& recipe, const networks::Network& network, const networks::TrunkRequest& request,
                     const ExtractOptions& options, const Context& context)
    : transform_(*recipe.transform), options_(options), context_(context) {
  trunks_.resize(static_cast<std::size_t>(networks::trunk_plan(request.device, std::max(1, context.threads)).trunks));
  // Built once and replicated: replicas share the reordered weights.
  trunks_[0] = networks::make_trunk(network, request);
  for (std::size_t i = 1; i < trunks_.size(); ++i) trunks_[i] = trunks_[0]->replicate();
}

void ImageRuns::operator()(const datasets::Dataset& dataset, std::span<const std::uint32_t> items, const Take& take) {
  const auto batch = static_cast<std::size_t>(trunks_[0]->batch());
  const std::size_t batches = (items.size() + batch - 1) / batch, lanes = trunks_.size();
  parallel_for(static_cast<int>(lanes), lanes, [&](std::size_t lane) {
    // Each lane owns one trunk, so no trunk is ever used by two threads.
    for (std::size_t b = lane; b < batches; b += lanes) {
      context_.throw_if_stopped();
      const auto part = items.subspan(b * batch, std::min(batch, items.size() - b * batch));
      run_batch(*trunks_[lane], dataset, part, b * batch, take);
    }
  });
}

// Whether there is an image to run: its normalised pixels are in `chw`.
bool ImageRuns::load(const datasets::Dataset& dataset, std::uint32_t item, std::span<std::uint8_t> rgb,
                     float* chw) const {
  try {
    const images::Image image =
        images::decode_image(dataset.read(item), dataset.path(item).string(), {.max_pixels = options_.max_pixels});
    transform_.pixels(image, rgb);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::input || options_.on_bad_image == BadImagePolicy::fail) throw;
    return false;
  }
  transform_.normalise(rgb, chw);
  return true;
}

// At most a batch of images; places that hold none keep the pixels of an earlier one, which change nothing.
void ImageRuns::run_batch(networks::Trunk& trunk, const datasets::Dataset& dataset,
                          std::span<const std::uint32_t> items, std::size_t first, const Take& take) const {
  const std::span<float> input = trunk.input();
  const std::size_t per_image = input.size() / static_cast<std::size_t>(trunk.batch());
  std::vector<std::uint8_t> rgb(transform_.bytes());
  std::vector<bool> loaded;
  for (std::size_t i = 0; i < items.size(); ++i)
    loaded.push_back(load(dataset, items[i], rgb, input.data() + i * per_image));
  trunk.forward();
  for (std::size_t i = 0; i < items.size(); ++i)
    if (loaded[i]) take(first + i, trunk, static_cast<int>(i));
}

}  // namespace vise::features

#include "experiments/finetune.h"

#include <fmt/format.h>

#include <mutex>

#include "base/error.h"
#include "base/module.h"
#include "experiments/torch/entry.h"
#include "extract/features/recipe.h"
#include "extract/images/decode/decode.h"
#include "extract/images/transform/augment.h"
#include "probes/dense_targets.h"
#include "probes/evaluate.h"

namespace vise::experiments {
namespace {

// Items with a known target, and those targets.
// Two numberings meet here: `items` are places in the data set, the rows of `targets` places in this part.
struct KnownPart {
  KnownPart(std::span<const std::uint32_t> all, const datasets::Targets& of_all) {
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      if (!of_all.known(i)) continue;
      rows.push_back(i);
      items.push_back(all[i]);
    }
    targets = of_all.select(rows);
  }
  std::vector<std::uint32_t> items;
  datasets::Targets targets;
};

// Writes a data set's images as a network takes them.
class ImageReader {
 public:
  ImageReader(const FinetuneRequest& request, const images::Transform& transform)
      : request_(request), transform_(transform), augmentation_(augmentation(request.settings)) {}

  ImagePart plain(std::span<const std::uint32_t> items) const {
    // The epoch doesn't matter: val and test are read the same way every time.
    return {items.size(), [this, items](std::size_t i, std::int64_t, float* chw) {
              std::vector<std::uint8_t> rgb(transform_.bytes());
              transform_.pixels(decode(items[i]), rgb);
              transform_.normalise(rgb, chw);
            }};
  }

  // An image's draws depend on seed, epoch and image alone.
  ImagePart augmented(std::span<const std::uint32_t> items) const {
    return {items.size(), [this, items](std::size_t i, std::int64_t epoch, float* chw) {
              std::vector<std::uint8_t> rgb(transform_.bytes());
              // A stream for each image and epoch: what is drawn doesn't depend on which thread
              // decodes it, nor on where a resumed training begins.
              RandomStream random(fmt::format("probe/finetune/augment/{}/{}", epoch, i), request_.settings.seed);
              images::augmented_pixels(decode(items[i]), transform_, augmentation_, random, rgb);
              transform_.normalise(rgb, chw);
            }};
  }

 private:
  static images::Augmentation augmentation(const probes::FinetuneSettings& settings) {
    const images::Cropping cropping = settings.augment == "none"   ? images::Cropping::none
                                      : settings.augment == "crop" ? images::Cropping::crop
                                                                   : images::Cropping::resized_crop;
    return {cropping, settings.least_area, settings.flip};
  }

  images::Image decode(std::uint32_t item) const {
    const datasets::Dataset& dataset = request_.dataset;
    return images::decode_image(dataset.read(item), dataset.path(item).string(),
                                {.max_pixels = request_.extract.max_pixels});
  }

  const FinetuneRequest& request_;
  const images::Transform& transform_;
  const images::Augmentation augmentation_;
};

probes::Scores as_scores(std::vector<double> values, std::size_t columns) {
  return {values.size() / columns, columns, std::move(values)};
}

// Choosing the epoch is the selection of this probe, so that tables and verify treat it as any other.
probes::Selection selection_of(const FinetuneResult& result, const probes::FinetuneSettings& settings, std::size_t val,
                               const std::string& metric) {
  probes::Selection selection;
  selection.metric = metric;
  selection.selected_on = val > 0 ? fmt::format("val ({} rows)", val) : "nothing to choose";
  selection.chosen = {{"epoch", static_cast<double>(result.best + 1)}};
  if (val == 0) return selection;
  for (std::size_t e = 0; e < result.epochs.size(); ++e)
    selection.curve.push_back({{{"epoch", static_cast<double>(e + 1)}}, result.epochs[e].score});
  // The last epoch being best says that more epochs may help.
  selection.on_edge = static_cast<std::int64_t>(result.best + 1) == settings.epochs;
  return selection;
}

FinetuneResult train(const FinetuneJob& job) {
  // LibTorch's number of threads is the process's, and sums depend on it.
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  FinetuneResult result;
  Module::torch().symbol<FinetuneEntry>("vise_torch_finetune")(job, result);
  return result;
}

}  // namespace

// In four steps: what can't be trained is refused before anything is read; the job is described; LibTorch trains it;
// its scores and its choice of epoch become what any other probe returns.
FittedAndTested finetune(const FinetuneRequest& request, const Context& context) {
  features::FeatureRequest wanted;
  wanted.backbone = request.backbone;
  wanted.taps = {request.tap};
  const features::Recipe recipe = features::make_recipe(wanted, request.extract, context);
  if (recipe.is_floor())
    throw Error(ErrorKind::usage,
                fmt::format("{}: a floor has no network for probe finetune to train", request.backbone.name));
  const networks::Network network = recipe.network();
  if (network.graph)
    throw Error(ErrorKind::usage,
                fmt::format("{}: probe finetune trains networks that it knows operation by operation, "
                            "and a TorchScript program or a graph is none",
                            request.backbone.name),
                "give the network's state dict");
  if (request.dataset.container && !request.dataset.container->has_random_access())
    throw Error(ErrorKind::usage,
                fmt::format("{}: probe finetune reads images in a random order, and a packed tar has only one",
                            request.dataset.root.string()),
                "unpack it to a .tar (gunzip, zstd -d), or pack the images as a .zip");
  const images::Transform& transform = *recipe.transform;
  const ImageReader reader(request, transform);
  const KnownPart train_part(request.train, request.train_targets), val_part(request.val, request.val_targets);
  if (train_part.items.empty()) throw Error(ErrorKind::input, "no row of train has a known target");
  const datasets::TargetKind kind = train_part.targets.kind();
  const std::string metric = request.settings.metric.empty() ? probes::selection_metric(kind) : request.settings.metric;
  probes::check_selection_metric(metric, kind);
  const std::vector<float> targets = probes::dense_targets(train_part.targets);

  FinetuneJob job;
  job.network = &network;
  job.layer = recipe.taps.taps.front().tap.layer;
  job.pool = recipe.taps.taps.front().tap.pool;
  job.settings = request.settings;
  job.side = static_cast<int>(transform.width());
  // Only train is augmented. Train's targets go with the job; val's stay here, behind `judge`, and test's aren't
  // known.
  job.train = reader.augmented(train_part.items);
  job.val = reader.plain(val_part.items);
  job.test = reader.plain(request.test);
  job.targets = targets;
  job.outputs = train_part.targets.width();
  job.loss = probes::loss_of(kind);
  job.judge = [&](const std::vector<double>& scores) {
    return probes::selection_score(as_scores(scores, job.outputs), val_part.targets, metric);
  };
  job.checkpoint = request.checkpoint;
  job.identity = request.identity;
  job.context = &context;
  FinetuneResult result = train(job);

  FittedAndTested tuned;
  tuned.test = as_scores(std::move(result.test_scores), job.outputs);
  const FinetuneEpoch& best = result.epochs[result.best];
  tuned.fitted.selection = selection_of(result, request.settings, val_part.items.size(), metric);
  tuned.fitted.convergence = {probes::loss_text(kind), best.loss, best.gradient_max, result.steps, false};
  if (!val_part.items.empty()) {
    tuned.fitted.val_scores = as_scores(std::move(result.val_scores), job.outputs);
    tuned.fitted.calibration =
        probes::calibrate(*tuned.fitted.val_scores, val_part.targets, tuned.fitted.selection.selected_on);
  }
  if (!request.settings.freeze_batch_norm)
    tuned.fitted.notes.push_back("finetune: batch norms took their statistics from mini-batches while training");
  std::error_code ignored;
  // The checkpoint is of a training under way. It goes once the training is over, since it
  // is as large as the network and its moments.
  if (!request.checkpoint.empty()) std::filesystem::remove(request.checkpoint, ignored);
  return tuned;
}

}  // namespace vise::experiments

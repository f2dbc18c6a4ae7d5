// Probe `finetune`: a linear head trained together with the network's last blocks, or all of it (LibTorch).
#include "probes/finetune.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "probes/builtin.h"
#include "probes/options.h"

namespace vise::probes {
namespace {

// fit() can't be reached by a run, which hands images to experiments/finetune.h: it is there for features without
// images.
class Finetune final : public Probe {
 public:
  explicit Finetune(const ProbeOptions& given) : settings_(parse_finetune(given)) {}

  Fitted fit(const TrainView&, const ValView*, const Context&) const override {
    throw Error(ErrorKind::usage, "probe finetune learns from images, and these are features",
                "vise-eval run --data PATH --backbone B --probe finetune");
  }

  Json describe() const override { return settings_.describe(); }
  Json identity() const override { return settings_.identity(); }

 private:
  FinetuneSettings settings_;
};

// "last", "all", or a number; 0.1, which knew ResNets only, called the last stage layer4.
std::int64_t parse_blocks(const std::string& text) {
  std::int64_t blocks = 0;
  if (text == "all") return 0;
  if (text == "last" || text == "layer4") return 1;
  if (parse_int(text, blocks) && blocks >= 1) return blocks;
  throw Error(ErrorKind::usage, fmt::format("probe finetune: unfreeze={}", text),
              "last (block or stage), all, or how many of them from the end");
}

}  // namespace

// The defaults that depend on others: AdamW's rate, a warm-up that is shorter than the training, no flip without
// augmentation.
FinetuneSettings parse_finetune(const ProbeOptions& given) {
  const OptionReader options("finetune", given);
  FinetuneSettings s;
  s.blocks = parse_blocks(options.text("unfreeze", "last"));
  s.freeze_batch_norm = options.choice("batch-norm", {"frozen", "train"}, "frozen") == "frozen";
  s.adamw = options.choice("optimizer", {"sgd", "adamw"}, "sgd") == "adamw";
  s.rate = options.number("lr", s.adamw ? 1e-3 : 1e-2, 1e-12, 1e6);
  s.stage_rate = options.number("stage-lr", s.stage_rate, 0, 1);
  s.momentum = options.number("momentum", s.momentum, 0, 1);
  s.weight_decay = options.number("weight-decay", s.weight_decay, 0, 1e6);
  s.epochs = options.integer("epochs", s.epochs, 1, 1000000);
  s.warmup = options.integer("warmup", std::min<std::int64_t>(s.warmup, s.epochs - 1), 0, s.epochs);
  s.batch = options.integer("batch", s.batch, 1, 1 << 16);
  s.patience = options.integer("patience", s.patience, 0, 1000000);
  s.cosine = options.choice("schedule", {"cosine", "constant"}, "cosine") == "cosine";
  s.augment = options.choice("augment", {"resized-crop", "crop", "none"}, s.augment);
  s.least_area = options.number("least-area", s.least_area, 1e-6, 1);
  s.flip = options.flag("flip", s.augment != "none");
  s.metric = options.text("metric", "");
  s.device = options.text("device", "cpu");
  s.seed = given.seed;
  return s;
}

// All settings, given or by default, in the words of the options.
Json FinetuneSettings::describe() const {
  Json json{{"probe", "finetune"},
            {"unfreeze", blocks == 0   ? "all"
                         : blocks == 1 ? "last"
                                       : std::to_string(blocks)},
            {"batch_norm", freeze_batch_norm ? "frozen" : "train"},
            {"optimizer", adamw ? "adamw" : "sgd"},
            {"lr", rate},
            {"stage_lr", stage_rate},
            {"momentum", momentum},
            {"weight_decay", weight_decay},
            {"epochs", epochs},
            {"warmup", warmup},
            {"batch", batch},
            {"patience", patience},
            {"schedule", cosine ? "cosine" : "constant"},
            {"augment", augment},
            {"least_area", least_area},
            {"flip", flip},
            {"device", device},
            {"seed", seed}};
  if (!metric.empty()) json["metric"] = metric;
  return json;
}

Json FinetuneSettings::identity() const {
  Json json = describe();
  // What keys are made of must not change with a name, or every stored result of 0.1 would be computed again.
  if (blocks == 1) json["unfreeze"] = "layer4";
  return json;
}

void register_finetune(ProbeRegistry& registry) {
  ProbeInfo info{"finetune",
                 "a linear layer and the network's last blocks (or all of it), trained on images (LibTorch)",
                 {datasets::TargetKind::classes, datasets::TargetKind::multi_label, datasets::TargetKind::distribution,
                  datasets::TargetKind::values},
                 {"unfreeze", "batch-norm", "optimizer", "lr", "stage-lr", "momentum", "weight-decay", "epochs",
                  "warmup", "batch", "patience", "schedule", "augment", "least-area", "flip", "metric", "device"}};
  info.needs_images = true;
  registry.add(std::move(info), [](const ProbeOptions& options) { return std::make_unique<Finetune>(options); });
}

}  // namespace vise::probes

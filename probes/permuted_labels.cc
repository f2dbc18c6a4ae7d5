// Probe `permuted-labels`: what a table's rows would score if images said nothing about labels.
#include <numeric>

#include "base/random.h"
#include "probes/builtin.h"

namespace vise::probes {
namespace {

// The control: logreg on labels dealt out anew among the same rows. What it scores is what selection and chance give.
class PermutedLabels final : public Probe {
 public:
  // The options and seed are logreg's own, so that the control differs from it in the labels alone.
  explicit PermutedLabels(const ProbeOptions& options)
      : inner_(ProbeRegistry::instance().make("logreg", {options.values, options.seed})), seed_(options.seed) {}

  Fitted fit(const TrainView& train, const ValView* val, const Context& context) const override {
    // Train and val are dealt apart, so each keeps its own class frequencies.
    const datasets::Targets dealt = deal(train.targets, "probe/permuted-labels/train");
    const TrainView permuted{train.features, dealt, train.folds};
    if (!val) return inner_->fit(permuted, nullptr, context);
    const datasets::Targets dealt_val = deal(val->targets, "probe/permuted-labels/val");
    const ValView permuted_val{val->features, dealt_val};
    return inner_->fit(permuted, &permuted_val, context);
  }

  Json describe() const override {
    return {{"probe", "permuted-labels"}, {"seed", seed_}, {"inner", inner_->describe()}};
  }

 private:
  // A permutation, not a draw: each part keeps its labels, and only who has which changes.
  datasets::Targets deal(const datasets::Targets& targets, const char* name) const {
    std::vector<std::uint32_t> order(targets.size());
    std::iota(order.begin(), order.end(), 0u);
    RandomStream(name, seed_).shuffle(std::span(order));
    return targets.select(order);
  }
  std::unique_ptr<Probe> inner_;
  std::uint64_t seed_;
};

}  // namespace

void register_permuted_labels(ProbeRegistry& registry) {
  registry.add({"permuted-labels",
                "a control: logreg on labels dealt out anew",
                {datasets::TargetKind::classes, datasets::TargetKind::multi_label, datasets::TargetKind::distribution},
                registry.info("logreg").options},
               [](const ProbeOptions& options) { return std::make_unique<PermutedLabels>(options); });
}

}  // namespace vise::probes

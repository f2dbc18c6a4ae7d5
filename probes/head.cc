// Probe `head`: a linear layer trained by mini-batches with LibTorch, in the loadable module (torch/entry.h). The whole
// grid of learning rates and weight decays is trained at once.
#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/module.h"
#include "probes/builtin.h"
#include "probes/dense_targets.h"
#include "probes/evaluate.h"
#include "probes/linear_model.h"
#include "probes/options.h"
#include "probes/selection.h"
#include "probes/torch/entry.h"

namespace vise::probes {
namespace {

// What the options say; describe() writes all of it into the result.
struct Settings {
  std::string optimizer, treatment, metric, device;
  std::vector<double> rates, decays;
  double momentum, initial_bias, initial_deviation;
  std::int64_t epochs, warmup, batch;
  bool cosine, kaiming;
  std::uint64_t seed;
};

class Head final : public Probe {
 public:
  explicit Head(const ProbeOptions& given) {
    const OptionReader options("head", given,
                               {{"vpt-linear",
                                 {{"optimizer", "sgd"},
                                  {"lr", "0.2,0.4,1,2,4,10,20,40,100,200"},
                                  {"weight-decay", "0,0.0001,0.001,0.01"},
                                  {"batch", "1024"},
                                  {"epochs", "100"},
                                  {"warmup", "10"},
                                  {"init", "kaiming"},
                                  // The preset vpt-linear is Jia et al. 2022, whose linear baseline
                                  // starts every bias at -log(99).
                                  {"init-bias", "-4.59511985013459"}}}});
    s_.optimizer = options.choice("optimizer", {"sgd", "adam", "adamw"}, "sgd");
    s_.rates = parse_grid(options.text("lr", s_.optimizer == "sgd" ? "0.01:10:4" : "1e-4:1e-1:4"));
    s_.decays = parse_grid(options.text("weight-decay", "0,0.0001,0.001,0.01"), true);
    s_.momentum = options.number("momentum", 0.9, 0, 1);
    s_.epochs = options.integer("epochs", 100, 1, 1000000);
    s_.warmup = options.integer("warmup", 10, 0, s_.epochs);
    s_.batch = options.integer("batch", 256, 1, 1 << 24);
    s_.cosine = options.choice("schedule", {"cosine", "constant"}, "cosine") == "cosine";
    s_.kaiming = options.choice("init", {"normal", "kaiming"}, "normal") == "kaiming";
    s_.initial_bias = options.number("init-bias", 0, -100, 100);
    s_.treatment = options.text("treatment", "none");
    Treatment::parse(s_.treatment);
    s_.metric = options.text("metric", "");
    s_.device = options.text("device", "cpu");
    s_.seed = given.seed;
    preset_ = options.preset();
  }

  Fitted fit(const TrainView& train, const ValView* val, const Context& context) const override;

  Json describe() const override {
    Json json{{"probe", "head"},
              {"optimizer", s_.optimizer},
              {"lr", s_.rates},
              {"weight_decay", s_.decays},
              {"momentum", s_.momentum},
              {"epochs", s_.epochs},
              {"warmup", s_.warmup},
              {"batch", s_.batch},
              {"schedule", s_.cosine ? "cosine" : "constant"},
              {"init", s_.kaiming ? "kaiming" : "normal"},
              {"init_bias", s_.initial_bias},
              {"treatment", s_.treatment},
              {"device", s_.device},
              {"seed", s_.seed}};
    if (!s_.metric.empty()) json["metric"] = s_.metric;
    if (!preset_.empty()) json["preset"] = preset_;
    return json;
  }

 private:
  HeadResult train_heads(const Pool& pool, std::span<const std::uint32_t> rows, std::span<const HeadRate> heads,
                         const Context& context) const;

  // Smaller rates first, then the stronger decay: what ties go to.
  std::vector<Parameters> candidates() const {
    std::vector<Parameters> all;
    for (const double rate : s_.rates) {
      for (auto decay = s_.decays.rbegin(); decay != s_.decays.rend(); ++decay) {
        all.push_back({{"lr", rate}, {"weight_decay", *decay}});
      }
    }
    return all;
  }

  Settings s_;
  std::string preset_;
};

// Every candidate of the grid is a column of one weight matrix: the batch is read once for all
// of them, and they see the same batches in the same order.
HeadResult Head::train_heads(const Pool& pool, std::span<const std::uint32_t> rows, std::span<const HeadRate> heads,
                             const Context& context) const {
  const std::vector<const float*> pointers = pool.rows_of(rows);
  const std::vector<float> targets = dense_targets(pool.targets.select(rows));
  HeadJob job;
  job.rows = pointers;
  job.dim = pool.dim;
  job.targets = targets;
  job.outputs = pool.targets.width();
  job.loss = loss_of(pool.targets.kind());
  job.optimizer = s_.optimizer == "sgd"    ? HeadOptimizer::sgd
                  : s_.optimizer == "adam" ? HeadOptimizer::adam
                                           : HeadOptimizer::adamw;
  job.heads = heads;
  job.momentum = s_.momentum;
  job.epochs = s_.epochs;
  job.warmup_epochs = s_.warmup;
  job.cosine = s_.cosine;
  job.batch = s_.batch;
  job.initial_bias = s_.initial_bias;
  // Kaiming, fan-out: the variance is 2 / outputs.
  job.initial_deviation = s_.kaiming ? std::sqrt(2.0 / static_cast<double>(job.outputs)) : 0.01;
  job.seed = s_.seed;
  job.device = s_.device;
  job.threads = context.threads;
  job.progress = [&](std::int64_t done) {
    context.throw_if_stopped();
    context.log.progress("head: epochs", static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(s_.epochs));
  };
  HeadResult result;
  openblas_set_num_threads(1);  // LibTorch's threads divide the products
  Module::torch().symbol<TrainHeads>("vise_torch_head")(job, result);
  return result;
}

// Head `h` of a result; nullptr where it diverged.
// Weights beyond 1e30 count as diverged too.
std::unique_ptr<LinearModel> model_of(const HeadResult& result, std::size_t h, const Pool& pool) {
  const std::size_t outputs = pool.targets.width(), first = h * outputs;
  const ConstView<double> w = view(&result.weights[first * pool.dim], outputs, pool.dim, pool.dim),
                          b = view(&result.intercepts[first], 1, outputs, outputs);
  const auto finite = [](const auto& m) { return (m.array().abs() < 1e30).all(); };  // NaN is less than nothing
  if (!finite(w) || !finite(b)) return nullptr;
  return std::make_unique<LinearModel>(w, b);
}

// A model that diverged scores like one that says the same for every row.
std::unique_ptr<LinearModel> model_or_zero(const HeadResult& result, std::size_t h, const Pool& pool) {
  if (auto model = model_of(result, h, pool)) return model;
  const auto outputs = static_cast<Eigen::Index>(pool.targets.width()), dim = static_cast<Eigen::Index>(pool.dim);
  return std::make_unique<LinearModel>(Matrix<double>::Zero(outputs, dim), Row::Zero(outputs));
}

// The rule of selection as everywhere (selection.h): each fold trains the whole grid at once, the choice is trained
// again on train + val.
Fitted Head::fit(const TrainView& train, const ValView* val, const Context& context) const {
  const Pool pool = make_pool(train, val, Treatment::parse(s_.treatment));
  const datasets::TargetKind kind = pool.targets.kind();
  const std::vector<Parameters> grid = candidates();
  Selector selector(pool, s_.metric.empty() ? selection_metric(kind) : s_.metric, grid);
  std::vector<HeadRate> rates;
  for (const Parameters& p : grid) rates.push_back({p.at("lr"), p.at("weight_decay")});
  // With val there is one fold, and these are its scores; with cross-validation they are the last fold's and not
  // used.
  std::vector<Scores> held_out(grid.size());
  for (std::size_t r = 0; selector.needed() && r < pool.folds.size(); ++r) {
    const HeadResult result = train_heads(pool, pool.folds[r].fit, rates, context);
    for (std::size_t h = 0; h < grid.size(); ++h) {
      held_out[h] = pool.predict(*model_or_zero(result, h, pool), pool.folds[r].score);
      selector.record(h, r, held_out[h]);
    }
  }
  const std::size_t chosen = selector.best();
  std::vector<std::uint32_t> all(pool.size());
  std::iota(all.begin(), all.end(), 0u);
  const HeadResult final_fit = train_heads(pool, all, std::span(rates).subspan(chosen, 1), context);
  auto model = model_of(final_fit, 0, pool);
  if (!model) {
    throw Error(ErrorKind::input, fmt::format("the head diverged with learning rate {}", rates[chosen].learning_rate),
                "give smaller rates (lr=0.001,0.01), or treatment=standardise");
  }
  Fitted fitted;
  fitted.model = treated_model(std::move(model), pool.treatment);
  fitted.selection = selector.selection(chosen);
  fitted.convergence = {loss_text(kind), final_fit.losses[0], final_fit.gradients[0], s_.epochs, false};
  if (pool.has_val && selector.needed()) {
    fitted.calibration = calibrate(held_out[chosen], pool.targets.select(pool.folds[0].score), pool.selected_on);
    fitted.val_scores = std::move(held_out[chosen]);
  }
  return fitted;
}

}  // namespace

void register_head(ProbeRegistry& registry) {
  registry.add({"head",
                "a linear layer trained by mini-batches (LibTorch)",
                {datasets::TargetKind::classes, datasets::TargetKind::multi_label, datasets::TargetKind::distribution,
                 datasets::TargetKind::values},
                {"preset", "optimizer", "lr", "weight-decay", "momentum", "epochs", "warmup", "batch", "schedule",
                 "init", "init-bias", "treatment", "metric", "device"}},
               [](const ProbeOptions& options) { return std::make_unique<Head>(options); });
}

}  // namespace vise::probes

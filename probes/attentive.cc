#include "probes/attentive.h"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/half.h"
#include "base/module.h"
#include "probes/builtin.h"
#include "probes/dense_targets.h"
#include "probes/evaluate.h"
#include "probes/options.h"
#include "probes/selection.h"

namespace vise::probes {
namespace {

// What candidates that train side by side may take: each has its parameters, their gradient and two moments.
constexpr std::size_t kMostFloatsSideBySide = std::size_t{1} << 26;

[[noreturn]] void refuse_pooled_rows() {
  throw Error(ErrorKind::usage, "probe attentive learns from an image's tokens, and these rows are pooled",
              "vise-eval run --data PATH --backbone B --probe attentive keeps the tokens of B; floors and tables of "
              "features have none");
}

// Keys and values are folded: an image costs two products, scores of tokens (u, H x C) and outputs (m, K x H C).
class AttentiveModel final : public ProbeModel {
 public:
  AttentiveModel(std::size_t heads, std::vector<double> u, std::vector<double> m, std::vector<double> b)
      : heads_(heads), channels_(u.size() / heads), u_(std::move(u)), m_(std::move(m)), b_(std::move(b)) {}

  Scores predict(const FeatureRows& rows) const override {
    if (rows.tokens() == 0) refuse_pooled_rows();
    Scores scores{rows.size(), b_.size(), std::vector<double>(rows.size() * b_.size())};
    for (std::size_t i = 0; i < rows.size(); ++i)
      score({rows.halves(i), rows.dim()}, rows.tokens(), std::span(scores.values).subspan(i * b_.size(), b_.size()));
    return scores;
  }

 private:
  // Scores of one image in double: attention logits of all heads, a softmax of each over the tokens, the heads' means
  // of tokens, and the last layer.
  void score(std::span<const std::uint16_t> row, std::size_t tokens, std::span<double> out) const {
    std::vector<float> floats(row.size());
    widen(row, floats);
    const std::vector<double> x(floats.begin(), floats.end());
    const auto t = static_cast<int>(tokens), h = static_cast<int>(heads_), c = static_cast<int>(channels_);
    std::vector<double> attention(heads_ * tokens), seen(heads_ * channels_);
    // Logits of all heads in one product (H x T), then the heads' weighted means of tokens (H
    // x C): no key and no value of a token is ever formed.
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, h, t, c, 1, u_.data(), c, x.data(), c, 0, attention.data(), t);
    for (std::size_t head = 0; head < heads_; ++head) softmax(std::span(attention).subspan(head * tokens, tokens));
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, h, c, t, 1, attention.data(), t, x.data(), c, 0, seen.data(),
                c);
    std::ranges::copy(b_, out.begin());
    cblas_dgemv(CblasRowMajor, CblasNoTrans, static_cast<int>(out.size()), h * c, 1, m_.data(), h * c, seen.data(), 1,
                1, out.data(), 1);
  }

  static void softmax(std::span<double> values) {
    const double largest = *std::ranges::max_element(values);
    for (double& value : values) value = std::exp(value - largest);
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    for (double& value : values) value /= sum;
  }

  std::size_t heads_, channels_;
  std::vector<double> u_, m_, b_;
};

// 1e30 is far beyond any parameter that scores well; a product of two such overflows no double.
bool all_finite(const AttentiveParameters& p) {
  for (const std::vector<float>* part : {&p.query, &p.keys, &p.values, &p.weights, &p.intercepts})
    if (!std::ranges::all_of(*part, [](float v) { return std::isfinite(v) && std::abs(v) < 1e30F; })) return false;
  return true;
}

struct Settings {
  std::string optimizer, metric, device;
  std::vector<double> rates, decays;
  double momentum = 0.9;
  std::int64_t heads = 1, epochs = 0, warmup = 0, batch = 0;
  bool cosine = true;
  std::uint64_t seed = 0;
};

class Attentive final : public Probe {
 public:
  explicit Attentive(const ProbeOptions& given) {
    const OptionReader options("attentive", given);
    s_.heads = options.integer("heads", s_.heads, 1, 1024);
    s_.optimizer = options.choice("optimizer", {"sgd", "adam", "adamw"}, "adamw");
    s_.rates = parse_grid(options.text("lr", s_.optimizer == "sgd" ? "0.001:1:4" : "1e-4,3e-4,1e-3,3e-3"));
    s_.decays =
        parse_grid(options.text("weight-decay", s_.optimizer == "adamw" ? "0.01,0.1,1" : "0,0.0001,0.001,0.01"), true);
    s_.momentum = options.number("momentum", s_.momentum, 0, 1);
    s_.epochs = options.integer("epochs", 100, 1, 1000000);
    s_.warmup = options.integer("warmup", std::min<std::int64_t>(10, s_.epochs - 1), 0, s_.epochs);
    s_.batch = options.integer("batch", 64, 1, 1 << 16);
    s_.cosine = options.choice("schedule", {"cosine", "constant"}, "cosine") == "cosine";
    s_.metric = options.text("metric", "");
    s_.device = options.text("device", "cpu");
    s_.seed = given.seed;
  }

  Fitted fit(const TrainView& train, const ValView* val, const Context& context) const override;

  Json describe() const override {
    Json json{{"probe", "attentive"},      {"heads", s_.heads},
              {"optimizer", s_.optimizer}, {"lr", s_.rates},
              {"weight_decay", s_.decays}, {"momentum", s_.momentum},
              {"epochs", s_.epochs},       {"warmup", s_.warmup},
              {"batch", s_.batch},         {"schedule", s_.cosine ? "cosine" : "constant"},
              {"device", s_.device},       {"seed", s_.seed}};
    if (!s_.metric.empty()) json["metric"] = s_.metric;
    return json;
  }

 private:
  // A candidate that was trained on some rows.
  struct Trained {
    std::unique_ptr<ProbeModel> model;  // null: it diverged
    double loss = 0;
  };
  std::vector<Trained> train(const Pool& pool, std::span<const std::uint32_t> rows, const TokenScale& scale,
                             std::span<const HeadRate> rates, const Context& context) const;
  AttentiveJob job_of(const Pool& pool, const TokenScale& scale, const Context& context) const;
  void check(const Pool& pool) const;

  // Smaller rates first, then the stronger decay: what ties go to.
  std::vector<Parameters> candidates() const {
    std::vector<Parameters> all;
    for (const double rate : s_.rates)
      for (auto decay = s_.decays.rbegin(); decay != s_.decays.rend(); ++decay)
        all.push_back({{"lr", rate}, {"weight_decay", *decay}});
    return all;
  }

  Settings s_;
};

void Attentive::check(const Pool& pool) const {
  if (pool.tokens == 0) refuse_pooled_rows();
  const std::size_t channels = pool.dim / pool.tokens;
  if (channels % static_cast<std::size_t>(s_.heads) != 0)
    throw Error(ErrorKind::usage,
                fmt::format("probe attentive: heads={} do not divide {} channels", s_.heads, channels),
                "heads=1, 2, 4, 8 ...");
}

// What all candidates of a job have in common; rows, targets and rates are set by train().
AttentiveJob Attentive::job_of(const Pool& pool, const TokenScale& scale, const Context& context) const {
  AttentiveJob job;
  job.tokens = pool.tokens;
  job.channels = pool.dim / pool.tokens;
  job.heads = static_cast<std::size_t>(s_.heads);
  job.mean = scale.mean;
  job.deviation = scale.deviation;
  job.outputs = pool.targets.width();
  job.loss = loss_of(pool.targets.kind());
  job.optimizer = s_.optimizer == "sgd"    ? HeadOptimizer::sgd
                  : s_.optimizer == "adam" ? HeadOptimizer::adam
                                           : HeadOptimizer::adamw;
  job.momentum = s_.momentum;
  job.epochs = s_.epochs;
  job.warmup_epochs = s_.warmup;
  job.cosine = s_.cosine;
  job.batch = s_.batch;
  job.seed = s_.seed;
  job.device = s_.device;
  job.threads = context.threads;
  job.progress = [this, &context](std::int64_t done) {
    context.throw_if_stopped();
    context.log.progress("attentive: epochs", static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(s_.epochs));
  };
  return job;
}

// A model a rate, in their order; so many at once as memory allows.
std::vector<Attentive::Trained> Attentive::train(const Pool& pool, std::span<const std::uint32_t> rows,
                                                 const TokenScale& scale, std::span<const HeadRate> rates,
                                                 const Context& context) const {
  const std::vector<const std::uint16_t*> pointers = pool.halves_of(rows);
  const std::vector<float> targets = dense_targets(pool.targets.select(rows));
  AttentiveJob job = job_of(pool, scale, context);
  job.rows = pointers;
  job.targets = targets;
  // Keys and values have 2 C^2 parameters; gradient and two moments make it 8 C^2 a candidate.
  const std::size_t at_once = std::max<std::size_t>(1, kMostFloatsSideBySide / (8 * job.channels * job.channels));
  openblas_set_num_threads(1);  // LibTorch's threads divide the products
  const auto train = Module::torch().symbol<TrainAttentive>("vise_torch_attentive");
  std::vector<Trained> all;
  for (std::size_t done = 0; done < rates.size(); done += at_once) {
    job.rates = rates.subspan(done, std::min(at_once, rates.size() - done));
    std::vector<AttentiveParameters> result;
    train(job, result);
    for (const AttentiveParameters& one : result) all.push_back({attentive_model(one, scale, job.heads), one.loss});
  }
  return all;
}

// The rule of selection as everywhere (selection.h), with LibTorch in place of a solver: each fold trains the whole
// grid, the choice is trained again on train + val.
Fitted Attentive::fit(const TrainView& train_view, const ValView* val, const Context& context) const {
  const Pool pool = make_pool(train_view, val);
  check(pool);
  const datasets::TargetKind kind = pool.targets.kind();
  const std::vector<Parameters> grid = candidates();
  Selector selector(pool, s_.metric.empty() ? selection_metric(kind) : s_.metric, grid);
  std::vector<HeadRate> rates;
  for (const Parameters& p : grid) rates.push_back({p.at("lr"), p.at("weight_decay")});
  // From train's rows alone, also for the refit: as a treatment's.
  const TokenScale scale =
      token_scale(std::span(pool.halves).first(pool.train_rows), pool.tokens, pool.dim / pool.tokens);
  // Scores of the last fold that was run; with val there is one fold, so these are val's.
  std::vector<Scores> held_out(grid.size());
  for (std::size_t r = 0; selector.needed() && r < pool.folds.size(); ++r) {
    const std::vector<Trained> trained = train(pool, pool.folds[r].fit, scale, rates, context);
    for (std::size_t g = 0; g < grid.size(); ++g) {
      const std::size_t scored = pool.folds[r].score.size(), outputs = pool.targets.width();
      // What diverged scores like a probe that says the same for every image.
      held_out[g] = trained[g].model ? pool.predict(*trained[g].model, pool.folds[r].score)
                                     : Scores{scored, outputs, std::vector<double>(scored * outputs)};
      selector.record(g, r, held_out[g]);
    }
  }
  const std::size_t chosen = selector.best();
  std::vector<std::uint32_t> all(pool.size());
  std::iota(all.begin(), all.end(), 0U);
  std::vector<Trained> last = train(pool, all, scale, std::span(rates).subspan(chosen, 1), context);
  if (!last.front().model)
    throw Error(ErrorKind::input,
                fmt::format("the attentive probe diverged with learning rate {}", rates[chosen].learning_rate),
                "give smaller rates: lr=0.0001,0.0003");
  Fitted fitted;
  fitted.model = std::move(last.front().model);
  fitted.selection = selector.selection(chosen);
  fitted.convergence = {loss_text(kind), last.front().loss, std::numeric_limits<double>::quiet_NaN(), s_.epochs, false};
  // Val's scores are those of the fit on train alone, not of the refit that has seen val.
  if (pool.has_val && selector.needed()) {
    fitted.calibration = calibrate(held_out[chosen], pool.targets.select(pool.folds[0].score), pool.selected_on);
    fitted.val_scores = std::move(held_out[chosen]);
  }
  return fitted;
}

}  // namespace

// Two passes over the rows, means first, because one-pass variances cancel; tokens stay in
// half precision and are widened a row at a time.
TokenScale token_scale(std::span<const std::uint16_t* const> rows, std::size_t tokens, std::size_t channels) {
  TokenScale scale{std::vector<double>(channels), std::vector<double>(channels)};
  std::vector<float> floats(tokens * channels);
  const double count = static_cast<double>(rows.size() * tokens);
  const auto each = [&](const auto& take) {
    for (const std::uint16_t* const row : rows) {
      widen({row, floats.size()}, floats);
      for (std::size_t i = 0; i < floats.size(); ++i) take(i % channels, static_cast<double>(floats[i]));
    }
  };
  each([&](std::size_t c, double value) { scale.mean[c] += value; });
  for (double& mean : scale.mean) mean /= count;
  each([&](std::size_t c, double value) { scale.deviation[c] += (value - scale.mean[c]) * (value - scale.mean[c]); });
  // 1e-6 keeps a channel that never changes from dividing by zero.
  for (double& deviation : scale.deviation) deviation = std::sqrt(deviation / count + 1e-6);
  return scale;
}

// Folds the standardisation, the query and the keys into u, and the values and the last layer into m (the header's
// formula).
std::unique_ptr<ProbeModel> attentive_model(const AttentiveParameters& p, const TokenScale& scale, std::size_t heads) {
  if (!all_finite(p)) return nullptr;
  const std::size_t channels = scale.mean.size(), d = channels / heads, outputs = p.intercepts.size();
  std::vector<double> u(heads * channels), m(outputs * heads * channels), b(p.intercepts.begin(), p.intercepts.end());
  for (std::size_t h = 0; h < heads; ++h)
    for (std::size_t i = h * d; i < (h + 1) * d; ++i)
      for (std::size_t c = 0; c < channels; ++c) {
        // q'(K ((x - mean) / deviation)) / sqrt(d) is u'x and a constant; a constant is the same for
        // all tokens of a head and leaves the softmax as it is, so it is dropped. The values' constant
        // goes into the intercepts below, since a head's weights sum to one.
        u[h * channels + c] += static_cast<double>(p.query[i]) * static_cast<double>(p.keys[i * channels + c]) /
                               (std::sqrt(static_cast<double>(d)) * scale.deviation[c]);
        for (std::size_t k = 0; k < outputs; ++k)
          m[(k * heads + h) * channels + c] += static_cast<double>(p.weights[k * channels + i]) *
                                               static_cast<double>(p.values[i * channels + c]) / scale.deviation[c];
      }
  for (std::size_t k = 0; k < outputs; ++k)
    for (std::size_t i = 0; i < heads * channels; ++i) b[k] -= m[k * heads * channels + i] * scale.mean[i % channels];
  return std::make_unique<AttentiveModel>(heads, std::move(u), std::move(m), std::move(b));
}

void register_attentive(ProbeRegistry& registry) {
  ProbeInfo info{"attentive",
                 "attention of a learned query over an image's tokens, and a linear layer (LibTorch)",
                 {datasets::TargetKind::classes, datasets::TargetKind::multi_label, datasets::TargetKind::distribution,
                  datasets::TargetKind::values},
                 {"heads", "optimizer", "lr", "weight-decay", "momentum", "epochs", "warmup", "batch", "schedule",
                  "metric", "device"}};
  info.needs_tokens = true;
  registry.add(std::move(info), [](const ProbeOptions& options) { return std::make_unique<Attentive>(options); });
}

}  // namespace vise::probes

// Probe `liblinear`: LIBLINEAR's solvers (liblinear_fit.h), the sweep's fits side by side.
#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "base/threads.h"
#include "datasets/split.h"
#include "probes/builtin.h"
#include "probes/evaluate.h"
#include "probes/liblinear_fit.h"
#include "probes/metrics/metrics.h"
#include "probes/options.h"
#include "probes/selection.h"

namespace vise::probes {
namespace {

// Options, the sweep and the choice; one fit is liblinear_fit.cc's.
class LibLinear final : public Probe {
 public:
  explicit LibLinear(const ProbeOptions& given) {
    const OptionReader options("liblinear", given,
                               {{"vissl-svm",
                                 {{"solver", "1"},
                                  {"eps", "1e-4"},
                                  {"grid", "0.01,0.1,1,2,5,10,15,20,50,100,1000"},
                                  {"positive-weight", "2"},
                                  {"c-a-class", "yes"},
                                  {"treatment", "l2"}}}});
    std::vector<std::string> types;
    for (const LibLinearSolver& solver : kLibLinearSolvers) types.push_back(std::to_string(solver.type));
    const std::string type = options.choice("solver", types, "0");
    settings_.solver = *std::find_if(kLibLinearSolvers.begin(), kLibLinearSolvers.end(),
                                     [&](const LibLinearSolver& s) { return std::to_string(s.type) == type; });
    settings_.grid = options.grid("grid", "1e-6:1e4:11", "C");
    settings_.eps = options.number("eps", settings_.solver.eps, 1e-12, 1);
    settings_.p = options.number("p", 0.1, 0, 1e6);
    settings_.positive_weight = options.number("positive-weight", 1, 1e-6, 1e6);
    settings_.c_a_class = options.flag("c-a-class", false);
    if (settings_.c_a_class && (settings_.solver.values || settings_.solver.type == MCSVM_CS)) {
      throw Error(ErrorKind::usage, fmt::format("LIBLINEAR's solver {} has no C a class", type),
                  "c-a-class=yes needs a solver that fits one class against the rest: 0, 1, 2, 5 or 7");
    }
    settings_.treatment = options.text("treatment", "none");
    Treatment::parse(settings_.treatment);
    settings_.metric = options.text("metric", "");
    preset_ = options.preset();
  }

  Fitted fit(const TrainView& train_view, const ValView* val, const Context& context) const override;

  Json describe() const override {
    Json json{{"probe", "liblinear"},
              {"solver", settings_.solver.type},
              {"solver_text", settings_.solver.title},
              {"grid", settings_.grid},
              {"eps", settings_.eps},
              {"bias", 1},
              {"positive_weight", settings_.positive_weight},
              {"c_a_class", settings_.c_a_class},
              {"treatment", settings_.treatment},
              {"library", fmt::format("LIBLINEAR {}", liblinear_version)}};
    if (settings_.solver.values) json["p"] = settings_.p;
    if (!settings_.metric.empty()) json["metric"] = settings_.metric;
    if (!preset_.empty()) json["preset"] = preset_;
    return json;
  }

 private:
  std::vector<Scores> sweep(LibLinearNodes& nodes, const Pool& pool, Selector& selector, const Context& context) const;
  Fitted fit_c_a_class(const Pool& pool, const Context& context) const;

  // Classifiers take classes and labels, regressors values; none takes distributions.
  void expect_kind(const datasets::Targets& targets) const {
    const bool values = targets.kind() == datasets::TargetKind::values;
    if (targets.kind() != datasets::TargetKind::distribution && values == settings_.solver.values) return;
    throw Error(ErrorKind::usage,
                fmt::format("LIBLINEAR's solver {} doesn't fit {} targets", settings_.solver.type,
                            datasets::target_kind_name(targets.kind())),
                values ? "solvers 11, 12 and 13 are for values" : "use --probe logreg");
  }

  LibLinearSettings settings_;
  std::string preset_;
};

// Fits every candidate of every fold, several at a time. Returns the candidates' scores on val, where there is one.
// LIBLINEAR is single-threaded, so the fits of folds and values of C run side by side.
std::vector<Scores> LibLinear::sweep(LibLinearNodes& nodes, const Pool& pool, Selector& selector,
                                     const Context& context) const {
  const std::size_t count = settings_.grid.size(), total = count * pool.folds.size();
  std::vector<Scores> held_out(total);
  std::atomic<std::size_t> done{0};
  parallel_for(context.threads, total, [&](std::size_t i) {
    context.throw_if_stopped();
    const Fold& fold = pool.folds[i / count];
    const LinearModel fitted = fit_liblinear(nodes, pool, fold.fit, settings_.grid[i % count], settings_);
    held_out[i] = pool.predict(fitted, fold.score);
    selector.record(i % count, i / count, held_out[i]);
    context.log.progress("liblinear: fits", ++done, total);
  });
  return held_out;
}

// Every class's average precision in held-out scores; of two classes the second's, for both.
std::vector<double> precisions(const Scores& scores, const datasets::Targets& targets) {
  std::vector<double> out;
  for (std::size_t k = 0; k < targets.width(); ++k) {
    // Two classes have one vector with both signs, so both must get the same C.
    const bool two = targets.kind() == datasets::TargetKind::classes && targets.width() == 2;
    const std::size_t column = two ? 1 : k;
    std::vector<double> score;
    std::vector<std::uint8_t> positive;
    for (std::size_t i = 0; i < scores.rows; ++i) {
      const int bit = targets.kind() == datasets::TargetKind::classes
                          ? targets.classes()[i] == static_cast<int>(column)
                          : targets.multi_label()[i * targets.width() + column];
      if (bit < 0) continue;
      score.push_back(scores(i, column));
      positive.push_back(bit == 1);
    }
    // Without a positive in the held-out rows there is no average precision, which counts as 0.
    out.push_back(average_precision(score, positive).value_or(0));
  }
  return out;
}

// VISSL's svm_trainer: each class's C is the one of the best mean average precision over three folds of all rows given
// (ties: the smallest), and its classifier is fitted on all of them at that C.
Fitted LibLinear::fit_c_a_class(const Pool& pool, const Context& context) const {
  constexpr int kFolds = 3;
  const std::vector<double>& grid = settings_.grid;
  const std::size_t width = pool.targets.width(), count = grid.size();
  const std::vector<int> folds =
      datasets::make_folds(pool.targets.strata(), {}, kFolds, "probe/liblinear/c-a-class", 0);
  LibLinearNodes nodes(pool);
  std::vector<std::vector<double>> found(count * kFolds);
  std::atomic<std::size_t> done{0};
  parallel_for(context.threads, found.size(), [&](std::size_t i) {
    context.throw_if_stopped();
    std::vector<std::uint32_t> fit, held_out;
    for (std::uint32_t row = 0; row < pool.size(); ++row)
      (folds[row] == static_cast<int>(i / count) ? held_out : fit).push_back(row);
    const LinearModel model = fit_liblinear(nodes, pool, fit, grid[i % count], settings_);
    found[i] = precisions(pool.predict(model, held_out), pool.targets.select(held_out));
    context.log.progress("liblinear: fits", ++done, found.size());
  });

  // From here on nothing is random: means over folds, a choice a class, and one fit for each C that some class chose.
  Fitted fitted;
  std::vector<std::size_t> best(width);
  std::vector<std::vector<double>> mean(width, std::vector<double>(count));
  for (std::size_t k = 0; k < width; ++k) {
    for (std::size_t i = 0; i < found.size(); ++i) mean[k][i % count] += found[i][k] / kFolds;
    // Strictly better, by more than rounding: ties go to the smallest C.
    for (std::size_t c = 1; c < count; ++c) best[k] = mean[k][c] > mean[k][best[k]] + 1e-12 ? c : best[k];
    fitted.selection.chosen["C:" + pool.targets.names()[k]] = grid[best[k]];
    fitted.selection.on_edge = fitted.selection.on_edge || best[k] == 0 || best[k] + 1 == count;
  }
  for (std::size_t c = 0; c < count; ++c) {
    double all = 0;
    for (std::size_t k = 0; k < width; ++k) all += mean[k][c] / static_cast<double>(width);
    fitted.selection.curve.push_back({{{"C", grid[c]}}, all});
  }
  fitted.selection.selected_on =
      fmt::format("{}-fold cross-validation on {}, a C a class", kFolds, pool.has_val ? "train + val" : "train");
  fitted.selection.metric = "average precision";
  fitted.selection.refit_on_val = pool.has_val;

  std::vector<std::uint32_t> all(pool.size());
  std::iota(all.begin(), all.end(), 0u);
  // Fits at the values that are nobody's choice are left out.
  std::vector<std::optional<LinearModel>> models(count);
  parallel_for(context.threads, count, [&](std::size_t c) {
    if (std::count(best.begin(), best.end(), c) > 0) models[c] = fit_liblinear(nodes, pool, all, grid[c], settings_);
  });
  Matrix<double> weights(width, pool.dim);
  Row intercepts(width);
  for (std::size_t k = 0; k < width; ++k) {
    weights.row(k) = models[best[k]]->weight_matrix().row(k);
    intercepts[k] = models[best[k]]->intercept_row()[k];
  }
  fitted.model =
      treated_model(std::make_unique<LinearModel>(std::move(weights), std::move(intercepts)), pool.treatment);
  // LIBLINEAR tells neither its objective nor its gradient.
  fitted.convergence = {settings_.solver.title, std::numeric_limits<double>::quiet_NaN(),
                        std::numeric_limits<double>::quiet_NaN(), 0, true};
  fitted.calibration.scores_are_logits = false;
  return fitted;
}

Fitted LibLinear::fit(const TrainView& train_view, const ValView* val, const Context& context) const {
  expect_kind(train_view.targets);
  // Below cli/ nothing prints.
  set_print_string_function([](const char*) {});
  openblas_set_num_threads(1);  // the sweep's fits are what runs side by side
  const Pool pool = make_pool(train_view, val, Treatment::parse(settings_.treatment));
  const char* const kBias = "LIBLINEAR's bias is a regularised column (-B 1)";
  if (settings_.c_a_class && settings_.grid.size() > 1) {
    Fitted fitted = fit_c_a_class(pool, context);
    fitted.notes.push_back(kBias);
    return fitted;
  }
  LibLinearNodes nodes(pool);
  const datasets::TargetKind kind = pool.targets.kind();
  Selector selector(pool, settings_.metric.empty() ? selection_metric(kind) : settings_.metric,
                    candidates_of("C", settings_.grid));
  std::vector<Scores> held_out;
  if (selector.needed()) held_out = sweep(nodes, pool, selector, context);
  // Where nothing is to choose LIBLINEAR's default C = 1 is taken, if the grid has it.
  const auto one = std::find(settings_.grid.begin(), settings_.grid.end(), 1.0);
  const std::size_t chosen =
      selector.best(one == settings_.grid.end() ? 0 : static_cast<std::size_t>(one - settings_.grid.begin()));

  context.throw_if_stopped();
  std::vector<std::uint32_t> all(pool.size());
  std::iota(all.begin(), all.end(), 0u);
  auto model = std::make_unique<LinearModel>(fit_liblinear(nodes, pool, all, settings_.grid[chosen], settings_));
  Fitted fitted;
  fitted.convergence = {settings_.solver.title, std::numeric_limits<double>::quiet_NaN(),
                        std::numeric_limits<double>::quiet_NaN(), 0, true};
  fitted.model = treated_model(std::move(model), pool.treatment);
  fitted.selection = selector.selection(chosen);
  fitted.notes.push_back(kBias);
  // SVM scores are distances and no log odds, so neither a temperature nor a log loss means anything
  // for them; nor do one-against-the-rest scores of several classes.
  const bool logits =
      settings_.solver.logistic && (kind == datasets::TargetKind::multi_label || pool.targets.width() == 2);
  if (pool.has_val && selector.needed()) {
    if (logits)
      fitted.calibration = calibrate(held_out[chosen], pool.targets.select(pool.folds[0].score), pool.selected_on);
    fitted.val_scores = std::move(held_out[chosen]);
  }
  fitted.calibration.scores_are_logits = logits;
  return fitted;
}

}  // namespace

void register_liblinear(ProbeRegistry& registry) {
  registry.add({"liblinear",
                "linear classifiers and regressors of LIBLINEAR",
                {datasets::TargetKind::classes, datasets::TargetKind::multi_label, datasets::TargetKind::values},
                {"preset", "solver", "C", "grid", "eps", "p", "positive-weight", "c-a-class", "treatment", "metric"}},
               [](const ProbeOptions& options) { return std::make_unique<LibLinear>(options); });
}

}  // namespace vise::probes

// Probe `logreg`: L2-regularised logistic regression with free intercepts, solved to its optimum (solver.h).
#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/threads.h"
#include "probes/builtin.h"
#include "probes/evaluate.h"
#include "probes/linear_model.h"
#include "probes/logistic/solver.h"
#include "probes/options.h"
#include "probes/selection.h"

namespace vise::probes {
namespace {

constexpr const char* kObjective = "sum of log losses + ||W||^2 / (2 C), intercepts free";

// `stride` is 1 for a whole grid, 8 for coarse to fine.
struct Settings {
  std::vector<double> grid;
  std::size_t stride = 1;  // coarse to fine: every so many values first, then those beside the best
  double sweep_stop, final_stop;
  bool one_vs_rest, balanced;
  std::string treatment, metric;
};

// The pool's rows in an order in which every held-out part is one stretch.
struct Arrangement {
  std::vector<std::uint32_t> order;
  std::vector<std::size_t> bounds;  // segment s is [bounds[s], bounds[s + 1])
  std::vector<int> held_out;        // the segment of each fold
};

// Held-out parts as stretches let a pass leave one out by leaving out a segment, without an index a row.
Arrangement arrange(const Pool& pool) {
  Arrangement a;
  a.bounds.push_back(0);
  std::vector<bool> placed(pool.size());
  for (std::size_t r = 0; r < pool.folds.size(); ++r) {
    for (const std::uint32_t row : pool.folds[r].score) {
      a.order.push_back(row);
      placed[row] = true;
    }
    a.held_out.push_back(static_cast<int>(r));
    a.bounds.push_back(a.order.size());
  }
  for (std::uint32_t row = 0; row < pool.size(); ++row) {
    if (!placed[row]) a.order.push_back(row);
  }
  // Rows that no fold holds out (all of train, where val chooses) come last, as a
  // segment that every problem fits.
  if (a.order.size() > a.bounds.back()) a.bounds.push_back(a.order.size());
  return a;
}

// Everything a fit works on.
class Work {
 public:
  Work(const Pool& pool, const Settings& settings, const Context& context)
      : pool_(pool),
        settings_(settings),
        context_(context),
        arrangement_(arrange(pool)),
        matrix_(RowMatrix::make(pool.rows_of(arrangement_.order), pool.dim, context.threads)),
        targets_(pool.targets, arrangement_.order, form(settings), settings.balanced),
        pass_(matrix_, targets_, arrangement_.bounds),
        preconditioner_(pass_, context.threads) {}

  const LogisticTargets& targets() const { return targets_; }
  std::vector<Scores> sweep(Selector& selector);
  std::vector<LogisticPoint> finish(double c);
  std::unique_ptr<LinearModel> model(const std::vector<LogisticPoint>& points) const;

 private:
  static LogisticTargets::Form form(const Settings& s) {
    return s.one_vs_rest ? LogisticTargets::Form::one_vs_rest : LogisticTargets::Form::softmax;
  }
  // A pass this small takes less time than starting a thread.
  Context spread(std::size_t problems) const {
    const double flops = 4.0 * static_cast<double>(matrix_.rows()) * static_cast<double>(pass_.point_size() * problems);
    return {context_.log, context_.stop, flops < 4e6 ? 1 : context_.threads};
  }
  Scores held_out_scores(std::size_t fold, std::span<const LogisticPoint> points) const;
  void record(Selector& selector, std::size_t candidate, const std::vector<LogisticPoint>& points);
  void refine(Selector& selector, std::span<const LogisticProblem> problems, const LogisticSettings& solver);

  const Pool& pool_;
  const Settings& settings_;
  const Context& context_;
  Arrangement arrangement_;
  RowMatrix matrix_;
  LogisticTargets targets_;
  LogisticPass pass_;
  LogisticPreconditioner preconditioner_;
  std::vector<LogisticPoint> best_;  // the best C's points so far, fold by fold, each label by label
  std::vector<Scores> best_scores_;  // and their held-out scores, fold by fold
};

// `points`: one a label.
// In float32: a held-out score is only ranked or rounded to a class, and this runs for every value of C.
Scores Work::held_out_scores(std::size_t fold, std::span<const LogisticPoint> points) const {
  const auto s = static_cast<std::size_t>(arrangement_.held_out[fold]);
  const std::size_t begin = arrangement_.bounds[s], end = arrangement_.bounds[s + 1];
  const std::size_t k = targets_.outputs(), r = matrix_.columns(), columns = pool_.targets.width();
  Scores scores{end - begin, columns, std::vector<double>((end - begin) * columns)};
  constexpr std::size_t kBlock = 256;
  std::vector<float> buffer;
  Matrix<float> z(kBlock, k);
  for (std::size_t label = 0; label < points.size(); ++label) {
    const Matrix<float> w = points[label].x.topRows(r).cast<float>();
    const Row b = pass_.intercepts(points[label].x);
    for (std::size_t at = begin; at < end; at += kBlock) {
      const std::size_t count = std::min(kBlock, end - at);
      const ConstView<float> x = matrix_.block(at, count, buffer);
      // By gemm also where K is 1: Eigen's product would be one of matrix and vector then, which sums in another order.
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(count), static_cast<int>(k),
                  static_cast<int>(r), 1, x.data(), static_cast<int>(x.outerStride()), w.data(), static_cast<int>(k), 0,
                  z.data(), static_cast<int>(k));
      for (std::size_t i = 0; i < count; ++i) {
        // Two classes: the one logit z as the pair -z/2, z/2, as LinearModel has it. Labels fill a column each.
        double* const row = &scores.values[(at - begin + i) * columns];
        for (std::size_t j = 0; j < k; ++j) {
          const double v = static_cast<double>(z(i, j)) + b[j];
          if (k == 1 && points.size() == 1 && columns == 2)
            row[0] = -v / 2, row[1] = v / 2;
          else
            row[k == 1 ? label : j] = v;
        }
      }
    }
  }
  return scores;
}

void Work::record(Selector& selector, std::size_t candidate, const std::vector<LogisticPoint>& points) {
  const std::size_t folds = pool_.folds.size(), labels = targets_.labels();
  std::vector<Scores> scores(folds);
  parallel_for(context_.threads, folds, [&](std::size_t r) {
    scores[r] = held_out_scores(r, std::span(points).subspan(r * labels, labels));
    selector.record(candidate, r, scores[r]);
  });
  // Only the best candidate's solutions are kept: those of 96 values of C would be gigabytes.
  // Called for candidates in any order; what is kept is always the best so far's.
  if (selector.best_recorded() != candidate) return;
  best_scores_ = std::move(scores);
  best_ = points;
}

// Returns the chosen candidate's scores for every fold.
// All folds and labels of one C are solved at once; the values of C are visited in ascending
// order, as the path demands, and recorded in the same.
std::vector<Scores> Work::sweep(Selector& selector) {
  std::vector<LogisticProblem> problems;
  for (const int held_out : arrangement_.held_out) {
    for (std::size_t label = 0; label < targets_.labels(); ++label) problems.push_back({label, held_out});
  }
  LogisticSettings solver;
  solver.stop = settings_.sweep_stop;
  std::vector<double> coarse;
  for (std::size_t i = 0; i < settings_.grid.size(); i += settings_.stride) coarse.push_back(settings_.grid[i]);
  // The coarse grid is the path; refine() then asks for values between its points.
  solve_logistic_path(pass_, preconditioner_, coarse, problems, solver, spread(problems.size()),
                      [&](std::size_t i, const std::vector<LogisticPoint>& points) {
                        record(selector, i * settings_.stride, points);
                        context_.log.progress("logreg: values of C", i + 1, coarse.size());
                      });
  refine(selector, problems, solver);
  return std::move(best_scores_);
}

// The two values beside the best, at half the distance each time.
void Work::refine(Selector& selector, std::span<const LogisticProblem> problems, const LogisticSettings& solver) {
  if (settings_.stride == 1) return;
  const std::vector<double> without_weights = losses_without_weights(pass_, problems, context_.threads);
  for (std::size_t step = settings_.stride / 2; step > 0; step /= 2) {
    const std::size_t centre = selector.best_recorded();
    LogisticStarts starts;
    for (const LogisticPoint& point : best_) starts.push_back(point.x);
    for (const bool below : {true, false}) {
      if (below ? centre < step : centre + step >= settings_.grid.size()) continue;
      const std::size_t i = below ? centre - step : centre + step;
      record(selector, i,
             solve_logistic<float>(pass_, preconditioner_,
                                   {settings_.grid[i], problems, std::span(&starts, 1), {}, without_weights}, solver,
                                   spread(problems.size())));
    }
  }
}

// All rows, at C: from the mean of the folds' solutions, or from nothing.
std::vector<LogisticPoint> Work::finish(double c) {
  const std::size_t labels = targets_.labels(), folds = best_.size() / labels;
  std::vector<LogisticProblem> problems;
  LogisticStarts starts;
  for (std::size_t label = 0; label < labels; ++label) {
    problems.push_back({label, -1});
    starts.push_back(pass_.start(problems.back()));
    if (folds == 0) continue;
    starts.back().setZero();
    // The folds' solutions lie around that of all rows; their mean is nearer to it than any of them.
    for (std::size_t r = 0; r < folds; ++r) starts.back() += best_[r * labels + label].x / static_cast<double>(folds);
  }
  LogisticSettings solver;
  solver.stop = settings_.sweep_stop;
  std::vector<LogisticPoint> points = solve_logistic<float>(
      pass_, preconditioner_, {c, problems, std::span(&starts, 1), {}, {}}, solver, spread(labels));
  for (std::size_t label = 0; label < labels; ++label) {
    points[label] = finish_logistic(pass_, preconditioner_, c, problems[label], std::move(points[label]),
                                    settings_.final_stop, spread(1));
  }
  return points;
}

// One model of all labels' points, on the features themselves.
std::unique_ptr<LinearModel> Work::model(const std::vector<LogisticPoint>& points) const {
  const std::size_t k = targets_.outputs(), dim = pool_.dim;
  Matrix<double> weights(points.size() * k, dim);
  Row intercepts(points.size() * k);
  for (std::size_t p = 0; p < points.size(); ++p) {
    const Matrix<double>& x = points[p].x;
    const Row b = pass_.intercepts(x);
    double mean = 0;  // softmax: the common shift of the intercepts is free; it is chosen so that they sum to zero
    for (const double value : b) mean += targets_.softmax() ? value / static_cast<double>(k) : 0;
    // The solver may have worked on the rows' coordinates in a basis of their span (row_matrix.h);
    // a model has weights on features.
    weights.middleRows(p * k, k) = matrix_.to_features(x.topRows(x.rows() - 1));
    intercepts.segment(p * k, k) = b.array() - mean;
  }
  const bool two = pool_.targets.kind() != datasets::TargetKind::multi_label && pool_.targets.width() == 2;
  if (two) return std::make_unique<LinearModel>(LinearModel::binary(weights.row(0), intercepts[0]));
  return std::make_unique<LinearModel>(std::move(weights), std::move(intercepts));
}

// Options, and what a fit reports; Work does the computing.
class LogReg final : public Probe {
 public:
  explicit LogReg(const ProbeOptions& given) {
    // clip: the paper's 96 values; dinov2-logreg: 45 values (log_regression.py), refit on train + val as there.
    const OptionReader options("logreg", given,
                               {{"clip", {{"grid", "1e-6:1e6:96"}}}, {"dinov2-logreg", {{"grid", "1e-6:1e5:45"}}}});
    // coarse-to-fine: 8 values a decade, as CLIP's binary search ends at (Radford et al. 2021, appendix A.3).
    // Every eighth value first, then those at distances 4, 2 and 1 beside the best so far: 13 +
    // 6 fits in place of 97. It finds the grid's best value where the score rises and falls once
    // along C, and it is the published procedure either way.
    const bool search = options.text("grid", "") == "coarse-to-fine" && !options.has("C");
    s_.grid = search ? parse_grid("1e-6:1e6:97") : options.grid("grid", "1e-6:1e6:13", "C");
    s_.stride = search ? 8 : 1;
    s_.one_vs_rest = options.choice("multi", {"softmax", "one-vs-rest"}, "softmax") == "one-vs-rest";
    s_.balanced = options.choice("class-weight", {"none", "balanced"}, "none") == "balanced";
    s_.sweep_stop = options.number("sweep-stop", 1e-7, 1e-14, 1e-2);
    s_.final_stop = options.number("final-stop", 1e-10, 1e-15, 1e-2);
    s_.treatment = options.text("treatment", "none");
    Treatment::parse(s_.treatment);
    s_.metric = options.text("metric", "");
    preset_ = options.preset();
  }

  Fitted fit(const TrainView& train, const ValView* val, const Context& context) const override;

  Json describe() const override {
    Json json{{"probe", "logreg"},
              {"grid", s_.grid},
              {"multi", s_.one_vs_rest ? "one-vs-rest" : "softmax"},
              {"class_weight", s_.balanced ? "balanced" : "none"},
              {"treatment", s_.treatment},
              {"sweep_stop", s_.sweep_stop},
              {"final_stop", s_.final_stop},
              {"objective", std::string(kObjective) + "; two classes: one weight vector"}};
    if (!s_.metric.empty()) json["metric"] = s_.metric;
    if (s_.stride > 1) json["search"] = "coarse-to-fine";
    if (!preset_.empty()) json["preset"] = preset_;
    return json;
  }

 private:
  Settings s_;
  std::string preset_;
};

Fitted LogReg::fit(const TrainView& train, const ValView* val, const Context& context) const {
  if (train.targets.kind() == datasets::TargetKind::values) {
    throw Error(ErrorKind::usage, "logreg fits classes, labels and distributions, not values", "use --probe ridge");
  }
  openblas_set_num_threads(1);  // products run side by side on fixed parts of the rows instead
  const Pool pool = make_pool(train, val, Treatment::parse(s_.treatment));
  Work work(pool, s_, context);
  Selector selector(pool, s_.metric.empty() ? selection_metric(pool.targets.kind()) : s_.metric,
                    candidates_of("C", s_.grid));
  std::vector<Scores> held_out;
  if (selector.needed()) held_out = work.sweep(selector);
  // Where nothing can be chosen C = 1 is taken, if the grid has it, as scikit-learn's default is.
  const auto one = std::find(s_.grid.begin(), s_.grid.end(), 1.0);
  const std::size_t chosen = selector.best(one == s_.grid.end() ? 0 : static_cast<std::size_t>(one - s_.grid.begin()));
  const std::vector<LogisticPoint> points = work.finish(s_.grid[chosen]);

  Fitted fitted;
  fitted.model = treated_model(work.model(points), pool.treatment);
  fitted.selection = selector.selection(chosen);
  fitted.convergence.objective_text = kObjective;
  if (pool.targets.kind() != datasets::TargetKind::multi_label && pool.targets.width() == 2)
    fitted.convergence.objective_text += "; one weight vector";
  fitted.convergence.converged = true;
  // Labels are problems of their own: their objectives add up, and all must have converged.
  for (const LogisticPoint& point : points) {
    fitted.convergence.objective += point.objective;
    fitted.convergence.gradient_norm = std::max(fitted.convergence.gradient_norm, point.gradient_max);
    fitted.convergence.iterations += point.passes;
    fitted.convergence.converged = fitted.convergence.converged && point.converged;
  }
  if (pool.has_val && selector.needed()) {
    fitted.calibration = calibrate(held_out[0], pool.targets.select(pool.folds[0].score), pool.selected_on);
    fitted.val_scores = std::move(held_out[0]);
  }
  return fitted;
}

}  // namespace

void register_logreg(ProbeRegistry& registry) {
  registry.add({"logreg",
                "logistic regression to its optimum (softmax, or one-vs-rest)",
                {datasets::TargetKind::classes, datasets::TargetKind::multi_label, datasets::TargetKind::distribution},
                {"preset", "C", "grid", "multi", "class-weight", "treatment", "metric", "sweep-stop", "final-stop"}},
               [](const ProbeOptions& options) { return std::make_unique<LogReg>(options); });
}

}  // namespace vise::probes

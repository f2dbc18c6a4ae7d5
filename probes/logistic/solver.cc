#include "probes/logistic/solver.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

#include "base/threads.h"
#include "probes/vectors.h"

namespace vise::probes {
namespace {

constexpr int kTrusted = 2;  // values of C for which a parabola that was best for all problems is tried alone

// What memory of past steps L-BFGS keeps; `py` is the preconditioned y.
struct Pair {
  Matrix<double> s, y, py;
  double sy = 0, scale = 1;  // s'y, and what it says the preconditioner should be multiplied with: s'y / y'M^-1 y
};

// One problem on its way.
// The state between two passes: `at` is the last accepted point, `trial_x` what the next pass evaluates.
struct Search {
  LogisticProblem problem;
  LogisticPoint at;
  Matrix<double> gradient, preconditioned, direction, trial_x;
  std::deque<Pair> pairs;
  double step = 1, slope = 0;
  double without_weights = std::numeric_limits<double>::infinity();  // objective at W = 0
  double least = std::numeric_limits<double>::infinity();            // smallest decrement so far, and how long ago
  int stalled = 0;
  bool begun = false, done = false;
};

// The geometric mean over the memory. The last pair's, as is usual, goes up and down sevenfold with a period of four
// steps; with the mean, a sweep of six overlapping classes takes a twentieth fewer passes.
double mean_scale(const std::deque<Pair>& pairs) {
  double sum = 0;
  for (const Pair& pair : pairs) sum += std::log(pair.scale);
  return std::exp(sum / static_cast<double>(pairs.size()));
}

// -(the L-BFGS inverse Hessian) gradient (Nocedal & Wright, algorithm 7.4, with the preconditioner for H0).
// The usual two-loop recursion starts its second loop from gamma q; here H0 is the preconditioner
// times the scale that past steps have shown. Since H0 is linear, its image of q is carried along
// in the first loop, and no further product with the factor is needed.
Matrix<double> lbfgs_direction(const Search& s) {
  Matrix<double> q = s.preconditioned;
  std::vector<double> alpha(s.pairs.size());
  // The first loop on the gradient needs s'q alone; q = g - sum alpha_i y_i is kept as its coefficients' image M^-1 q.
  Matrix<double> plain = s.gradient;
  for (std::size_t i = s.pairs.size(); i-- > 0;) {
    alpha[i] = dot(s.pairs[i].s, plain) / s.pairs[i].sy;
    add_scaled(plain, -alpha[i], s.pairs[i].y);
    add_scaled(q, -alpha[i], s.pairs[i].py);
  }
  q *= s.at.scale;
  for (std::size_t i = 0; i < s.pairs.size(); ++i) {
    const double beta = dot(s.pairs[i].y, q) / s.pairs[i].sy;
    add_scaled(q, alpha[i] - beta, s.pairs[i].s);
  }
  return -q;
}

// Products in float32 leave this much noise in an objective.
template <typename T>
constexpr double kNoise = sizeof(T) == 4 ? 1e-6 : 1e-13;

// What a finished pass says about `s`: accept the trial and choose a direction, shorten the step, or stop.
template <typename T>
void advance(Search& s, const Trial& trial, Matrix<double> preconditioned, Matrix<double> gradient, double objective,
             const LogisticSettings& settings) {
  ++s.at.passes;
  // Armijo's rule. A step that fails it is shortened to the minimum of the parabola through value,
  // slope and trial, but neither to less than a tenth nor to more than half.
  if (s.begun && !(objective <= s.at.objective + 1e-4 * s.step * s.slope + kNoise<T> * std::abs(s.at.objective))) {
    s.step *= std::isfinite(objective)
                  ? std::clamp(-s.slope * s.step / (2 * (objective - s.at.objective - s.step * s.slope)), 0.1, 0.5)
                  : 0.1;
    if (s.step < 1e-6) s.done = true;
  } else {
    // The first pass of a search has no step behind it, so no pair.
    if (s.begun) {
      Pair pair{*trial.x - s.at.x, gradient - s.gradient, preconditioned - s.preconditioned, 0};
      pair.sy = dot(pair.s, pair.y);
      const double ypy = dot(pair.y, pair.py);
      pair.scale = pair.sy / ypy;
      // s'y must be positive for the memory's matrix to be positive definite; on a convex
      // function only rounding makes it otherwise.
      if (pair.sy > 1e-10 * ypy) s.pairs.push_back(std::move(pair));
      if (s.pairs.size() > static_cast<std::size_t>(settings.memory)) s.pairs.pop_front();
      if (!s.pairs.empty()) s.at.scale = mean_scale(s.pairs);
    }
    s.begun = true;
    s.at.x = *trial.x;
    s.at.loss = trial.loss;
    s.at.objective = objective;
    s.at.gradient_max = gradient.cwiseAbs().maxCoeff();
    s.at.decrement = dot(gradient, preconditioned) / 2;
    s.gradient = std::move(gradient);
    s.preconditioned = std::move(preconditioned);
    // float32's noise may keep the decrement above the stop for ever: fifteen steps without a new
    // least one end the search, which is then reported as not converged.
    s.stalled = s.at.decrement < s.least ? 0 : s.stalled + 1;
    s.least = std::min(s.least, s.at.decrement);
    const double gain = std::abs(s.without_weights - s.at.objective);
    s.at.converged = s.at.decrement <= settings.stop * std::min(std::abs(s.at.objective), gain);
    if (s.at.converged || s.stalled > 15 || s.at.passes >= settings.most_passes) {
      s.done = true;
      return;
    }
    s.direction = lbfgs_direction(s);
    s.slope = dot(s.gradient, s.direction);
    // No direction of descent: the memory is dropped, and the preconditioned gradient is always one.
    if (!(s.slope < 0)) {
      s.pairs.clear();
      s.direction = -s.preconditioned;
      s.slope = -2 * s.at.decrement;
    }
    s.step = 1;
  }
  s.trial_x = s.at.x;
  add_scaled(s.trial_x, s.step, s.direction);
}

}  // namespace

double logistic_penalty(const Matrix<double>& x, double c) {
  const std::span<const double> w = values_of(x.topRows(x.rows() - 1));
  return dot(w, w) / (2 * c);
}

namespace {

// One pass for several points: losses and gradients with the penalty added.
template <typename T>
std::vector<double> evaluate_objectives(LogisticPass& pass, std::vector<Trial>& trials, double c, int threads,
                                        std::vector<double>* curvature = nullptr, std::size_t bent = 0) {
  pass.evaluate<T>(trials, threads, curvature, bent);
  std::vector<double> objectives;
  for (Trial& trial : trials) {
    const Eigen::Index r = trial.x->rows() - 1;
    trial.gradient.topRows(r) += trial.x->topRows(r) / c;
    objectives.push_back(trial.loss + logistic_penalty(*trial.x, c));
  }
  return objectives;
}

// All gradients go through the factor at once: it is read from memory once a pass.
std::vector<Matrix<double>> precondition(const LogisticPreconditioner& preconditioner,
                                         const std::vector<Trial>& trials) {
  std::vector<const Matrix<double>*> gradients;
  for (const Trial& trial : trials) gradients.push_back(&trial.gradient);
  return preconditioner.apply(gradients);
}

// The first pass: every search's trial becomes the best of its choices, evaluated, and the preconditioner is made for
// what the first choices say of the losses' curvature.
template <typename T>
std::vector<Trial> choose_starts(LogisticPass& pass, LogisticPreconditioner& preconditioner, const LogisticTask& task,
                                 std::vector<Search>& searches, int threads, std::vector<double>& objectives) {
  std::vector<Trial> all, best;
  for (const LogisticStarts& starts : task.choices) {
    for (std::size_t p = 0; p < searches.size(); ++p) all.push_back({&searches[p].problem, &starts[p], 0, {}});
  }
  std::vector<double> curvature;
  const std::vector<double> values = evaluate_objectives<T>(pass, all, task.c, threads, &curvature, searches.size());
  preconditioner.prepare(task.c, std::move(curvature));
  for (std::size_t p = 0; p < searches.size(); ++p) {
    std::size_t taken = p;
    // Choices are laid out one after the other, so a problem's own are searches.size() apart.
    for (std::size_t i = p; i < all.size(); i += searches.size()) taken = values[i] < values[taken] ? i : taken;
    searches[p].at.choice = taken / searches.size();
    best.push_back(std::move(all[taken]));
    objectives.push_back(values[taken]);
  }
  return best;
}

}  // namespace

template <typename T>
std::vector<LogisticPoint> solve_logistic(LogisticPass& pass, LogisticPreconditioner& preconditioner,
                                          const LogisticTask& task, const LogisticSettings& settings,
                                          const Context& context) {
  // Searches go in lockstep: each round is one pass for all that aren't done.
  std::vector<Search> searches(task.problems.size());
  for (std::size_t p = 0; p < searches.size(); ++p) {
    searches[p].problem = task.problems[p];
    if (!task.without_weights.empty()) searches[p].without_weights = task.without_weights[p];
    if (!task.fallback.empty()) searches[p].at.scale = task.fallback[p].scale;
  }
  for (bool first = true;; first = false) {
    context.throw_if_stopped();
    std::vector<std::size_t> active;
    std::vector<Trial> trials;
    std::vector<double> objectives;
    for (std::size_t p = 0; p < searches.size(); ++p) {
      if (!searches[p].done) active.push_back(p);
    }
    if (active.empty()) break;
    if (first) {
      trials = choose_starts<T>(pass, preconditioner, task, searches, context.threads, objectives);
    } else {
      for (const std::size_t p : active) trials.push_back({&searches[p].problem, &searches[p].trial_x, 0, {}});
      objectives = evaluate_objectives<T>(pass, trials, task.c, context.threads);
    }
    std::vector<Matrix<double>> preconditioned = precondition(preconditioner, trials);
    // An L-BFGS step reads some forty vectors.
    const int helpers = threads_worth(40 * active.size() * pass.point_size(), context.threads);
    parallel_for(helpers, active.size(), [&](std::size_t a) {
      Search& s = searches[active[a]];
      if (first && !task.fallback.empty()) {
        const LogisticPoint& known = task.fallback[active[a]];
        // The last C's point has a known loss, and its penalty at this C costs no pass: it is a
        // further choice for free, whose gradient the next pass finds.
        if (known.loss + logistic_penalty(known.x, task.c) < objectives[a]) {
          s.at.passes = 1;
          // The next pass evaluates that point; only then is there a gradient.
          s.trial_x = known.x;
          return;
        }
      }
      advance<T>(s, trials[a], std::move(preconditioned[a]), std::move(trials[a].gradient), objectives[a], settings);
    });
  }
  std::vector<LogisticPoint> points;
  for (Search& s : searches) points.push_back(std::move(s.at));
  return points;
}

template std::vector<LogisticPoint> solve_logistic<float>(LogisticPass&, LogisticPreconditioner&, const LogisticTask&,
                                                          const LogisticSettings&, const Context&);
template std::vector<LogisticPoint> solve_logistic<double>(LogisticPass&, LogisticPreconditioner&, const LogisticTask&,
                                                           const LogisticSettings&, const Context&);

namespace {

// The polynomial through the last `count` of `past` (log C, points), at `at`.
// Lagrange's form: the points are few and only their values at one place are wanted.
LogisticStarts extrapolate(const std::deque<std::pair<double, std::vector<LogisticPoint>>>& past, std::size_t count,
                           double at, int threads) {
  const std::size_t first = past.size() - count;
  LogisticStarts starts(past.back().second.size());
  parallel_for(threads, starts.size(), [&](std::size_t p) {
    const Matrix<double>& newest = past.back().second[p].x;
    starts[p] = Matrix<double>::Zero(newest.rows(), newest.cols());
    for (std::size_t j = first; j < past.size(); ++j) {
      double factor = 1;  // Lagrange's
      for (std::size_t m = first; m < past.size(); ++m) {
        if (m != j) factor *= (at - past[m].first) / (past[j].first - past[m].first);
      }
      add_scaled(starts[p], factor, past[j].second[p].x);
    }
  });
  return starts;
}

}  // namespace

std::vector<double> losses_without_weights(LogisticPass& pass, std::span<const LogisticProblem> problems, int threads) {
  LogisticStarts starts;
  std::vector<Trial> trials;
  for (const LogisticProblem& problem : problems) starts.push_back(pass.start(problem));
  for (std::size_t p = 0; p < problems.size(); ++p) trials.push_back({&problems[p], &starts[p], 0, {}});
  pass.evaluate<float>(trials, threads);
  std::vector<double> values;
  for (const Trial& trial : trials) values.push_back(trial.loss);
  return values;
}

// From strong to weak regularisation, so that every solution is a good start for the next (a
// regularisation path: Friedman, Hastie & Tibshirani 2010).
void solve_logistic_path(LogisticPass& pass, LogisticPreconditioner& preconditioner, std::span<const double> grid,
                         std::span<const LogisticProblem> problems, const LogisticSettings& settings,
                         const Context& context,
                         const std::function<void(std::size_t, const std::vector<LogisticPoint>&)>& done) {
  std::deque<std::pair<double, std::vector<LogisticPoint>>> past;  // log C, newest last
  int trusted = 0;                                                 // the parabola's next turns
  // The smallest C begins at W = 0, which is near its solution.
  LogisticStarts starts;
  for (const LogisticProblem& problem : problems) starts.push_back(pass.start(problem));
  const std::vector<double> without_weights = losses_without_weights(pass, problems, context.threads);
  for (std::size_t i = 0; i < grid.size(); ++i) {
    const double at = std::log(grid[i]);
    std::vector<LogisticStarts> choices;
    // Both the line and the parabola are tried as long as the parabola isn't trusted: a second
    // choice is one more trial in the same pass.
    for (std::size_t count = trusted > 0 ? 3 : 2; count <= past.size(); ++count)
      choices.push_back(extrapolate(past, count, at, context.threads));
    if (past.empty()) {
      choices.push_back(starts);
    } else if (past.size() == 1) {
      choices.push_back(extrapolate(past, 1, at, context.threads));
    }
    LogisticTask task{grid[i], problems, choices, {}, without_weights};
    if (!past.empty()) task.fallback = past.back().second;
    std::vector<LogisticPoint> points = solve_logistic<float>(pass, preconditioner, task, settings, context);
    done(i, points);
    const bool parabola = choices.size() == 2 && std::all_of(points.begin(), points.end(),
                                                             [](const LogisticPoint& p) { return p.choice == 1; });
    trusted = parabola ? kTrusted : std::max(trusted - 1, 0);
    past.emplace_back(at, std::move(points));
    if (past.size() > 3) past.pop_front();
  }
}

}  // namespace vise::probes

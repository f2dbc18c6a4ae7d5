// Probe `liblinear`: Debian's LIBLINEAR 2.3 through its C API (linear.h; Fan et al., JMLR 9, 2008), so that its numbers
// are those of its own `train` program. The bias is a column of ones, -B 1, and regularised like any other.
//
// The dual solvers shuffle with rand(), which is one sequence for the whole process: fits on several threads would draw
// from each other's and no two runs would agree. The room links LIBLINEAR statically with the linker's --wrap=rand, and
// __wrap_rand below gives every fit glibc's sequence of seed 1 for itself: what the `train` program draws.
#include <cblas.h>
#include <fmt/format.h>
#include <linear.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "base/text.h"
#include "base/threads.h"
#include "probes/builtin.h"
#include "probes/evaluate.h"
#include "probes/linear_model.h"
#include "probes/options.h"
#include "probes/selection.h"

namespace {

// glibc's rand() on a state of this thread's own.
struct RandomState {
  std::array<char, 128> bytes{};
  random_data data{};
  void restart() {
    data = {};
    initstate_r(1, bytes.data(), bytes.size(), &data);
  }
};

thread_local RandomState random_state;

}  // namespace

extern "C" int __wrap_rand() {
  if (random_state.data.state == nullptr) random_state.restart();
  std::int32_t value = 0;
  random_r(&random_state.data, &value);
  return value;
}

namespace vise {
namespace {

struct ModelDeleter {
  void operator()(model* m) const { free_and_destroy_model(&m); }
};
using ModelPointer = std::unique_ptr<model, ModelDeleter>;

struct Solver {
  int type;
  const char* title;
  bool values;    // support vector regression
  bool logistic;  // its decision values are log odds
  double eps;     // the train program's default
};

constexpr std::array kSolvers{
    Solver{0, "L2-regularised logistic regression (primal)", false, true, 0.01},
    Solver{1, "L2-regularised L2-loss SVM (dual)", false, false, 0.1},
    Solver{2, "L2-regularised L2-loss SVM (primal)", false, false, 0.01},
    Solver{4, "multi-class SVM of Crammer and Singer", false, false, 0.1},
    Solver{5, "L1-regularised L2-loss SVM", false, false, 0.01},
    Solver{7, "L2-regularised logistic regression (dual)", false, true, 0.1},
    Solver{11, "L2-regularised L2-loss SVR (primal)", true, false, 0.0001},
    Solver{12, "L2-regularised L2-loss SVR (dual)", true, false, 0.1},
    Solver{13, "L2-regularised L1-loss SVR (dual)", true, false, 0.1},
};

struct Settings {
  Solver solver;
  std::vector<double> grid;
  double eps, p;
  double positive_weight;  // the loss of a class's own rows counts this often
  std::string treatment;
  std::string metric;
};

// The features as LIBLINEAR wants them: nodes of (index from 1, value), zeros left out, then the bias and an end mark.
class Nodes {
 public:
  explicit Nodes(const Pool& pool) : columns_(static_cast<int>(pool.dim) + 1) {
    check_memory(pool);
    for (const float* const row : pool.rows) {
      starts_.push_back(nodes_.size());
      for (std::size_t d = 0; d < pool.dim; ++d) {
        if (row[d] != 0) nodes_.push_back({static_cast<int>(d) + 1, static_cast<double>(row[d])});
      }
      nodes_.push_back({columns_, 1});
      nodes_.push_back({-1, 0});
    }
  }

  // Rows `rows` with targets `y`, which must outlive the problem, as must `pointers`.
  problem view(std::span<const std::uint32_t> rows, std::vector<feature_node*>& pointers, std::vector<double>& y) {
    pointers.clear();
    for (const std::uint32_t row : rows) pointers.push_back(nodes_.data() + starts_[row]);
    return {static_cast<int>(rows.size()), columns_, y.data(), pointers.data(), 1};
  }

 private:
  void check_memory(const Pool& pool) {
    std::size_t count = 2 * pool.size();
    for (const float* const row : pool.rows) {
      for (std::size_t d = 0; d < pool.dim; ++d) count += row[d] != 0;
    }
    const std::uint64_t need = count * sizeof(feature_node);
    std::ifstream meminfo("/proc/meminfo");
    std::uint64_t available = UINT64_MAX;
    for (std::string word; meminfo >> word;) {
      if (word == "MemAvailable:" && meminfo >> available) available *= 1024;
    }
    if (need > available) {
      throw Error(ErrorKind::system,
                  fmt::format("LIBLINEAR needs {} for these features (16 bytes a value), {} are free", bytes_text(need),
                              bytes_text(available)),
                  "use --probe logreg, which works on the float32 features themselves");
    }
    nodes_.reserve(count);
  }

  int columns_;
  std::vector<feature_node> nodes_;
  std::vector<std::size_t> starts_;
};

// One call of LIBLINEAR's train(): `rows` with whole or real targets `y`.
ModelPointer train_once(Nodes& nodes, std::span<const std::uint32_t> rows, std::vector<double> y, double c,
                        const Settings& settings, std::vector<int> weighted) {
  std::vector<feature_node*> pointers;
  problem data = nodes.view(rows, pointers, y);
  std::vector<double> weights(weighted.size(), settings.positive_weight);
  parameter options{};
  options.solver_type = settings.solver.type;
  options.C = c;
  options.eps = settings.eps;
  options.p = settings.p;
  options.nr_weight = static_cast<int>(weighted.size());
  options.weight_label = weighted.data();
  options.weight = weights.data();
  if (const char* const wrong = check_parameter(&data, &options)) {
    throw Error(ErrorKind::usage, fmt::format("LIBLINEAR: {}", wrong));
  }
  random_state.restart();
  return ModelPointer(train(&data, &options));
}

// One vector a class, label or value; two classes: one vector, as +-w/2.
struct Vectors {
  std::size_t dim;
  std::vector<double> weights, intercepts;

  void set(std::size_t row, const model& from, int vector, double factor) {
    for (std::size_t d = 0; d < dim; ++d) {
      weights[row * dim + d] = factor * get_decfun_coef(&from, static_cast<int>(d) + 1, vector);
    }
    intercepts[row] = factor * get_decfun_bias(&from, vector);
  }
};

Vectors fit_classes(Nodes& nodes, const Pool& pool, std::span<const std::uint32_t> rows, double c,
                    const Settings& settings) {
  const std::size_t classes = pool.targets.width();
  std::vector<double> y;
  std::vector<bool> present(classes);
  for (const std::uint32_t row : rows) {
    const int k = pool.targets.classes()[row];
    y.push_back(k);
    present[static_cast<std::size_t>(k)] = true;
  }
  std::vector<int> weighted;
  for (std::size_t k = classes == 2; k < classes; ++k) {
    if (settings.positive_weight != 1 && present[k]) weighted.push_back(static_cast<int>(k));
  }
  const ModelPointer m = train_once(nodes, rows, std::move(y), c, settings, std::move(weighted));
  // A class without a row keeps weights of zero and a score below any other's.
  Vectors out{pool.dim, std::vector<double>(classes * pool.dim), std::vector<double>(classes, -1e30)};
  const auto row_of = [&](int label) { return static_cast<std::size_t>(label); };
  if (m->nr_class == 2 && settings.solver.type != MCSVM_CS) {
    // get_decfun_coef gives label[0]'s vector as 0 and its negative as 1.
    for (const int v : {0, 1}) out.set(row_of(m->label[v]), *m, v, 0.5);
  } else {
    for (int v = 0; v < m->nr_class; ++v) out.set(row_of(m->label[v]), *m, v, 1);
  }
  return out;
}

// The label's known rows and their bits.
Vectors fit_labels(Nodes& nodes, const Pool& pool, std::span<const std::uint32_t> rows, double c,
                   const Settings& settings) {
  const std::size_t labels = pool.targets.width();
  Vectors out{pool.dim, std::vector<double>(labels * pool.dim), std::vector<double>(labels)};
  for (std::size_t k = 0; k < labels; ++k) {
    std::vector<std::uint32_t> known;
    std::vector<double> y;
    for (const std::uint32_t row : rows) {
      const int bit = pool.targets.multi_label()[row * labels + k];
      if (bit < 0) continue;
      known.push_back(row);
      y.push_back(bit);
    }
    const bool both = std::count(y.begin(), y.end(), 1.0) > 0 && std::count(y.begin(), y.end(), 0.0) > 0;
    if (!both) {
      out.intercepts[k] = !y.empty() && y[0] == 1 ? 1 : -1;
      continue;
    }
    const std::vector<int> weighted = settings.positive_weight == 1 ? std::vector<int>{} : std::vector<int>{1};
    const ModelPointer m = train_once(nodes, known, std::move(y), c, settings, weighted);
    out.set(k, *m, m->label[0] == 1 ? 0 : 1, 1);
  }
  return out;
}

Vectors fit_values(Nodes& nodes, const Pool& pool, std::span<const std::uint32_t> rows, double c,
                   const Settings& settings) {
  const std::size_t width = pool.targets.width();
  Vectors out{pool.dim, std::vector<double>(width * pool.dim), std::vector<double>(width)};
  for (std::size_t t = 0; t < width; ++t) {
    std::vector<double> y;
    for (const std::uint32_t row : rows) y.push_back(pool.targets.rows()[row * width + t]);
    const ModelPointer m = train_once(nodes, rows, std::move(y), c, settings, {});
    out.set(t, *m, 0, 1);
  }
  return out;
}

class LibLinear final : public Probe {
 public:
  explicit LibLinear(const ProbeOptions& given) {
    const OptionReader options("liblinear", given,
                               {{"vissl-svm",
                                 {{"solver", "1"},
                                  {"eps", "1e-4"},
                                  {"grid", "0.01,0.1,1,2,5,10,15,20,50,100,1000"},
                                  {"positive-weight", "2"},
                                  {"treatment", "l2"}}}});
    std::vector<std::string> types;
    for (const Solver& solver : kSolvers) types.push_back(std::to_string(solver.type));
    const std::string type = options.choice("solver", types, "0");
    settings_.solver = *std::find_if(kSolvers.begin(), kSolvers.end(),
                                     [&](const Solver& s) { return std::to_string(s.type) == type; });
    settings_.grid = options.grid("grid", "1e-6:1e4:11", "C");
    settings_.eps = options.number("eps", settings_.solver.eps, 1e-12, 1);
    settings_.p = options.number("p", 0.1, 0, 1e6);
    settings_.positive_weight = options.number("positive-weight", 1, 1e-6, 1e6);
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
              {"treatment", settings_.treatment},
              {"library", fmt::format("LIBLINEAR {}", liblinear_version)}};
    if (settings_.solver.values) json["p"] = settings_.p;
    if (!settings_.metric.empty()) json["metric"] = settings_.metric;
    if (!preset_.empty()) json["preset"] = preset_;
    return json;
  }

 private:
  struct Result {
    std::unique_ptr<ProbeModel> model;
    double objective = std::numeric_limits<double>::quiet_NaN();
  };

  Result fit_one(Nodes& nodes, const Pool& pool, std::span<const std::uint32_t> rows, double c) const {
    const auto fit_kind = pool.targets.kind() == TargetKind::classes       ? fit_classes
                          : pool.targets.kind() == TargetKind::multi_label ? fit_labels
                                                                           : fit_values;
    Vectors v = fit_kind(nodes, pool, rows, c, settings_);
    return {std::make_unique<LinearModel>(v.dim, std::move(v.weights), std::move(v.intercepts))};
  }

  std::vector<Scores> sweep(Nodes& nodes, const Pool& pool, Selector& selector, const Context& context) const;

  void expect_kind(const Targets& targets) const {
    const bool values = targets.kind() == TargetKind::values;
    if (targets.kind() != TargetKind::distribution && values == settings_.solver.values) return;
    throw Error(ErrorKind::usage,
                fmt::format("LIBLINEAR's solver {} doesn't fit {} targets", settings_.solver.type,
                            target_kind_name(targets.kind())),
                values ? "solvers 11, 12 and 13 are for values" : "use --probe logreg");
  }

  Settings settings_;
  std::string preset_;
};

// Fits every candidate of every round, several at a time. Returns the candidates' scores on val, where there is one.
std::vector<Scores> LibLinear::sweep(Nodes& nodes, const Pool& pool, Selector& selector, const Context& context) const {
  const std::size_t count = settings_.grid.size(), total = count * pool.rounds.size();
  std::vector<Scores> held_out(total);
  std::atomic<std::size_t> done{0};
  parallel_for(context.threads, total, [&](std::size_t i) {
    context.throw_if_stopped();
    const Round& round = pool.rounds[i / count];
    const auto fitted = fit_one(nodes, pool, round.fit, settings_.grid[i % count]);
    held_out[i] = pool.predict(*fitted.model, round.score);
    selector.record(i % count, i / count, held_out[i]);
    context.log.progress("liblinear: fits", ++done, total);
  });
  return held_out;
}

Fitted LibLinear::fit(const TrainView& train_view, const ValView* val, const Context& context) const {
  expect_kind(train_view.targets);
  set_print_string_function([](const char*) {});
  openblas_set_num_threads(1);  // the sweep's fits are what runs side by side
  const Pool pool = make_pool(train_view, val, Treatment::parse(settings_.treatment));
  Nodes nodes(pool);
  const TargetKind kind = pool.targets.kind();
  Selector selector(pool, settings_.metric.empty() ? selection_metric(kind) : settings_.metric,
                    candidates_of("C", settings_.grid));
  std::vector<Scores> held_out;
  if (selector.needed()) held_out = sweep(nodes, pool, selector, context);
  const auto one = std::find(settings_.grid.begin(), settings_.grid.end(), 1.0);
  const std::size_t chosen =
      selector.best(one == settings_.grid.end() ? 0 : static_cast<std::size_t>(one - settings_.grid.begin()));

  context.throw_if_stopped();
  std::vector<std::uint32_t> all(pool.size());
  std::iota(all.begin(), all.end(), 0u);
  Result result = fit_one(nodes, pool, all, settings_.grid[chosen]);
  Fitted fitted;
  fitted.convergence = {settings_.solver.title, result.objective, std::numeric_limits<double>::quiet_NaN(), 0, true};
  fitted.model = treated_model(std::move(result.model), pool.treatment);
  fitted.selection = selector.selection(chosen);
  fitted.notes.push_back("LIBLINEAR's bias is a regularised column (-B 1)");
  const bool logits = settings_.solver.logistic && (kind == TargetKind::multi_label || pool.targets.width() == 2);
  if (pool.has_val && selector.needed()) {
    if (logits)
      fitted.calibration = calibrate(held_out[chosen], pool.targets.select(pool.rounds[0].score), pool.selected_on);
    fitted.val_scores = std::move(held_out[chosen]);
  }
  fitted.calibration.scores_are_logits = logits;
  return fitted;
}

}  // namespace

void register_liblinear(ProbeRegistry& registry) {
  registry.add({"liblinear",
                "linear classifiers and regressors of LIBLINEAR",
                {TargetKind::classes, TargetKind::multi_label, TargetKind::values},
                {"preset", "solver", "C", "grid", "eps", "p", "positive-weight", "treatment", "metric"}},
               [](const ProbeOptions& options) { return std::make_unique<LibLinear>(options); });
}

}  // namespace vise

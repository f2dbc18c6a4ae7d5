// Probe `ridge`: least squares with an L2 penalty and a free intercept, in closed form. All penalties of the grid come
// from one eigendecomposition a round (Hastie, Tibshirani, Friedman, 2nd ed., section 3.4.1). Classes are fitted as 1
// and 0, labels as 1 and -1.
#include <cblas.h>
#include <fmt/format.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/threads.h"
#include "probes/builtin.h"
#include "probes/evaluate.h"
#include "probes/linear_model.h"
#include "probes/options.h"
#include "probes/row_matrix.h"
#include "probes/selection.h"

namespace vise {
namespace {

int as_int(std::size_t n) { return static_cast<int>(n); }

// N x K, what the outputs should be.
std::vector<double> dense_targets(const Targets& targets) {
  const std::size_t width = targets.width();
  if (targets.kind() == TargetKind::values) return {targets.rows().begin(), targets.rows().end()};
  std::vector<double> y(targets.size() * width);
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (targets.kind() == TargetKind::classes) {
      y[i] = targets.classes()[i / width] == static_cast<int>(i % width);
      continue;
    }
    const int bit = targets.multi_label()[i];
    if (bit < 0)
      throw Error(ErrorKind::input, "ridge can't fit labels of which some are unknown", "use --probe logreg");
    y[i] = bit == 1 ? 1 : -1;
  }
  return y;
}

// Least squares on some rows, ready for any penalty.
class Decomposition {
 public:
  Decomposition(const RowMatrix& matrix, std::span<const std::uint32_t> rows, const std::vector<double>& y,
                std::size_t outputs)
      : r_(matrix.columns()), k_(outputs), mean_x_(r_), mean_y_(k_), axes_(r_ * r_), squares_(r_) {
    std::vector<double> buffer;
    const double n = static_cast<double>(rows.size());
    for (const std::uint32_t row : rows) {
      const double* const x = matrix.block(row, 1, buffer);
      for (std::size_t d = 0; d < r_; ++d) mean_x_[d] += x[d] / n;
      for (std::size_t k = 0; k < k_; ++k) mean_y_[k] += y[row * k_ + k] / n;
    }
    accumulate(matrix, rows, y);
    if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', as_int(r_), axes_.data(), as_int(r_), squares_.data()) != 0) {
      throw Error(ErrorKind::system, "the eigenvectors of the features' covariance were not found");
    }
    // Eigenvector j is row j of axes_.
    rotated_.resize(r_ * k_);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, as_int(r_), as_int(k_), as_int(r_), 1, axes_.data(),
                as_int(r_), products_.data(), as_int(k_), 0, rotated_.data(), as_int(k_));
  }

  // Weights (R x K, then K intercepts) for a penalty lambda ||W||^2.
  std::vector<double> solve(double lambda) const {
    std::vector<double> scaled = rotated_, w((r_ + 1) * k_);
    for (std::size_t j = 0; j < r_; ++j) {
      // Rounding leaves eigenvalues a little below zero.
      for (std::size_t k = 0; k < k_; ++k) scaled[j * k_ + k] /= std::max(squares_[j], 0.0) + lambda;
    }
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, as_int(r_), as_int(k_), as_int(r_), 1, axes_.data(),
                as_int(r_), scaled.data(), as_int(k_), 0, w.data(), as_int(k_));
    for (std::size_t k = 0; k < k_; ++k) {
      double b = mean_y_[k];
      for (std::size_t d = 0; d < r_; ++d) b -= mean_x_[d] * w[d * k_ + k];
      w[r_ * k_ + k] = b;
    }
    return w;
  }

 private:
  // X'X and X'Y of the centred rows, in blocks.
  void accumulate(const RowMatrix& matrix, std::span<const std::uint32_t> rows, const std::vector<double>& y) {
    constexpr std::size_t kBlock = 256;
    std::vector<double> buffer, x(kBlock * r_), targets(kBlock * k_);
    products_.assign(r_ * k_, 0);
    for (std::size_t begin = 0; begin < rows.size(); begin += kBlock) {
      const std::size_t count = std::min(kBlock, rows.size() - begin);
      for (std::size_t i = 0; i < count; ++i) {
        const double* const row = matrix.block(rows[begin + i], 1, buffer);
        for (std::size_t d = 0; d < r_; ++d) x[i * r_ + d] = row[d] - mean_x_[d];
        for (std::size_t k = 0; k < k_; ++k) targets[i * k_ + k] = y[rows[begin + i] * k_ + k] - mean_y_[k];
      }
      // Column-major upper is row-major lower.
      cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, as_int(r_), as_int(count), 1, x.data(), as_int(r_), 1,
                  axes_.data(), as_int(r_));
      cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, as_int(r_), as_int(k_), as_int(count), 1, x.data(),
                  as_int(r_), targets.data(), as_int(k_), 1, products_.data(), as_int(k_));
    }
  }

  std::size_t r_, k_;
  std::vector<double> mean_x_, mean_y_, axes_, squares_, products_, rotated_;
};

Scores apply(const RowMatrix& matrix, std::span<const std::uint32_t> rows, const std::vector<double>& w,
             std::size_t outputs) {
  const std::size_t r = matrix.columns();
  Scores scores{rows.size(), outputs, std::vector<double>(rows.size() * outputs)};
  std::vector<double> buffer;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double* const z = &scores.values[i * outputs];
    std::copy(w.end() - static_cast<std::ptrdiff_t>(outputs), w.end(), z);
    cblas_dgemv(CblasRowMajor, CblasTrans, as_int(r), as_int(outputs), 1, w.data(), as_int(outputs),
                matrix.block(rows[i], 1, buffer), 1, 1, z, 1);
  }
  return scores;
}

class Ridge final : public Probe {
 public:
  explicit Ridge(const ProbeOptions& given) {
    const OptionReader options("ridge", given);
    grid_ = options.grid("grid", "1e-3:1e8:12", "lambda");
    std::reverse(grid_.begin(), grid_.end());  // the strongest first: what ties go to
    treatment_ = options.text("treatment", "none");
    Treatment::parse(treatment_);
    metric_ = options.text("metric", "");
  }

  Fitted fit(const TrainView& train, const ValView* val, const Context& context) const override;

  Json describe() const override {
    Json json{{"probe", "ridge"},
              {"grid", grid_},
              {"treatment", treatment_},
              {"objective", "sum of squared errors + lambda ||W||^2, intercepts free"}};
    if (!metric_.empty()) json["metric"] = metric_;
    return json;
  }

 private:
  std::vector<double> grid_;
  std::string treatment_, metric_;
};

// The objective and its largest derivative, measured at the solution.
Convergence measure(const RowMatrix& matrix, std::span<const std::uint32_t> rows, const std::vector<double>& y,
                    const std::vector<double>& w, std::size_t outputs, double lambda) {
  const std::size_t r = matrix.columns();
  const Scores fitted = apply(matrix, rows, w, outputs);
  Convergence c{"", 0, 0, 1, true};
  std::vector<double> gradient(w.size()), buffer;
  for (std::size_t i = 0; i < r * outputs; ++i) {
    gradient[i] = 2 * lambda * w[i];
    c.objective += lambda * w[i] * w[i];
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double* const x = matrix.block(rows[i], 1, buffer);
    for (std::size_t k = 0; k < outputs; ++k) {
      const double off = fitted(i, k) - y[rows[i] * outputs + k];
      c.objective += off * off;
      cblas_daxpy(as_int(r), 2 * off, x, 1, &gradient[k], as_int(outputs));
      gradient[r * outputs + k] += 2 * off;
    }
  }
  for (const double g : gradient) c.gradient_norm = std::max(c.gradient_norm, std::abs(g));
  return c;
}

Fitted Ridge::fit(const TrainView& train, const ValView* val, const Context& context) const {
  if (train.targets.kind() == TargetKind::distribution) {
    throw Error(ErrorKind::usage, "ridge fits classes, labels and values, not distributions", "use --probe logreg");
  }
  openblas_set_num_threads(1);
  const Pool pool = make_pool(train, val, Treatment::parse(treatment_));
  const TargetKind kind = pool.targets.kind();
  const std::size_t outputs = pool.targets.width();
  std::vector<std::uint32_t> all(pool.size());
  std::iota(all.begin(), all.end(), 0u);
  const RowMatrix matrix = RowMatrix::make(pool.rows, pool.dim, context.threads);
  const std::vector<double> y = dense_targets(pool.targets);
  Selector selector(pool, metric_.empty() ? selection_metric(kind) : metric_, candidates_of("lambda", grid_));
  std::vector<Scores> held_out(grid_.size());
  if (selector.needed()) {
    parallel_for(context.threads, pool.rounds.size(), [&](std::size_t r) {
      context.throw_if_stopped();
      const Decomposition decomposition(matrix, pool.rounds[r].fit, y, outputs);
      for (std::size_t i = 0; i < grid_.size(); ++i) {
        Scores scores = apply(matrix, pool.rounds[r].score, decomposition.solve(grid_[i]), outputs);
        selector.record(i, r, scores);
        if (pool.has_val) held_out[i] = std::move(scores);
      }
    });
  }
  const auto one = std::find(grid_.begin(), grid_.end(), 1.0);
  const std::size_t chosen = selector.best(one == grid_.end() ? 0 : static_cast<std::size_t>(one - grid_.begin()));
  context.throw_if_stopped();
  const std::vector<double> w = Decomposition(matrix, all, y, outputs).solve(grid_[chosen]);
  const std::vector<double> v = matrix.to_features(std::span(w).first(matrix.columns() * outputs), outputs);
  Fitted fitted;
  fitted.model = treated_model(std::make_unique<LinearModel>(view(v.data(), pool.dim, outputs, outputs).transpose(),
                                                             view(&w[w.size() - outputs], 1, outputs, outputs)),
                               pool.treatment);
  fitted.selection = selector.selection(chosen);
  fitted.convergence = measure(matrix, all, y, w, outputs, grid_[chosen]);
  fitted.convergence.objective_text = describe()["objective"];
  if (pool.has_val && selector.needed()) {
    if (kind == TargetKind::multi_label) {
      fitted.calibration = calibrate(held_out[chosen], pool.targets.select(pool.rounds[0].score), pool.selected_on);
    }
    fitted.val_scores = std::move(held_out[chosen]);
  }
  fitted.calibration.scores_are_logits = false;
  return fitted;
}

}  // namespace

void register_ridge(ProbeRegistry& registry) {
  registry.add({"ridge",
                "least squares with an L2 penalty, in closed form",
                {TargetKind::classes, TargetKind::multi_label, TargetKind::values},
                {"lambda", "grid", "treatment", "metric"}},
               [](const ProbeOptions& options) { return std::make_unique<Ridge>(options); });
}

}  // namespace vise

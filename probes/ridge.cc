// Probe `ridge`: least squares with an L2 penalty and a free intercept, in closed form. All penalties of the grid come
// from one eigendecomposition a fold (Hastie, Tibshirani, Friedman, 2nd ed., section 3.4.1). Classes are fitted as 1
// and 0, labels as 1 and -1.
#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/threads.h"
#include "probes/builtin.h"
#include "probes/eigenvectors.h"
#include "probes/evaluate.h"
#include "probes/linear_model.h"
#include "probes/options.h"
#include "probes/row_matrix.h"
#include "probes/selection.h"

namespace vise::probes {
namespace {

// N x K, what the outputs should be.
Matrix<double> target_matrix(const datasets::Targets& targets) {
  const std::size_t n = targets.size(), width = targets.width();
  if (targets.kind() == datasets::TargetKind::values) return view(targets.rows().data(), n, width, width);
  Matrix<double> y = Matrix<double>::Zero(n, width);
  if (targets.kind() == datasets::TargetKind::classes) {
    for (std::size_t i = 0; i < n; ++i) y(i, targets.classes()[i]) = 1;
    return y;
  }
  for (std::size_t i = 0; i < n * width; ++i) {
    const int bit = targets.multi_label()[i];
    if (bit < 0)
      throw Error(ErrorKind::input, "ridge can't fit labels of which some are unknown", "use --probe logreg");
    y(i / width, i % width) = bit == 1 ? 1 : -1;
  }
  return y;
}

// Least squares on some rows, ready for any penalty.
// Centred sums first, then the axes of the covariance; the intercept follows from the means at the end.
class Decomposition {
 public:
  Decomposition(const RowMatrix& matrix, std::span<const std::uint32_t> rows, const Matrix<double>& y)
      : mean_x_(Row::Zero(matrix.columns())), mean_y_(Row::Zero(y.cols())) {
    std::vector<double> buffer;
    const double n = static_cast<double>(rows.size());
    for (const std::uint32_t row : rows) {
      mean_x_ += matrix.block(row, 1, buffer).row(0) / n;
      mean_y_ += y.row(row) / n;
    }
    auto [covariance, products] = accumulate(matrix, rows, y);
    // X'X = V diag(e) V', so (X'X + lambda I)^-1 X'Y = V diag(1 / (e + lambda)) V'X'Y: after
    // one decomposition every lambda costs one product.
    axes_ = eigenvectors(std::move(covariance), Eigen::Lower, "eigenvectors of the features' covariance");
    rotated_.noalias() = axes_.vectors * products;
  }

  // Weights (R x K, and below them K intercepts) for a penalty lambda ||W||^2.
  Matrix<double> solve(double lambda) const {
    // Rounding leaves eigenvalues a little below zero.
    const Matrix<double> scaled = rotated_.array().colwise() / (axes_.values.array().max(0.0) + lambda);
    const Eigen::Index r = mean_x_.size();
    Matrix<double> w(r + 1, mean_y_.size());
    w.topRows(r).noalias() = axes_.vectors.transpose() * scaled;
    // The intercept is free: b = mean y - W' mean x.
    w.row(r) = mean_y_;
    for (Eigen::Index d = 0; d < r; ++d) w.row(r) -= mean_x_[d] * w.row(d);
    return w;
  }

 private:
  // X'X (its lower triangle) and X'Y of the centred rows, in blocks.
  std::pair<Matrix<double>, Matrix<double>> accumulate(const RowMatrix& matrix, std::span<const std::uint32_t> rows,
                                                       const Matrix<double>& y) const {
    constexpr std::size_t kBlock = 256;
    const Eigen::Index r = mean_x_.size(), k = mean_y_.size();
    std::vector<double> buffer;
    Matrix<double> x(kBlock, r), targets(kBlock, k), squares = Matrix<double>::Zero(r, r),
                                                     products = Matrix<double>::Zero(r, k);
    for (std::size_t begin = 0; begin < rows.size(); begin += kBlock) {
      const std::size_t count = std::min(kBlock, rows.size() - begin);
      for (std::size_t i = 0; i < count; ++i) {
        x.row(i) = matrix.block(rows[begin + i], 1, buffer).row(0) - mean_x_;
        targets.row(i) = y.row(rows[begin + i]) - mean_y_;
      }
      const auto turned = x.topRows(count).transpose();
      squares.selfadjointView<Eigen::Lower>().rankUpdate(turned);
      products.noalias() += turned * targets.topRows(count);
    }
    return {std::move(squares), std::move(products)};
  }

  Row mean_x_, mean_y_;
  Eigenvectors axes_;
  Matrix<double> rotated_;  // X'Y in the basis of the axes
};

// Scores of some rows in double, in the matrix's coordinates; the model that is kept works on the features themselves.
Scores apply(const RowMatrix& matrix, std::span<const std::uint32_t> rows, const Matrix<double>& w) {
  const auto outputs = static_cast<std::size_t>(w.cols());
  Scores scores{rows.size(), outputs, std::vector<double>(rows.size() * outputs)};
  std::vector<double> buffer;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Eigen::Map<Row> z(&scores.values[i * outputs], w.cols());
    z = w.bottomRows(1);
    z.noalias() += matrix.block(rows[i], 1, buffer).row(0) * w.topRows(w.rows() - 1);
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
// A gradient of 2 (X'(XW + b - Y) + lambda W), and of the intercepts 2 sum (XW + b - Y); both 0 at the optimum.
Convergence measure(const RowMatrix& matrix, std::span<const std::uint32_t> rows, const Matrix<double>& y,
                    const Matrix<double>& w, double lambda) {
  const Eigen::Index r = w.rows() - 1;
  const Scores fitted = apply(matrix, rows, w);
  // Measured on the rows and not taken from the decomposition, so that it would show if
  // the decomposition were wrong.
  Convergence c{"", lambda * w.topRows(r).squaredNorm(), 0, 1, true};
  Matrix<double> gradient = 2 * lambda * w;
  gradient.row(r).setZero();
  std::vector<double> buffer;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row off = view(fitted).row(i) - y.row(rows[i]);
    c.objective += off.squaredNorm();
    gradient.topRows(r).noalias() += matrix.block(rows[i], 1, buffer).row(0).transpose() * (2 * off);
    gradient.row(r) += 2 * off;
  }
  c.gradient_norm = gradient.cwiseAbs().maxCoeff();
  return c;
}

Fitted Ridge::fit(const TrainView& train, const ValView* val, const Context& context) const {
  if (train.targets.kind() == datasets::TargetKind::distribution) {
    throw Error(ErrorKind::usage, "ridge fits classes, labels and values, not distributions", "use --probe logreg");
  }
  openblas_set_num_threads(1);
  const Pool pool = make_pool(train, val, Treatment::parse(treatment_));
  const datasets::TargetKind kind = pool.targets.kind();
  std::vector<std::uint32_t> all(pool.size());
  std::iota(all.begin(), all.end(), 0u);
  // The matrix is made once: the folds are rows of it.
  const RowMatrix matrix = RowMatrix::make(pool.rows, pool.dim, context.threads);
  const Matrix<double> y = target_matrix(pool.targets);
  Selector selector(pool, metric_.empty() ? selection_metric(kind) : metric_, candidates_of("lambda", grid_));
  std::vector<Scores> held_out(grid_.size());
  if (selector.needed()) {
    // A fold at a time on each thread: the decomposition is the costly part, and a fold has one.
    parallel_for(context.threads, pool.folds.size(), [&](std::size_t r) {
      context.throw_if_stopped();
      const Decomposition decomposition(matrix, pool.folds[r].fit, y);
      for (std::size_t i = 0; i < grid_.size(); ++i) {
        Scores scores = apply(matrix, pool.folds[r].score, decomposition.solve(grid_[i]));
        selector.record(i, r, scores);
        if (pool.has_val) held_out[i] = std::move(scores);
      }
    });
  }
  const auto one = std::find(grid_.begin(), grid_.end(), 1.0);
  const std::size_t chosen = selector.best(one == grid_.end() ? 0 : static_cast<std::size_t>(one - grid_.begin()));
  context.throw_if_stopped();
  const Matrix<double> w = Decomposition(matrix, all, y).solve(grid_[chosen]);
  Fitted fitted;
  fitted.model = treated_model(
      std::make_unique<LinearModel>(matrix.to_features(w.topRows(w.rows() - 1)), w.bottomRows(1)), pool.treatment);
  fitted.selection = selector.selection(chosen);
  fitted.convergence = measure(matrix, all, y, w, grid_[chosen]);
  fitted.convergence.objective_text = describe()["objective"];
  if (pool.has_val && selector.needed()) {
    if (kind == datasets::TargetKind::multi_label) {
      fitted.calibration = calibrate(held_out[chosen], pool.targets.select(pool.folds[0].score), pool.selected_on);
    }
    fitted.val_scores = std::move(held_out[chosen]);
  }
  // Outputs near 0 and 1 are no log odds, so neither log loss nor calibration is computed from them.
  fitted.calibration.scores_are_logits = false;
  return fitted;
}

}  // namespace

void register_ridge(ProbeRegistry& registry) {
  registry.add({"ridge",
                "least squares with an L2 penalty, in closed form",
                {datasets::TargetKind::classes, datasets::TargetKind::multi_label, datasets::TargetKind::values},
                {"lambda", "grid", "treatment", "metric"}},
               [](const ProbeOptions& options) { return std::make_unique<Ridge>(options); });
}

}  // namespace vise::probes

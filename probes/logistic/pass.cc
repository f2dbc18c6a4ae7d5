#include "probes/logistic/pass.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/threads.h"
#include "probes/logistic/vector_math.h"

namespace vise::probes {
namespace {

// One pass: arrange() lays all trials' weights side by side, run_strip() takes blocks of rows through products and
// losses, collect() adds up the strips for each trial.

constexpr std::size_t kBlock = 48;        // rows a matrix product takes at once
constexpr std::size_t kStripRows = 1024;  // rows a thread takes at once, at least
constexpr std::size_t kMaxStrips = 8;     // of a segment
constexpr std::size_t kFewRows = 128;     // too few to divide
constexpr std::size_t kLogits = 2048;     // whose exponentials are taken at once, about

// The same memory, seen with fewer columns.
template <typename M>
M first_columns(M m, std::size_t count) {
  return M(m.data(), m.rows(), static_cast<Eigen::Index>(count), Eigen::OuterStride<>(m.outerStride()));
}

}  // namespace

// Three forms of targets come in and two go on: classes of a softmax, or a number from 0 to 1 for each sigmoid.
LogisticTargets::LogisticTargets(const datasets::Targets& targets, std::span<const std::uint32_t> order, Form form,
                                 bool balanced) {
  const std::size_t width = targets.width(), n = order.size();
  const bool classes = targets.kind() == datasets::TargetKind::classes;
  const bool two = targets.kind() != datasets::TargetKind::multi_label && width == 2;
  softmax_ = targets.kind() != datasets::TargetKind::multi_label && !two && form == Form::softmax;
  width_ = two ? 1 : width;
  if (classes && softmax_) {
    for (const std::uint32_t i : order) classes_.push_back(targets.classes()[i]);
  } else {
    y_.resize(n, width_);
    for (std::size_t r = 0; r < n; ++r) {
      const std::uint32_t i = order[r];
      double sum = 1;
      if (targets.kind() == datasets::TargetKind::distribution) {
        const auto row = targets.rows().subspan(i * width, width);
        sum = std::accumulate(row.begin(), row.end(), 0.0);
      }
      for (std::size_t k = 0; k < width_; ++k) {
        const std::size_t column = two ? 1 : k;
        const double y = classes ? targets.classes()[i] == static_cast<int>(column)
                         : targets.kind() == datasets::TargetKind::multi_label
                             ? targets.multi_label()[i * width + column]
                             : targets.rows()[i * width + column] / sum;
        y_(r, k) = static_cast<float>(y);
      }
    }
  }
  if (!balanced || !classes) return;
  std::vector<double> counts(width);
  for (const std::uint32_t i : order) counts[static_cast<std::size_t>(targets.classes()[i])] += 1;
  for (const std::uint32_t i : order) {
    // scikit-learn's class_weight="balanced".
    weights_.push_back(static_cast<double>(n) /
                       (static_cast<double>(width) * counts[static_cast<std::size_t>(targets.classes()[i])]));
  }
}

// 1 without weights, and of balanced ones too where every class has a row.
double LogisticTargets::mean_weight() const {
  if (weights_.empty()) return 1;
  return std::accumulate(weights_.begin(), weights_.end(), 0.0) / static_cast<double>(weights_.size());
}

// A row's loss is computed in four steps (shift, exponentials, tail and its log1p, loss) so that
// exponentials and logarithms of many rows are taken by vector functions at once.
void LogisticTargets::shift(double* z, double* e) const {
  if (!softmax_) {
    // exp(-|z|) never overflows, and log(1 + exp(z)) is max(z, 0) + log1p(exp(-|z|)).
    e[0] = -std::abs(z[0]);
    return;
  }
  const double top = *std::max_element(z, z + width_);
  for (std::size_t k = 0; k < width_; ++k) e[k] = z[k] -= top;
}

// Softmax: the exponentials but the largest's, which is 1: nothing cancels where its p is nearly 1.
double LogisticTargets::tail(const double* z, const double* e) const {
  if (!softmax_) return e[0];
  bool seen = false;
  double sum = 0;
  for (std::size_t k = 0; k < width_; ++k) {
    // shift() left the largest logit at exactly 0. Only the first is left out where two are equal.
    const bool top = !seen && z[k] == 0;
    sum += top ? 0 : e[k];
    seen = seen || top;
  }
  return sum;
}

// Leaves the derivative by the logits in z. Both are written for rows that are all but certain, where 1 - p would
// cancel.
double LogisticTargets::loss(std::size_t row, std::size_t label, double* z, const double* e, double log_tail) const {
  const double weight = this->weight(row);
  if (!softmax_) {
    const auto y = static_cast<double>(y_(row, label));
    const double s = z[0], small = e[0] / (1 + e[0]), large = 1 / (1 + e[0]);
    const double p = s > 0 ? large : small, q = s > 0 ? small : large;  // q = 1 - p, exactly as small as it is
    // p - y, written so that neither term cancels: the gradient of a row that is all but certain
    // keeps its relative precision, which the last Newton steps need.
    z[0] = y < 0 ? 0 : weight * (p * (1 - y) - q * y);
    return y < 0 ? 0 : weight * (log_tail + y * std::max(-s, 0.0) + (1 - y) * std::max(s, 0.0));
  }
  double sum = 0;
  for (std::size_t k = 0; k < width_; ++k) sum += e[k];
  if (y_.size() > 0) {
    double loss = 0;
    for (std::size_t k = 0; k < width_; ++k) {
      const auto y = static_cast<double>(y_(row, k));
      loss += y * (log_tail - z[k]);
      z[k] = weight * (e[k] / sum - y);
    }
    return weight * loss;
  }
  const auto truth = static_cast<std::size_t>(classes_[row]);
  const double loss = log_tail - z[truth], scale = weight / sum;
  // 1 - p of the true class from the other classes' exponentials, since p may be nearly 1.
  double others = 0;
  for (std::size_t k = 0; k < width_; ++k) {
    others += k == truth ? 0 : e[k];
    z[k] = scale * e[k];
  }
  z[truth] = -scale * others;
  return weight * loss;
}

// What the preconditioner weighs a row with: the mean diagonal entry of the loss's second
// derivative by the row's logits.
double LogisticTargets::curvature(std::size_t row, std::size_t label, const double* e, double tail) const {
  const double weight = this->weight(row), sum = 1 + tail;
  if (!softmax_) return y_(row, label) < 0 ? 0 : weight * e[0] / (sum * sum);
  double squares = 0;
  for (std::size_t k = 0; k < width_; ++k) squares += e[k] * e[k];
  // The mean over classes of p (1 - p) is (1 - sum of p^2) / K.
  return weight * std::max(0.0, 1 - squares / (sum * sum)) / static_cast<double>(width_);
}

LogisticPass::LogisticPass(const RowMatrix& matrix, const LogisticTargets& targets, std::vector<std::size_t> bounds)
    : matrix_(matrix),
      targets_(targets),
      contrasts_(targets.outputs(), targets.softmax()),
      bounds_(std::move(bounds)),
      means_(matrix.means()) {
  for (std::size_t s = 0; s + 1 < bounds_.size(); ++s) {
    const std::size_t rows = bounds_[s + 1] - bounds_[s];
    // Two at least: five folds in one strip each would keep the second of two threads waiting for the fifth.
    const std::size_t least = rows < kFewRows ? std::min<std::size_t>(rows, 1) : 2;
    // Strips depend on the rows alone. Sums are taken strip by strip and then added in their
    // order, so the number of threads moves no bit.
    const std::size_t count = std::clamp<std::size_t>(rows / kStripRows, least, kMaxStrips);
    for (std::size_t i = 0; i < count; ++i) {
      strips_.push_back({s, bounds_[s] + rows * i / count, bounds_[s] + rows * (i + 1) / count});
    }
  }
}

// Rows that the problem is fitted on.
std::size_t LogisticPass::rows_of(const LogisticProblem& problem) const {
  const std::size_t all = bounds_.back() - bounds_.front();
  if (problem.held_out < 0) return all;
  const auto s = static_cast<std::size_t>(problem.held_out);
  return all - (bounds_[s + 1] - bounds_[s]);
}

Row LogisticPass::intercepts(const Matrix<double>& x) const {
  const Eigen::Index r = x.rows() - 1;
  Row b = x.row(r);
  // c = b + means' W, see the header.
  for (Eigen::Index d = 0; d < r; ++d) b -= means_[d] * x.row(d);
  return b;
}

// With W = 0 the best intercepts are the logarithms of the classes' weighted shares,
// of a sigmoid the log odds.
Matrix<double> LogisticPass::start(const LogisticProblem& problem) const {
  const std::size_t outputs = targets_.outputs();
  Matrix<double> x = Matrix<double>::Zero(matrix_.columns() + 1, outputs);
  std::vector<double> sums(outputs);
  double total = 0;
  // The means leave c = b here, since W is 0.
  for (std::size_t s = 0; s + 1 < bounds_.size(); ++s) {
    if (static_cast<int>(s) == problem.held_out) continue;
    for (std::size_t i = bounds_[s]; i < bounds_[s + 1]; ++i) {
      if (!targets_.softmax() && targets_.target(i, problem.label) < 0) continue;
      for (std::size_t k = 0; k < outputs; ++k)
        sums[k] += targets_.weight(i) * targets_.target(i, targets_.softmax() ? k : problem.label);
      total += targets_.weight(i);
    }
  }
  // A class that never occurs would go to minus infinity: half a row of it.
  double* const c = &x(x.rows() - 1, 0);
  for (std::size_t k = 0; k < outputs; ++k) c[k] = std::log(std::max(sums[k], 0.5));
  if (targets_.softmax()) {
    const double mean = std::accumulate(c, c + outputs, 0.0) / static_cast<double>(outputs);
    for (std::size_t k = 0; k < outputs; ++k) c[k] -= mean;
  } else {
    c[0] -= std::log(std::max(total - sums[0], 0.5));
  }
  return x;
}

template <typename T>
void LogisticPass::run_strip(const Strip& strip, std::span<const Trial> trials, const Segment<T>& segment,
                             Bending bending, Sums& sums) const {
  const std::size_t width = segment.active.size() * contrasts_.size();
  std::vector<T> buffer;
  NarrowMatrix<T> residual(kBlock, width);
  NarrowMatrix<double> z(kBlock, width);
  sums.losses.assign(segment.active.size(), 0);
  sums.gradient.set_zero(width, matrix_.columns() + 1);
  for (std::size_t begin = strip.begin; begin < strip.end; begin += kBlock) {
    // A block of rows passes through the forward product, the losses and the backward product while
    // it is in the cache: the features are read from memory once for all problems.
    const std::size_t count = std::min(kBlock, strip.end - begin), extent = matrix_.extent(begin + count);
    const ConstView<T> rows = matrix_.block(begin, count, buffer), x = first_columns(rows, extent);
    z.set_zero();
    narrow_forward(x, segment.weights.view(0, extent), z.view(0, count));
    // Exponentials are taken of several rows at once, but not of more than the first cache holds.
    const std::size_t step = std::clamp<std::size_t>(kLogits / std::max<std::size_t>(width, 1), 1, count);
    for (std::size_t i = 0; i < count; i += step) {
      const std::size_t some = std::min(step, count - i);
      take_losses<T>(begin + i, some, trials, segment, bending, z.view(i, some), residual.view(i, some), sums);
    }
    narrow_backward(x, std::as_const(residual).view(0, count), first_columns(sums.gradient.view(), extent));
  }
}

// From the contrasts of the rows' logits to those of the losses' derivatives.
template <typename T>
void LogisticPass::take_losses(std::size_t begin, std::size_t count, std::span<const Trial> trials,
                               const Segment<T>& segment, Bending bending, View<double> z, View<T> residual,
                               Sums& sums) const {
  const std::vector<std::size_t>& active = segment.active;
  const std::size_t r = matrix_.columns(), k = targets_.outputs(), reduced = contrasts_.size(), n = active.size();
  Matrix<double> logits(count * n, k), e(count * n, k);  // a row a trial of an item
  std::vector<double> tails(count * n);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t a = 0; a < n; ++a) {
      const std::size_t at = i * n + a;
      contrasts_.expand(z.row(i).segment(a * reduced, reduced), logits.row(at));
      for (std::size_t j = 0; j < k; ++j) logits(at, j) += segment.intercepts(a, j);
      targets_.shift(&logits(at, 0), &e(at, 0));
    }
  }
  exp_in_place({e.data(), static_cast<std::size_t>(e.size())});
  for (std::size_t at = 0; at < tails.size(); ++at) tails[at] = targets_.tail(&logits(at, 0), &e(at, 0));
  std::vector<double> logs = tails;
  log1p_in_place(logs);
  View<double> gradient = sums.gradient.view();
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t a = 0; a < n; ++a) {
      const std::size_t at = i * n + a, label = trials[active[a]].problem->label;
      if (active[a] < bending.trials)
        (*bending.curvature)[begin + i] += targets_.curvature(begin + i, label, &e(at, 0), tails[at]);
      // loss() leaves the derivative in place of the logits, so curvature() has to come first.
      sums.losses[a] += targets_.loss(begin + i, label, &logits(at, 0), &e(at, 0), logs[at]);
      auto row = z.row(i).segment(a * reduced, reduced);
      // The derivatives of a softmax sum to zero over classes, so contrasts hold all of them.
      contrasts_.reduce(logits.row(at), row);
      for (std::size_t j = 0; j < reduced; ++j) {
        gradient(a * reduced + j, r) += row[j];
        residual(i, a * reduced + j) = static_cast<T>(row[j]);
      }
    }
  }
}

template <typename T>
// Lays the trials' weights side by side, once a pass: a segment's matrix has the contrasts of every
// problem that fits its rows, so one product with the rows serves all of them.
void LogisticPass::arrange(std::span<const Trial> trials, int threads) {
  constexpr std::size_t kDims = 128;
  const std::size_t r = matrix_.columns(), reduced = contrasts_.size();
  auto& segments = std::get<Segments<T>>(segments_);
  segments.resize(bounds_.size() - 1);
  std::vector<Row> intercepts;
  // (W, c) to (W, b) once a trial, not once a strip.
  for (const Trial& trial : trials) intercepts.push_back(this->intercepts(*trial.x));
  for (std::size_t s = 0; s < segments.size(); ++s) {
    std::vector<std::size_t>& active = segments[s].active;
    active.clear();
    for (std::size_t t = 0; t < trials.size(); ++t) {
      // A fold's problem leaves its own segment out: cross-validation costs one pass over
      // all rows for all folds, not one a fold.
      if (trials[t].problem->held_out != static_cast<int>(s)) active.push_back(t);
    }
    segments[s].weights.set_zero(r, active.size() * reduced);
    segments[s].intercepts.resize(active.size(), targets_.outputs());
    for (std::size_t a = 0; a < active.size(); ++a) segments[s].intercepts.row(a) = intercepts[active[a]];
  }
  const int helpers = threads_worth(trials.size() * point_size() * segments.size(), threads);
  parallel_for(helpers, (r + kDims - 1) / kDims, [&](std::size_t part) {
    const std::size_t begin = part * kDims, count = std::min(kDims, r - begin);
    Matrix<T> contrasts(count, reduced);
    for (std::size_t t = 0; t < trials.size(); ++t) {
      contrasts_.reduce_rows(trials[t].x->middleRows(begin, count), 1.0, contrasts);
      for (Segment<T>& segment : segments) {
        const auto place = std::lower_bound(segment.active.begin(), segment.active.end(), t);
        if (place == segment.active.end() || *place != t) continue;
        const std::size_t first = static_cast<std::size_t>(place - segment.active.begin()) * reduced;
        segment.weights.view(begin, count).middleCols(first, reduced) = contrasts;
      }
    }
  });
}

template <typename T>
void LogisticPass::evaluate(std::span<Trial> trials, int threads, std::vector<double>* curvature, std::size_t bent) {
  arrange<T>(trials, threads);
  const auto& segments = std::get<Segments<T>>(segments_);
  if (curvature) curvature->assign(bounds_.back(), 0);
  sums_.resize(strips_.size());
  parallel_for(threads, strips_.size(), [&](std::size_t i) {
    const Segment<T>& segment = segments[strips_[i].segment];
    if (!segment.active.empty()) run_strip<T>(strips_[i], trials, segment, {curvature, curvature ? bent : 0}, sums_[i]);
  });
  std::vector<const std::vector<std::size_t>*> active;
  for (const Strip& strip : strips_) active.push_back(&segments[strip.segment].active);
  const int helpers = threads_worth(trials.size() * point_size() * strips_.size(), threads);
  parallel_for(helpers, trials.size(), [&](std::size_t t) { collect(trials[t], t, active); });
  if (!curvature) return;
  for (double& bend : *curvature) bend /= static_cast<double>(bent);
}

// Adds up one trial's sums in the strips' order.
void LogisticPass::collect(Trial& trial, std::size_t index,
                           std::span<const std::vector<std::size_t>* const> active) const {
  const std::size_t r = matrix_.columns(), reduced = contrasts_.size();
  trial.loss = 0;
  NarrowMatrix<double> gradient(reduced, r + 1);
  for (std::size_t i = 0; i < strips_.size(); ++i) {
    const auto place = std::lower_bound(active[i]->begin(), active[i]->end(), index);
    if (place == active[i]->end() || *place != index) continue;
    const auto a = static_cast<std::size_t>(place - active[i]->begin());
    trial.loss += sums_[i].losses[a];
    gradient.view() += sums_[i].gradient.view(a * reduced, reduced);
  }
  trial.gradient.resize(r + 1, targets_.outputs());
  contrasts_.expand_columns(gradient.view(), 1.0, trial.gradient);
  // From (W, b) to (W, c): the rows' means are taken out of the weights' part.
  for (std::size_t d = 0; d < r; ++d) trial.gradient.row(d) -= means_[d] * trial.gradient.row(r);
}

template void LogisticPass::evaluate<float>(std::span<Trial>, int, std::vector<double>*, std::size_t);
template void LogisticPass::evaluate<double>(std::span<Trial>, int, std::vector<double>*, std::size_t);

}  // namespace vise::probes

#include "probes/logistic.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/threads.h"

namespace vise {
namespace {

constexpr std::size_t kBlock = 32;        // rows a matrix product takes at once
constexpr std::size_t kStripRows = 1024;  // rows a thread takes at once, at least
constexpr std::size_t kMaxStrips = 8;     // of a segment
constexpr std::size_t kFewRows = 128;     // too few to divide

// log(1 + exp(-m)) without overflow.
double log1p_exp_minus(double m) { return m > 0 ? std::log1p(std::exp(-m)) : std::log1p(std::exp(m)) - m; }

// Loss and derivative of one sigmoid for a target y in 0..1.
double sigmoid_loss(double y, double weight, double* z) {
  const double s = *z;
  const double e = std::exp(-std::abs(s)), small = e / (1 + e), large = 1 / (1 + e);
  const double p = s > 0 ? large : small, q = s > 0 ? small : large;  // q = 1 - p, exactly as small as it is
  *z = weight * (p * (1 - y) - q * y);
  return weight * (y * log1p_exp_minus(s) + (1 - y) * log1p_exp_minus(-s));
}

// e = exp(z - top); returns their sum.
double exponentials(const double* z, std::size_t n, double top, double* e) {
  double sum = 0;
  for (std::size_t k = 0; k < n; ++k) sum += e[k] = std::exp(z[k] - top);
  return sum;
}

}  // namespace

LogisticTargets::LogisticTargets(const Targets& targets, std::span<const std::uint32_t> order, Form form,
                                 bool balanced) {
  const std::size_t width = targets.width(), n = order.size();
  const bool classes = targets.kind() == TargetKind::classes;
  const bool two = targets.kind() != TargetKind::multi_label && width == 2;
  softmax_ = targets.kind() != TargetKind::multi_label && !two && form == Form::softmax;
  width_ = two ? 1 : width;
  if (classes && softmax_) {
    for (const std::uint32_t i : order) classes_.push_back(targets.classes()[i]);
  } else {
    y_.resize(n * width_);
    for (std::size_t r = 0; r < n; ++r) {
      const std::uint32_t i = order[r];
      double sum = 1;
      if (targets.kind() == TargetKind::distribution) {
        const auto row = targets.rows().subspan(i * width, width);
        sum = std::accumulate(row.begin(), row.end(), 0.0);
      }
      for (std::size_t k = 0; k < width_; ++k) {
        const std::size_t column = two ? 1 : k;
        const double y = classes                                     ? targets.classes()[i] == static_cast<int>(column)
                         : targets.kind() == TargetKind::multi_label ? targets.multi_label()[i * width + column]
                                                                     : targets.rows()[i * width + column] / sum;
        y_[r * width_ + k] = static_cast<float>(y);
      }
    }
  }
  if (!balanced || !classes) return;
  std::vector<double> counts(width);
  for (const std::uint32_t i : order) counts[static_cast<std::size_t>(targets.classes()[i])] += 1;
  for (const std::uint32_t i : order) {
    weights_.push_back(static_cast<double>(n) /
                       (static_cast<double>(width) * counts[static_cast<std::size_t>(targets.classes()[i])]));
  }
}

double LogisticTargets::mean_weight() const {
  if (weights_.empty()) return 1;
  return std::accumulate(weights_.begin(), weights_.end(), 0.0) / static_cast<double>(weights_.size());
}

double LogisticTargets::loss(std::size_t row, std::size_t label, double* z) const {
  const double weight = this->weight(row);
  if (!softmax_) {
    const auto y = static_cast<double>(y_[row * width_ + label]);
    if (y < 0) {
      *z = 0;
      return 0;
    }
    return sigmoid_loss(y, weight, z);
  }
  const double top = *std::max_element(z, z + width_);
  constexpr std::size_t kFew = 64;
  double few[kFew];
  std::vector<double> many(width_ > kFew ? width_ : 0);
  double* const e = width_ > kFew ? many.data() : few;
  const double sum = exponentials(z, width_, top, e);
  const double log_sum = std::log(sum);
  if (!y_.empty()) {
    double loss = 0;
    for (std::size_t k = 0; k < width_; ++k) {
      const auto y = static_cast<double>(y_[row * width_ + k]);
      loss += y * (log_sum + top - z[k]);
      z[k] = weight * (e[k] / sum - y);
    }
    return weight * loss;
  }
  const auto truth = static_cast<std::size_t>(classes_[row]);
  // log p of the true class, and 1 - p, from the other classes' exponentials: neither cancels when p is nearly 1.
  double others = 0;
  for (std::size_t k = 0; k < width_; ++k) others += k == truth ? 0 : e[k];
  const double loss = z[truth] == top ? std::log1p(others / e[truth]) : log_sum + top - z[truth];
  for (std::size_t k = 0; k < width_; ++k) z[k] = weight * (k == truth ? -others : e[k]) / sum;
  return weight * loss;
}

double LogisticTargets::curvature(std::size_t row, std::size_t label, double* z) const {
  const double weight = this->weight(row);
  if (!softmax_) {
    const double e = std::exp(-std::abs(*z));
    return y_[row * width_ + label] < 0 ? 0 : weight * e / ((1 + e) * (1 + e));
  }
  const double top = *std::max_element(z, z + width_);
  const double sum = exponentials(z, width_, top, z);
  double bend = 0;
  for (std::size_t k = 0; k < width_; ++k) bend += z[k] / sum * (1 - z[k] / sum);
  return weight * bend / static_cast<double>(width_);
}

LogisticPass::LogisticPass(const RowMatrix& matrix, const LogisticTargets& targets, std::vector<std::size_t> bounds)
    : matrix_(matrix), targets_(targets), bounds_(std::move(bounds)), means_(matrix.means()) {
  for (std::size_t s = 0; s + 1 < bounds_.size(); ++s) {
    const std::size_t rows = bounds_[s + 1] - bounds_[s];
    // Two at least: five folds in one strip each would keep the second of two threads waiting for the fifth.
    const std::size_t least = rows < kFewRows ? std::min<std::size_t>(rows, 1) : 2;
    const std::size_t count = std::clamp<std::size_t>(rows / kStripRows, least, kMaxStrips);
    for (std::size_t i = 0; i < count; ++i) {
      strips_.push_back({s, bounds_[s] + rows * i / count, bounds_[s] + rows * (i + 1) / count});
    }
  }
}

std::size_t LogisticPass::rows_of(const LogisticProblem& problem) const {
  const std::size_t all = bounds_.back() - bounds_.front();
  if (problem.held_out < 0) return all;
  const auto s = static_cast<std::size_t>(problem.held_out);
  return all - (bounds_[s + 1] - bounds_[s]);
}

std::vector<double> LogisticPass::intercepts(std::span<const double> x) const {
  const std::size_t r = matrix_.columns(), k = targets_.outputs();
  std::vector<double> b(x.begin() + static_cast<std::ptrdiff_t>(r * k), x.end());
  for (std::size_t d = 0; d < r; ++d) {
    for (std::size_t j = 0; j < k; ++j) b[j] -= means_[d] * x[d * k + j];
  }
  return b;
}

std::vector<double> LogisticPass::start(const LogisticProblem& problem) const {
  const std::size_t outputs = targets_.outputs();
  std::vector<double> x(point_size());
  std::vector<double> sums(outputs);
  double total = 0;
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
  double* const c = &x[x.size() - outputs];
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
                             std::span<double> losses, NarrowVector<double>& gradient) const {
  const auto& [active, weights, intercepts] = segment;
  const std::size_t r = matrix_.columns(), k = targets_.outputs(), columns = narrow_columns(active.size() * k);
  const std::size_t stride = matrix_.stride<T>();
  std::vector<T> buffer;
  NarrowVector<T> residual(kBlock * columns);
  NarrowVector<double> z(kBlock * columns);
  gradient.assign((r + 1) * columns, 0);
  for (std::size_t begin = strip.begin; begin < strip.end; begin += kBlock) {
    const std::size_t count = std::min(kBlock, strip.end - begin);
    const T* const x = matrix_.block(begin, count, buffer);
    const std::size_t extent = matrix_.extent(begin + count);
    narrow_forward(x, stride, count, extent, weights.data(), columns, z.data());
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t a = 0; a < active.size(); ++a) {
        double* const row = &z[i * columns + a * k];
        for (std::size_t j = 0; j < k; ++j) row[j] += intercepts[a * k + j];
        losses[a] += targets_.loss(begin + i, trials[active[a]].problem->label, row);
        for (std::size_t j = 0; j < k; ++j) {
          gradient[r * columns + a * k + j] += row[j];
          residual[i * columns + a * k + j] = static_cast<T>(row[j]);
        }
      }
    }
    narrow_backward(x, stride, count, extent, residual.data(), columns, gradient.data());
  }
}

template <typename T>
LogisticPass::Segments<T> LogisticPass::arrange(std::span<const Trial> trials, int threads) const {
  const std::size_t r = matrix_.columns(), k = targets_.outputs(), segments = bounds_.size() - 1;
  Segments<T> out(segments);
  parallel_for(threads, segments, [&](std::size_t s) {
    auto& [active, weights, intercepts_of] = out[s];
    for (std::size_t t = 0; t < trials.size(); ++t) {
      if (trials[t].problem->held_out != static_cast<int>(s)) active.push_back(t);
    }
    const std::size_t columns = narrow_columns(active.size() * k);
    weights.resize(r * columns);
    for (std::size_t a = 0; a < active.size(); ++a) {
      const auto x = trials[active[a]].x;
      for (std::size_t d = 0; d < r; ++d) {
        for (std::size_t j = 0; j < k; ++j) weights[d * columns + a * k + j] = static_cast<T>(x[d * k + j]);
      }
      const std::vector<double> b = intercepts(x);
      intercepts_of.insert(intercepts_of.end(), b.begin(), b.end());
    }
  });
  return out;
}

template <typename T>
void LogisticPass::evaluate(std::span<Trial> trials, int threads) const {
  const std::size_t r = matrix_.columns(), k = targets_.outputs();
  const Segments<T> segments = arrange<T>(trials, threads);
  std::vector<NarrowVector<double>> gradients(strips_.size());
  std::vector<std::vector<double>> losses(strips_.size());
  parallel_for(threads, strips_.size(), [&](std::size_t i) {
    const Segment<T>& segment = segments[strips_[i].segment];
    losses[i].assign(segment.active.size(), 0);
    if (!segment.active.empty()) run_strip<T>(strips_[i], trials, segment, losses[i], gradients[i]);
  });
  parallel_for(threads, trials.size(), [&](std::size_t t) {
    Trial& trial = trials[t];
    trial.loss = 0;
    trial.gradient.assign(point_size(), 0);
    for (std::size_t i = 0; i < strips_.size(); ++i) {
      const auto& places = segments[strips_[i].segment].active;
      const auto place = std::lower_bound(places.begin(), places.end(), t);
      if (place == places.end() || *place != t) continue;
      const std::size_t a = static_cast<std::size_t>(place - places.begin()),
                        columns = narrow_columns(places.size() * k);
      trial.loss += losses[i][a];
      for (std::size_t d = 0; d <= r; ++d) {
        for (std::size_t j = 0; j < k; ++j) trial.gradient[d * k + j] += gradients[i][d * columns + a * k + j];
      }
    }
    // From (W, b) to (W, c): the rows' means are taken out of the weights' part.
    for (std::size_t d = 0; d < r; ++d) {
      for (std::size_t j = 0; j < k; ++j) trial.gradient[d * k + j] -= means_[d] * trial.gradient[r * k + j];
    }
  });
}

std::vector<double> LogisticPass::curvature(std::span<const LogisticProblem> problems,
                                            std::span<const std::vector<double>> points, int threads) const {
  std::vector<Trial> trials;
  for (std::size_t p = 0; p < problems.size(); ++p) trials.push_back({&problems[p], points[p], 0, {}});
  const Segments<float> segments = arrange<float>(trials, threads);
  const std::size_t k = targets_.outputs();
  std::vector<double> curvature(bounds_.back());
  parallel_for(threads, strips_.size(), [&](std::size_t i) {
    const auto& [active, weights, intercepts] = segments[strips_[i].segment];
    if (active.empty()) return;
    const std::size_t columns = narrow_columns(active.size() * k);
    std::vector<float> buffer;
    NarrowVector<double> z(kBlock * columns);
    for (std::size_t begin = strips_[i].begin; begin < strips_[i].end; begin += kBlock) {
      const std::size_t count = std::min(kBlock, strips_[i].end - begin);
      narrow_forward(matrix_.block(begin, count, buffer), matrix_.stride<float>(), count, matrix_.extent(begin + count),
                     weights.data(), columns, z.data());
      for (std::size_t row = 0; row < count; ++row) {
        for (std::size_t a = 0; a < active.size(); ++a) {
          double* const logits = &z[row * columns + a * k];
          for (std::size_t j = 0; j < k; ++j) logits[j] += intercepts[a * k + j];
          curvature[begin + row] += targets_.curvature(begin + row, problems[active[a]].label, logits);
        }
        curvature[begin + row] /= static_cast<double>(problems.size());
      }
    }
  });
  return curvature;
}

template void LogisticPass::evaluate<float>(std::span<Trial>, int) const;
template void LogisticPass::evaluate<double>(std::span<Trial>, int) const;

}  // namespace vise

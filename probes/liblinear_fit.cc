// LIBLINEAR's dual solvers shuffle with rand(), which is one sequence for the whole process: fits on several threads
// would draw from each other's and no two runs would agree. The room links LIBLINEAR statically with the linker's
// --wrap=rand, and __wrap_rand below gives every fit glibc's sequence of seed 1 for itself: what the `train` program
// draws.
#include "probes/liblinear_fit.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "base/error.h"
#include "base/text.h"

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

// Where LIBLINEAR's calls of rand() go (--wrap=rand). The first call of a thread begins the sequence.
extern "C" int __wrap_rand() {
  if (random_state.data.state == nullptr) random_state.restart();
  std::int32_t value = 0;
  random_r(&random_state.data, &value);
  return value;
}

namespace vise::probes {

LibLinearNodes::LibLinearNodes(const Pool& pool) : columns_(static_cast<int>(pool.dim) + 1) {
  check_memory(pool);
  for (const float* const row : pool.rows) {
    starts_.push_back(nodes_.size());
    for (std::size_t d = 0; d < pool.dim; ++d) {
      if (row[d] != 0) nodes_.push_back({static_cast<int>(d) + 1, static_cast<double>(row[d])});
    }
    // The bias column (-B 1), and index -1 as the end of a row.
    nodes_.push_back({columns_, 1});
    nodes_.push_back({-1, 0});
  }
}

// LIBLINEAR's problem: pointers to the rows' nodes, shared by all fits. `y` and `pointers` are the fit's own.
problem LibLinearNodes::view(std::span<const std::uint32_t> rows, std::vector<feature_node*>& pointers,
                             std::vector<double>& y) {
  pointers.clear();
  for (const std::uint32_t row : rows) pointers.push_back(nodes_.data() + starts_[row]);
  return {static_cast<int>(rows.size()), columns_, y.data(), pointers.data(), 1};
}

// A node is 16 bytes where a feature is 4: a data set that fits the memory as float32 may not as
// nodes, and Linux would kill the process instead of refusing the allocation.
void LibLinearNodes::check_memory(const Pool& pool) {
  // Counted first: growing a vector of nodes step by step would need half as much memory again for the copy.
  std::size_t count = 2 * pool.size();
  for (const float* const row : pool.rows) {
    for (std::size_t d = 0; d < pool.dim; ++d) count += row[d] != 0;
  }
  const std::uint64_t need = count * sizeof(feature_node);
  // MemAvailable is what Linux would give without swapping, caches included.
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

namespace {

// LIBLINEAR allocates a model's parts by malloc and frees them all with its own function.
struct ModelDeleter {
  void operator()(model* m) const { free_and_destroy_model(&m); }
};
using ModelPointer = std::unique_ptr<model, ModelDeleter>;

// One call of LIBLINEAR's train(): `rows` with whole or real targets `y`.
ModelPointer train_once(LibLinearNodes& nodes, std::span<const std::uint32_t> rows, std::vector<double> y, double c,
                        const LibLinearSettings& settings, std::vector<int> weighted) {
  std::vector<feature_node*> pointers;
  problem data = nodes.view(rows, pointers, y);
  // -w of the train program: the loss of rows of these labels counts `positive_weight` times.
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
  // Every fit starts at seed 1, so its result depends on its data alone and not on which fits ran before it.
  random_state.restart();
  return ModelPointer(train(&data, &options));
}

// One vector a class, label or value; two classes: one vector, as +-w/2.
struct Vectors {
  Matrix<double> weights;
  Row intercepts;

  Vectors(std::size_t outputs, std::size_t dim, double intercept = 0)
      : weights(Matrix<double>::Zero(outputs, dim)), intercepts(Row::Constant(outputs, intercept)) {}
  void set(std::size_t row, const model& from, int vector, double factor) {
    for (Eigen::Index d = 0; d < weights.cols(); ++d)
      weights(row, d) = factor * get_decfun_coef(&from, static_cast<int>(d) + 1, vector);
    intercepts[row] = factor * get_decfun_bias(&from, vector);
  }
};

// One call for all classes: LIBLINEAR fits one against the rest itself, or Crammer and Singer's joint problem.
Vectors fit_classes(LibLinearNodes& nodes, const Pool& pool, std::span<const std::uint32_t> rows, double c,
                    const LibLinearSettings& settings) {
  const std::size_t classes = pool.targets.width();
  std::vector<double> y;
  std::vector<bool> present(classes);
  for (const std::uint32_t row : rows) {
    const int k = pool.targets.classes()[row];
    y.push_back(k);
    present[static_cast<std::size_t>(k)] = true;
  }
  std::vector<int> weighted;
  // Of two classes the second is the positive one, and the first keeps its weight.
  for (std::size_t k = classes == 2; k < classes; ++k) {
    if (settings.positive_weight != 1 && present[k]) weighted.push_back(static_cast<int>(k));
  }
  const ModelPointer m = train_once(nodes, rows, std::move(y), c, settings, std::move(weighted));
  // A class without a row keeps weights of zero and a score below any other's.
  Vectors out(classes, pool.dim, -1e30);
  const auto row_of = [&](int label) { return static_cast<std::size_t>(label); };
  // Two classes share one vector w, which is handed out as w/2 and -w/2, as LinearModel has two classes.
  if (m->nr_class == 2 && settings.solver.type != MCSVM_CS) {
    // get_decfun_coef gives label[0]'s vector as 0 and its negative as 1.
    for (const int v : {0, 1}) out.set(row_of(m->label[v]), *m, v, 0.5);
  } else {
    for (int v = 0; v < m->nr_class; ++v) out.set(row_of(m->label[v]), *m, v, 1);
  }
  return out;
}

// The label's known rows and their bits.
Vectors fit_labels(LibLinearNodes& nodes, const Pool& pool, std::span<const std::uint32_t> rows, double c,
                   const LibLinearSettings& settings) {
  const std::size_t labels = pool.targets.width();
  Vectors out(labels, pool.dim);
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
    // There is nothing to separate where a label is always or never there: it gets a constant decision.
    if (!both) {
      out.intercepts[k] = !y.empty() && y[0] == 1 ? 1 : -1;
      continue;
    }
    const std::vector<int> weighted = settings.positive_weight == 1 ? std::vector<int>{} : std::vector<int>{1};
    const ModelPointer m = train_once(nodes, known, std::move(y), c, settings, weighted);
    // LIBLINEAR numbers classes in the order in which they occur in the data, so which vector
    // is the positive one depends on the first row.
    out.set(k, *m, m->label[0] == 1 ? 0 : 1, 1);
  }
  return out;
}

// A regression a value.
Vectors fit_values(LibLinearNodes& nodes, const Pool& pool, std::span<const std::uint32_t> rows, double c,
                   const LibLinearSettings& settings) {
  const std::size_t width = pool.targets.width();
  Vectors out(width, pool.dim);
  for (std::size_t t = 0; t < width; ++t) {
    std::vector<double> y;
    for (const std::uint32_t row : rows) y.push_back(pool.targets.rows()[row * width + t]);
    const ModelPointer m = train_once(nodes, rows, std::move(y), c, settings, {});
    out.set(t, *m, 0, 1);
  }
  return out;
}

}  // namespace

LinearModel fit_liblinear(LibLinearNodes& nodes, const Pool& pool, std::span<const std::uint32_t> rows, double c,
                          const LibLinearSettings& settings) {
  const auto fit_kind = pool.targets.kind() == datasets::TargetKind::classes       ? fit_classes
                        : pool.targets.kind() == datasets::TargetKind::multi_label ? fit_labels
                                                                                   : fit_values;
  Vectors v = fit_kind(nodes, pool, rows, c, settings);
  return LinearModel(std::move(v.weights), std::move(v.intercepts));
}

}  // namespace vise::probes

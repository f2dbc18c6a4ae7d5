// The probes for vise_eval's estimators: fit_probe() and what it gives. The one file of this room that calls probes/.
#include <cblas.h>
#include <fmt/format.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <mutex>

#include "base/error.h"
#include "probes/evaluate.h"
#include "probes/probe.h"
#include "python/arrays.h"
#include "python/bind.h"
#include "python/long_call.h"

namespace vise::python {
namespace {

// numpy has the same OpenBLAS: its number of threads, which probes set to one, is put back when no fit is under way.
class BlasThreads {
 public:
  BlasThreads() {
    const std::lock_guard lock(mutex_);
    if (users_++ == 0) before_ = openblas_get_num_threads();
  }
  ~BlasThreads() {
    const std::lock_guard lock(mutex_);
    if (--users_ == 0) openblas_set_num_threads(before_);
  }
  BlasThreads(const BlasThreads&) = delete;
  BlasThreads& operator=(const BlasThreads&) = delete;

 private:
  // Shared by all fits of the process, as OpenBLAS's number of threads is: the first stores it, the last puts it back.
  static inline std::mutex mutex_;
  static inline int users_ = 0, before_ = 1;
};

// The curve of the selection: candidates by their parameters, their scores, and fold_scores, candidates x folds (no
// columns where there were no folds).
py::dict selection_of(const probes::Selection& selection) {
  py::list candidates, scores;
  for (const probes::Candidate& candidate : selection.curve) {
    candidates.append(py::cast(*candidate.parameters));
    scores.append(candidate.score);
  }
  py::dict out;
  out["selected_on"] = selection.selected_on;
  out["metric"] = selection.metric;
  out["candidates"] = candidates;
  out["scores"] = scores;
  // No candidate, no curve: a probe without hyper-parameters divides by one.
  const auto folds =
      static_cast<py::ssize_t>(selection.fold_scores.size() / std::max<std::size_t>(1, selection.curve.size()));
  out["fold_scores"] = array_of(selection.fold_scores, {static_cast<py::ssize_t>(selection.curve.size()), folds});
  out["chosen"] = py::cast(selection.chosen);
  out["on_edge"] = selection.on_edge;
  return out;
}

// What shows that the optimum was reached, in the words of the program's results.
py::dict proof_of(const probes::Convergence& convergence) {
  py::dict out;
  out["objective_text"] = convergence.objective_text;
  out["objective"] = convergence.objective;
  out["gradient"] = convergence.gradient_norm;
  out["passes"] = convergence.iterations;
  out["converged"] = convergence.converged;
  return out;
}

// A fitted model; immutable, and safe from several threads.
class FittedProbe {
 public:
  FittedProbe(probes::Fitted fitted, std::size_t dim) : fitted_(std::move(fitted)), dim_(dim) {}

  py::array_t<double> scores(const FloatMatrix& features) const {
    // Views the array's memory: nothing is copied for a prediction.
    const MatrixRows matrix(features, "X");
    if (matrix.rows().dim() != dim_)
      throw Error(ErrorKind::input, fmt::format("X has {} columns, not {}", matrix.rows().dim(), dim_));
    probes::Scores scores;
    {
      const py::gil_scoped_release released;
      const BlasThreads threads;
      // One thread, as when the program predicts: the order of summation, and with it the last bit, doesn't depend on
      // the machine's cores.
      openblas_set_num_threads(1);
      scores = fitted_.model->predict(matrix.rows());
    }
    return array_of(std::move(scores));
  }
  py::array_t<double> weights() const {
    std::vector<double> w = fitted_.model->weights();
    const auto rows = static_cast<py::ssize_t>(w.size() / dim_), columns = static_cast<py::ssize_t>(dim_);
    return array_of(std::move(w), {rows, columns});
  }
  py::array_t<double> intercepts() const {
    std::vector<double> b = fitted_.model->intercepts();
    const auto size = static_cast<py::ssize_t>(b.size());
    return array_of(std::move(b), {size});
  }
  py::dict selection() const { return selection_of(fitted_.selection); }
  py::dict proof() const { return proof_of(fitted_.convergence); }

 private:
  probes::Fitted fitted_;
  std::size_t dim_;
};

// Class numbers get their own digits as names; the package knows what they are called.
datasets::Targets class_targets(const IntVector& y, std::size_t classes) {
  std::vector<std::string> names;
  for (std::size_t k = 0; k < classes; ++k) names.push_back(fmt::format("{}", k));
  return datasets::Targets::from_classes({y.data(), y.data() + y.size()}, std::move(names));
}

// One column a value: a vector of y comes as N x 1.
datasets::Targets value_targets(const DoubleMatrix& y) {
  check_matrix(y, "y");
  std::vector<std::string> names;
  for (py::ssize_t t = 0; t < y.shape(1); ++t) names.push_back(fmt::format("{}", t));
  return datasets::Targets::from_values({y.data(), y.data() + y.size()}, std::move(names));
}

// `classes`: 0 where y is values, N x T.
FittedProbe fit_probe(const std::string& name, const std::map<std::string, std::string>& options,
                      const FloatMatrix& features, const py::array& y, std::size_t classes,
                      const std::optional<IntVector>& folds, const py::object& progress, int threads) {
  const MatrixRows matrix(features, "X");
  const datasets::Targets targets = classes > 0 ? class_targets(IntVector(y), classes) : value_targets(DoubleMatrix(y));
  std::vector<int> fold_of_row;
  if (folds) fold_of_row.assign(folds->data(), folds->data() + folds->size());
  // Python's arrays may be of any length, and a probe takes it for granted that each row has its fold.
  if (folds && fold_of_row.size() != targets.size())
    throw Error(ErrorKind::input, fmt::format("{} folds for {} rows", fold_of_row.size(), targets.size()));
  // Seed 0: the estimators take none, so that a fit of the same arrays is the same fit.
  const auto probe = probes::ProbeRegistry::instance().make(name, {options, 0});
  probes::Fitted fitted;
  LongCall(progress, threads).run([&](const Context& context) {
    const BlasThreads restored;
    // No val: the estimator has chosen its folds itself, or none.
    fitted = probe->fit({matrix.rows(), targets, fold_of_row}, nullptr, context);
  });
  return {std::move(fitted), static_cast<std::size_t>(features.shape(1))};
}

}  // namespace

void bind_probes(py::module_& core) {
  py::class_<FittedProbe>(core, "FittedProbe")
      .def("scores", &FittedProbe::scores)
      .def_property_readonly("weights", &FittedProbe::weights)
      .def_property_readonly("intercepts", &FittedProbe::intercepts)
      .def_property_readonly("selection", &FittedProbe::selection)
      .def_property_readonly("proof", &FittedProbe::proof);
  core.def("fit_probe", &fit_probe, py::arg("name"), py::arg("options"), py::arg("features"), py::arg("y"),
           py::arg("classes"), py::arg("folds"), py::arg("progress"), py::arg("threads"));
}

}  // namespace vise::python

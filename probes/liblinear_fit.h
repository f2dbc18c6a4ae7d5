// One fit of LIBLINEAR 2.3 through its C API (linear.h; Fan et al., JMLR 9, 2008), so that its numbers are those of its
// own `train` program. The bias is a column of ones, -B 1, and regularised like any other.
//
//   LibLinearNodes nodes(pool);                                  // 16 bytes a value that isn't zero
//   const LinearModel model = fit_liblinear(nodes, pool, rows, 0.1, settings);
#pragma once

#include <linear.h>

#include <array>
#include <string>
#include <vector>

#include "probes/linear_model.h"
#include "probes/selection.h"

namespace vise::probes {

struct LibLinearSolver {
  int type;
  const char* title;
  bool values;    // support vector regression
  bool logistic;  // its decision values are log odds
  double eps;     // the train program's default
};

inline constexpr std::array kLibLinearSolvers{
    LibLinearSolver{0, "L2-regularised logistic regression (primal)", false, true, 0.01},
    LibLinearSolver{1, "L2-regularised L2-loss SVM (dual)", false, false, 0.1},
    LibLinearSolver{2, "L2-regularised L2-loss SVM (primal)", false, false, 0.01},
    LibLinearSolver{4, "multi-class SVM of Crammer and Singer", false, false, 0.1},
    LibLinearSolver{5, "L1-regularised L2-loss SVM", false, false, 0.01},
    LibLinearSolver{7, "L2-regularised logistic regression (dual)", false, true, 0.1},
    LibLinearSolver{11, "L2-regularised L2-loss SVR (primal)", true, false, 0.0001},
    LibLinearSolver{12, "L2-regularised L2-loss SVR (dual)", true, false, 0.1},
    LibLinearSolver{13, "L2-regularised L1-loss SVR (dual)", true, false, 0.1},
};

struct LibLinearSettings {
  LibLinearSolver solver;
  std::vector<double> grid;
  double eps, p;
  double positive_weight;  // the loss of a class's own rows counts this often
  bool c_a_class;          // each class its own C, by 3-fold average precision
  std::string treatment;
  std::string metric;
};

// The features as LIBLINEAR wants them: nodes of (index from 1, value), zeros left out, then the bias and an end mark.
// Error{system} where the memory isn't there. Safe to read from many threads.
class LibLinearNodes {
 public:
  explicit LibLinearNodes(const Pool& pool);

  // Rows `rows` with targets `y`, which must outlive the problem, as must `pointers`.
  problem view(std::span<const std::uint32_t> rows, std::vector<feature_node*>& pointers, std::vector<double>& y);

 private:
  void check_memory(const Pool& pool);

  int columns_;
  std::vector<feature_node> nodes_;
  std::vector<std::size_t> starts_;
};

// One vector a class, label or value; two classes: one vector, as +-w/2. Error{usage} for what LIBLINEAR refuses.
LinearModel fit_liblinear(LibLinearNodes& nodes, const Pool& pool, std::span<const std::uint32_t> rows, double c,
                          const LibLinearSettings& settings);

}  // namespace vise::probes

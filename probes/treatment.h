// What is done to features before a probe sees them:
//
//   none           nothing (the default)
//   l2             x / (|x| + 1e-5), as VISSL's svm_trainer has it
//   standardise    (x - mean) / deviation, each dimension; a constant dimension is only centred
//   pca-whiten     the centred features in the basis of their principal axes, each divided by its deviation; axes with
//                  less than 1e-6 of the largest variance are left out. "pca-whiten:K" keeps the K largest
//
// Means, deviations and axes come from train's rows alone (with cross-validation: from all of train's rows, no labels),
// and stay as they are for the refit, val and test. Numbers are computed in double and handed on as float32.
//
//   Treatment treatment = Treatment::parse("standardise");
//   treatment.learn(rows, dim);
//   treatment.apply(row, out);                  // out.size() == treatment.dim_out()
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "probes/matrix.h"
#include "probes/probe.h"

namespace vise::probes {

// Immutable after learn(); then safe from many threads.
class Treatment {
 public:
  Treatment() = default;
  // Error{usage} with the accepted forms.
  static Treatment parse(const std::string& text);

  bool none() const { return kind_ == Kind::none; }
  const std::string& name() const { return name_; }

  // Learns from `rows`, each `dim` floats.
  void learn(std::span<const float* const> rows, std::size_t dim);
  std::size_t dim_out() const { return dim_out_; }
  // Treats one row: a row's result depends on that row alone.
  void apply(const float* row, std::span<float> out) const;

 private:
  enum class Kind { none, l2, standardise, pca };
  void learn_axes(std::span<const float* const> rows);

  Kind kind_ = Kind::none;
  std::string name_ = "none";
  std::size_t dim_ = 0, dim_out_ = 0, keep_ = 0;
  Row mean_, scale_;
  Matrix<double> axes_;  // dim_out x dim, already divided by the deviations
};

// `inner`, with the treatment before it. For `none` it is `inner` itself.
std::unique_ptr<ProbeModel> treated_model(std::unique_ptr<ProbeModel> inner,
                                          std::shared_ptr<const Treatment> treatment);

}  // namespace vise::probes

#include "probes/treatment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "probes/eigenvectors.h"
#include "probes/vectors.h"

namespace vise::probes {
namespace {

// A model behind a treatment: rows are treated as they come, so that test needs no copy of its own.
class TreatedModel final : public ProbeModel {
 public:
  TreatedModel(std::unique_ptr<ProbeModel> inner, std::shared_ptr<const Treatment> treatment)
      : inner_(std::move(inner)), treatment_(std::move(treatment)) {}

  Scores predict(const FeatureRows& rows) const override {
    const std::size_t dim = treatment_->dim_out();
    std::vector<float> treated(rows.size() * dim);
    std::vector<std::uint32_t> places(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      treatment_->apply(rows.row(i), std::span(treated).subspan(i * dim, dim));
      places[i] = static_cast<std::uint32_t>(i);
    }
    return inner_->predict(FeatureRows(treated.data(), dim, places));
  }

 private:
  std::unique_ptr<ProbeModel> inner_;
  std::shared_ptr<const Treatment> treatment_;
};

}  // namespace

// The names are in the order of Kind.
Treatment Treatment::parse(const std::string& text) {
  static const std::vector<std::string> kNames{"none", "l2", "standardise", "pca-whiten"};
  Treatment treatment;
  treatment.name_ = text;
  const auto parts = split(text, ':');
  const auto found = std::find(kNames.begin(), kNames.end(), parts[0]);
  std::int64_t keep = 0;
  const bool counted = parts.size() == 2 && parts[0] == "pca-whiten" && parse_int(parts[1], keep) && keep > 0;
  if (found == kNames.end() || !(parts.size() == 1 || counted)) {
    throw Error(ErrorKind::usage, fmt::format("there is no treatment '{}'", text), suggest(parts[0], kNames));
  }
  treatment.kind_ = static_cast<Kind>(found - kNames.begin());
  treatment.keep_ = static_cast<std::size_t>(keep);
  return treatment;
}

// Two passes over the rows, means first: sums of squares less squared means would cancel.
void Treatment::learn(std::span<const float* const> rows, std::size_t dim) {
  dim_ = dim_out_ = dim;
  if (kind_ == Kind::none || kind_ == Kind::l2) return;
  const auto n = static_cast<double>(rows.size());
  mean_ = scale_ = Row::Zero(dim);
  for (const float* const row : rows) mean_ += feature_row(row, dim).cast<double>() / n;
  for (const float* const row : rows) scale_ += (feature_row(row, dim).cast<double>() - mean_).cwiseAbs2() / n;
  // A dimension that varies by rounding alone is constant.
  const auto varies = scale_.array().sqrt() > 1e-7 * mean_.array().abs();
  scale_ = varies.select(1 / scale_.array().sqrt(), 1.0).eval();
  if (kind_ == Kind::pca) learn_axes(rows);
}

// In blocks of rows, one symmetric product each.
void Treatment::learn_axes(std::span<const float* const> rows) {
  constexpr std::size_t kBlock = 256;
  Matrix<double> covariance = Matrix<double>::Zero(dim_, dim_), block(kBlock, dim_);
  for (std::size_t begin = 0; begin < rows.size(); begin += kBlock) {
    const std::size_t count = std::min(kBlock, rows.size() - begin);
    for (std::size_t i = 0; i < count; ++i) block.row(i) = feature_row(rows[begin + i], dim_).cast<double>() - mean_;
    covariance.selfadjointView<Eigen::Upper>().rankUpdate(block.topRows(count).transpose(),
                                                          1.0 / static_cast<double>(rows.size()));
  }
  const auto [variances, axes] = eigenvectors(std::move(covariance), Eigen::Upper, "principal axes of the features");
  const double largest = variances[variances.size() - 1];
  // Whitening divides by the root of a variance: an axis of nearly none would be noise blown up.
  std::size_t keep = static_cast<std::size_t>((variances.array() > 1e-6 * largest).count());
  if (keep_ > 0) keep = std::min(keep, keep_);
  dim_out_ = std::max<std::size_t>(keep, 1);
  axes_.resize(dim_out_, dim_);
  for (std::size_t k = 0; k < dim_out_; ++k) {
    // LAPACK's eigenvalues ascend; axes go from the largest variance down.
    const std::size_t from = dim_ - 1 - k;
    axes_.row(k) = axes.row(from) * (variances[from] > 0 ? 1 / std::sqrt(variances[from]) : 0);
  }
}

void Treatment::apply(const float* row, std::span<float> out) const {
  const auto x = feature_row(row, dim_).cast<double>();
  Eigen::Map<Eigen::RowVectorXf> treated(out.data(), dim_out_);
  switch (kind_) {
    case Kind::none:
      treated = feature_row(row, dim_);
      break;
    case Kind::l2:
      treated = (x * (1 / (x.norm() + 1e-5))).cast<float>();
      break;
    case Kind::standardise:
      treated = (x - mean_).cwiseProduct(scale_).cast<float>();
      break;
    case Kind::pca: {
      // One axis at a time: a product of all would sum in another order, and treated features change in their last bit.
      const Row centred = x - mean_;
      for (Eigen::Index k = 0; k < axes_.rows(); ++k)
        treated[k] = static_cast<float>(dot(values_of(axes_.row(k)), values_of(centred)));
    }
  }
}

std::unique_ptr<ProbeModel> treated_model(std::unique_ptr<ProbeModel> inner,
                                          std::shared_ptr<const Treatment> treatment) {
  if (!treatment || treatment->none()) return inner;
  return std::make_unique<TreatedModel>(std::move(inner), std::move(treatment));
}

}  // namespace vise::probes

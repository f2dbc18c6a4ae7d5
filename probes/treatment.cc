#include "probes/treatment.h"

#include <cblas.h>
#include <fmt/format.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace vise {
namespace {

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

void Treatment::learn(std::span<const float* const> rows, std::size_t dim) {
  dim_ = dim_out_ = dim;
  if (kind_ == Kind::none || kind_ == Kind::l2) return;
  const auto n = static_cast<double>(rows.size());
  mean_.assign(dim, 0);
  scale_.assign(dim, 0);
  for (const float* const row : rows) {
    for (std::size_t d = 0; d < dim; ++d) mean_[d] += static_cast<double>(row[d]) / n;
  }
  for (const float* const row : rows) {
    for (std::size_t d = 0; d < dim; ++d) scale_[d] += std::pow(static_cast<double>(row[d]) - mean_[d], 2) / n;
  }
  // A dimension that varies by rounding alone is constant.
  for (std::size_t d = 0; d < dim; ++d) {
    scale_[d] = std::sqrt(scale_[d]) > 1e-7 * std::abs(mean_[d]) ? 1 / std::sqrt(scale_[d]) : 1;
  }
  if (kind_ == Kind::pca) learn_axes(rows);
}

void Treatment::learn_axes(std::span<const float* const> rows) {
  constexpr std::size_t kBlock = 256;
  const auto n = static_cast<int>(dim_);
  std::vector<double> covariance(dim_ * dim_), block(kBlock * dim_), variances(dim_);
  for (std::size_t begin = 0; begin < rows.size(); begin += kBlock) {
    const std::size_t count = std::min(kBlock, rows.size() - begin);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t d = 0; d < dim_; ++d) block[i * dim_ + d] = static_cast<double>(rows[begin + i][d]) - mean_[d];
    }
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, n, static_cast<int>(count),
                1.0 / static_cast<double>(rows.size()), block.data(), n, 1, covariance.data(), n);
  }
  // Row-major upper is column-major lower; eigenvectors come back as columns there, rows here, ascending.
  if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', n, covariance.data(), n, variances.data()) != 0) {
    throw Error(ErrorKind::system, "the principal axes of the features were not found");
  }
  std::size_t keep = 0;
  while (keep < dim_ && variances[dim_ - 1 - keep] > 1e-6 * variances[dim_ - 1]) ++keep;
  if (keep_ > 0) keep = std::min(keep, keep_);
  dim_out_ = std::max<std::size_t>(keep, 1);
  axes_.resize(dim_out_ * dim_);
  for (std::size_t k = 0; k < dim_out_; ++k) {
    const std::size_t from = dim_ - 1 - k;
    const double scale = variances[from] > 0 ? 1 / std::sqrt(variances[from]) : 0;
    for (std::size_t d = 0; d < dim_; ++d) axes_[k * dim_ + d] = covariance[from * dim_ + d] * scale;
  }
}

void Treatment::apply(const float* row, std::span<float> out) const {
  if (kind_ == Kind::pca) {
    std::vector<double> centred(dim_);
    for (std::size_t d = 0; d < dim_; ++d) centred[d] = static_cast<double>(row[d]) - mean_[d];
    for (std::size_t k = 0; k < dim_out_; ++k) {
      out[k] = static_cast<float>(cblas_ddot(static_cast<int>(dim_), axes_.data() + k * dim_, 1, centred.data(), 1));
    }
    return;
  }
  double square = 0;
  for (std::size_t d = 0; d < dim_; ++d) square += static_cast<double>(row[d]) * static_cast<double>(row[d]);
  const double unit = 1 / (std::sqrt(square) + 1e-5);
  for (std::size_t d = 0; d < dim_; ++d) {
    const auto x = static_cast<double>(row[d]);
    out[d] = kind_ == Kind::standardise ? static_cast<float>((x - mean_[d]) * scale_[d])
             : kind_ == Kind::l2        ? static_cast<float>(x * unit)
                                        : row[d];
  }
}

std::unique_ptr<ProbeModel> treated_model(std::unique_ptr<ProbeModel> inner,
                                          std::shared_ptr<const Treatment> treatment) {
  if (!treatment || treatment->none()) return inner;
  return std::make_unique<TreatedModel>(std::move(inner), std::move(treatment));
}

}  // namespace vise

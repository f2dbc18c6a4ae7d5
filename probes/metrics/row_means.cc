#include <algorithm>
#include <cmath>

#include "probes/metrics/check.h"
#include "probes/metrics/family.h"
#include "probes/metrics/metrics.h"

namespace vise::probes::metrics {
namespace {

// Of Guo et al. 2017, whose ECE is the usual one.
constexpr std::size_t kBins = 15;

std::size_t calibration_bin(double confidence) {
  // Bins are open below and closed above, (k/15, (k + 1)/15], as in Guo et al. 2017.
  return static_cast<std::size_t>(std::clamp(std::ceil(confidence * kBins) - 1, 0.0, kBins - 1.0));
}

}  // namespace

// Totals are kept beside the terms: resamples add one number a row.
void RowMeans::add(std::string name, std::vector<double> terms) {
  Mean mean{std::move(name), std::move(terms), std::vector<double>(rows_)};
  const std::size_t width = mean.terms.size() / rows_;
  for (std::size_t j = 0; j < mean.terms.size(); ++j) mean.totals[j / width] += mean.terms[j];
  means_.push_back(std::move(mean));
}

void RowMeans::add_calibration_error(std::string name, const ConstRef<double>& prob, std::span<const int> truth) {
  Binned binned{std::move(name), {}, {}, {}};
  const std::vector<int> predicted = argmax_rows(prob);
  for (std::size_t i = 0; i < rows_; ++i) {
    binned.confidence.push_back(prob(static_cast<Eigen::Index>(i), predicted[i]));
    binned.bin.push_back(static_cast<std::uint8_t>(calibration_bin(binned.confidence.back())));
    binned.right.push_back(predicted[i] == truth[i]);
  }
  binned_.push_back(std::move(binned));
}

std::vector<std::string> RowMeans::names() const {
  std::vector<std::string> all;
  for (const Mean& mean : means_) all.push_back(mean.name);
  for (const Binned& binned : binned_) all.push_back(binned.name);
  return all;
}

template <std::size_t Lanes>
void RowMeans::add_row(std::size_t row, const std::uint16_t* counts, std::span<const Mean* const> means,
                       std::span<Sums<Lanes>> sums) const {
  Sums<Lanes> weights;  // made once for all the means: the conversion costs more than a sum
  for (std::size_t r = 0; r < Lanes; ++r) weights[r] = counts[row * Lanes + r];
  for (std::size_t m = 0; m < means.size(); ++m) {
    // The point estimate sums term by term, in the order of the golden values; resamples take a row's
    // terms as one number, which differs in the last bit and is faster.
    const std::vector<double>& terms = Lanes == 1 ? means[m]->terms : means[m]->totals;
    const std::size_t width = terms.size() / rows_;
    for (std::size_t j = row * width; j < (row + 1) * width; ++j)
      for (std::size_t r = 0; r < Lanes; ++r) sums[m][r] += weights[r] * terms[j];
  }
}

// Sums of confidence and hits by bin; the bins themselves don't change with a resample.
template <std::size_t Lanes>
Sums<Lanes> RowMeans::error_of(const Binned& binned, const std::uint16_t* counts) const {
  std::array<Sums<Lanes>, kBins> confidence{};
  std::array<Counts<Lanes>, kBins> right{};
  for (std::size_t i = 0; i < rows_; ++i) {
    const std::uint16_t* const own = counts + i * Lanes;
    Sums<Lanes>& of_bin = confidence[binned.bin[i]];
    for (std::size_t r = 0; r < Lanes; ++r) of_bin[r] += own[r] * binned.confidence[i];
    if (binned.right[i]) metrics::add<Lanes>(right[binned.bin[i]], own);
  }
  Sums<Lanes> error{};
  for (std::size_t b = 0; b < kBins; ++b)
    // |mean confidence - accuracy| times the bin's share is |sum of confidences - hits| / rows.
    for (std::size_t r = 0; r < Lanes; ++r) error[r] += std::abs(confidence[b][r] - right[b][r]);
  return error;
}

// Means are taken together, so that each row's counts are converted once; calibration errors one by one.
template <std::size_t Lanes>
void RowMeans::evaluate(std::span<const MetricFamily::Wanted> wanted, const std::uint16_t* counts) const {
  const Counts<Lanes> rows = total<Lanes>(counts, rows_);
  const auto write = [&](const Sums<Lanes>& sums, double* values) {
    for (std::size_t r = 0; r < Lanes; ++r) values[r] = sums[r] / rows[r];
  };
  std::vector<const Mean*> means;
  std::vector<double*> places;
  for (const auto& [name, values] : wanted) {
    for (const Mean& mean : means_)
      if (mean.name == name) means.push_back(&mean), places.push_back(values);
    for (const Binned& binned : binned_)
      if (binned.name == name) write(error_of<Lanes>(binned, counts), values);
  }
  std::vector<Sums<Lanes>> sums(means.size());
  for (std::size_t i = 0; i < rows_ && !means.empty(); ++i) add_row<Lanes>(i, counts, means, sums);
  for (std::size_t m = 0; m < means.size(); ++m) write(sums[m], places[m]);
}

std::shared_ptr<const MetricFamily> row_means(RowMeans means) { return in_lanes(std::move(means)); }

}  // namespace vise::probes::metrics

// The function of metrics.h, by the same code with every row once.
double vise::probes::calibration_error(const ConstRef<double>& prob, std::span<const int> truth) {
  metrics::expect_scores(prob, truth);
  metrics::RowMeans means(truth.size());
  means.add_calibration_error("ece", prob, truth);
  double value = 0;
  const MetricFamily::Wanted ece{"ece", &value};
  means.evaluate<1>({&ece, 1}, std::vector<std::uint16_t>(truth.size(), 1).data());
  return value;
}

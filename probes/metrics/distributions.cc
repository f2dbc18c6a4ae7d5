#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "probes/metrics/check.h"
#include "probes/metrics/family.h"
#include "probes/metrics/metrics.h"

namespace vise::probes {
namespace {

// A copy whose rows sum to one.
Matrix<double> normalised(const ConstRef<double>& rows) {
  Matrix<double> out = rows;
  for (Eigen::Index i = 0; i < out.rows(); ++i) {
    double sum = 0;
    for (Eigen::Index k = 0; k < out.cols(); ++k) {
      if (out(i, k) < 0) throw Error(ErrorKind::input, fmt::format("row {}: a distribution holds {}", i, out(i, k)));
      sum += out(i, k);
    }
    if (sum == 0) throw Error(ErrorKind::input, fmt::format("row {}: a distribution of zeros", i));
    for (Eigen::Index k = 0; k < out.cols(); ++k) out(i, k) /= sum;
  }
  return out;
}

// scipy's convention: 0 log y is 0 also where y is 0.
double xlogy(double x, double y) { return x == 0 ? 0 : x * std::log(y); }

// What the means are of: terms a row and class, and numbers a row.
struct Terms {
  std::vector<double> kl, cross_entropy, js;
  std::vector<double> within_votes, majority, share, ceiling;
};

void add_row(std::span<const double> p, std::span<const double> q, Terms& terms) {
  constexpr double kFloor = 1e-12;
  double floored = 0;
  for (const double v : q) floored += std::max(v, kFloor);
  for (std::size_t k = 0; k < p.size(); ++k) {
    // A predicted share of zero would make KL infinite: shares are raised to 1e-12 and brought back to
    // a sum of one. JS needs no floor, since its middle is positive wherever either is.
    const double safe = std::max(q[k], kFloor) / floored;
    const double middle = (p[k] + q[k]) / 2;
    terms.kl.push_back(xlogy(p[k], p[k] / safe));
    terms.cross_entropy.push_back(-xlogy(p[k], safe));
    terms.js.push_back((xlogy(p[k], p[k] / middle) + xlogy(q[k], q[k] / middle)) / 2);
  }
  // The first of equal shares on both sides.
  const auto predicted = static_cast<std::size_t>(std::max_element(q.begin(), q.end()) - q.begin());
  const auto majority = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
  terms.within_votes.push_back(p[predicted] > 0);
  terms.majority.push_back(predicted == majority);
  terms.share.push_back(p[predicted]);
  terms.ceiling.push_back(p[majority]);
}

// Checked here: votes come from files, shares from a probe's softmax.
Terms terms_of(const ConstRef<double>& truth, const ConstRef<double>& prob) {
  metrics::expect_length(static_cast<std::size_t>(truth.rows()), static_cast<std::size_t>(prob.size()),
                         static_cast<std::size_t>(truth.size()));
  metrics::expect_finite(truth);
  metrics::expect_finite(prob);
  const Matrix<double> p = normalised(truth), q = normalised(prob);
  Terms terms;
  for (std::size_t i = 0; i < static_cast<std::size_t>(p.rows()); ++i) add_row(row_of(p, i), row_of(q, i), terms);
  return terms;
}

}  // namespace

DistributionReport distribution_report(const ConstRef<double>& truth, const ConstRef<double>& prob) {
  const Terms terms = terms_of(truth, prob);
  const auto mean = [rows = static_cast<std::size_t>(truth.rows())](const auto& of) { return mean_of_rows(of, rows); };
  return {mean(terms.kl),       mean(terms.cross_entropy), mean(terms.js),     mean(terms.within_votes),
          mean(terms.majority), mean(terms.share),         mean(terms.ceiling)};
}

void metrics::add_distributions(const datasets::Targets& targets, const ConstRef<double>& prob, Families& families) {
  Terms terms = terms_of(view(targets.rows(), targets.width()), prob);
  probes::metrics::RowMeans means(targets.size());
  means.add("kl", std::move(terms.kl));
  means.add("cross_entropy", std::move(terms.cross_entropy));
  means.add("js", std::move(terms.js));
  means.add("accuracy_within_votes", std::move(terms.within_votes));
  means.add("majority_accuracy", std::move(terms.majority));
  means.add("vote_share", std::move(terms.share));
  means.add("vote_share_ceiling", std::move(terms.ceiling));
  families.push_back(probes::metrics::row_means(std::move(means)));
}

}  // namespace vise::probes

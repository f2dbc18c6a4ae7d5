// Ranks of models over tasks, and whether they differ: what Demsar (2006, JMLR 7, 1-30) recommends for comparing
// several classifiers on several data sets.
//
//   const std::vector<double> mean = mean_ranks(scores, 4);     // of 4 models on scores.size() / 4 tasks
//   const Friedman test = friedman(scores, 4);
//   const double apart = critical_difference(4, tasks, 0.05);   // mean ranks that far apart differ (Nemenyi)
//
// `scores` is tasks x models, row-major, higher is better. Scores within 1e-12 of their neighbour in order are tied, as
// accuracies of equal counts may differ in their last bits; ties share their average rank, 1 being the best.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace vise::reports {

// Average ranks of values, 1 for the largest.
std::vector<double> average_ranks(std::span<const double> values);

// A model each: the mean over tasks of its rank within each.
std::vector<double> mean_ranks(std::span<const double> scores, std::size_t models);

// Nothing for fewer than three models, or where all of them tie on every task.
struct Friedman {
  std::optional<double> chi2, p;  // corrected for ties, models - 1 degrees of freedom
  // Iman and Davenport's F (1980), less conservative: (T - 1) chi2 / (T (k - 1) - chi2) with k - 1 and (k - 1)(T - 1)
  // degrees of freedom. Nothing also where every task ranks alike, which makes its denominator 0.
  std::optional<double> f, p_f;
};

Friedman friedman(std::span<const double> scores, std::size_t models);

// Nemenyi's: q sqrt(k (k + 1) / (6 T)) of k >= 2 models, q being the studentized range's upper `alpha` quantile of k
// means with infinitely many degrees of freedom, over sqrt(2).
double critical_difference(std::size_t models, std::size_t tasks, double alpha);

// The upper quantile itself: the range of k standard normal values exceeds it with probability `alpha`.
double studentized_range(std::size_t k, double alpha);

}  // namespace vise::reports

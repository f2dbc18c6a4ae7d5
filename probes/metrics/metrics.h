// Metrics of predictions, as their definitions have them; undefined values are std::nullopt, never 0 or NaN.
//
// Conventions (ties, clipping, 0/0, absent classes) are those of scikit-learn 1.2.1 and scipy 1.10.1 where these define
// them; each function says its own. All sums run in double over rows in order. Matrices have a row an item, and as
// many as `truth` is long. Everything throws Error{input} for no rows, lengths that don't match, a label outside
// 0..classes-1 and any number that isn't finite. Pure functions; safe from any thread.
//
// For what a table prints of a set of scores use evaluate.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "probes/matrix.h"

namespace vise::probes {

// --- classes -------------------------------------------------------------------------------------------------------

// counts[truth * classes + predicted].
struct Confusion {
  std::size_t classes = 0;
  std::vector<std::int64_t> counts;
  std::int64_t operator()(std::size_t truth, std::size_t predicted) const {
    return counts[truth * classes + predicted];
  }
};

Confusion confusion(std::span<const int> truth, std::span<const int> predicted, std::size_t classes);

// Precision, recall and F1 are 0 where they are 0/0.
struct ClassReport {
  double accuracy = 0;
  double balanced_accuracy = 0;  // mean recall over the classes present in truth
  double f1_macro = 0;           // mean over all classes, absent ones counting 0
  double f1_macro_seen = 0;      // over those in truth or predictions: scikit-learn's, which doesn't know of the others
  double f1_micro = 0;           // all classes pooled: the accuracy
  double f1_weighted = 0;        // by the classes' counts in truth
  std::optional<double> kappa;   // Cohen's; none where chance agreement is 1
  std::vector<double> precision, recall, f1;
};

ClassReport class_report(const Confusion& table);

// Whether the metric of that name asks only which class has the highest score: accuracy, kappa ...
bool is_decision_metric(std::string_view name);

// --- class scores, N x C -------------------------------------------------------------------------------------------

// Index of a row's largest score; ties go to the lowest index.
std::vector<int> argmax_rows(const ConstRef<double>& scores);
// exp(z / temperature) by row, divided by the row's sum, the row's maximum subtracted first.
Matrix<double> softmax_rows(const ConstRef<double>& logits, double temperature = 1);
// The sum of terms, each row having as many, over the number of rows: means of what follows.
double mean_of_rows(std::span<const double> terms, std::size_t rows);
// A row: 1 where its class is among the min(k, C) first; equal scores are ordered by index.
std::vector<double> top_k_hits(const ConstRef<double>& scores, std::span<const int> truth, std::size_t k);
// A row: -log p, p clipped to [2^-52, 1 - 2^-52] and the row divided by its sum, natural logarithm.
std::vector<double> log_losses(const ConstRef<double>& prob, std::span<const int> truth);
// Mean of logsumexp(z) - z_truth, not clipped.
double negative_log_likelihood(const ConstRef<double>& logits, std::span<const int> truth);
// A term a row and class, (p - [is truth])^2; a row's sum is 0 to 2.
std::vector<double> brier_terms(const ConstRef<double>& prob, std::span<const int> truth);
// Two classes: (p_1 - truth)^2 a row.
std::vector<double> brier_scores(const ConstRef<double>& prob, std::span<const int> truth);
// Expected calibration error of the predicted class's probability in 15 bins ((m - 1) / 15, m / 15].
double calibration_error(const ConstRef<double>& prob, std::span<const int> truth);
// z_1 - z_0 (or p_1) a row: what two-class rankings rank by.
std::vector<double> score_differences(const ConstRef<double>& logits);

// --- rankings ------------------------------------------------------------------------------------------------------

// Mann-Whitney, ties one half; none unless both classes are present. `positive` holds 0 or 1.
std::optional<double> auc(std::span<const double> score, std::span<const std::uint8_t> positive);
// Sum of (R_n - R_(n-1)) P_n over distinct thresholds, no interpolation; none without a positive, 1 without a negative.
std::optional<double> average_precision(std::span<const double> score, std::span<const std::uint8_t> positive);

// A mean over classes that leaves undefined ones out and says how many; none where all are.
struct MeanOverClasses {
  std::optional<double> mean;
  std::size_t skipped = 0;
};

MeanOverClasses mean_defined(std::span<const std::optional<double>> values);
// One-vs-rest over the columns.
MeanOverClasses auc_one_vs_rest(const ConstRef<double>& scores, std::span<const int> truth);
MeanOverClasses average_precision_one_vs_rest(const ConstRef<double>& scores, std::span<const int> truth);

// --- labels, N x K of 1, 0 and -1 (unknown, left out of everything) --------------------------------------------------

struct LabelReport {
  MeanOverClasses map, auc;
  std::vector<std::optional<double>> average_precision;
  std::vector<double> precision, recall, f1;
  double f1_macro = 0;    // mean over all K, 0/0 = 0
  double f1_micro = 0;    // counts pooled
  double f1_samples = 0;  // mean over rows; an empty row predicted empty counts 0 (scikit-learn's default) ...
  double f1_samples_empty_right = 0;  // ... or 1
  double exact_match = 0;             // rows with every known entry right
};

// A label is predicted where its score > threshold, strictly.
LabelReport label_report(const ConstRef<std::int8_t>& truth, const ConstRef<double>& scores, double threshold);
// f1_macro alone, for choosing a threshold.
double label_f1_macro(const ConstRef<std::int8_t>& truth, const ConstRef<double>& scores, double threshold);

// --- distributions, N x K ------------------------------------------------------------------------------------------

// Natural logarithms, means over rows. Rows of `truth` (votes) and `prob` are divided by their sums; a negative entry
// or a row of zeros is Error{input}.
struct DistributionReport {
  double kl = 0;                     // sum p log(p / q), p the truth, q floored at 1e-12 and renormalised
  double cross_entropy = 0;          // -sum p log q, the same q
  double js = 0;                     // the divergence (at most log 2), q not floored
  double accuracy_within_votes = 0;  // the predicted class has at least one vote
  double majority_accuracy = 0;      // the predicted class is the most voted one (lowest index on ties)
  double vote_share = 0;             // mean share of votes of the predicted class
  double vote_share_ceiling = 0;     // mean largest share: the most that could be reached
};

DistributionReport distribution_report(const ConstRef<double>& truth, const ConstRef<double>& prob);

// --- values --------------------------------------------------------------------------------------------------------

struct ValueReport {
  std::optional<double> r2;                 // 1 - SSE / SST; none where truth is constant
  std::optional<double> pearson, spearman;  // average ranks; none where either side is constant
  std::optional<double> ccc;                // Lin's concordance, moments with 1/n; none for two equal constants
  double mae = 0, rmse = 0;
};

ValueReport value_report(std::span<const double> truth, std::span<const double> predicted);

}  // namespace vise::probes

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

// Counts of one label, or of several pooled.
struct LabelCounts {
  double hits = 0, predicted = 0, positive = 0;
  double precision() const { return predicted == 0 ? 0 : hits / predicted; }
  double recall() const { return positive == 0 ? 0 : hits / positive; }
  // 2 tp / (predicted + positive) needs no division of divisions, so counts alone decide its rounding.
  double f1(double empty = 0) const { return predicted + positive == 0 ? empty : 2 * hits / (predicted + positive); }
  void add(const LabelCounts& other) {
    hits += other.hits;
    predicted += other.predicted;
    positive += other.positive;
  }
};

// A label of another value would be taken for unknown or positive by one formula and not by the other.
void expect_label_matrix(const ConstRef<std::int8_t>& truth, const ConstRef<double>& scores) {
  metrics::expect_length(static_cast<std::size_t>(truth.rows()), static_cast<std::size_t>(scores.size()),
                         static_cast<std::size_t>(truth.size()));
  metrics::expect_finite(scores);
  for (Eigen::Index i = 0; i < truth.rows(); ++i)
    for (Eigen::Index k = 0; k < truth.cols(); ++k)
      if (truth(i, k) < -1 || truth(i, k) > 1)
        throw Error(ErrorKind::input,
                    fmt::format("row {}: a label is 1, 0 or -1 (unknown), not {}", i, int{truth(i, k)}));
}

// Truth and decisions, rows x labels; what is not known counts nowhere.
struct LabelDecisions {
  std::vector<std::int8_t> truth;
  std::vector<std::uint8_t> said;
  std::size_t labels;

  LabelDecisions(const ConstRef<std::int8_t>& bits, const ConstRef<double>& scores, double threshold)
      : labels(static_cast<std::size_t>(bits.cols())) {
    for (Eigen::Index i = 0; i < bits.rows(); ++i)
      for (Eigen::Index k = 0; k < bits.cols(); ++k) {
        truth.push_back(bits(i, k));
        said.push_back(scores(i, k) > threshold);
      }
  }

  // One label's counts in each lane.
  // Walks down one column; counts advance by a row's lanes beside it.
  template <std::size_t Lanes>
  std::array<LabelCounts, Lanes> count(std::size_t label, const std::uint16_t* counts) const {
    metrics::Counts<Lanes> hits{}, predicted{}, positive{};
    for (std::size_t j = label; j < truth.size(); j += labels, counts += Lanes) {
      if (truth[j] < 0) continue;
      if (said[j] && truth[j] == 1) metrics::add<Lanes>(hits, counts);
      if (said[j]) metrics::add<Lanes>(predicted, counts);
      if (truth[j] == 1) metrics::add<Lanes>(positive, counts);
    }
    std::array<LabelCounts, Lanes> all;
    for (std::size_t r = 0; r < Lanes; ++r)
      all[r] = {static_cast<double>(hits[r]), static_cast<double>(predicted[r]), static_cast<double>(positive[r])};
    return all;
  }

  std::vector<std::string> names() const { return {"f1_macro", "f1_micro"}; }

  template <std::size_t Lanes>
  void evaluate(std::span<const MetricFamily::Wanted> wanted, const std::uint16_t* counts) const {
    if (std::ranges::none_of(wanted, [](const auto& w) { return w.name == "f1_macro" || w.name == "f1_micro"; }))
      return;
    metrics::Sums<Lanes> macro{};
    std::array<LabelCounts, Lanes> pooled{};
    for (std::size_t k = 0; k < labels; ++k) {
      const std::array<LabelCounts, Lanes> own = count<Lanes>(k, counts);
      for (std::size_t r = 0; r < Lanes; ++r) {
        macro[r] += own[r].f1() / static_cast<double>(labels);
        pooled[r].add(own[r]);
      }
    }
    for (const auto& [name, values] : wanted)
      for (std::size_t r = 0; r < Lanes; ++r) {
        if (name == "f1_macro") values[r] = macro[r];
        if (name == "f1_micro") values[r] = pooled[r].f1();
      }
  }
};

// A number a row.
struct RowScores {
  std::vector<double> f1, f1_empty_right, exact;
};

RowScores score_rows(const LabelDecisions& decisions) {
  RowScores scores;
  for (std::size_t begin = 0; begin < decisions.truth.size(); begin += decisions.labels) {
    LabelCounts counts;
    bool right = true;
    for (std::size_t j = begin; j < begin + decisions.labels; ++j) {
      if (decisions.truth[j] < 0) continue;
      const bool is = decisions.truth[j] == 1, said = decisions.said[j];
      counts.add({static_cast<double>(is && said), static_cast<double>(said), static_cast<double>(is)});
      right = right && said == is;
    }
    scores.f1.push_back(counts.f1(0));
    // Two conventions are published for rows without any label where none is predicted: 0
    // (scikit-learn's zero_division=0) and right.
    scores.f1_empty_right.push_back(counts.f1(1));
    scores.exact.push_back(right);
  }
  return scores;
}

// A ranking a label; rows where it isn't known are left out by rank_rows().
std::vector<metrics::Ranking> rank_labels(const ConstRef<std::int8_t>& truth, const ConstRef<double>& scores) {
  std::vector<metrics::Ranking> all;
  for (Eigen::Index k = 0; k < truth.cols(); ++k) {
    const Eigen::Matrix<std::int8_t, Eigen::Dynamic, 1> bits = truth.col(k);
    all.push_back(metrics::rank_rows(to_vector(scores.col(k)), {bits.data(), static_cast<std::size_t>(bits.size())}));
  }
  return all;
}

}  // namespace

// What best_threshold() asks for 19 times: counts alone, no rankings.
double label_f1_macro(const ConstRef<std::int8_t>& truth, const ConstRef<double>& scores, double threshold) {
  expect_label_matrix(truth, scores);
  const LabelDecisions decisions(truth, scores, threshold);
  const std::vector<std::uint16_t> once(static_cast<std::size_t>(truth.rows()), 1);
  double sum = 0;
  for (std::size_t k = 0; k < decisions.labels; ++k) sum += decisions.count<1>(k, once.data())[0].f1();
  return sum / static_cast<double>(decisions.labels);
}

LabelReport label_report(const ConstRef<std::int8_t>& truth, const ConstRef<double>& scores, double threshold) {
  expect_label_matrix(truth, scores);
  const LabelDecisions decisions(truth, scores, threshold);
  const std::size_t rows = static_cast<std::size_t>(truth.rows()), labels = decisions.labels;
  const std::vector<std::uint16_t> once(rows, 1);
  LabelReport report;
  LabelCounts pooled;
  for (std::size_t k = 0; k < labels; ++k) {
    const LabelCounts counts = decisions.count<1>(k, once.data())[0];
    report.precision.push_back(counts.precision());
    report.recall.push_back(counts.recall());
    report.f1.push_back(counts.f1());
    report.f1_macro += counts.f1() / static_cast<double>(labels);
    pooled.add(counts);
  }
  report.f1_micro = pooled.f1();
  const RowScores of_rows = score_rows(decisions);
  report.f1_samples = mean_of_rows(of_rows.f1, rows);
  report.f1_samples_empty_right = mean_of_rows(of_rows.f1_empty_right, rows);
  report.exact_match = mean_of_rows(of_rows.exact, rows);
  const metrics::RankingReport ranked = metrics::ranking_report(rank_labels(truth, scores), rows);
  report.map = ranked.map;
  report.auc = ranked.auc;
  report.average_precision = ranked.average_precision;
  return report;
}

void metrics::add_labels(const datasets::Targets& targets, const ConstRef<double>& scores, double threshold,
                         Families& families) {
  const ConstView<std::int8_t> truth = view(targets.multi_label(), targets.width());
  expect_label_matrix(truth, scores);
  LabelDecisions decisions(truth, scores, threshold);
  RowScores of_rows = score_rows(decisions);
  probes::metrics::RowMeans means(targets.size());
  means.add("f1_samples", std::move(of_rows.f1));
  means.add("f1_samples_empty_right", std::move(of_rows.f1_empty_right));
  means.add("exact_match", std::move(of_rows.exact));
  families.push_back(probes::metrics::in_lanes(std::move(decisions)));
  families.push_back(probes::metrics::row_means(std::move(means)));
  families.push_back(probes::metrics::rankings(rank_labels(truth, scores), "auc_macro", "map"));
}

}  // namespace vise::probes

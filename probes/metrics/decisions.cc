// Metrics of which class has the highest score.
#include <algorithm>

#include "probes/metrics/check.h"
#include "probes/metrics/family.h"
#include "probes/metrics/metrics.h"

namespace vise::probes {
namespace {

// scikit-learn's zero_division=0.
double ratio(double a, double b) { return b == 0 ? 0 : a / b; }

// Rows that are of a class, that are taken for it, and both, in each lane. Everything here follows from these.
template <std::size_t Lanes>
struct Tally {
  std::vector<metrics::Counts<Lanes>> right, truth, predicted;

  explicit Tally(std::size_t classes) : right(classes), truth(classes), predicted(classes) {}

  std::size_t classes() const { return truth.size(); }
  double precision(std::size_t k, std::size_t r) const { return ratio(right[k][r], predicted[k][r]); }
  double recall(std::size_t k, std::size_t r) const { return ratio(right[k][r], truth[k][r]); }
  double f1(std::size_t k, std::size_t r) const {
    return ratio(2.0 * right[k][r], static_cast<double>(predicted[k][r]) + truth[k][r]);
  }
  double rows(std::size_t r) const {
    return sum([&](std::size_t k) { return truth[k][r]; });
  }

  double accuracy(std::size_t r) const {
    return sum([&](std::size_t k) { return right[k][r]; }) / rows(r);
  }
  // The mean recall of the classes that occur (scikit-learn's balanced_accuracy_score
  // leaves out the others too).
  double balanced_accuracy(std::size_t r) const {
    const double present = sum([&](std::size_t k) { return truth[k][r] > 0; });
    return sum([&](std::size_t k) { return recall(k, r); }) / present;
  }
  double f1_macro(std::size_t r) const {
    return sum([&](std::size_t k) { return f1(k, r) / static_cast<double>(classes()); });
  }
  // scikit-learn takes the classes from the two lists it is given, so a class that neither
  // names isn't averaged over.
  double f1_macro_seen(std::size_t r) const {
    const double seen = sum([&](std::size_t k) { return truth[k][r] > 0 || predicted[k][r] > 0; });
    return sum([&](std::size_t k) { return f1(k, r); }) / seen;
  }
  double f1_weighted(std::size_t r) const {
    const double n = rows(r);
    return sum([&](std::size_t k) { return f1(k, r) * truth[k][r] / n; });
  }
  // Agreement and chance from whole numbers, so that a chance of 1 is exact.
  double kappa(std::size_t r) const {
    const double n = rows(r);
    const double chance = sum([&](std::size_t k) { return static_cast<double>(truth[k][r]) * predicted[k][r]; });
    if (chance == n * n) return metrics::kUndefined;
    return (accuracy(r) - chance / (n * n)) / (1 - chance / (n * n));
  }

 private:
  template <typename Term>
  double sum(const Term& term) const {
    double total = 0;
    for (std::size_t k = 0; k < classes(); ++k) total += static_cast<double>(term(k));
    return total;
  }
};

constexpr std::string_view kDecisionNames[] = {"accuracy",      "balanced_accuracy", "f1_macro",
                                               "f1_macro_seen", "f1_weighted",       "kappa"};

struct Decisions {
  std::vector<int> truth, predicted;
  std::size_t classes;
  bool all_seen;

  // Where every class has a row, f1_macro_seen would say f1_macro again.
  std::vector<std::string> names() const {
    std::vector<std::string> all(std::begin(kDecisionNames), std::end(kDecisionNames));
    if (all_seen) std::erase(all, "f1_macro_seen");
    return all;
  }

  // Counts first, in one walk over the rows for all lanes, then each metric from them.
  template <std::size_t Lanes>
  void evaluate(std::span<const MetricFamily::Wanted> wanted, const std::uint16_t* counts) const {
    if (std::ranges::none_of(wanted, [](const auto& w) { return is_decision_metric(w.name); })) return;
    Tally<Lanes> tally(classes);
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const auto is = static_cast<std::size_t>(truth[i]), said = static_cast<std::size_t>(predicted[i]);
      metrics::add<Lanes>(tally.truth[is], counts + i * Lanes);
      metrics::add<Lanes>(tally.predicted[said], counts + i * Lanes);
      if (is == said) metrics::add<Lanes>(tally.right[is], counts + i * Lanes);
    }
    for (const auto& [name, values] : wanted)
      for (std::size_t r = 0; r < Lanes; ++r) {
        if (name == "accuracy") values[r] = tally.accuracy(r);
        if (name == "balanced_accuracy") values[r] = tally.balanced_accuracy(r);
        if (name == "f1_macro") values[r] = tally.f1_macro(r);
        if (name == "f1_macro_seen") values[r] = tally.f1_macro_seen(r);
        if (name == "f1_weighted") values[r] = tally.f1_weighted(r);
        if (name == "kappa") values[r] = tally.kappa(r);
      }
  }
};

}  // namespace

Confusion confusion(std::span<const int> truth, std::span<const int> predicted, std::size_t classes) {
  metrics::expect_length(truth.size(), predicted.size(), truth.size());
  metrics::expect_labels(truth, classes);
  metrics::expect_labels(predicted, classes);
  Confusion table{classes, std::vector<std::int64_t>(classes * classes)};
  for (std::size_t i = 0; i < truth.size(); ++i) {
    ++table.counts[static_cast<std::size_t>(truth[i]) * classes + static_cast<std::size_t>(predicted[i])];
  }
  return table;
}

// The report of one table of counts, by the same formulas as resamples.
ClassReport class_report(const Confusion& table) {
  Tally<1> tally(table.classes);
  for (std::size_t t = 0; t < table.classes; ++t) {
    tally.right[t][0] = static_cast<std::int32_t>(table(t, t));
    for (std::size_t p = 0; p < table.classes; ++p) {
      tally.truth[t][0] += static_cast<std::int32_t>(table(t, p));
      tally.predicted[p][0] += static_cast<std::int32_t>(table(t, p));
    }
  }
  ClassReport report;
  for (std::size_t k = 0; k < table.classes; ++k) {
    report.precision.push_back(tally.precision(k, 0));
    report.recall.push_back(tally.recall(k, 0));
    report.f1.push_back(tally.f1(k, 0));
  }
  report.accuracy = report.f1_micro = tally.accuracy(0);
  report.balanced_accuracy = tally.balanced_accuracy(0);
  report.f1_macro = tally.f1_macro(0);
  report.f1_macro_seen = tally.f1_macro_seen(0);
  report.f1_weighted = tally.f1_weighted(0);
  if (const double kappa = tally.kappa(0); kappa == kappa) report.kappa = kappa;
  return report;
}

bool is_decision_metric(std::string_view name) {
  return std::ranges::find(kDecisionNames, name) != std::end(kDecisionNames);
}

namespace metrics {

std::shared_ptr<const MetricFamily> decisions(std::span<const int> truth, std::vector<int> predicted,
                                              std::size_t classes, bool all_seen) {
  return in_lanes(Decisions{{truth.begin(), truth.end()}, std::move(predicted), classes, all_seen});
}

}  // namespace metrics
}  // namespace vise::probes

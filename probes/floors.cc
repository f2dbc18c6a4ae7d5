// Probes that look at no feature: what a table's rows must beat.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "probes/builtin.h"
#include "probes/options.h"
#include "probes/selection.h"

namespace vise::probes {
namespace {

// The same scores for every row.
class ConstantModel final : public ProbeModel {
 public:
  explicit ConstantModel(std::vector<double> scores) : scores_(std::move(scores)) {}
  Scores predict(const FeatureRows& rows) const override {
    Scores out{rows.size(), scores_.size(), {}};
    for (std::size_t i = 0; i < rows.size(); ++i) out.values.insert(out.values.end(), scores_.begin(), scores_.end());
    return out;
  }

 private:
  std::vector<double> scores_;
};

// Finite where a class never occurs: the clip of metrics.h's log_loss.
double safe_log(double p) { return std::log(std::max(p, std::numeric_limits<double>::epsilon())); }

// The mean share of each class: over images, or of votes.
std::vector<double> class_shares(const datasets::Targets& targets) {
  std::vector<double> shares(targets.width());
  if (targets.kind() == datasets::TargetKind::classes) {
    for (const int k : targets.classes()) shares[static_cast<std::size_t>(k)] += 1;
  } else {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const auto row = targets.rows().subspan(i * shares.size(), shares.size());
      const double sum = std::accumulate(row.begin(), row.end(), 0.0);
      // Each image counts once, however many people voted on it.
      for (std::size_t k = 0; k < row.size(); ++k) shares[k] += row[k] / sum;
    }
  }
  for (double& share : shares) share /= static_cast<double>(targets.size());
  return shares;
}

// The share of positives among a label's known entries.
std::vector<double> label_rates(const datasets::Targets& targets) {
  std::vector<double> positive(targets.width()), known(targets.width());
  for (std::size_t j = 0; j < targets.multi_label().size(); ++j) {
    const auto bit = targets.multi_label()[j];
    positive[j % positive.size()] += bit == 1;
    known[j % positive.size()] += bit >= 0;
  }
  for (std::size_t k = 0; k < positive.size(); ++k) positive[k] /= std::max(known[k], 1.0);
  return positive;
}

// Value t of every image.
std::vector<double> column(const datasets::Targets& targets, std::size_t t) {
  std::vector<double> values;
  for (std::size_t j = t; j < targets.rows().size(); j += targets.width()) values.push_back(targets.rows()[j]);
  return values;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  // The middle value, or the mean of the two in the middle.
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

// The best constant guess by log loss or squared error: logarithms of class shares, log odds of labels, means of
// values.
std::vector<double> prior_scores(const datasets::Targets& targets) {
  std::vector<double> scores;
  if (targets.kind() == datasets::TargetKind::values) {
    for (std::size_t t = 0; t < targets.width(); ++t) {
      const std::vector<double> values = column(targets, t);
      scores.push_back(std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size()));
    }
  } else if (targets.kind() == datasets::TargetKind::multi_label) {
    // A logit, since scores of labels go through the sigmoid.
    for (const double rate : label_rates(targets)) scores.push_back(safe_log(rate) - safe_log(1 - rate));
  } else {
    for (const double share : class_shares(targets)) scores.push_back(safe_log(share));
  }
  return scores;
}

// The best constant guess by accuracy or absolute error: the most frequent class, the likelier answer of each label,
// medians.
std::vector<double> majority_scores(const datasets::Targets& targets) {
  std::vector<double> scores;
  if (targets.kind() == datasets::TargetKind::values) {
    for (std::size_t t = 0; t < targets.width(); ++t) scores.push_back(median(column(targets, t)));
  } else if (targets.kind() == datasets::TargetKind::multi_label) {
    for (const double rate : label_rates(targets)) scores.push_back(rate > 0.5 ? 1 : -1);
  } else {
    const std::vector<double> shares = class_shares(targets);
    scores.assign(shares.size(), 0);
    scores[static_cast<std::size_t>(std::max_element(shares.begin(), shares.end()) - shares.begin())] = 1;
  }
  return scores;
}

class Floor final : public Probe {
 public:
  explicit Floor(bool prior) : prior_(prior) {}

  Fitted fit(const TrainView& train, const ValView* val, const Context&) const override {
    const Pool pool = make_pool(train, val);
    Fitted fitted;
    fitted.model = std::make_unique<ConstantModel>(prior_ ? prior_scores(pool.targets) : majority_scores(pool.targets));
    fitted.selection.selected_on = "nothing to choose";
    fitted.selection.refit_on_val = pool.has_val;
    fitted.convergence = {describe()["rule"], 0, 0, 0, true};
    // Majority scores are 0 and 1 and stand for no probability; prior scores are logarithms of one.
    fitted.calibration.scores_are_logits = prior_;
    return fitted;
  }

  Json describe() const override {
    return {{"probe", prior_ ? "prior" : "majority"},
            {"rule", prior_ ? "the class frequencies (values: the mean) of train + val for every image"
                            : "the most frequent class (values: the median) of train + val for every image"}};
  }

 private:
  bool prior_;
};

}  // namespace

void register_floors(ProbeRegistry& registry) {
  const std::vector<datasets::TargetKind> all{datasets::TargetKind::classes, datasets::TargetKind::multi_label,
                                              datasets::TargetKind::distribution, datasets::TargetKind::values};
  registry.add({"majority", "the most frequent class, whatever the image", all, {}, false},
               [](const ProbeOptions&) { return std::make_unique<Floor>(false); });
  registry.add({"prior", "class frequencies, whatever the image", all, {}, false},
               [](const ProbeOptions&) { return std::make_unique<Floor>(true); });
}

}  // namespace vise::probes

#include "reports/metric_names.h"

#include <fmt/format.h>

#include <array>

#include "probes/evaluate.h"

namespace vise::reports {
namespace {

// In the order of tables; the keys are probes/evaluate.h's.
constexpr std::array<MetricName, 34> kNames{{
    {"accuracy", "accuracy", "accuracy"},
    {"balanced_accuracy", "balanced accuracy", "balanced acc."},
    {"f1_macro", "macro-F1", "macro-F1"},
    {"f1_macro_seen", "macro-F1 over the classes that test or the predictions have", "macro-F1 (seen)"},
    {"f1_micro", "micro-F1", "micro-F1"},
    {"f1_samples", "samples-F1", "samples-F1"},
    {"f1_samples_empty_right", "samples-F1, an image without labels and predictions counting 1",
     "samples-F1 (empty = 1)"},
    {"f1_weighted", "weighted F1", "weighted F1"},
    {"auc", "ROC AUC", "ROC AUC"},
    {"auc_ovr_macro", "ROC AUC, one class against the rest, mean", "ROC AUC (ovr)"},
    {"auc_macro", "ROC AUC, mean over labels", "ROC AUC (mean)"},
    {"average_precision", "average precision", "AP"},
    {"map", "mean average precision", "mAP"},
    {"top5", "top-5 accuracy", "top-5 acc."},
    {"exact_match", "exact match of all labels", "exact match"},
    {"kappa", "Cohen's kappa", "kappa", false},
    {"kl", "KL divergence (nats)", "KL", false, false},
    {"js", "Jensen-Shannon divergence (nats)", "JS", false, false},
    {"cross_entropy", "cross-entropy to the votes (nats)", "cross-entropy", false, false},
    {"majority_accuracy", "accuracy against the votes' first choice", "majority acc."},
    {"accuracy_within_votes", "accuracy, any class with a vote counting", "acc. within votes"},
    {"vote_share", "votes won by the predicted class", "vote share"},
    {"vote_share_ceiling", "votes won by the first choice: the ceiling of vote share", "ceiling"},
    {"r2", "R2", "R2", false},
    {"pearson", "Pearson correlation", "Pearson", false},
    {"spearman", "Spearman correlation", "Spearman", false},
    {"ccc", "concordance correlation", "CCC", false},
    {"rmse", "root mean square error", "RMSE", false, false},
    {"mae", "mean absolute error", "MAE", false, false},
    {"log_loss", "log loss (nats)", "log loss", false, false},
    {"brier", "Brier score", "Brier", false, false},
    {"ece", "expected calibration error", "ECE", true, false},
    {"ece_calibrated", "expected calibration error, temperature fitted on val", "ECE (calibrated)", true, false},
    {"neg_kl", "negative KL divergence (nats)", "-KL", false},
}};

int decimals(const MetricName& metric, std::size_t test_images) {
  if (!metric.percent) return 3;
  // A tenth of a percent is one image of a thousand: more images justify another decimal.
  return test_images > 1000 ? 2 : 1;
}

}  // namespace

std::span<const MetricName> metric_names() { return kNames; }

MetricName metric_name(std::string_view key) {
  for (const MetricName& name : kNames)
    if (name.key == key) return name;
  return {key, key, key, false, probes::higher_is_better(std::string(key))};
}

// The same number in every writer: table.md, the page and figures must not differ by rounding.
std::string metric_text(const MetricName& metric, std::optional<double> value, std::size_t test_images) {
  if (!value) return {};
  return fmt::format("{:.{}f}", metric.percent ? 100 * *value : *value, decimals(metric, test_images));
}

std::string difference_text(const MetricName& metric, double difference, std::size_t test_images) {
  const int places = decimals(metric, test_images);
  const std::string text = fmt::format("{:+.{}f}", metric.percent ? 100 * difference : difference, places);
  const std::string zero = fmt::format("{:+.{}f}", 0.0, places);
  return text.substr(1) == zero.substr(1) ? zero.substr(1) : text;  // neither "-0.0" nor "+0.0"
}

}  // namespace vise::reports

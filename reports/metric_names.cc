#include "reports/metric_names.h"

#include <fmt/format.h>

#include <array>

namespace vise {
namespace {

constexpr std::array<MetricName, 21> kNames{{
    {"accuracy", "accuracy", "accuracy"},
    {"balanced_accuracy", "balanced accuracy", "balanced acc."},
    {"macro_f1", "macro-F1", "macro-F1"},
    {"micro_f1", "micro-F1", "micro-F1"},
    {"samples_f1", "samples-F1", "samples-F1"},
    {"roc_auc", "ROC AUC", "ROC AUC"},
    {"average_precision", "average precision", "AP"},
    {"map", "mean average precision", "mAP"},
    {"map_voc", "mean average precision (VOC)", "mAP (VOC)"},
    {"top5_accuracy", "top-5 accuracy", "top-5 acc."},
    {"neg_kl", "negative KL divergence (nats)", "-KL", false},
    {"kl", "KL divergence (nats)", "KL", false, false},
    {"ccc", "concordance correlation", "CCC", false},
    {"pearson", "Pearson correlation", "Pearson", false},
    {"spearman", "Spearman correlation", "Spearman", false},
    {"r2", "R2", "R2", false},
    {"rmse", "root mean square error", "RMSE", false, false},
    {"mae", "mean absolute error", "MAE", false, false},
    {"ece", "expected calibration error", "ECE", true, false},
    {"brier", "Brier score", "Brier", false, false},
    {"log_loss", "log loss", "log loss", false, false},
}};

int decimals(const MetricName& metric, std::size_t test_images) {
  if (!metric.percent) return 3;
  return test_images > 1000 ? 2 : 1;
}

}  // namespace

std::span<const MetricName> metric_names() { return kNames; }

MetricName metric_name(std::string_view key) {
  for (const MetricName& name : kNames)
    if (name.key == key) return name;
  return {key, key, key, false, true};
}

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

}  // namespace vise

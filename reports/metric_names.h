// What a metric of results.jsonl is called in a table, and how its values print.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vise::reports {

struct MetricName {
  std::string_view key;          // in results.jsonl: "balanced_accuracy"
  std::string_view title;        // "balanced accuracy"
  std::string_view short_title;  // a column's head: "balanced acc."
  bool percent = true;           // stored as a fraction, printed in percent, differences in points
  bool higher_is_better = true;
};

// Every metric with a name of its own, in the order of a table's columns.
std::span<const MetricName> metric_names();

// The metric of that key, or one that is called by its key and printed as it is. The views live as long as `key`.
MetricName metric_name(std::string_view key);

// "78.3" for 0.783 in percent; values that aren't percentages with three decimals; "" for nothing. Percentages get a
// second decimal when the test set is large enough to show it (more than 1000 images).
std::string metric_text(const MetricName& metric, std::optional<double> value, std::size_t test_images);
// The same with a sign always: "+5.0", "-0.012".
std::string difference_text(const MetricName& metric, double difference, std::size_t test_images);

}  // namespace vise::reports

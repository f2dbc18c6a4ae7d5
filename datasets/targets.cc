#include "datasets/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "base/text.h"

namespace vise::datasets {
namespace {

constexpr std::array<std::string_view, 4> kKindNames{"classes", "multi-label", "distribution", "values"};

// Through a table of those seen: a column of a million labels has few different ones.
std::vector<std::string> distinct_sorted(std::span<const std::string> labels) {
  std::unordered_map<std::string_view, int> seen;
  for (const std::string& label : labels)
    if (!label.empty()) seen.emplace(label, 0);
  std::vector<std::string> names;
  names.reserve(seen.size());
  for (const auto& [name, unused] : seen) names.emplace_back(name);
  // Bytewise, so that a class has one number whatever the order of rows, the hash table or the locale.
  std::sort(names.begin(), names.end());
  return names;
}

// The rows of `items`, in their order, `width` cells each.
template <typename T>
std::vector<T> select_rows(const std::vector<T>& rows, std::size_t width, std::span<const std::uint32_t> items) {
  std::vector<T> chosen;
  chosen.reserve(items.size() * width);
  for (const std::uint32_t item : items) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(item * width);
    chosen.insert(chosen.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
  }
  return chosen;
}

// A table may come without a class or a value.
void check_columns(std::size_t cells, std::size_t names) {
  if (names == 0) throw Error(ErrorKind::input, "labels without a name: there is nothing to predict");
  if (cells % names != 0)
    throw Error(ErrorKind::input, fmt::format("{} cells are not rows of {} labels", cells, names));
}

// For drawing splits only: a tie goes to the first class, where a label would not be known.
std::vector<int> most_voted(const Targets& targets) {
  const auto rows = targets.rows();
  const std::size_t width = targets.width();
  std::vector<int> strata(targets.size(), kNoClass);
  for (std::size_t i = 0; i < strata.size(); ++i) {
    const auto row = rows.subspan(i * width, width);
    if (targets.known(i)) strata[i] = static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
  }
  return strata;
}

// An item without any positive label is in a stratum of its own, `width`.
std::vector<int> rarest_label(const Targets& targets) {
  const auto bits = targets.multi_label();
  const std::size_t width = targets.width();
  std::vector<std::size_t> positives(width, 0);
  for (std::size_t j = 0; j < bits.size(); ++j) positives[j % width] += bits[j] == 1;
  std::vector<int> strata(targets.size(), kNoClass);
  for (std::size_t i = 0; i < strata.size(); ++i) {
    if (!targets.known(i)) continue;
    std::size_t best = width;
    for (std::size_t k = 0; k < width; ++k)
      // A multi-label item is dealt by its rarest label: the common ones spread by themselves,
      // and a rare one could otherwise be missing from a part.
      if (bits[i * width + k] == 1 && (best == width || positives[k] < positives[best])) best = k;
    strata[i] = static_cast<int>(best);
  }
  return strata;
}

// Numbers are dealt by quartile, so that every part has low and high ones.
std::vector<int> first_value_quartiles(const Targets& targets) {
  const auto rows = targets.rows();
  std::vector<double> sorted;
  for (std::size_t i = 0; i < targets.size(); ++i)
    if (targets.known(i)) sorted.push_back(rows[i * targets.width()]);
  std::sort(sorted.begin(), sorted.end());
  std::vector<int> strata(targets.size(), kNoClass);
  for (std::size_t i = 0; i < strata.size(); ++i) {
    if (!targets.known(i)) continue;
    // Equal values share a quartile: the rank is that of the first of them.
    const auto rank = std::lower_bound(sorted.begin(), sorted.end(), rows[i * targets.width()]) - sorted.begin();
    strata[i] = static_cast<int>(static_cast<std::size_t>(rank) * 4 / sorted.size());
  }
  return strata;
}

}  // namespace

std::string_view target_kind_name(TargetKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

std::optional<TargetKind> target_kind_named(std::string_view name) {
  const auto found = std::ranges::find(kKindNames, name);
  if (found == kKindNames.end()) return std::nullopt;
  return static_cast<TargetKind>(found - kKindNames.begin());
}

Targets Targets::from_labels(std::span<const std::string> labels, std::vector<std::string> order) {
  // With a given order the list of classes is closed, and another label is an error.
  const bool closed = !order.empty();
  // In the given order, which is the data set's own.
  std::vector<std::string> names = closed ? std::move(order) : distinct_sorted(labels);
  std::unordered_map<std::string_view, int> index;
  for (std::size_t k = 0; k < names.size(); ++k) index.emplace(names[k], static_cast<int>(k));
  std::vector<int> classes;
  classes.reserve(labels.size());
  for (const std::string& label : labels) {
    const auto found = label.empty() ? index.end() : index.find(label);
    if (!label.empty() && found == index.end())
      throw Error(ErrorKind::input, fmt::format("item {}: label '{}' is not a class", classes.size() + 1, label),
                  suggest(label, names));
    classes.push_back(label.empty() ? kNoClass : found->second);
  }
  return from_classes(std::move(classes), std::move(names));
}

Targets Targets::from_classes(std::vector<int> classes, std::vector<std::string> names) {
  for (std::size_t i = 0; i < classes.size(); ++i)
    if (classes[i] < kNoClass || classes[i] >= static_cast<int>(names.size()))
      throw Error(ErrorKind::input,
                  fmt::format("item {}: there is no class {} of {}", i + 1, classes[i], names.size()));
  Targets targets;
  targets.kind_ = TargetKind::classes;
  targets.size_ = classes.size();
  targets.names_ = std::move(names);
  targets.classes_ = std::move(classes);
  return targets;
}

Targets Targets::from_multi_label(std::vector<std::int8_t> bits, std::vector<std::string> names) {
  check_columns(bits.size(), names.size());
  Targets targets;
  targets.kind_ = TargetKind::multi_label;
  targets.size_ = bits.size() / names.size();
  targets.names_ = std::move(names);
  targets.bits_ = std::move(bits);
  return targets;
}

Targets Targets::from_distribution(std::vector<double> rows, std::vector<std::string> names) {
  Targets targets = from_values(std::move(rows), std::move(names));
  // Rows are as values; what differs is when one is known, and how it is scored.
  targets.kind_ = TargetKind::distribution;
  return targets;
}

Targets Targets::from_values(std::vector<double> rows, std::vector<std::string> names) {
  check_columns(rows.size(), names.size());
  Targets targets;
  targets.kind_ = TargetKind::values;
  targets.size_ = rows.size() / names.size();
  targets.names_ = std::move(names);
  targets.rows_ = std::move(rows);
  return targets;
}

void Targets::expect(bool good, std::string_view wanted) const {
  if (!good)
    throw Error(ErrorKind::input, fmt::format("labels are {}, where {} are needed", target_kind_name(kind_), wanted));
}

std::span<const int> Targets::classes() const {
  expect(kind_ == TargetKind::classes, "classes");
  return classes_;
}

std::span<const std::int8_t> Targets::multi_label() const {
  expect(kind_ == TargetKind::multi_label, "several labels");
  return bits_;
}

std::span<const double> Targets::rows() const {
  expect(kind_ == TargetKind::distribution || kind_ == TargetKind::values, "numbers");
  return rows_;
}

bool Targets::known(std::size_t item) const {
  const std::size_t begin = item * width(), end = begin + width();
  switch (kind_) {
    case TargetKind::classes:
      return classes_[item] != kNoClass;
    case TargetKind::multi_label:
      return std::any_of(bits_.begin() + static_cast<std::ptrdiff_t>(begin),
                         bits_.begin() + static_cast<std::ptrdiff_t>(end), [](std::int8_t bit) { return bit >= 0; });
    case TargetKind::distribution:
      return std::any_of(rows_.begin() + static_cast<std::ptrdiff_t>(begin),
                         rows_.begin() + static_cast<std::ptrdiff_t>(end), [](double votes) { return votes > 0; });
    case TargetKind::values:
      // One missing value makes the row unknown: a probe of several values fits them together.
      return std::none_of(rows_.begin() + static_cast<std::ptrdiff_t>(begin),
                          rows_.begin() + static_cast<std::ptrdiff_t>(end),
                          [](double value) { return std::isnan(value); });
  }
  return false;
}

Targets Targets::select(std::span<const std::uint32_t> items) const {
  Targets chosen;
  chosen.kind_ = kind_;
  chosen.size_ = items.size();
  chosen.names_ = names_;
  if (kind_ == TargetKind::classes) chosen.classes_ = select_rows(classes_, 1, items);
  if (kind_ == TargetKind::multi_label) chosen.bits_ = select_rows(bits_, width(), items);
  if (kind_ == TargetKind::distribution || kind_ == TargetKind::values)
    chosen.rows_ = select_rows(rows_, width(), items);
  return chosen;
}

// What splits are drawn within, so that each part has its share of every class or level.
std::vector<int> Targets::strata() const {
  switch (kind_) {
    case TargetKind::classes:
      return classes_;
    case TargetKind::multi_label:
      return rarest_label(*this);
    case TargetKind::distribution:
      return most_voted(*this);
    case TargetKind::values:
      return first_value_quartiles(*this);
  }
  return {};
}

}  // namespace vise::datasets

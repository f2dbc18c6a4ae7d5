// What is to be predicted, for every item of a data set, in one of four forms:
//
//   classes        one class an item: N indices into `names` (kNoClass where the label is not known)
//   multi-label    N x K of 1, 0 or -1 (unknown)
//   distribution   N x K votes or probabilities, as given (not normalised); a row of zeros = not known
//   values         N x T numbers (NaN = not known)
//
// Rows are the data set's items, in its order. `names` are the classes in order (sorted bytewise unless the data set
// has an order of its own), or the names of the T values. A plain value type; safe to share when const.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace vise::datasets {

enum class TargetKind { classes, multi_label, distribution, values };

std::string_view target_kind_name(TargetKind kind);  // "classes", "multi-label", "distribution", "values"
std::optional<TargetKind> target_kind_named(std::string_view name);  // none for any other text

inline constexpr int kNoClass = -1;

class Targets {
 public:
  Targets() = default;
  // One class name an item; the classes are the distinct names sorted bytewise, or `order` where it is given (a label
  // outside it is Error{input} naming the item's row and the nearest class). An empty label = kNoClass.
  static Targets from_labels(std::span<const std::string> labels, std::vector<std::string> order = {});
  // `classes[i]` in [-1, names.size()), else Error{input}.
  static Targets from_classes(std::vector<int> classes, std::vector<std::string> names);
  // N x K, row-major. Error{input} without a name, or where the cells are no whole rows: files are to blame for both.
  static Targets from_multi_label(std::vector<std::int8_t> bits, std::vector<std::string> names);
  static Targets from_distribution(std::vector<double> rows, std::vector<std::string> names);
  static Targets from_values(std::vector<double> rows, std::vector<std::string> names);

  TargetKind kind() const { return kind_; }
  std::size_t size() const { return size_; }
  const std::vector<std::string>& names() const { return names_; }
  std::size_t width() const { return names_.size(); }  // K, the number of classes or values

  // The form's own data; Error{input} for another form, since what a column holds is its file's choice.
  std::span<const int> classes() const;
  std::span<const std::int8_t> multi_label() const;
  std::span<const double> rows() const;  // distribution or values

  // Values and classes: nothing is missing; multi-label and distribution: anything is given.
  bool known(std::size_t item) const;
  // The items of `items`, in that order.
  Targets select(std::span<const std::uint32_t> items) const;
  // A class an item for stratifying, -1 where the target is not known: the class; the most voted one (ties: the first);
  // the rarest positive label (`width()` where there is none); or the quartile of the first value.
  std::vector<int> strata() const;

 private:
  void expect(bool good, std::string_view wanted) const;

  TargetKind kind_ = TargetKind::classes;
  std::size_t size_ = 0;
  std::vector<std::string> names_;
  std::vector<int> classes_;
  std::vector<std::int8_t> bits_;
  std::vector<double> rows_;
};

}  // namespace vise::datasets

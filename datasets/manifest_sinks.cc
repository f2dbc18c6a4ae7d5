#include "datasets/manifest_sinks.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "datasets/cells.h"

namespace vise::datasets {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Texts as numbers, in order of appearance; most columns hold few different ones.
class Interned {
 public:
  int add(std::string_view text) {
    if (text.empty()) return kNoClass;
    const auto found = index_.find(text);
    if (found != index_.end()) return found->second;
    // The index refers to the kept text: a deque never moves its elements.
    const std::string& kept = texts_.emplace_back(text);
    return index_.emplace(kept, static_cast<int>(texts_.size()) - 1).first->second;
  }

  // Classes sorted bytewise.
  Targets targets(std::vector<int> numbers) const {
    std::vector<std::string> names(texts_.begin(), texts_.end());
    std::sort(names.begin(), names.end());
    // A class's number is its place among the sorted names, as in Targets::from_labels(): rows may come in any order.
    std::unordered_map<std::string_view, int> place;
    for (std::size_t k = 0; k < names.size(); ++k) place.emplace(names[k], static_cast<int>(k));
    std::vector<int> moved;
    for (const std::string& text : texts_) moved.push_back(place.at(text));
    for (int& number : numbers)
      if (number >= 0) number = moved[static_cast<std::size_t>(number)];
    return Targets::from_classes(std::move(numbers), std::move(names));
  }

  std::size_t size() const { return texts_.size(); }

 private:
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, int> index_;
};

// The label column.
class ClassSink final : public Sink {
 public:
  void add(std::string_view cell, const CellPlace&) override {
    numbers_.push_back(is_said(cell) ? texts_.add(trim(cell)) : kNoClass);
  }
  void finish(Dataset& dataset) override {
    dataset.targets.insert_or_assign("label", texts_.targets(std::move(numbers_)));
  }

 private:
  Interned texts_;
  std::vector<int> numbers_;
};

// A target of one number an item.
class ValueSink final : public Sink {
 public:
  ValueSink(std::string name, bool decimal_comma) : name_(std::move(name)), decimal_comma_(decimal_comma) {}
  void add(std::string_view cell, const CellPlace&) override {
    values_.push_back(is_said(cell) ? parse_cell_number(cell, decimal_comma_).value_or(kUnknown) : kUnknown);
  }
  void finish(Dataset& dataset) override {
    dataset.targets.insert_or_assign(name_, Targets::from_values(std::move(values_), {name_}));
  }

 private:
  std::string name_;
  bool decimal_comma_;
  std::vector<double> values_;
};

// An attribute, and a target as well where its texts repeat.
class TextSink final : public Sink {
 public:
  TextSink(std::string name, bool as_target) : name_(std::move(name)), as_target_(as_target) {}

  void add(std::string_view cell, const CellPlace&) override {
    texts_.emplace_back(is_said(cell) ? trim(cell) : std::string_view());
    if (as_target_) numbers_.push_back(distinct_.add(texts_.back()));
    // So many different texts are captions: the classes are given up, and the texts stay as an attribute.
    if (distinct_.size() > kMostClasses) as_target_ = false;
  }

  void finish(Dataset& dataset) override {
    // A column with nearly as many values as rows is a caption or a name, not a class to predict.
    if (as_target_ && distinct_.size() * 2 <= texts_.size())
      // A target that another column has given under this name stays.
      dataset.targets.try_emplace(name_, distinct_.targets(std::move(numbers_)));
    dataset.attributes.insert_or_assign(name_, std::move(texts_));
  }

 private:
  static constexpr std::size_t kMostClasses = 10000;
  std::string name_;
  bool as_target_;
  std::vector<std::string> texts_;
  Interned distinct_;
  std::vector<int> numbers_;
};

// The part of each item; a word that is none is an error with its line.
class SplitSink final : public Sink {
 public:
  explicit SplitSink(std::string column) : column_(std::move(column)) {}

  void add(std::string_view cell, const CellPlace& place) override {
    // A column has a handful of words, each of which is parsed once.
    const auto found = words_.find(cell);
    if (found != words_.end()) return parts_.push_back(found->second);
    try {
      parts_.push_back(words_.emplace(cell, parse_part(cell)).first->second);
    } catch (const Error& error) {
      place.fail(error.message(), error.hint());
    }
  }

  void finish(Dataset& dataset) override { dataset.official = Split(std::move(parts_), column_); }

 private:
  std::string column_;
  std::map<std::string, Part, std::less<>> words_;
  std::vector<Part> parts_;
};

// Several columns of one target, "votes:joy", "votes:fear": an item's row is complete when each has added its cell.
class RowsSink final : public ClassColumns {
 public:
  RowsSink(std::string name, TargetKind kind) : name_(std::move(name)), kind_(kind) {}

  void add_class(std::string name, bool decimal_comma) override {
    names_.push_back(std::move(name));
    decimal_commas_.push_back(decimal_comma);
  }

  void add(std::string_view cell, const CellPlace& place) override {
    // Rows come cell by cell, in the order of the classes (ManifestBuilder::cell_order), so the place in the row
    // follows from the count.
    const std::size_t column = values_.size() % names_.size();
    const std::string word = lower(trim(cell));
    // An empty cell of labels isn't known; an empty cell of votes is none given.
    double value = kind_ == TargetKind::multi_label ? -1 : 0;
    // As pandas writes Booleans.
    if (word == "true" || word == "false") {
      value = word == "true" ? 1 : 0;
    } else if (is_said(cell)) {
      value = parse_cell_number(cell, decimal_commas_[column]).value_or(kUnknown);
      const bool good = kind_ == TargetKind::multi_label ? value == 0 || value == 1 || value == -1 : value >= 0;
      if (!good)
        place.fail(fmt::format("'{}' in column {}:{}", cell, name_, names_[column]),
                   kind_ == TargetKind::multi_label ? "1, 0 or nothing" : "votes are numbers, not negative");
    } else if (!word.empty() && kind_ == TargetKind::distribution) {
      // A cell that a program wrote as missing ("NA") isn't the same as an empty one: the votes of this class aren't
      // known.
      without_votes_.push_back(values_.size() / names_.size());
    }
    values_.push_back(value);
  }

  void finish(Dataset& dataset) override {
    for (const std::size_t row : without_votes_)
      std::fill_n(values_.begin() + static_cast<std::ptrdiff_t>(row * names_.size()), names_.size(), 0.0);
    if (kind_ == TargetKind::distribution) {
      dataset.targets.insert_or_assign(name_, Targets::from_distribution(std::move(values_), std::move(names_)));
    } else {
      std::vector<std::int8_t> bits(values_.begin(), values_.end());
      dataset.targets.insert_or_assign(name_, Targets::from_multi_label(std::move(bits), std::move(names_)));
    }
  }

 private:
  std::string name_;
  TargetKind kind_;
  std::vector<std::string> names_;
  std::vector<bool> decimal_commas_;
  std::vector<double> values_;
  std::vector<std::size_t>
      without_votes_;  // rows in which a number of votes is missing: the others are no distribution
};

// One column of lists, "joy|fear". An empty cell is an item without any of the labels; NA is one that nobody labelled.
class ListSink final : public Sink {
 public:
  void add(std::string_view cell, const CellPlace&) override {
    auto& of_item = numbers_.emplace_back();
    unknown_.push_back(!trim(cell).empty() && !is_said(cell));
    if (unknown_.back()) return;
    for (const std::string& label : split(cell, '|'))
      if (const int number = texts_.add(trim(label)); number >= 0) of_item.push_back(number);
  }

  void finish(Dataset& dataset) override {
    // Nobody has a label: there is nothing to predict.
    if (texts_.size() == 0) return;
    // Gives each text's place among the sorted ones, which targets() works out for any list of numbers.
    std::vector<int> identity(texts_.size());
    for (std::size_t k = 0; k < identity.size(); ++k) identity[k] = static_cast<int>(k);
    const Targets sorted = texts_.targets(std::move(identity));
    std::vector<std::int8_t> bits(numbers_.size() * texts_.size(), 0);
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      if (unknown_[i]) std::fill_n(bits.begin() + static_cast<std::ptrdiff_t>(i * texts_.size()), texts_.size(), -1);
      for (const int number : numbers_[i])
        bits[i * texts_.size() + static_cast<std::size_t>(sorted.classes()[static_cast<std::size_t>(number)])] = 1;
    }
    dataset.targets.insert_or_assign("labels", Targets::from_multi_label(std::move(bits), sorted.names()));
  }

 private:
  Interned texts_;
  std::vector<std::vector<int>> numbers_;
  std::vector<bool> unknown_;
};

}  // namespace

void CellPlace::fail(const std::string& what, std::string hint) const {
  throw Error(ErrorKind::input, fmt::format("{}: line {}: {}", table, row, what), std::move(hint));
}

// Counts what it refuses, for the note on missing cells.
bool Sink::is_said(std::string_view cell) {
  if (!is_missing(cell)) return true;
  cell = trim(cell);
  if (cell.empty()) {
    ++unsaid_.empty;
  } else {
    ++unsaid_.spelt;
    unsaid_.spellings.emplace(cell);
  }
  return false;
}

std::shared_ptr<Sink> class_sink() { return std::make_shared<ClassSink>(); }
std::shared_ptr<Sink> value_sink(std::string name, bool decimal_comma) {
  return std::make_shared<ValueSink>(std::move(name), decimal_comma);
}
std::shared_ptr<Sink> text_sink(std::string name, bool as_target) {
  return std::make_shared<TextSink>(std::move(name), as_target);
}
std::shared_ptr<Sink> split_sink(std::string origin) { return std::make_shared<SplitSink>(std::move(origin)); }
std::shared_ptr<Sink> list_sink() { return std::make_shared<ListSink>(); }
std::shared_ptr<ClassColumns> rows_sink(std::string name, TargetKind kind) {
  return std::make_shared<RowsSink>(std::move(name), kind);
}

}  // namespace vise::datasets

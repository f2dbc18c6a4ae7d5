// Second pass over a manifest's tables: what becomes of a column's cells.
//
//   sink->add(cell, place) a row, then sink->finish(dataset), which adds the column's target, attribute or split.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "datasets/dataset.h"

namespace vise::datasets {

struct CellPlace {
  const std::string& table;
  std::size_t row;

  [[noreturn]] void fail(const std::string& what, std::string hint = {}) const;
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void add(std::string_view cell, const CellPlace& place) = 0;
  virtual void finish(Dataset& dataset) = 0;

  // Cells that say nothing: empty ones, and those in which a program wrote so ("NA").
  struct Unsaid {
    std::size_t empty = 0, spelt = 0;
    std::set<std::string> spellings;
  };
  const Unsaid& unsaid() const { return unsaid_; }

 protected:
  // False for a cell that says nothing, which is counted.
  bool is_said(std::string_view cell);

 private:
  Unsaid unsaid_;
};

// Several columns of one target.
class ClassColumns : public Sink {
 public:
  virtual void add_class(std::string name, bool decimal_comma) = 0;
};

std::shared_ptr<Sink> class_sink();                                      // target "label"
std::shared_ptr<Sink> value_sink(std::string name, bool decimal_comma);  // target of that name
// Attribute of that name; `as_target`: also a target, where texts repeat.
std::shared_ptr<Sink> text_sink(std::string name, bool as_target);
std::shared_ptr<Sink> split_sink(std::string origin);
std::shared_ptr<Sink> list_sink();  // target "labels", cells "sky|dog"
// Target "votes" or "labels". Classes in the order in which they are added, as are a row's cells.
std::shared_ptr<ClassColumns> rows_sink(std::string name, TargetKind kind);

}  // namespace vise::datasets

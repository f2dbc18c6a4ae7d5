// Forms of a report of a user's own, written beside table.md, table.csv, table.tex and report.html.
//
//   vise::reports::ReportRegistry::instance().add(
//       {.file = "table.typ", .write = [](const vise::reports::Report& report) { ... }});
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reports/report.h"

namespace vise::reports {

struct ReportForm {
  std::string file;                                 // its name below the run's folder
  std::function<std::string(const Report&)> write;  // its bytes
};

// Begins with the forms that ship with the program; filled at start, read afterwards.
class ReportRegistry {
 public:
  ReportRegistry();
  static ReportRegistry& instance();
  void add(ReportForm form) { forms_.push_back(std::move(form)); }
  const std::vector<ReportForm>& all() const { return forms_; }

 private:
  std::vector<ReportForm> forms_;
};

}  // namespace vise::reports

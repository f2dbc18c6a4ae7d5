#include "reports/report_registry.h"

#include "reports/writers.h"

namespace vise::reports {
namespace {

// What every run writes. report.html isn't among them: it shows the seal, which is made of these.
std::vector<ReportForm> builtin_forms() {
  return {{"table.md", [](const Report& report) { return to_markdown(report.table); }},
          {"table.csv", [](const Report& report) { return to_csv(report.table); }},
          {"table.tex", [](const Report& report) { return to_latex(report.table); }}};
}

}  // namespace

ReportRegistry::ReportRegistry() : forms_(builtin_forms()) {}

ReportRegistry& ReportRegistry::instance() {
  static ReportRegistry registry;
  return registry;
}

}  // namespace vise::reports

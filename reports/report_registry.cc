#include "reports/report_registry.h"

namespace vise::reports {

ReportRegistry& ReportRegistry::instance() {
  static ReportRegistry registry;
  return registry;
}

}  // namespace vise::reports

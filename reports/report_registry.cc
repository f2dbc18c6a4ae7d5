#include "reports/report_registry.h"

namespace vise {

ReportRegistry& ReportRegistry::instance() {
  static ReportRegistry registry;
  return registry;
}

}  // namespace vise

// The registry with the program's probes, and a log that says nothing.
#pragma once

#include "base/log.h"
#include "probes/builtin.h"
#include "probes/probe.h"

namespace vise::test {

inline const probes::ProbeRegistry& registry() {
  static const bool once = (probes::register_builtin_probes(probes::ProbeRegistry::instance()), true);
  (void)once;
  return probes::ProbeRegistry::instance();
}

inline Log& silent() {
  static Silent log;
  return log;
}

}  // namespace vise::test

#include "probes/probe.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace vise::probes {

ProbeRegistry& ProbeRegistry::instance() {
  static ProbeRegistry registry;
  return registry;
}

// A later probe of the same name replaces the earlier one, so that a program may bring its own logreg.
void ProbeRegistry::add(ProbeInfo info, Factory factory) {
  const std::string name = info.name;
  entries_.insert_or_assign(name, Entry{std::move(info), std::move(factory)});
}

std::vector<std::string> ProbeRegistry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

const ProbeInfo& ProbeRegistry::info(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    throw Error(ErrorKind::usage, fmt::format("there is no probe '{}'", name), suggest(name, names()));
  }
  return found->second.info;
}

std::unique_ptr<Probe> ProbeRegistry::make(const std::string& name, const ProbeOptions& options) const {
  const ProbeInfo& known = info(name);
  // An option that a probe doesn't know would be left without effect.
  for (const auto& [key, value] : options.values) {
    if (std::find(known.options.begin(), known.options.end(), key) != known.options.end()) continue;
    throw Error(ErrorKind::usage, fmt::format("probe {} has no option '{}'", name, key), suggest(key, known.options));
  }
  return entries_.at(name).factory(options);
}

}  // namespace vise::probes

#include "probes/parse_probe.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace vise::probes {

// The first part is the probe's name, the others are its options.
ProbeChoice parse_probe(const std::string& text) {
  const std::vector<std::string> parts = split(text, ',');
  ProbeOptions options;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto equals = parts[i].find('=');
    if (equals == std::string::npos)
      throw Error(
          ErrorKind::usage, fmt::format("--probe: '{}' is not an option (KEY=VALUE)", parts[i]),
          suggest(parts[i], ProbeRegistry::instance().info(parts[0]).options) + "; several probes are several --probe");
    options.values[parts[i].substr(0, equals)] = parts[i].substr(equals + 1);
  }
  ProbeRegistry::instance().info(parts[0]);  // the nearest name, before anything is read
  return {text, parts[0], std::move(options)};
}

}  // namespace vise::probes

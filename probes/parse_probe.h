// A probe as people write it: "logreg", "logreg,C=1".
//
//   const ProbeChoice choice = parse_probe("logreg,C=1");
//   const auto probe = choice.make(seed);
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "probes/probe.h"

namespace vise::probes {

// A registered probe and its options. A value: it is parsed once, and travels.
struct ProbeChoice {
  std::string text;  // as it was written: its name in results
  std::string name;
  ProbeOptions options;

  const ProbeInfo& info() const { return ProbeRegistry::instance().info(name); }
  // Error{usage} for an option or a value that the probe doesn't have.
  std::unique_ptr<Probe> make(std::uint64_t seed) const { return ProbeRegistry::instance().make(name, with(seed)); }
  ProbeOptions with(std::uint64_t seed) const { return {options.values, seed}; }
};

// Error{usage} naming what is wrong: no such probe, or no KEY=VALUE.
ProbeChoice parse_probe(const std::string& text);

}  // namespace vise::probes

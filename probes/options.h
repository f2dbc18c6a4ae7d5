// Reads a probe's options (text, from the command line or a study file) into numbers and choices.
//
//   OptionReader options("logreg", given, {{"dinov2-logreg", {{"grid", "1e-6:1e5:45"}}}});
//   const auto grid = options.grid("grid", "1e-6:1e6:13");
//
// A preset (option "preset") sets options that are not given themselves. Every reader throws Error{usage} naming the
// probe, the option, what was given and what is allowed. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "probes/probe.h"

namespace vise::probes {

class OptionReader {
 public:
  using Presets = std::map<std::string, std::map<std::string, std::string>>;

  OptionReader(std::string probe, const ProbeOptions& given, const Presets& presets = {});

  bool has(const std::string& key) const { return values_.contains(key); }
  std::string text(const std::string& key, const std::string& fallback) const;
  // A finite number in [low, high].
  double number(const std::string& key, double fallback, double low, double high) const;
  std::int64_t integer(const std::string& key, std::int64_t fallback, std::int64_t low, std::int64_t high) const;
  // One of `allowed`.
  std::string choice(const std::string& key, std::span<const std::string> allowed, const std::string& fallback) const;
  std::string choice(const std::string& key, std::initializer_list<std::string> allowed,
                     const std::string& fallback) const {
    return choice(key, std::vector<std::string>(allowed), fallback);
  }
  bool flag(const std::string& key, bool fallback) const;  // "yes" | "no"
  // parse_grid() of the option; of option `single` ("C") alone where that is given.
  std::vector<double> grid(const std::string& key, const std::string& fallback, const std::string& single = {}) const;
  // The preset's name, or "".
  const std::string& preset() const { return preset_; }

 private:
  [[noreturn]] void fail(const std::string& key, const std::string& why) const;
  std::string probe_, preset_;
  std::map<std::string, std::string> values_;
};

// "LO:HI:COUNT", spaced evenly in the logarithm, or "A,B,C"; ascending, distinct, positive (or not negative where
// `zero_allowed`). LO:HI:COUNT gives 10^e as numpy.logspace does. Error{usage} with the accepted forms.
std::vector<double> parse_grid(const std::string& text, bool zero_allowed = false);

}  // namespace vise::probes

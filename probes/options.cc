#include "probes/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace vise::probes {
namespace {

[[noreturn]] void bad_grid(const std::string& text, const std::string& why) {
  throw Error(ErrorKind::usage, fmt::format("grid '{}': {}", text, why),
              "give LOW:HIGH:COUNT (evenly spaced in the logarithm), as 1e-6:1e6:13, or values, as 0.01,0.1,1");
}

// numpy.logspace's values, by the same formula: exponents evenly spaced, then powers of ten.
std::vector<double> log_spaced(const std::string& text, const std::vector<std::string>& parts) {
  double low = 0, high = 0;
  std::int64_t count = 0;
  if (parts.size() != 3 || !parse_double(parts[0], low) || !parse_double(parts[1], high) ||
      !parse_int(parts[2], count)) {
    bad_grid(text, "not LOW:HIGH:COUNT");
  }
  if (!(low > 0) || !(high > low)) bad_grid(text, "0 < LOW < HIGH is needed");
  if (count < 2 || count > 1000) bad_grid(text, "COUNT is 2 to 1000");
  const double from = std::log10(low), to = std::log10(high);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const double exponent = from + static_cast<double>(i) * ((to - from) / static_cast<double>(count - 1));
    // Whole decades read as people write them.
    const double whole = std::round(exponent);
    values.push_back(std::pow(10.0, std::abs(exponent - whole) < 1e-9 ? whole : exponent));
  }
  return values;
}

}  // namespace

// Checked against nothing but their sign: what a value means is the probe's affair.
std::vector<double> parse_grid(const std::string& text, bool zero_allowed) {
  if (text.find(':') != std::string::npos) return log_spaced(text, split(text, ':'));
  std::vector<double> values;
  for (const std::string& part : split(text, ',')) {
    double value = 0;
    if (!parse_double(part, value)) bad_grid(text, fmt::format("'{}' is not a number", part));
    if (value < 0 || (value == 0 && !zero_allowed)) bad_grid(text, fmt::format("{} is too small", number(value)));
    values.push_back(value);
  }
  // Ascending and without repeats, since a probe's order of candidates decides ties.
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

OptionReader::OptionReader(std::string probe, const ProbeOptions& given, const Presets& presets)
    : probe_(std::move(probe)), values_(given.values) {
  const auto chosen = values_.find("preset");
  if (chosen == values_.end()) return;
  preset_ = chosen->second;
  const auto found = presets.find(preset_);
  if (found == presets.end()) {
    std::vector<std::string> known;
    for (const auto& [name, settings] : presets) known.push_back(name);
    throw Error(ErrorKind::usage, fmt::format("probe {} has no preset '{}'", probe_, preset_), suggest(preset_, known));
  }
  // insert() keeps what is there: an option that is given overrides the preset's.
  values_.insert(found->second.begin(), found->second.end());
}

void OptionReader::fail(const std::string& key, const std::string& why) const {
  throw Error(ErrorKind::usage, fmt::format("probe {}: {}={}: {}", probe_, key, values_.at(key), why));
}

std::string OptionReader::text(const std::string& key, const std::string& fallback) const {
  const auto found = values_.find(key);
  return found == values_.end() ? fallback : found->second;
}

double OptionReader::number(const std::string& key, double fallback, double low, double high) const {
  if (!has(key)) return fallback;
  double value = 0;
  if (!parse_double(values_.at(key), value)) fail(key, "not a number");
  if (value < low || value > high) fail(key, fmt::format("must be {} to {}", vise::number(low), vise::number(high)));
  return value;
}

std::int64_t OptionReader::integer(const std::string& key, std::int64_t fallback, std::int64_t low,
                                   std::int64_t high) const {
  if (!has(key)) return fallback;
  std::int64_t value = 0;
  if (!parse_int(values_.at(key), value)) fail(key, "not a whole number");
  if (value < low || value > high) fail(key, fmt::format("must be {} to {}", low, high));
  return value;
}

std::string OptionReader::choice(const std::string& key, std::span<const std::string> allowed,
                                 const std::string& fallback) const {
  const std::string value = text(key, fallback);
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    fail(key, fmt::format("must be one of {}", join(allowed, ", ")));
  }
  return value;
}

bool OptionReader::flag(const std::string& key, bool fallback) const {
  return choice(key, {"yes", "no"}, fallback ? "yes" : "no") == "yes";
}

// `single` ("C") is a grid of the values that it names: usually one, with nothing to choose.
std::vector<double> OptionReader::grid(const std::string& key, const std::string& fallback,
                                       const std::string& single) const {
  if (!single.empty() && has(single)) {
    const std::vector<double> values = parse_grid(values_.at(single));
    return values;
  }
  return parse_grid(text(key, fallback));
}

}  // namespace vise::probes

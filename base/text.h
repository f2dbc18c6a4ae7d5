// Words for people: nearest names, lists, numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vise {

// Letters A-Z only; bytes of UTF-8 stay as they are.
std::string lower(std::string_view text);
std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);

// The Damerau-Levenshtein distance (insertions, deletions, substitutions, neighbours swapped), in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to `name`, or "" when none is near (further than a third of its length, at least 2).
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

// "did you mean 'x'? known: a, b, c": the hint for an unknown name; lists at most 30.
std::string suggest(std::string_view name, std::span<const std::string> candidates);

// The shortest text that reads back as the same double ("0.1", "1e-06").
std::string number(double value);

// Whole text as a finite double / integer; false when anything else is in it (blanks at the ends are allowed).
bool parse_double(std::string_view text, double& value);
bool parse_int(std::string_view text, std::int64_t& value);

// "94.3 MB", "512 B": powers of 1000.
std::string bytes_text(std::uint64_t bytes);

// "340 ms", "2 m 05 s", "3 h 20 m".
std::string duration_text(double seconds);

}  // namespace vise

// What a test set can show: the smallest difference of two accuracies that McNemar's test would find.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace vise::reports {

inline constexpr double kPower = 0.8;  // what "would be found" means: 4 times of 5

// Two-sided at `alpha`, found with probability `power`, for `items` test items of which a share `discordant_rate` is
// got right by one model only (normal approximation; Miettinen 1968, Connor 1987): the d that solves n = (za sqrt(r) +
// zb sqrt(r - d^2))^2 / d^2. Nothing where no difference would do.
std::optional<double> detectable_difference(std::uint64_t items, double discordant_rate, double alpha, double power);

// The same of the mean difference over tasks of so many items each, of which none is in two: as over one task of T^2 /
// sum(1 / items) items, whose mean has that error.
std::optional<double> detectable_mean_difference(std::span<const std::uint64_t> items, double discordant_rate,
                                                 double alpha, double power);

}  // namespace vise::reports

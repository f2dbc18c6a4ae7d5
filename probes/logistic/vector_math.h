// exp and log1p of many numbers at once, by the C library's vector functions where it has them (glibc's libmvec, AVX2:
// within 4 units in the last place), else one by one. Which it is depends on the machine alone.
#pragma once

#include <span>

namespace vise::probes {

void exp_in_place(std::span<double> values);
void log1p_in_place(std::span<double> values);

}  // namespace vise::probes

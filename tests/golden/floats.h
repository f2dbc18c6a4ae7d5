// Numbers that a test and its oracle in another language hand each other: files of float32, and how far two are apart.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/plain_file.h"

namespace vise::test {

inline std::vector<float> floats_in(const Path& file) {
  const std::string bytes = read_text_file(file);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::copy_n(bytes.data(), bytes.size(), reinterpret_cast<char*>(values.data()));
  return values;
}

inline void put_floats(const Path& file, std::span<const float> values) {
  test::write_plainly(file, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

// |got - expected| / |expected|, in L2.
inline double relative_error(const std::vector<float>& got, const std::vector<float>& expected) {
  if (got.size() != expected.size()) return INFINITY;
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    difference += std::pow(static_cast<double>(got[i]) - static_cast<double>(expected[i]), 2);
    norm += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(difference / norm);
}

}  // namespace vise::test

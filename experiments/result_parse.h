// The text of one result into a Result, by simdjson: 100,000 results are a quarter of a gigabyte, and a table of them
// should not take seconds to read.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "experiments/result.h"

namespace vise {

// Reused from line to line; not thread-safe.
class ResultParser {
 public:
  // Bytes that must be readable after the text (any content).
  static constexpr std::size_t kPadding = 64;

  ResultParser();
  ~ResultParser();
  // Error{input} naming the field for what isn't a result; `text` is followed by kPadding readable bytes.
  Result parse(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vise

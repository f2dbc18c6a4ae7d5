// The text of one result into a Result, by simdjson on demand: 100,000 results are a quarter of a gigabyte, and a table
// of them should not take seconds to read. Fields that aren't asked for are stepped over, not parsed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "experiments/result.h"

namespace vise::experiments {

// The first line of a results.jsonl.
std::string results_schema_line();

// Reused from line to line; not thread-safe.
class ResultParser {
 public:
  // Bytes that must be readable after the text (any content).
  static constexpr std::size_t kPadding = 64;

  explicit ResultParser(ResultDetail detail = ResultDetail::everything);
  ~ResultParser();
  // Fills in a fresh `result`. Error{input} naming the field for what isn't one; `text` is followed by kPadding
  // readable bytes.
  void parse(std::string_view text, Result& result);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vise::experiments

// results.jsonl: results read, and appended one by one. Format: docs/formats/results.md.
#pragma once

#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "experiments/result.h"

namespace vise::experiments {

// Every Result of a run's results.jsonl, later lines replacing earlier ones of the same key. Error{input} with the
// line.
std::vector<Result> read_results(const Path& results_jsonl, ResultDetail detail = ResultDetail::everything);
// Appends one line (and the schema line first, in a new file), synced.
void append_result(const Path& results_jsonl, const Result& result);

// Error{input} for what isn't a Result of this schema.
Result result_from_json(const Json& json);

}  // namespace vise::experiments

// Can anyone check it? Compares a run's folder with its seal, recomputes what it claims from what it holds, and fits a
// subset of its cells again from warm features, as the run did.
//
//   const Verification v = verify(run_folder, options, context);
//   v.differences.empty();                     // or what differs, a sentence each
//
// Without a run's data or its cached features the metrics and splits are checked all the same; `notes` say what
// couldn't be. Tables and page are rendered again by reports/report_files.h.
#pragma once

#include <string>
#include <vector>

#include "experiments/run_request.h"

namespace vise::experiments {

struct VerifyOptions {
  std::size_t refit = 5;             // cells to fit again, drawn by name, at least one a task; 0: none
  std::vector<Path> data_roots;      // before those of plan.yaml
  features::ExtractOptions extract;  // the cache and the folders of weights; nothing is extracted
};

struct Verification {
  std::size_t results = 0;    // that are ok
  std::size_t metrics = 0;    // numbers recomputed from saved scores
  std::size_t splits = 0;     // split files whose hash was recomputed
  std::size_t refitted = 0;   // cells fitted again ...
  std::size_t identical = 0;  // ... with scores equal to the last bit
  std::string seal;           // digest of the folder's seal, where it holds
  std::vector<std::string> differences, notes;
};

// Error{missing|input} where `run_folder` holds no readable results.jsonl.
Verification verify(const Path& run_folder, const VerifyOptions& options, const Context& context);

}  // namespace vise::experiments

// Files to rows: one reader thread keeps a short queue of files' bytes, one worker a core decodes, transforms and runs
// the networks on the batches that are full; on a CUDA device a worker waits for its batch, and a few more workers take
// its place.
// Internal to extract_features().
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "extract/features/pass.h"

namespace vise::features {

// What the pipeline learnt about a file.
struct ReadFile {
  std::uint32_t item = 0;
  ContentHash content;
};

struct PipelineWork {
  std::map<std::string, double> seconds;  // of threads: read, decode, transform
  std::size_t decoded = 0, resized = 0;   // images, and images times distinct geometries
};

// Gives the rows of these items' files to the passes that lack them (all passes are started), and tells `learn` what
// was read, on one thread. Images that can't be read or resized follow options.on_bad_image. Rethrows the first error
// after everything finished has been flushed.
PipelineWork run_pipeline(const datasets::Dataset& dataset, const std::vector<std::uint32_t>& items,
                          const std::vector<Pass*>& passes, const std::function<void(const ReadFile&)>& learn,
                          const ExtractOptions& options, const Context& context);

}  // namespace vise::features

// Files to rows: one reader thread keeps a short queue of files' bytes, one worker a core decodes, transforms and runs
// the networks. Internal to extract_features().
#pragma once

#include <map>
#include <string>
#include <vector>

#include "extract/pass.h"

namespace vise {

// A file whose content, or whose row under some pass, is not known.
struct OpenFile {
  std::uint32_t item = 0;
  Path path;
  FileIdentity identity;
};

// What the pipeline learnt about a file.
struct ReadFile {
  std::uint32_t item = 0;
  ContentHash content;
};

struct PipelineResult {
  std::vector<ReadFile> read;
  std::map<std::string, double> seconds;  // thread-seconds: read, decode, transform
};

// Gives every file's rows to the passes that lack them (all passes are started). Unreadable images follow `policy`.
// Rethrows the first error after everything finished has been flushed.
PipelineResult run_pipeline(const std::vector<OpenFile>& files, const std::vector<Pass*>& passes,
                            const ExtractOptions& options, const Context& context);

}  // namespace vise

// Where weights, data sets and the cache are looked for: what a user gave, else what the environment has.
//
//   Places places;
//   places.environment = [](const char* name) { ... };   // rooms don't read it: the program and the Python module do
//   places.add_to(request);
//
// Read of the environment: VISE_CACHE, VISE_WEIGHTS, VISE_DATA, VISE_OFFLINE, VISE_MIRROR, VISE_FETCH_TIMEOUT; as torch
// and huggingface_hub do, HOME, XDG_CACHE_HOME, TORCH_HOME, HF_HUB_CACHE, HF_HOME.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "extract/features/features.h"

namespace vise::experiments {

struct RunRequest;

// A variable's value; empty where it isn't set.
using Environment = std::function<std::string(const char* name)>;

// Members are what was given; empty, false and the defaults otherwise. The functions are Error{usage} for a variable
// that makes no sense.
struct Places {
  Environment environment = [](const char*) { return std::string(); };
  std::string cache;                 // else $VISE_CACHE, $XDG_CACHE_HOME/vise-eval, ~/.cache/vise-eval
  std::vector<std::string> weights;  // folders, looked at first
  std::vector<std::string> data;     // roots, looked at first
  bool offline = false;
  std::string on_bad_image = "fail";  // or "skip"
  std::uint64_t max_pixels = 178'956'970;

  Path cache_dir() const;
  features::WeightsSearch weights_search() const;
  std::vector<Path> data_roots() const;
  features::ExtractOptions extract_options() const;
  // Before a study's own; fetched weights go where these say. The cache is theirs; limits and bad images a study's,
  // unless something other than the defaults was given.
  void add_to(RunRequest& request) const;
};

}  // namespace vise::experiments

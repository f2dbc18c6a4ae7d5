#include "experiments/places.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "experiments/runner.h"

namespace vise::experiments {
namespace {

// Without HOME, as in some containers, the current folder takes its place.
Path home(const Environment& environment) {
  const std::string value = environment("HOME");
  return value.empty() ? Path(".") : Path(value);
}

// The XDG base directory specification's rule for caches.
Path xdg_cache(const Environment& environment) {
  const std::string value = environment("XDG_CACHE_HOME");
  return value.empty() ? home(environment) / ".cache" : Path(value);
}

// Where torch would look and fetch to, so that each finds what the other has fetched.
Path torch_checkpoints(const Environment& environment) {
  const std::string value = environment("TORCH_HOME");
  // torch.hub's own rule: $TORCH_HOME, else $XDG_CACHE_HOME/torch, else ~/.cache/torch.
  return (value.empty() ? xdg_cache(environment) / "torch" : Path(value)) / "hub/checkpoints";
}

// Set to anything but "0".
bool is_on(const std::string& value) { return !value.empty() && value != "0"; }

int seconds_of(const Environment& environment, const char* name, int otherwise) {
  const std::string text = environment(name);
  std::int64_t value = otherwise;
  if (!text.empty() && (!parse_int(text, value) || value < 1 || value > 86'400))
    throw Error(ErrorKind::usage, fmt::format("{}: '{}': a whole number of seconds, 1 to 86400", name, text));
  return static_cast<int>(value);
}

}  // namespace

Path Places::cache_dir() const {
  if (!cache.empty()) return cache;
  const std::string value = environment("VISE_CACHE");
  return value.empty() ? xdg_cache(environment) / "vise-eval" : Path(value);
}

// From the most specific place to the least: the command line, our own variable, torch's,
// then the user's cache.
features::WeightsSearch Places::weights_search() const {
  features::WeightsSearch search;
  for (const std::string& folder : weights) search.folders.emplace_back(folder);
  if (const std::string value = environment("VISE_WEIGHTS"); !value.empty()) search.folders.emplace_back(value);
  if (const std::string value = environment("TORCH_HOME"); !value.empty())
    search.folders.push_back(Path(value) / "hub/checkpoints");
  if (!environment("XDG_CACHE_HOME").empty())
    search.folders.push_back(xdg_cache(environment) / "torch/hub/checkpoints");
  search.folders.push_back(home(environment) / ".cache/torch/hub/checkpoints");
  search.into = torch_checkpoints(environment);
  // As huggingface_hub looks for its cache.
  if (const std::string value = environment("HF_HUB_CACHE"); !value.empty()) search.hubs.emplace_back(value);
  if (const std::string value = environment("HF_HOME"); !value.empty()) search.hubs.push_back(Path(value) / "hub");
  search.hubs.push_back(xdg_cache(environment) / "huggingface/hub");
  search.offline = offline || is_on(environment("VISE_OFFLINE"));
  search.patience = seconds_of(environment, "VISE_FETCH_TIMEOUT", 30);
  search.mirror = environment("VISE_MIRROR");
  return search;
}

// The order in which data sets are looked for: --data-root, the environment, then `data` below the working directory.
std::vector<Path> Places::data_roots() const {
  std::vector<Path> roots(data.begin(), data.end());
  if (const std::string value = environment("VISE_DATA"); !value.empty()) roots.emplace_back(value);
  roots.emplace_back("data");
  return roots;
}

features::ExtractOptions Places::extract_options() const {
  features::ExtractOptions options;
  options.cache = cache_dir();
  options.weights = weights_search();
  options.on_bad_image = on_bad_image == "skip" ? features::BadImagePolicy::skip : features::BadImagePolicy::fail;
  options.max_pixels = max_pixels;
  return options;
}

void Places::add_to(RunRequest& request) const {
  std::vector<Path> roots = data_roots();
  // The command line's places come first, a study's after them.
  roots.insert(roots.end(), request.data_roots.begin(), request.data_roots.end());
  request.data_roots = std::move(roots);
  // The study's own are kept aside, as extract_options() replaces all of them.
  const std::vector<Path> of_study_weights = request.extract.weights.folders;
  const features::ExtractOptions of_study = request.extract;
  request.extract = extract_options();
  if (on_bad_image == "fail") request.extract.on_bad_image = of_study.on_bad_image;
  if (max_pixels == Places{}.max_pixels) request.extract.max_pixels = of_study.max_pixels;
  // Fetched weights go into the last folder: a study's come before that.
  std::vector<Path>& folders = request.extract.weights.folders;
  folders.insert(folders.empty() ? folders.end() : folders.end() - 1, of_study_weights.begin(), of_study_weights.end());
}

}  // namespace vise::experiments

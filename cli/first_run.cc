#include "cli/first_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "base/threads.h"
#include "base/version.h"
#include "cli/precision.h"
#include "datasets/dataset.h"
#include "datasets/dataset_registry.h"
#include "experiments/task.h"
#include "extract/features/backbone.h"

namespace vise::cli {
namespace {

// The greeting must come at once, also in a home folder with a million files.
constexpr std::size_t kShown = 6, kMostEntries = 2000;

// By the names of the files alone: hashing weights would take seconds.
bool is_there(const features::Backbone& backbone, const features::WeightsSearch& search) {
  std::error_code error;
  const auto is_below = [&](const Path& folder) {
    return std::ranges::any_of(backbone.files,
                               [&](const std::string& file) { return std::filesystem::exists(folder / file, error); });
  };
  return std::ranges::any_of(search.folders, is_below) || std::ranges::any_of(search.hubs, is_below);
}

std::vector<std::string> weights_here(const features::WeightsSearch& search) {
  std::vector<std::string> names;
  for (const features::Backbone& backbone : features::registry_backbones())
    if (is_there(backbone, search)) names.push_back(backbone.name);
  return names;
}

// Data sets of the registry below the roots that were named.
std::vector<std::string> datasets_here(const std::vector<Path>& roots) {
  std::vector<std::string> found;
  std::error_code error;
  const datasets::DatasetRegistry& registry = datasets::DatasetRegistry::instance();
  for (const std::string& name : registry.names())
    for (const Path& root : roots)
      for (const std::string& folder : registry.info(name).folders)
        if (std::filesystem::is_directory(root / folder, error)) found.push_back(name);
  return found;
}

// The usual endings, since no file is opened here.
bool is_picture(const Path& file) {
  static const std::set<std::string> endings{".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm"};
  return endings.contains(lower(file.extension().string()));
}

// Whether an image is a few levels down, within the first entries.
bool has_pictures(const Path& folder) {
  std::error_code error;
  std::size_t seen = 0;
  for (auto entry = std::filesystem::recursive_directory_iterator(
           folder, std::filesystem::directory_options::skip_permission_denied, error);
       !error && entry != std::filesystem::recursive_directory_iterator() && seen < kMostEntries;
       entry.increment(error), ++seen) {
    // Deep enough for <set>/<part>/<class>/<image>.
    if (entry.depth() >= 2) entry.disable_recursion_pending();
    if (is_picture(entry->path())) return true;
  }
  return false;
}

// Folders with pictures and tables in the working folder, by name.
std::vector<std::string> data_here() {
  std::vector<std::string> found;
  std::error_code error;
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(".", error)) {
    if (++seen > kMostEntries) break;
    const std::string name = entry.path().filename().string();
    const std::string ending = lower(entry.path().extension().string());
    if (name.starts_with('.')) continue;
    if (entry.is_directory(error) ? has_pictures(entry.path()) : ending == ".csv" || ending == ".jsonl")
      found.push_back(name + (entry.is_directory(error) ? "/" : ""));
  }
  std::sort(found.begin(), found.end());
  return found;
}

// The first six, and how many more there are.
std::string few(std::vector<std::string> names) {
  const std::size_t more = names.size() > kShown ? names.size() - kShown : 0;
  names.resize(names.size() - more);
  return join(names, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
}

// The first task that reads a data set.
std::string task_of(const std::string& dataset) {
  const experiments::TaskLibrary library{std::vector<Path>{}};
  for (const std::string& name : library.names())
    if (library.find(name).dataset == dataset) return name;
  return "";
}

struct Found {
  std::vector<std::string> weights, datasets, data;
};

// At most three commands that would work here and now, the most useful first; what isn't here is left out or taken from
// the demo.
std::string next_steps(const Found& found) {
  const std::string backbone = found.weights.empty() ? "random-resnet18" : found.weights.front();
  const std::string task = found.datasets.empty() ? "" : task_of(found.datasets.front());
  std::vector<std::pair<std::string, std::string>> steps;
  if (!task.empty())
    steps.emplace_back(fmt::format("vise-eval --task {}", task), "the table of a data set that is here");
  if (!found.data.empty())
    steps.emplace_back(fmt::format("vise-eval run --data {} --backbone {}", found.data.front(), backbone),
                       "a table of your own data");
  if (steps.size() < 2)
    steps.emplace_back("vise-eval --task demo", "a table in a minute: drawn images, random networks");
  if (steps.size() < 3 && found.data.empty())
    steps.emplace_back("vise-eval run --data FOLDER --backbone mine=FILE", "your images, your weights");
  if (steps.size() < 3) steps.emplace_back("vise-eval help run", "all there is to say to it");
  std::size_t width = 0;
  for (const auto& step : steps) width = std::max(width, step.first.size());
  std::string text = "\nnext:\n";
  for (const auto& [command, what] : steps) text += fmt::format("  {:<{}}  # {}\n", command, width, what);
  return text;
}

}  // namespace

// Nothing is downloaded, decoded or computed for this, except the measurement of the two precisions.
std::string first_run_text(const experiments::Places& places) {
  const features::WeightsSearch search = places.weights_search();
  const Found found{weights_here(search), datasets_here(places.data_roots()), data_here()};
  std::string text = fmt::format(
      "vise-eval {}: is this frozen representation better than that one on a subjective task, and can a stranger check "
      "it?\n"
      "Images and checkpoints in, linear probes at their optimum, a comparison table with its proof out.\n\nfound "
      "here:\n",
      kVersion);
  const auto line = [&](const char* what, const std::string& names, const std::string& otherwise) {
    text += fmt::format("  {:<10} {}\n", what, names.empty() ? otherwise : names);
  };
  line("weights", few(found.weights), "none of the registry's (vise-eval list backbones; backbone fetch NAME)");
  line("data sets", few(found.datasets), "none (--data-root DIR or VISE_DATA says where; docs/datasets.md)");
  line("your data", few(found.data), "no folder of pictures and no table in this folder");
  line("machine", fmt::format("{} core(s); fastest precision: {}", available_cores(), fastest_precision_text()), "");
  return text + next_steps(found) + "\nvise-eval --help lists all verbs.\n";
}

}  // namespace vise::cli

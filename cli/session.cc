#include "cli/session.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "base/threads.h"
#include "cli/interrupt.h"

namespace vise::cli {
namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

Path home() {
  const std::string value = environment("HOME");
  return value.empty() ? Path(".") : Path(value);
}

Path xdg_cache() {
  const std::string value = environment("XDG_CACHE_HOME");
  return value.empty() ? home() / ".cache" : Path(value);
}

// Where torch would look and fetch to, so that each finds what the other has fetched.
Path torch_checkpoints() {
  const std::string value = environment("TORCH_HOME");
  return (value.empty() ? xdg_cache() / "torch" : Path(value)) / "hub/checkpoints";
}

bool is_on(const std::string& value) { return !value.empty() && value != "0"; }

int seconds_of(const char* name, int otherwise) {
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
  return value.empty() ? xdg_cache() / "vise-eval" : Path(value);
}

WeightsSearch Places::weights_search() const {
  WeightsSearch search;
  for (const std::string& folder : weights) search.folders.emplace_back(folder);
  if (const std::string value = environment("VISE_WEIGHTS"); !value.empty()) search.folders.emplace_back(value);
  if (const std::string value = environment("TORCH_HOME"); !value.empty())
    search.folders.push_back(Path(value) / "hub/checkpoints");
  if (!environment("XDG_CACHE_HOME").empty()) search.folders.push_back(xdg_cache() / "torch/hub/checkpoints");
  search.folders.push_back(home() / ".cache/torch/hub/checkpoints");
  search.into = torch_checkpoints();
  // As huggingface_hub looks for its cache.
  if (const std::string value = environment("HF_HUB_CACHE"); !value.empty()) search.hubs.emplace_back(value);
  if (const std::string value = environment("HF_HOME"); !value.empty()) search.hubs.push_back(Path(value) / "hub");
  search.hubs.push_back(xdg_cache() / "huggingface/hub");
  search.offline = offline || is_on(environment("VISE_OFFLINE"));
  search.patience = seconds_of("VISE_FETCH_TIMEOUT", 30);
  search.mirror = environment("VISE_MIRROR");
  return search;
}

std::vector<Path> Places::data_roots() const {
  std::vector<Path> roots(data.begin(), data.end());
  if (const std::string value = environment("VISE_DATA"); !value.empty()) roots.emplace_back(value);
  roots.emplace_back("data");
  return roots;
}

ExtractOptions Places::extract_options() const {
  ExtractOptions options;
  options.cache = cache_dir();
  options.weights = weights_search();
  options.on_bad_image = on_bad_image == "skip" ? BadImagePolicy::skip : BadImagePolicy::fail;
  options.max_pixels = max_pixels;
  return options;
}

Context Session::context() {
  watch_for_interrupt(stop_);
  return Context{console, stop_.get_token(), places.threads > 0 ? places.threads : available_cores()};
}

CLI::App* Verbs::add(const std::string& name, const std::string& what, const std::string& examples,
                     std::function<void()> action) {
  CLI::App* const verb = app.add_subcommand(name, what);
  verb->footer("Examples:\n" + examples);
  verb->final_callback(std::move(action));
  return verb;
}

Verbs Verbs::add_group(const std::string& name, const std::string& what, const std::string& examples) {
  CLI::App* const group = app.add_subcommand(name, what);
  group->footer("Examples:\n" + examples);
  group->require_subcommand(1);
  return {*group, session};
}

void Verbs::add_place_options(CLI::App* verb) {
  Places& places = session.places;
  verb->add_option("--cache", places.cache, "where features are kept [$VISE_CACHE or ~/.cache/vise-eval]")
      ->type_name("DIR");
  verb->add_option("--weights-dir", places.weights, "where weights are looked for first")->type_name("DIR");
  verb->add_option("--data-root", places.data, "where data sets are looked for first")->type_name("DIR");
  verb->add_flag("--offline", places.offline, "never fetch weights");
  verb->add_option("--threads", places.threads, "cores to use [all]")->type_name("N")->check(CLI::Range(1, 4096));
  verb->add_option("--on-bad-image", places.on_bad_image,
                   "an image that can't be read: fail, or skip it in every row [fail]")
      ->check(CLI::IsMember({"fail", "skip"}));
  verb->add_option("--max-pixels", places.max_pixels, "refuse larger images, as Pillow does [178956970]")
      ->type_name("N");
  verb->add_flag("--quiet", session.console.quiet, "no progress, warnings only");
}

void Verbs::add_json_option(CLI::App* verb) { verb->add_flag("--json", session.json, "print JSON"); }

void add_tap_options(CLI::App* verb, std::vector<std::string>& layers, std::vector<std::string>& pools) {
  verb->add_option(
          "--layer", layers,
          "layers by name (vise-eval backbone inspect lists them); final: the last; all: each [what its authors probe]")
      ->type_name("L,L")
      ->delimiter(',');
  verb->add_option("--pool", pools,
                   "avg, max, gem:P; of tokens also cls, cls+avg, cls+dist, last4, last4+avg, map; tokens: all of "
                   "them, as probe "
                   "attentive asks for itself [the layer's]")
      ->type_name("POOL,POOL")
      ->delimiter(',');
}

void add_compute_options(CLI::App* verb, std::string& engine, std::string& precision, std::string& device) {
  verb->add_option("--engine", engine, "onednn, or torch to compare with [onednn; torch on CUDA]")
      ->type_name("{onednn,torch}");
  verb->add_option("--precision", precision, "fp32; bf16 where the CPU has it, bf16 or fp16 on CUDA [fp32]")
      ->type_name("{fp32,bf16,fp16}");
  verb->add_option("--device", device, "cpu, or cuda, cuda:N where LibTorch has it [cpu]")->type_name("D");
}

}  // namespace vise::cli

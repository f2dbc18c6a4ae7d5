#include "cli/session.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "base/error.h"
#include "base/threads.h"

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

// Waits for Ctrl-C on a thread of its own: a handler could not wake threads or print.
void watch_for_interrupt(std::stop_source stop) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([stop, signals]() mutable {
    int which = 0;
    sigwait(&signals, &which);
    stop.request_stop();
    constexpr std::string_view words = "\nstopping after the work under way; press Ctrl-C again to stop at once\n";
    if (::write(STDERR_FILENO, words.data(), words.size()) < 0) _exit(130);
    sigwait(&signals, &which);
    _exit(130);
  }).detach();
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
  search.offline = offline || environment("VISE_OFFLINE") == "1";
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

void add_compute_options(CLI::App* verb, std::string& engine, std::string& precision, std::string& device) {
  verb->add_option("--engine", engine, "onednn, or torch to compare with [onednn; torch on CUDA]")->type_name("E");
  verb->add_option("--precision", precision, "fp32; bf16 where the CPU has it, bf16 or fp16 on CUDA [fp32]")
      ->type_name("P");
  verb->add_option("--device", device, "cpu, or cuda, cuda:N where LibTorch has it [cpu]")->type_name("D");
}

}  // namespace vise::cli

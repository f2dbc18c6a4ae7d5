#include "cli/session.h"

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "base/threads.h"
#include "cli/interrupt.h"

namespace vise::cli {
namespace {

// The only place in the program that reads variables of the environment for the rooms below, to which it is handed as a
// function.
std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

Session::Session() { places.environment = environment; }

// The watcher starts with work that can be stopped: a verb that only prints needs none.
Context Session::context() {
  watch_for_interrupt(stop_);
  return Context{console, stop_.get_token(), threads > 0 ? threads : available_cores()};
}

CLI::App* Verbs::add(const std::string& name, const std::string& what, const std::string& examples,
                     std::function<void()> action) {
  CLI::App* const verb = app.add_subcommand(name, what);
  verb->footer("Examples:\n" + examples);
  // CLI11 calls it when all options of the verb are parsed.
  verb->final_callback(std::move(action));
  return verb;
}

// Verbs of a group are added to what this returns, and are called by both names: `cache list`.
Verbs Verbs::add_group(const std::string& name, const std::string& what, const std::string& examples) {
  CLI::App* const group = app.add_subcommand(name, what);
  group->footer("Examples:\n" + examples);
  group->require_subcommand(1);
  return {*group, session};
}

void Verbs::add_place_options(CLI::App* verb) {
  experiments::Places& places = session.places;
  verb->add_option("--cache", places.cache, "where features are kept [$VISE_CACHE or ~/.cache/vise-eval]")
      ->type_name("DIR");
  verb->add_option("--weights-dir", places.weights, "where weights are looked for first")->type_name("DIR");
  verb->add_option("--data-root", places.data, "where data sets are looked for first")->type_name("DIR");
  verb->add_flag("--offline", places.offline, "never fetch weights");
  verb->add_option("--threads", session.threads, "cores to use [all]")->type_name("N")->check(CLI::Range(1, 4096));
  verb->add_option("--on-bad-image", places.on_bad_image,
                   "an image that can't be read: fail, or skip it in every row [fail]")
      ->check(CLI::IsMember({"fail", "skip"}));
  verb->add_option("--max-pixels", places.max_pixels, "refuse larger images, as Pillow does [178956970]")
      ->type_name("N");
  verb->add_flag("--quiet", session.console.quiet, "no progress, warnings only");
}

std::string why_no_folder(const std::string& folder) {
  Path place = std::filesystem::absolute(folder).lexically_normal();
  if (!place.has_filename()) place = place.parent_path();
  std::error_code error;
  // Up to the first folder that is there: the missing ones would be made in it.
  while (!std::filesystem::exists(place, error) && place.has_relative_path()) place = place.parent_path();
  if (!std::filesystem::is_directory(place, error))
    return fmt::format("{}: {} is a file, not a folder", folder, place.string());
  if (::access(place.c_str(), W_OK) != 0)
    return fmt::format("{}: {}: {}", folder, place.string(), std::generic_category().message(errno));
  return {};
}

// Every verb's --json is one flag: a command has one verb.
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

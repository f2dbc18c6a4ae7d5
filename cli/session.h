// What every verb shares: the environment turned into values once, the options they have in common, and the way a verb
// is declared.
//
// A verb is a file in this folder with one function `add_<verb>(Verbs&)` that declares its options and its action. An
// option's type name says what its value is, and shells complete it by that: T task, B backbone, P probe (each also as
// "T[,T]", a list), TRANSFORM, DIR, FILE, PATH, RUN (a run's folder), or the words themselves, "{fp32,bf16}".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/log.h"
#include "cli/console.h"
#include "experiments/places.h"

namespace CLI {
class App;  // CLI11's whole header takes a second to compile: only what declares options includes it
}

namespace vise::cli {

class Session {
 public:
  Session();

  Console console;
  experiments::Places places;  // --cache, --weights-dir, --data-root, --offline ..., and the process's environment
  int threads = 0;             // --threads; 0: all cores
  bool json = false;
  int exit_code = 0;

  // Threads from --threads; a stop token that Ctrl-C triggers. A second Ctrl-C ends the program at once.
  Context context();

 private:
  std::stop_source stop_;
};

struct Verbs {
  CLI::App& app;
  Session& session;

  // A verb with two examples in its help; `action` runs after parsing and may throw vise::Error.
  CLI::App* add(const std::string& name, const std::string& what, const std::string& examples,
                std::function<void()> action);
  // A verb of verbs ("backbone inspect"), with examples of its own.
  Verbs add_group(const std::string& name, const std::string& what, const std::string& examples);
  void add_place_options(CLI::App* verb);
  void add_json_option(CLI::App* verb);
};

// For CLI::Option::check: what keeps a folder that is to be written from being one, as a sentence; empty if nothing does.
// Makes no folder: a dry run leaves the disk as it is.
std::string why_no_folder(const std::string& folder);

// What --help prints.
std::string help_text(const CLI::App& verb);
// --engine, --precision and --device of the verbs that extract features.
void add_tap_options(CLI::App* verb, std::vector<std::string>& layers, std::vector<std::string>& pools);
void add_compute_options(CLI::App* verb, std::string& engine, std::string& precision, std::string& device);

void add_run(Verbs& verbs);
void add_plan(Verbs& verbs);
void add_extract(Verbs& verbs);
void add_list(Verbs& verbs);
void add_backbone(Verbs& verbs);
void add_image(Verbs& verbs);
void add_probe(Verbs& verbs);
void add_report(Verbs& verbs);
void add_audit(Verbs& verbs);
void add_export(Verbs& verbs);
void add_init_task(Verbs& verbs);
void add_doctor(Verbs& verbs);
void add_compare(Verbs& verbs);
void add_explain(Verbs& verbs);
void add_verify(Verbs& verbs);
void add_cache(Verbs& verbs);
void add_status(Verbs& verbs);
void add_help(Verbs& verbs);
void add_completion(Verbs& verbs);

}  // namespace vise::cli

// `vise-eval verify`: can anyone check it?
#include "experiments/verify.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/session.h"
#include "reports/report_files.h"

namespace vise::cli {
namespace {

// The last line, which is all that many people read: it must not claim what wasn't looked at.
std::string verdict_of(const experiments::Verification& v) {
  if (!v.differences.empty()) return fmt::format("{} difference(s)", v.differences.size());
  std::vector<std::string> unchecked;
  if (v.results == 0) unchecked.push_back("there is no fitted cell");
  if (v.refitted == 0) unchecked.push_back("no cell was fitted again");
  if (v.seal.empty()) unchecked.push_back("without a seal files may have been changed or removed");
  if (unchecked.empty()) return "nothing differs";
  return fmt::format("nothing differs in what could be checked: {}", join(unchecked, "; "));
}

// For people; --json prints counts, notes and differences by name.
void print(const experiments::Verification& v) {
  fmt::print("{} result(s): {} metrics recomputed from their scores, {} split file(s) checked\n", v.results, v.metrics,
             v.splits);
  fmt::print("{} cell(s) fitted again, {} of them with the same scores to the last bit\n", v.refitted, v.identical);
  if (!v.seal.empty()) fmt::print("the seal holds: {}\n", v.seal);
  for (const std::string& note : v.notes) fmt::print("note: {}\n", note);
  for (const std::string& difference : v.differences) fmt::print("differs: {}\n", difference);
  fmt::print("{}\n", verdict_of(v));
}

// What is printed of the results, rendered again. Where results can't be read, that is known.
// A table that renders otherwise counts as a difference, so an edited one is found.
void check_tables(const Path& run, const Context& context, experiments::Verification& v) {
  const Path folder = std::filesystem::is_directory(run) ? run : run.parent_path();
  try {
    for (std::string& difference :
         reports::rendering_differences(folder.empty() ? Path(".") : folder, context, v.notes))
      v.differences.push_back(std::move(difference));
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::interrupted) throw;
    v.differences.push_back(fmt::format("tables and page can't be rendered again: {}", e.message()));
  }
}

void verify_verb(const std::string& run, std::size_t refit, Session& session) {
  experiments::VerifyOptions options;
  options.refit = refit;
  options.data_roots = session.places.data_roots();
  options.extract = session.places.extract_options();
  const Context context = session.context();
  // Numbers first, then what is printed of them.
  experiments::Verification v = experiments::verify(run, options, context);
  check_tables(run, context, v);
  session.console.end_progress();
  if (session.json)
    fmt::print("{}\n", Json({{"results", v.results},
                             {"metrics", v.metrics},
                             {"splits", v.splits},
                             {"refitted", v.refitted},
                             {"identical", v.identical},
                             {"seal", v.seal},
                             {"differences", v.differences},
                             {"notes", v.notes}})
                           .dump());
  else
    print(v);
  // "verification failed" (kExitCodes), whatever differs.
  if (!v.differences.empty()) session.exit_code = 5;
}

}  // namespace

void add_verify(Verbs& verbs) {
  auto run = std::make_shared<std::string>();
  auto refit = std::make_shared<std::size_t>(5);
  Session& session = verbs.session;
  CLI::App* verb = verbs.add("verify", "recompute a run's numbers from its scores, and fit some of its cells again",
                             "  vise-eval verify vise-results/emotion\n"
                             "  vise-eval verify runs/a --refit 20 --cache C",
                             [=, &session] { verify_verb(*run, *refit, session); });
  verb->add_option("run", *run, "the run's folder")->type_name("RUN")->required();
  verb->add_option("--refit", *refit, "cells to fit again from cached features, at least one a task; 0: none [5]")
      ->type_name("N");
  verbs.add_json_option(verb);
  verbs.add_place_options(verb);
}

}  // namespace vise::cli

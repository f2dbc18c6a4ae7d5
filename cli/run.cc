// `vise-eval run`: from a task or a folder to a comparison table.
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/report.h"
#include "cli/session.h"
#include "experiments/runner.h"

namespace vise::cli {
namespace {

struct RunOptions {
  std::vector<std::string> tasks, backbones, probes, include_paths, layers{"final"}, pools{"avg"};
  std::string data, target = "label", baseline, engine = "onednn", precision = "fp32", out, overwrite = "missing";
  int seeds = 1;
};

constexpr const char* kExamples =
    "  vise-eval run --task emotion --data-root D --weights-dir W\n"
    "  vise-eval run --data omi300/happy.csv --backbone mine=run7.pth,arch=resnet50 --backbone random --baseline "
    "resnet18\n"
    "A backbone is a registry name (vise-eval list backbones) or NAME=FILE[,arch=A][,transform=T].";

// Registry names may share one --backbone, split by commas; a NAME=FILE keeps its own options.
std::vector<std::string> split_names(const std::vector<std::string>& given) {
  std::vector<std::string> names;
  for (const std::string& text : given) {
    const bool has_options = text.find('=') != std::string::npos;
    const std::vector<std::string> parts = has_options ? std::vector<std::string>{text} : split(text, ',');
    names.insert(names.end(), parts.begin(), parts.end());
  }
  return names;
}

std::vector<Task> chosen_tasks(const RunOptions& options) {
  if (options.tasks.empty() == options.data.empty())
    throw Error(ErrorKind::usage,
                options.data.empty() ? "run: what to evaluate is missing" : "run: --task and --data exclude each other",
                "--task NAME (vise-eval list tasks), or --data FOLDER or MANIFEST.csv");
  if (!options.data.empty()) return {task_for_data(options.data, options.target)};
  const TaskLibrary library({options.include_paths.begin(), options.include_paths.end()});
  std::vector<Task> tasks;
  for (const std::string& name : split_names(options.tasks))
    for (Task& task : library.expand(name)) tasks.push_back(std::move(task));
  return tasks;
}

Overwrite parse_overwrite(const std::string& text) {
  if (text == "always") return Overwrite::always;
  return text == "never" ? Overwrite::never : Overwrite::missing;
}

RunRequest make_request(const RunOptions& options, const Session& session) {
  RunRequest request;
  request.tasks = chosen_tasks(options);
  request.data = options.data;
  request.data_roots = session.places.data_roots();
  request.backbones = split_names(options.backbones);
  request.baseline = options.baseline;
  request.probes = split_names(options.probes);
  request.seeds = options.seeds;
  request.engine = parse_engine(options.engine);
  request.precision = parse_precision(options.precision);
  request.taps.clear();
  for (const std::string& layer : options.layers)
    for (const std::string& pool : options.pools) request.taps.push_back({layer, pool});
  request.extract = session.places.extract_options();
  request.out = options.out.empty() ? Path("vise-results") / request.tasks.front().name : Path(options.out);
  request.overwrite = parse_overwrite(options.overwrite);
  return request;
}

// Tables on stdout and as files beside results.jsonl.
void print_and_write(const RunRequest& request, const RunOutcome& outcome, const Context& context, Session& session) {
  CompareOptions compare_options;
  compare_options.baseline = outcome.baselines.front();
  const Report report = make_report({RunFolder{request.out, outcome.results}}, compare_options, context);
  const std::string files = write_report(report, request.out);
  session.console.end_progress();
  print_report(report, session);
  session.console.info(fmt::format("{} cell(s): {} fitted, {} known, {} failed; {} in {}", outcome.results.size(),
                                   outcome.fitted, outcome.reused, outcome.failed, files, request.out.string()));
}

void run_verb(const RunOptions& options, Session& session) {
  const RunRequest request = make_request(options, session);
  const Context context = session.context();
  const RunOutcome outcome = run(request, context);
  print_and_write(request, outcome, context, session);
  session.exit_code = outcome.failed > 0 ? 1 : 0;
}

}  // namespace

void add_run(Verbs& verbs) {
  auto options = std::make_shared<RunOptions>();
  Session& session = verbs.session;
  CLI::App* verb = verbs.add("run", "evaluate backbones on a task and print the comparison table", kExamples,
                             [options, &session] { run_verb(*options, session); });
  verb->add_option("--task", options->tasks, "tasks or groups of tasks")->type_name("T[,T]");
  verb->add_option("--data", options->data, "a folder of class folders, or a CSV/JSONL manifest")->type_name("PATH");
  verb->add_option("--target", options->target, "which of the data's labels [label]")->type_name("NAME");
  verb->add_option("--backbone", options->backbones, "what is compared")->type_name("B[,B]");
  verb->add_option("--baseline", options->baseline, "the row that others are compared with")->type_name("B");
  verb->add_option("--probe", options->probes, "probes, with options: logreg,C=1 [logreg]")->type_name("P[,KEY=VALUE]");
  verb->add_option("--seeds", options->seeds, "repeat with seeds 0 to N-1 [1]")
      ->type_name("N")
      ->check(CLI::Range(1, 10000));
  verb->add_option("--layer", options->layers, "layer1 to layer4; final: the network's last [final]")
      ->type_name("L")
      ->delimiter(',');
  verb->add_option("--pool", options->pools, "avg, max, gem:P [avg]")->type_name("P")->delimiter(',');
  verb->add_option("--engine", options->engine, "onednn, or torch to compare with [onednn]")->type_name("E");
  verb->add_option("--precision", options->precision, "fp32, or bf16 where the CPU has it [fp32]")->type_name("P");
  verb->add_option("--include-path", options->include_paths, "a folder of task files of your own")->type_name("DIR");
  verb->add_option("--out", options->out, "where results and tables go [vise-results/<task>]")->type_name("DIR");
  verb->add_option("--overwrite", options->overwrite, "cells to fit again: never, missing, always [missing]")
      ->check(CLI::IsMember({"never", "missing", "always"}));
  verbs.add_json_option(verb);
  verbs.add_place_options(verb);
}

}  // namespace vise::cli

// `vise-eval run`: from a task, a folder or a study to a comparison table.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "cli/data.h"
#include "cli/launch.h"
#include "cli/lines.h"
#include "cli/plan.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cli/split_options.h"
#include "datasets/data_columns.h"
#include "experiments/clean.h"
#include "experiments/results_file.h"
#include "experiments/runner.h"
#include "experiments/study.h"
#include "reports/compare.h"

// From words to a request, and from the request to a table: in_its_place() finds out what the first word names,
// what_is_asked() makes the request of a study, a task or data, apply_split() and apply_options() change it as the
// other options say, and run_verb() plans, launches or runs it and prints the tables.

namespace vise::cli {
namespace {

// As the options give them; what is empty or 0 wasn't said, and leaves a study's or the default.
struct RunOptions {
  std::string study;
  std::vector<std::string> tasks, backbones, probes, include_paths, shots, fractions, layers, pools;
  std::vector<int> sides;
  std::string data, target, baseline, engine, precision, device, views, store, out, where, published;
  std::string overwrite = "missing";
  datasets::DataColumns columns;
  int seeds = 0;
  bool dry_run = false, clean = false;
  SplitOptions split;
  LaunchOptions launch;
};

constexpr const char* kExamples =
    "  vise-eval run --task emotion --data-root D --weights-dir W\n"
    "  vise-eval run --data omi300/happy.csv --backbone mine=run7.pth,arch=resnet50 --backbone random --baseline "
    "resnet18\n"
    "  vise-eval run paper.yaml --dry-run\n"
    "  vise-eval run --task politics --launcher slurm --shards 32 --slurm "
    "partition=long,time=04:00:00,cpus-per-task=8\n"
    "A backbone is a registry name (vise-eval list backbones) or NAME=FILE[,OPTION=VALUE ...]: transform, act, eps,\n"
    "positions, side, arch, branch, drop, keys, skip-foreign (docs/your-backbone.md). FILE may be a Hugging Face "
    "folder.";

// Registry names may share one --backbone, split by commas; a NAME=FILE keeps its own options.
// A NAME=FILE has commas between its own options, so it can't share.
std::vector<std::string> split_names(const std::vector<std::string>& given) {
  std::vector<std::string> names;
  for (const std::string& text : given) {
    const bool has_options = text.find('=') != std::string::npos;
    const std::vector<std::string> parts = has_options ? std::vector<std::string>{text} : split(text, ',');
    names.insert(names.end(), parts.begin(), parts.end());
  }
  return names;
}

// A file, or a study that ships with the program.
// A file of that name in the working folder is meant rather than the built-in study.
experiments::RunRequest request_of_study(const RunOptions& options) {
  const std::vector<Path> folders(options.include_paths.begin(), options.include_paths.end());
  const auto& builtin = experiments::builtin_studies();
  std::error_code error;
  if (const auto found = builtin.find(options.study);
      found != builtin.end() && !std::filesystem::exists(options.study, error))
    return experiments::parse_study(found->second, fmt::format("{}.yaml", found->first),
                                    std::filesystem::current_path(), folders);
  if (!std::filesystem::exists(options.study, error)) {
    std::vector<std::string> names;
    for (const auto& [name, yaml] : builtin) names.push_back(name);
    throw Error(ErrorKind::usage, fmt::format("run: there is no study '{}'", options.study),
                fmt::format("a study is a .yaml file, or one that ships with the program: {}; a task is --task NAME",
                            suggest(options.study, names)));
  }
  return experiments::read_study(options.study, folders);
}

// One task for --data, and for --task those that its names and groups mean.
experiments::RunRequest request_of_tasks(const RunOptions& options) {
  experiments::RunRequest request;
  if (!options.data.empty()) {
    request.tasks = {experiments::task_for_data(options.data, options.target, options.columns)};
    return request;
  }
  const experiments::TaskLibrary library({options.include_paths.begin(), options.include_paths.end()});
  for (const std::string& name : split_names(options.tasks))
    for (experiments::Task& task : library.expand(name)) {
      if (!options.target.empty() && options.target != task.target) {
        task.target = options.target;
        task.metric.clear();  // metric and probe may not suit another kind of target: its own defaults
        task.probes.clear();
      }
      request.tasks.push_back(std::move(task));
    }
  return request;
}

// Asked only where the word is no file: the library reads its folders.
bool knows_task(const std::string& word) {
  const experiments::TaskLibrary library;
  return std::ranges::count(library.names(), word) + std::ranges::count(library.groups(), word) > 0;
}

// A folder or a table of one's own as the first word is --data; the name of a task is --task.
RunOptions in_its_place(RunOptions options) {
  const Path word = options.study;
  const std::string ending = lower(word.extension().string());
  std::error_code error;
  if (options.study.empty() || ending == ".yaml" || ending == ".yml" ||
      experiments::builtin_studies().contains(options.study))
    return options;
  if (options.data.empty() && std::filesystem::exists(word, error))
    options.data = std::exchange(options.study, "");
  else if (options.tasks.empty() && knows_task(options.study))
    options.tasks = {std::exchange(options.study, "")};
  return options;
}

// Exactly one of the three; two would leave open which one the other options are about.
experiments::RunRequest what_is_asked(const RunOptions& options) {
  check_columns(options.columns, !options.data.empty());
  const int given = !options.study.empty() + !options.tasks.empty() + !options.data.empty();
  if (given != 1)
    throw Error(ErrorKind::usage,
                given == 0 ? "run: what to evaluate is missing" : "run: --task, --data and a study exclude each other",
                "--task NAME (vise-eval list tasks), --data FOLDER or MANIFEST.csv, or STUDY.yaml");
  if (!options.study.empty() && !options.target.empty())
    throw Error(ErrorKind::usage, "run: --target chooses a label of --task or --data; a study names its own",
                "leave --target out, or change the study");
  return options.study.empty() ? request_of_tasks(options) : request_of_study(options);
}

// Every named layer with every named pool.
std::vector<features::FeatureTap> taps_of(const RunOptions& options) {
  std::vector<features::FeatureTap> taps;
  for (const std::string& layer : options.layers.empty() ? std::vector<std::string>{"default"} : options.layers)
    for (const std::string& pool : options.pools.empty() ? std::vector<std::string>{"default"} : options.pools)
      taps.push_back({layer, pool});
  return taps;
}

// Of a task that was several by another rule one is left to be divided anew.
// Named tasks are distinguished by name and target.
void apply_split(const SplitOptions& options, experiments::RunRequest& request) {
  std::vector<experiments::Task> tasks;
  std::set<std::string> divided;
  for (const experiments::Task& task : request.tasks)
    for (experiments::Task& one : with_split(task, options)) {
      const bool named = !one.name.empty() && options.any();
      if (!named || divided.insert(one.name + "\n" + one.target).second) tasks.push_back(std::move(one));
    }
  request.tasks = std::move(tasks);
}

// What is said on the command line wins over a study's.
// An option that wasn't given changes nothing.
void apply_options(const RunOptions& options, experiments::RunRequest& request) {
  if (!options.backbones.empty()) request.backbones = split_names(options.backbones);
  // No study sets this list, so nothing of a study's is lost.
  request.sides = options.sides;
  if (!options.baseline.empty()) request.baseline = options.baseline;
  if (!options.probes.empty()) request.probes = split_names(options.probes);
  if (options.seeds > 0) request.seeds = options.seeds;
  if (!options.device.empty()) {
    request.device = networks::parse_device(options.device);
    request.engine.reset();  // a study's suits its own device
  }
  if (!options.engine.empty()) request.engine = networks::parse_engine(options.engine);
  if (!options.precision.empty()) request.precision = networks::parse_precision(options.precision);
  // Refused before any data are opened: fp16 on a CPU, an engine without the device.
  networks::check_combination(request.engine.value_or(networks::default_engine(request.device)), request.precision,
                              request.device);
  if (!options.views.empty()) request.views = images::parse_views(options.views);
  if (!options.store.empty()) request.storage = features::parse_storage(options.store);
  if (!options.layers.empty() || !options.pools.empty()) request.taps = taps_of(options);
  if (!options.where.empty())
    for (experiments::Task& task : request.tasks) task.condition = options.where;
  // Shots and shares of train are one list: each is a subset that probes are fitted on.
  std::vector<experiments::TrainSubset> subsets;
  for (const std::string& text : options.shots) subsets.push_back(experiments::parse_shots(text));
  for (const std::string& text : options.fractions) subsets.push_back(experiments::parse_fraction(text));
  if (!subsets.empty()) request.subsets = subsets;
}

// CLI11 has refused any other word (add_options()), so `missing` is what remains.
experiments::Overwrite parse_overwrite(const std::string& text) {
  if (text == "always") return experiments::Overwrite::always;
  return text == "never" ? experiments::Overwrite::never : experiments::Overwrite::missing;
}

// By the study's file, the task, or the data, in this order.
Path default_out(const RunOptions& options, const experiments::RunRequest& request) {
  const experiments::Task& first = request.tasks.front();
  Path name = first.name;
  if (first.name.empty()) name = first.data.stem();
  if (!options.study.empty()) name = Path(options.study).stem();
  return Path("vise-results") / name;
}

// Places come last: they add this machine's folders to whatever the study has.
experiments::RunRequest make_request(const RunOptions& options, const Session& session) {
  experiments::RunRequest request = what_is_asked(options);
  apply_split(options.split, request);
  apply_options(options, request);
  request.include_paths.insert(request.include_paths.begin(), options.include_paths.begin(),
                               options.include_paths.end());
  session.places.add_to(request);
  request.out = options.out.empty() ? default_out(options, request) : Path(options.out);
  request.overwrite = parse_overwrite(options.overwrite);
  return request;
}

// What the table is of, where that isn't everything in results.jsonl, in its order.
// Empty where it is everything.
std::vector<std::string> keys_of(const Path& out, const std::vector<experiments::Result>& results) {
  const std::vector<experiments::Result> kept =
      experiments::read_results(out / "results.jsonl", experiments::ResultDetail::table);
  if (std::ranges::equal(kept, results, {}, &experiments::Result::key, &experiments::Result::key)) return {};
  std::vector<std::string> keys;
  for (const experiments::Result& result : results) keys.push_back(result.key);
  return keys;
}

// Tables on stdout and as files beside results.jsonl.
// Files are written before the table is printed: what a person reads is on the disk already.
// `clean`: the results without flagged images, or nothing; they become further sections of the same table.
void print_and_write(const experiments::RunRequest& request, const experiments::RunOutcome& outcome,
                     std::vector<experiments::Result> clean, const std::string& published_file,
                     std::vector<reports::PublishedRecord> published, const Context& context, Session& session) {
  reports::CompareOptions compare_options;
  compare_options.baselines = outcome.baselines;
  compare_options.kinds = outcome.kinds;
  compare_options.published = std::move(published);
  reports::ReportRecipe recipe{{}, outcome.baselines, outcome.kinds};
  recipe.clean = !clean.empty();
  recipe.published = published_file;
  recipe.keys = keys_of(request.out, outcome.results);
  std::vector<reports::RunFolder> runs{{request.out, outcome.results}};
  if (!clean.empty()) runs.push_back({request.out / "clean", std::move(clean)});
  const reports::Report report = reports::make_report(std::move(runs), compare_options, context);
  const std::string files = write_report(report, recipe, request.out);
  session.console.end_progress();
  print_report(report, session);
  session.console.info(fmt::format("{} cell(s): {} fitted, {} known, {} failed; {} in {}", outcome.results.size(),
                                   outcome.fitted, outcome.reused, outcome.failed, files, request.out.string()));
}

// The same models on the test images that the audit doesn't flag.
// The folder is made anew: an earlier audit may have flagged other images.
std::vector<experiments::Result> judge_clean(const experiments::RunRequest& request,
                                             const experiments::RunOutcome& outcome, const Context& context,
                                             Session& session) {
  std::vector<experiments::Result> clean;
  std::filesystem::remove_all(request.out / "clean");
  for (const experiments::Task& task : outcome.tasks) {
    // A task of which no cell was measured has no scores to judge again.
    const bool measured = std::ranges::any_of(
        outcome.results, [&](const experiments::Result& r) { return r.cell.task == task.name && r.ok(); });
    if (!measured) continue;
    const auto flagged = experiments::flagged_test_images(task, request, context);
    session.console.info(fmt::format("{}: the audit flags {} test image(s)", task.name, flagged.size()));
    std::ranges::move(experiments::write_clean_results(request.out, outcome.results, task, flagged),
                      std::back_inserter(clean));
  }
  return clean;
}

// A dry run and a launch share the request with a run, so that they can't mean different things.
void run_verb(const RunOptions& options, Session& session) {
  check_launch_options(options.launch);
  const experiments::RunRequest request = make_request(options, session);
  const bool is_launched = !options.launch.launcher.empty();
  if (options.dry_run) {
    print_plan(request, session);
    if (is_launched) print_scripts(options.launch, request, options.clean, session);
    return;
  }
  std::vector<reports::PublishedRecord> published =
      reports::published_records(options.published);  // a bad file is said at once
  if (is_launched) return launch_run(options.launch, request, options.clean, session);
  const Context context = session.context();
  const experiments::RunOutcome outcome = experiments::run(request, context);
  std::vector<experiments::Result> clean;
  if (options.clean) clean = judge_clean(request, outcome, context, session);
  print_and_write(request, outcome, std::move(clean), options.published, std::move(published), context, session);
  // 1 where a cell failed: the table has the others, and says why.
  session.exit_code = outcome.failed > 0 ? 1 : 0;
}

// What is evaluated: a study, tasks, or data.
void add_what(CLI::App* verb, RunOptions& options) {
  verb->add_option("study", options.study,
                   "a study file, the name of a built-in study, or what --data or --task would name")
      ->type_name("STUDY.yaml");
  verb->add_option("--task", options.tasks, "tasks or groups of tasks")->type_name("T[,T]");
  verb->add_option("--data", options.data, "a folder of class folders, a table (CSV, JSONL, Parquet), or archives")
      ->type_name("PATH");
  verb->add_option("--target", options.target, "which of the data's labels [the task's; label, or the only one]")
      ->type_name("NAME");
  add_column_options(verb, options.columns);
  verb->add_option("--where", options.where, "only items that meet this: topic=x, topic!=x, joined by ','")
      ->type_name("CONDITION");
  verb->add_option("--include-path", options.include_paths, "a folder of task files of your own")->type_name("DIR");
}

// With what: each combination of backbone, layer, pool, side, probe, seed and subset is a cell of each task.
void add_grid(CLI::App* verb, RunOptions& options) {
  verb->add_option("--backbone", options.backbones, "what is compared")->type_name("B[,B]");
  verb->add_option("--baseline", options.baseline, "the row that others are compared with")->type_name("B");
  verb->add_option("--probe", options.probes, "probes, with options: logreg,C=1 [logreg; ridge for numbers]")
      ->type_name("P[,KEY=VALUE]");
  verb->add_option("--seeds", options.seeds, "repeat with seeds 0 to N-1 [1]")
      ->type_name("N")
      ->check(CLI::Range(1, 10000));
  verb->add_option("--shots", options.shots, "fit on so many images of each class: 1,2,4,all")
      ->type_name("N,N")
      ->delimiter(',');
  verb->add_option("--fraction", options.fractions, "fit on shares of train: 0.01,0.1,1")
      ->type_name("F,F")
      ->delimiter(',');
  add_tap_options(verb, options.layers, options.pools);
  verb->add_option("--side", options.sides, "other input sizes, a row each: NAME@N [the transform's own]")
      ->type_name("N,N")
      ->delimiter(',')
      ->check(CLI::Range(16, 4096));
  add_compute_options(verb, options.engine, options.precision, options.device);
  verb->add_option("--views", options.views, "features averaged over views of a picture: one, hflip, tencrop [one]")
      ->type_name("{one,hflip,tencrop}");
  verb->add_option("--store", options.store, "how features are kept: fp32, or fp16 in half the room [fp32]")
      ->type_name("{fp32,fp16}");
}

// `run` and `plan` share these, so that one becomes the other by changing the verb.
void add_options(Verbs& verbs, CLI::App* verb, RunOptions& options) {
  add_what(verb, options);
  add_split_options(verb, options.split, true);
  add_grid(verb, options);
  verb->add_option("--out", options.out, "where results and tables go [vise-results/<task>]")
      ->check(why_no_folder)
      ->type_name("DIR");
  verb->add_option("--overwrite", options.overwrite, "cells to fit again: never, missing, always [missing]")
      ->check(CLI::IsMember({"never", "missing", "always"}));
  add_published_option(verb, options.published);
  verb->add_flag("--clean", options.clean,
                 "judge the same models also without the test images that `audit` flags, as further sections");
  add_launch_options(verb, options.launch);
  verbs.add_json_option(verb);
  verbs.add_place_options(verb);
}

}  // namespace

void add_run(Verbs& verbs) {
  auto options = std::make_shared<RunOptions>();
  Session& session = verbs.session;
  CLI::App* verb = verbs.add("run", "evaluate backbones on a task and print the comparison table", kExamples,
                             [options, &session] { run_verb(in_its_place(*options), session); });
  add_options(verbs, verb, *options);
  verb->add_flag("--dry-run", options->dry_run, "say what would be done, and how long it would take: as `plan` does");
}

void add_plan(Verbs& verbs) {
  auto options = std::make_shared<RunOptions>();
  options->dry_run = true;
  Session& session = verbs.session;
  CLI::App* verb = verbs.add(
      "plan", "what a run would do, how long it would take, and how small a difference its test images can show",
      "  vise-eval plan --task emotion --data-root D --weights-dir W\n"
      "  vise-eval plan paper.yaml --json\n"
      "It takes what `run` takes, opens no image and writes nothing.",
      [options, &session] { run_verb(in_its_place(*options), session); });
  add_options(verbs, verb, *options);
}

}  // namespace vise::cli

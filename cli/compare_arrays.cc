#include "cli/compare_arrays.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "cli/report.h"
#include "reports/compare.h"

namespace vise::cli {
namespace {

// The shortest ends of the files' paths that differ: "A", "B"; "x/features", "y/features".
std::vector<std::string> told_apart(const std::vector<std::string>& files) {
  std::vector<std::string> names;
  for (const std::string& file : files) names.push_back(features_name(file));
  for (std::size_t i = 0; i < files.size(); ++i)
    if (std::ranges::count(names, names[i]) > 1) {
      const Path absolute = std::filesystem::absolute(files[i]).lexically_normal();
      for (std::size_t k = 0; k < files.size(); ++k)
        // One file twice would never get two names, however long.
        if (k != i && std::filesystem::absolute(files[k]).lexically_normal() == absolute)
          throw Error(ErrorKind::usage, fmt::format("compare: {} is named twice", files[i]));
    }
  std::vector<std::string> distinct = names;
  // Longer by a folder in each turn, but only the names that several files share.
  for (int parents = 1; std::set(distinct.begin(), distinct.end()).size() < files.size() && parents < 32; ++parents)
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (std::ranges::count(names, names[i]) < 2) continue;
      const Path path = std::filesystem::absolute(files[i]).lexically_normal();
      std::string name = path.stem().string();
      Path folder = path.parent_path();
      for (int p = 0; p < parents && folder.has_filename(); ++p, folder = folder.parent_path())
        name.insert(0, folder.filename().string() + "/");
      distinct[i] = name;
    }
  return distinct;
}

// The names of the table's rows, one a file.
std::vector<std::string> row_names(const std::vector<std::string>& files, const ArrayOptions& options) {
  if (options.names.empty()) return told_apart(files);
  if (options.names.size() != files.size())
    throw Error(ErrorKind::usage,
                fmt::format("compare: {} names for {} files of features", options.names.size(), files.size()),
                "--name a,b names them in their order");
  if (std::set(options.names.begin(), options.names.end()).size() < files.size())
    throw Error(ErrorKind::usage, "compare: two files have one name", "each --name is another");
  return options.names;
}

// The probe that fits the labels, where nobody named one.
std::vector<std::string> probes_of(const ArrayOptions& options, const datasets::Targets& targets) {
  if (!options.probes.empty()) return options.probes;
  return {targets.kind() == datasets::TargetKind::values ? "ridge" : "logreg"};
}

// One file after another, so that only one is in memory.
std::vector<experiments::Result> fit_all(const std::vector<std::string>& files, const std::vector<std::string>& names,
                                         const ProbeRun& common, const ArrayOptions& options, const Context& context) {
  std::vector<experiments::Result> results;
  std::map<std::string, std::string> file_of_content;
  for (std::size_t i = 0; i < files.size(); ++i) {
    ProbeRun run = common;
    run.files.features = files[i];
    run.name = names[i];
    const ProbeData data = read_probe_data(run.files);
    for (const std::string& probe : probes_of(options, data.targets)) {
      context.throw_if_stopped();
      run.probe = probe;
      results.push_back(probe_features(run, data, context));
      // Kept at once, so that an interruption loses no fitted row.
      keep_result(run, data, results.back());
      const auto [same, is_new] = file_of_content.emplace(results.back().key, files[i]);
      // Two files with the same bytes would be two rows of one result, with a difference
      // of exactly 0 between them.
      if (!is_new && same->second != files[i])
        throw Error(ErrorKind::input, fmt::format("{} and {} hold the same features", same->second, files[i]));
    }
  }
  return results;
}

}  // namespace

bool are_arrays(const std::vector<std::string>& words) {
  return std::ranges::all_of(words, [](const std::string& word) {
    const std::string ending = lower(Path(word).extension().string());
    return ending == ".npy" || ending == ".npz";
  });
}

void compare_arrays(const std::vector<std::string>& files, const ArrayOptions& options, Session& session) {
  if (options.run.files.labels.empty())
    throw Error(ErrorKind::usage, "compare: what the rows of these features are is missing",
                "--labels y.csv, or y.npy: row i labels row i of every file");
  // All that can be refused is refused before the first fit.
  const std::vector<std::string> names = row_names(files, options);
  reports::CompareOptions compared;
  compared.baseline = options.baseline.empty() ? names.back() : options.baseline;
  if (std::ranges::count(names, compared.baseline) == 0)
    throw Error(ErrorKind::usage, fmt::format("compare: no row is called '{}'", compared.baseline),
                suggest(compared.baseline, names));
  ProbeRun common = options.run;
  // The labels are what all rows share, so the folder is named by them.
  if (common.out.empty()) common.out = (Path("vise-results") / Path(common.files.labels).stem()).string();
  const Context context = session.context();
  const std::vector<experiments::Result> results = fit_all(files, names, common, options, context);
  reports::ReportRecipe recipe;
  recipe.baseline = compared.baseline;
  // The folder may have other results; verifying this table must use its own alone.
  for (const experiments::Result& result : results) recipe.keys.push_back(result.key);
  const reports::Report report = reports::make_report({{common.out, results}}, compared, context);
  const std::string written = write_report(report, recipe, common.out);
  session.console.end_progress();
  print_report(report, session);
  print_won_images(report, session);
  session.console.info(fmt::format("{} in {}; vise-eval verify {}", written, common.out, common.out));
}

void add_array_options(CLI::App* verb, ArrayOptions& options) {
  ProbeFiles& files = options.run.files;
  verb->add_option("--labels", files.labels, "of arrays: N (or N x K) numbers, or a CSV with the columns of --column")
      ->type_name("FILE");
  verb->add_option("--name", options.names, "of arrays: their rows' names, in order [the files']")
      ->type_name("NAME,NAME")
      ->delimiter(',');
  verb->add_option("--baseline", options.baseline, "of arrays: the row that others are compared with [the last]")
      ->type_name("NAME");
  verb->add_option("--probe", options.probes, "of arrays: probes with their options [logreg; ridge for numbers]")
      ->type_name("P[,KEY=VALUE]");
  verb->add_option("--target", files.target, "classes, multi-label, distribution or values [classes]")
      ->type_name("{classes,multi-label,distribution,values}");
  verb->add_option("--column", files.column, "of a CSV of labels; several joined by commas [label]")->type_name("NAME");
  verb->add_option("--split", files.split,
                   "a CSV with a column 'split', or 0/1/2 for train/val/test [drawn, see --shares]")
      ->type_name("FILE");
  verb->add_option("--shares", files.shares, "of a drawn split's train, val and test [0.6 0.2 0.2]")
      ->type_name("TRAIN VAL TEST");
  verb->add_option("--groups", files.groups, "numbers, or a CSV with a column 'group': groups stay together")
      ->type_name("FILE");
  verb->add_option("--folds", options.run.folds, "of the cross-validation that chooses where there is no val [5]")
      ->type_name("K")
      ->check(CLI::Range(0, 1000));
  verb->add_option("--nested", options.run.nested, "test every row once, by nested cross-validation over K outer folds")
      ->type_name("K")
      ->check(CLI::Range(2, 1000));
  verb->add_option("--seed", files.seed, "of the drawn split, the folds and the probe [0]")->type_name("N");
  verb->add_option("--out", options.run.out, "of arrays: where results and tables go [vise-results/<labels>]")
      ->check(why_no_folder)
      ->type_name("DIR");
}

}  // namespace vise::cli

// `vise-eval report`: tables of earlier runs.
#include "cli/report.h"

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "cli/gallery.h"
#include "experiments/seal.h"
#include "experiments/study.h"
#include "reports/compare.h"
#include "reports/figures/figure.h"
#include "reports/layout.h"
#include "reports/paper_tables.h"
#include "reports/won_images.h"
#include "reports/writers.h"

namespace vise::cli {
namespace {

// As the options give them.
struct ReportOptions {
  std::vector<std::string> runs;
  std::string baseline, out, format, published, figures;
  bool gallery = false;
};

// What --format prints instead of the form for terminals and plain files.
const std::map<std::string, std::string (*)(const reports::ComparisonTable&)> kFormats = {
    {"csv", reports::to_csv},
    {"html", reports::to_html_table},
    {"latex", reports::to_latex},
    {"markdown", reports::to_markdown},
    {"typst", reports::to_typst}};

// Baselines and kinds of tasks as the runs had them; of two runs of one task the later counts.
void add_planned(const std::vector<reports::RunFolder>& runs, reports::CompareOptions& options, Log& log) {
  for (const reports::RunFolder& run : runs) {
    if (!std::filesystem::exists(run.path / "plan.yaml")) continue;
    try {
      for (const experiments::Task& task : experiments::read_study(run.path / "plan.yaml").tasks) {
        if (options.baseline.empty()) options.baselines[task.name] = task.baseline;
        if (!task.kind.empty()) options.kinds[task.name] = task.kind;
      }
    } catch (const Error& e) {
      log.warn(fmt::format("its baselines and kinds of tasks are not used: {}", e.message()));
    }
  }
}

// "features" is "x/features" too; of several such rows it is the first, which is said.
// So `--baseline features` works for arrays whose rows got their folder's name in front.
std::string baseline_of(const std::vector<reports::RunFolder>& runs, const std::string& word, Log& log) {
  std::vector<std::string> ending;
  for (const reports::RunFolder& run : runs)
    for (const experiments::Result& result : run.results) {
      if (result.cell.backbone == word) return word;
      if (result.cell.backbone.ends_with("/" + word)) ending.push_back(result.cell.backbone);
    }
  if (word.empty() || ending.empty()) return word;
  log.info(fmt::format("the baseline is {}", ending.front()));
  return ending.front();
}

// Tables in a run's own folder are part of its seal.
// A report of several runs, or into another folder, is a merged one, which `verify` renders from these runs.
reports::ReportRecipe recipe_of(const ReportOptions& options, const reports::CompareOptions& compared,
                                const std::vector<Path>& folders) {
  reports::ReportRecipe recipe{compared.baseline, compared.baselines, compared.kinds};
  recipe.gallery = options.gallery;
  recipe.published = options.published;
  std::error_code error;
  // equivalent() fails where --out isn't there yet, which is another folder then.
  recipe.merged = folders.size() != 1 || !std::filesystem::equivalent(folders.front(), options.out, error);
  return recipe;
}

void report_verb(const ReportOptions& options, Session& session) {
  if (options.gallery && options.out.empty())
    throw Error(ErrorKind::usage, "report: --gallery is part of the page", "say where it goes: --out DIR");
  std::vector<reports::RunFolder> runs;
  // The page and figures alone show sweeps, settings and costs.
  const experiments::ResultDetail detail = options.out.empty() && options.figures.empty()
                                               ? experiments::ResultDetail::table
                                               : experiments::ResultDetail::everything;
  // Results that were edited after the run are reported, and shown all the same.
  for (const std::string& run : options.runs) {
    runs.push_back(reports::read_run(run, detail));
    experiments::warn_of_changes(runs.back().path, session.console);
  }
  reports::CompareOptions compare_options;
  compare_options.baseline = baseline_of(runs, options.baseline, session.console);
  add_planned(runs, compare_options, session.console);
  compare_options.published = reports::published_records(options.published);
  std::vector<Path> folders;
  for (const reports::RunFolder& run : runs) folders.push_back(run.path);
  const reports::ReportRecipe recipe = recipe_of(options, compare_options, folders);
  reports::Report report = reports::make_report(std::move(runs), compare_options, session.context());
  // After the table is made: it decides which images are shown.
  if (options.gallery) add_gallery(report, folders, session);
  session.console.end_progress();
  if (!options.out.empty())
    session.console.info(fmt::format("{} in {}", write_report(report, recipe, options.out), options.out));
  if (!options.figures.empty())
    session.console.info(fmt::format("{} figure(s) as .svg, .tex and .csv in {}",
                                     reports::write_figures(report, options.figures), options.figures));
  const auto writer = kFormats.find(options.format);
  if (writer == kFormats.end())
    print_report(report, session);
  else
    fmt::print("{}", writer->second(report.table));
}

// The probe is named only where rows have different ones.
std::string row_name(const reports::TableSection& section, std::size_t row) {
  const auto of_probe = [&](const reports::TableRow& other) { return other.probe == section.rows[row].probe; };
  const reports::TableRow& of = section.rows[row];
  return std::ranges::all_of(section.rows, of_probe) ? of.backbone : fmt::format("{}, {}", of.backbone, of.probe);
}

// Which images one of two rows alone gets right: what a difference in accuracy consists of.
void print_won_images(const reports::TableSection& section, const reports::SectionEvidence& evidence, std::size_t row) {
  constexpr std::size_t kMost = 10;
  const std::vector<reports::WonImage> won = reports::won_images(evidence, row, section.rows[row].compared_with);
  if (won.empty()) return;
  // The row's own images, and those of the row that it is compared with.
  std::string names[2];
  std::size_t counts[2] = {};
  for (const reports::WonImage& image : won) {
    std::string& text = names[image.by_row ? 0 : 1];
    const std::size_t count = counts[image.by_row ? 0 : 1]++;
    if (count < kMost) text += (count > 0 ? ", " : "") + evidence.ids()[image.item];
    if (count == kMost) text += ", ...";
  }
  const std::string mine = row_name(section, row), theirs = row_name(section, section.rows[row].compared_with);
  fmt::print("\n{}: {} alone is right on {} of {} test images, {} alone on {} (the surest first; all: --json)\n",
             reports::section_title(section), mine, counts[0], evidence.ids().size(), theirs, counts[1]);
  for (const std::size_t side : {0u, 1u})
    if (counts[side] > 0) fmt::print("  {}: {}\n", side == 0 ? mine : theirs, names[side]);
}

}  // namespace

void add_published_option(CLI::App* verb, std::string& file) {
  verb->add_option("--published", file, "further numbers of papers, beside those that the program knows")
      ->type_name("FILE");
}

// A terminal gets colours and its width; a pipe gets plain text, the same on every machine.
void print_report(const reports::Report& report, const Session& session) {
  if (session.json) {
    fmt::print("{}", reports::to_json_text(report.table, report.evidence));
    return;
  }
  const bool on_terminal = ::isatty(STDOUT_FILENO) == 1;
  fmt::print("{}", on_terminal ? reports::to_terminal(report.table, {wants_colour(STDOUT_FILENO), terminal_width()})
                               : reports::to_plain(report.table));
}

// For each row that is compared with another.
void print_won_images(const reports::Report& report, const Session& session) {
  if (session.json) return;
  for (std::size_t s = 0; s < report.evidence.size(); ++s) {
    const reports::TableSection& section = report.table.sections[s];
    for (std::size_t r = 0; r < section.rows.size(); ++r)
      if (section.rows[r].difference) print_won_images(section, report.evidence[s], r);
  }
}

std::string write_report(const reports::Report& report, const reports::ReportRecipe& recipe, const Path& folder) {
  return join(reports::write_report_files(report, recipe, folder), ", ");
}

void add_report(Verbs& verbs) {
  auto options = std::make_shared<ReportOptions>();
  Session& session = verbs.session;
  CLI::App* verb = verbs.add("report", "the comparison table of earlier runs, merged",
                             "  vise-eval report vise-results/emotion\n"
                             "  vise-eval report runs/a runs/b --baseline imagenet-v1 --out merged/",
                             [options, &session] { report_verb(*options, session); });
  verb->add_option("run", options->runs, "runs' folders")->type_name("RUN")->required();
  verb->add_option("--baseline", options->baseline, "the row that others are compared with [as the runs had it]")
      ->type_name("B");
  verb->add_option("--out", options->out, "write the tables as files into this folder")
      ->check(why_no_folder)
      ->type_name("DIR");
  verb->add_flag(
      "--gallery", options->gallery,
      "thumbnails of the most confident right and wrong images in the page, with class activation maps of linear "
      "probes, class-token attention and attention rollout of ViTs");
  add_published_option(verb, options->published);
  verb->add_option("--figures", options->figures, "write every figure as .svg, as pgfplots and with its data")
      ->type_name("DIR");
  verb->add_option("--format", options->format, "of stdout: markdown, csv, latex, typst, or html to paste into Word")
      ->type_name("{markdown,csv,latex,typst,html}")
      ->check(CLI::IsMember({"markdown", "csv", "latex", "typst", "html"}));
  verbs.add_json_option(verb);
  verbs.add_place_options(verb);
}

}  // namespace vise::cli

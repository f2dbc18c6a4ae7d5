// `vise-eval report` and `compare`: tables of earlier runs.
#include "cli/report.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace vise::cli {
namespace {

struct ReportOptions {
  std::vector<std::string> runs;
  std::string baseline, out, format;
};

void report_verb(const ReportOptions& options, Session& session) {
  std::vector<RunFolder> runs;
  for (const std::string& run : options.runs) runs.push_back(read_run(run));
  CompareOptions compare_options;
  compare_options.baseline = options.baseline;
  const Report report = make_report(std::move(runs), compare_options, session.context());
  session.console.end_progress();
  if (!options.out.empty())
    session.console.info(fmt::format("{} in {}", write_report(report, options.out), options.out));
  if (options.format == "csv")
    fmt::print("{}", to_csv(report.table));
  else if (options.format == "latex")
    fmt::print("{}", to_latex(report.table));
  else if (options.format == "markdown")
    fmt::print("{}", to_markdown(report.table));
  else
    print_report(report, session);
}

}  // namespace

void print_report(const Report& report, const Session& session) {
  if (session.json) {
    fmt::print("{}\n", to_json_text(report.table));
    return;
  }
  fmt::print("{}", wants_colour(1) ? to_terminal(report.table, {true, terminal_width()}) : to_markdown(report.table));
}

std::string write_report(const Report& report, const Path& folder) {
  write_file_atomically(folder / "table.md", to_markdown(report.table));
  write_file_atomically(folder / "table.csv", to_csv(report.table));
  write_file_atomically(folder / "table.tex", to_latex(report.table));
  write_file_atomically(folder / "report.html", to_html(report));
  return "table.md, table.csv, table.tex, report.html";
}

void add_report(Verbs& verbs) {
  auto options = std::make_shared<ReportOptions>();
  Session& session = verbs.session;
  CLI::App* verb = verbs.add("report", "the comparison table of earlier runs, merged",
                             "  vise-eval report vise-results/emotion\n"
                             "  vise-eval report runs/a runs/b --baseline imagenet-v1 --out merged/",
                             [options, &session] { report_verb(*options, session); });
  verb->add_option("run", options->runs, "runs' folders")->required();
  verb->add_option("--baseline", options->baseline, "the row that others are compared with [the first]")
      ->type_name("B");
  verb->add_option("--out", options->out, "write the tables as files into this folder")->type_name("DIR");
  verb->add_option("--format", options->format, "markdown, csv or latex on stdout")
      ->check(CLI::IsMember({"markdown", "csv", "latex"}));
  verbs.add_json_option(verb);
}

}  // namespace vise::cli

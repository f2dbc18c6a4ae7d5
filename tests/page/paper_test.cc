// Figures and tables for papers, of the report that the page's tests show, with names that try to break them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "base/csv.h"
#include "base/text.h"
#include "reports/compare.h"
#include "reports/figures/figure.h"
#include "reports/layout.h"
#include "reports/paper_tables.h"
#include "reports/shorten.h"
#include "reports/writers.h"
#include "tests/page/sample_report.h"
#include "tests/shared.h"

namespace vise {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

bool runs(const std::string& command) { return std::system((command + " > /dev/null 2>&1").c_str()) == 0; }

class Paper : public testing::Test {
 protected:
  test::ScratchDir dir_;
  reports::Report report_ = test::sample_report(dir_ / "run", 200), study_ = test::study_report(dir_ / "study");
};

TEST_F(Paper, EveryFigureHasThreeFilesOfItsOwnName) {
  const std::vector<reports::Figure> figures = reports::figures_of(report_);
  std::set<std::string> names;
  std::set<reports::FigureKind> kinds;
  for (const reports::Figure& figure : figures) {
    names.insert(figure.name);
    kinds.insert(figure.kind);
  }
  for (const reports::Figure& figure : reports::figures_of(study_)) kinds.insert(figure.kind);
  EXPECT_EQ(names.size(), figures.size());
  EXPECT_EQ(kinds.size(), 5u);
  EXPECT_EQ(reports::write_figures(report_, dir_ / "figures"), figures.size());
  for (const std::string& name : names)
    for (const char* const ending : {".svg", ".tex", ".csv"})
      EXPECT_TRUE(std::filesystem::exists(dir_ / "figures" / (name + ending))) << name << ending;
}

TEST_F(Paper, DataBesideAFigureAreTheTables) {
  const reports::Figure figure = reports::figures_of(report_).front();
  const reports::TableSection& section = report_.table.sections.front();
  const CsvTable data = CsvTable::parse(reports::figure_csv(figure), "figure.csv");
  ASSERT_EQ(data.rows(), 6u);  // the failed row has no value
  for (std::size_t r = 0; r < data.rows(); ++r) {
    const reports::Estimate& estimate = section.rows[r].metrics.front();
    EXPECT_EQ(std::stod(data.cell(r, data.column("accuracy in %"))), 100 * *estimate.value);
    EXPECT_EQ(std::stod(data.cell(r, data.column("low"))), 100 * estimate.interval->low);
    EXPECT_EQ(std::stod(data.cell(r, data.column("high"))), 100 * estimate.interval->high);
  }
}

// The verdict's ranks and curves with their data beside them.
TEST_F(Paper, VerdictHasItsDiagramAndCurves) {
  const reports::Verdict& verdict = study_.table.verdict;
  std::map<std::string, reports::Figure> figures;
  for (reports::Figure& figure : reports::figures_of(study_)) figures.emplace(figure.name, std::move(figure));
  ASSERT_TRUE(figures.contains("over-6-tasks-mean-ranks-logreg"));
  const CsvTable ranks =
      CsvTable::parse(reports::figure_csv(figures.at("over-6-tasks-mean-ranks-logreg")), "ranks.csv");
  ASSERT_EQ(ranks.rows(), verdict.comparisons[0].rows.size());
  for (const reports::VerdictRow& row : verdict.comparisons[0].rows) {
    std::size_t r = 0;
    while (r + 1 < ranks.rows() && ranks.cell(r, 0) != row.backbone) ++r;
    EXPECT_EQ(ranks.cell(r, 0), row.backbone);
    EXPECT_EQ(std::stod(ranks.cell(r, ranks.column("mean rank"))), row.mean_rank);
  }
  const reports::Figure& labels = figures.at("over-all-tasks-label-efficiency-logreg");
  ASSERT_EQ(labels.series.size(), 6u);  // backbones x layers
  const reports::LabelCurve& curve = verdict.labels.front();
  EXPECT_EQ(labels.series[0].points[0].x, curve.points[0].labels);
  EXPECT_EQ(labels.series[0].points[0].y, 100 * curve.points[0].value);
  EXPECT_EQ(labels.series[0].points[0].interval->high, 100 * curve.points[0].band->high);
  const CsvTable layers =
      CsvTable::parse(reports::figure_csv(figures.at("over-all-tasks-layers-logreg")), "layers.csv");
  EXPECT_EQ(layers.cell(0, layers.column("layer")), "layer2");
  EXPECT_TRUE(figures.contains("study-task-0-layers-logreg"));
}

TEST_F(Paper, SvgIsWellFormed) {
  if (!runs("command -v python3")) GTEST_SKIP() << "skipped: no python3";
  reports::write_figures(report_, dir_ / "figures");
  reports::write_figures(study_, dir_ / "figures");
  EXPECT_TRUE(
      runs(fmt::format("python3 -c 'import glob, xml.dom.minidom as d; f = glob.glob(\"{}/figures/*.svg\"); "
                       "[d.parse(n) for n in f]; assert len(f) > 10'",
                       dir_.path().string())));
}

// 10 pt in two columns, booktabs beside; no line is wider than its column.
TEST_F(Paper, PgfplotsCompilesWithinAColumn) {
  if (!runs("command -v pdflatex")) GTEST_SKIP() << "skipped: no pdflatex (apt-get install texlive-latex-recommended)";
  if (!runs("kpsewhich pgfplots.sty")) GTEST_SKIP() << "skipped: no pgfplots (apt-get install texlive-pictures)";
  report_.table.sections[0].rows[1].backbone = "a_backbone & a %name$ {so} long^that ~no# column\\holds it";
  study_.table.verdict.comparisons[0].rows[0].backbone = "a_backbone with a name that no column holds";
  std::vector<reports::Figure> figures = reports::figures_of(report_);
  for (reports::Figure& figure : reports::figures_of(study_))
    if (figure.name.starts_with("over-") || has(figure.name, "task-0-layers")) figures.push_back(std::move(figure));
  for (const reports::Figure& figure : figures)
    write_file_atomically(dir_ / (figure.name + ".tex"), reports::to_pgfplots(figure));
  std::string text =
      "\\documentclass[10pt,twocolumn]{article}\n\\usepackage{booktabs,pgfplots}\\pgfplotsset{compat=1.17}\n"
      "\\hfuzz=1pt\\begin{document}\n";
  for (const reports::Figure& figure : figures)
    text += fmt::format("\\begin{{figure}}\\centering\\input{{{}}}\\end{{figure}}\\clearpage\n", figure.name);
  write_file_atomically(dir_ / "paper.tex", text + "\\end{document}\n");
  EXPECT_TRUE(runs(fmt::format("cd '{}' && timeout 240 pdflatex -interaction=nonstopmode -halt-on-error paper.tex",
                               dir_.path().string())))
      << read_text_file(dir_ / "paper.log").substr(0, 20000);
  const std::string log = read_text_file(dir_ / "paper.log");
  EXPECT_FALSE(has(log, "Overfull \\hbox")) << log.substr(log.find("Overfull \\hbox"), 400);
}

TEST_F(Paper, TypstEscapesAndRules) {
  const std::string text = reports::to_typst(report_.table);
  EXPECT_TRUE(has(text, "table.hline(stroke: 0.8pt)"));
  EXPECT_TRUE(has(text, "[\\<b\\>big\\<\\/b\\> & \\\"co\\\"#super[")) << text;
  EXPECT_FALSE(has(text, "<script>"));
  EXPECT_TRUE(has(text, "#strong[\\+17.1 \\["));
}

// typst's own compiler, which ./dev setup fetches with npm.
TEST_F(Paper, TypstCompiles) {
  const Path compiler = Path(VISE_SOURCE_DIR) / "build/typst/typst.node";
  if (!runs("command -v node")) GTEST_SKIP() << "skipped: no node";
  if (!std::filesystem::exists(compiler))
    GTEST_SKIP() << "skipped: no typst compiler (./dev setup fetches it with npm)";
  const auto compiles = [&](const std::string& text) {
    write_file_atomically(dir_ / "paper.typ", text);
    return runs(fmt::format("node '{}/tests/page/typst.mjs' '{}' '{}'", VISE_SOURCE_DIR, compiler.string(),
                            (dir_ / "paper.typ").string()));
  };
  EXPECT_FALSE(compiles("#table(columns: 1, [a], [b"));
  for (reports::Report* const report : {&report_, &study_}) {
    report->table.sections[0].rows[1].backbone = "a_backbone & a %name$ {so} [long] *that* #no `column` @holds ~it\\";
    EXPECT_TRUE(compiles(reports::to_typst(report->table)));
  }
}

TEST_F(Paper, HtmlForWordStylesEveryCell) {
  const std::string text = reports::to_html_table(report_.table);
  EXPECT_FALSE(has(text, "<script>"));
  EXPECT_TRUE(has(text, "&lt;/script&gt;"));
  EXPECT_TRUE(has(text, "border-top:1.5pt solid windowtext"));
  EXPECT_TRUE(has(text, "<b>+17.1 ["));
  EXPECT_FALSE(has(text, "<td>"));
}

TEST(Terminal, NamesLoseTheirMiddleBeforeColumnsGo) {
  const std::string a = "resnet50-pretrained-on-everything-with-layout-A",
                    b = "resnet50-pretrained-on-everything-with-layout-B";
  const reports::ComparisonTable table =
      reports::compare({test::sample_result(a, 0.75), test::sample_result(b, 0.5)}, {});
  const std::string wide = reports::to_terminal(table, {.width = 200}),
                    narrow = reports::to_terminal(table, {.width = 120});
  EXPECT_TRUE(has(wide, a));
  EXPECT_FALSE(has(narrow, "not shown")) << narrow;
  EXPECT_FALSE(has(narrow, a));
  EXPECT_TRUE(has(narrow, "...") && has(narrow, "layout-A") && has(narrow, "layout-B")) << narrow;
  for (const std::string& line : split(narrow.substr(narrow.find("backbone")), '\n'))
    EXPECT_TRUE(!line.starts_with("resnet50") || reports::display_width(line) <= 120) << line;
  EXPECT_TRUE(has(reports::to_terminal(table, {.width = 40}), "not shown at this width"));
}

TEST(Plain, ComesWithoutEscapes) {
  const reports::ComparisonTable table =
      reports::compare({test::sample_result("a<b>_*&`c", 0.75), test::sample_result("d", 0.5)}, {});
  const std::string text = reports::to_plain(table);
  EXPECT_TRUE(has(text, "| a<b>_*&`c |")) << text;
  EXPECT_EQ(text.find('\\'), std::string::npos);
}

TEST(Shortened, KeepsBothEndsWithinTheWidth) {
  EXPECT_EQ(reports::shortened("abc", 8), "abc");
  EXPECT_EQ(reports::shortened("abcdefghijkl", 9), "abc...jkl");
  EXPECT_EQ(reports::shortened("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 9),
            "\xE6\x97\xA5...\xE8\xAA\x9E");
  for (std::size_t width = 8; width < 20; ++width)
    EXPECT_LE(reports::display_width(reports::shortened("abcdefghijklmnopqrstuvw", width)), width);
}

TEST(RoundTicks, HoldTheirPoints) {
  for (const auto& [low, high] :
       {std::pair{61.7, 83.3}, std::pair{0.0, 1.0}, std::pair{-3.0, 1e6}, std::pair{5.0, 5.0}}) {
    const std::vector<double> ticks = reports::round_ticks(low, high, 6);
    EXPECT_LE(ticks.front(), low);
    EXPECT_GE(ticks.back(), high);
    EXPECT_LE(ticks.size(), 9u);
  }
}

}  // namespace
}  // namespace vise

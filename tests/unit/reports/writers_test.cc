// LaTeX, JSON and the page's text; the page in a browser is tests/page.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "experiments/results_file.h"
#include "reports/compare.h"
#include "reports/html/parts.h"
#include "reports/layout.h"
#include "reports/report.h"
#include "reports/writers.h"
#include "tests/page/sample_report.h"
#include "tests/shared.h"

namespace vise::reports {
namespace {

TEST(Latex, IsABooktabsTable) {
  experiments::Result r = test::sample_result("a_b", 0.5);
  r.notes = {"50 % of {x}"};
  const std::string text = to_latex(compare({r, test::sample_result("c", 0.6)}, {.baseline = "c"}));
  EXPECT_EQ(text, R"(% needs \usepackage{booktabs}
\begin{table}
\centering\footnotesize\setlength{\tabcolsep}{3pt}
\caption{omi300/happy: label (high, low). accuracy in \% on test (60 images); split: from the manifest; train 180, val 60, test 60; probe: logreg; chosen on val (60 images)}
\begin{tabular}{lrrrrrl}
  \toprule
  backbone & accuracy & vs c & balanced acc. & macro-F1 & ROC AUC & chosen \\
  \midrule
  a\_b\textsuperscript{1} & 50.0 & -10.0 & 49.0 & 48.0 & 87.5 & C = 0.1 \\
  c & 60.0 & baseline & 59.0 & 58.0 & 87.5 & C = 0.1 \\
  \bottomrule
\end{tabular}

\medskip
\parbox{\linewidth}{\footnotesize
\textsuperscript{1} 50 \% of \{x\}
}
\end{table}
)");
}

TEST(Latex, SetsIntervalsSmallBelowTheirValue) {
  const test::ScratchDir dir;
  const std::string text = to_latex(test::sample_report(dir.path(), 200).table);
  EXPECT_NE(text.find("& \\begin{tabular}[t]{@{}r@{}}\\textbf{+17.1}\\\\[-1pt]{\\scriptsize [+"), std::string::npos)
      << text;
  EXPECT_NE(text.find(" ns}\\\\[-1pt]{\\scriptsize ["), std::string::npos);
}

TEST(Latex, CompilesWithHostileNames) {
  if (std::system("command -v pdflatex > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "skipped: no pdflatex (apt-get install texlive-latex-recommended)";
  const test::ScratchDir dir;
  Report report = test::sample_report(dir / "run", 200);
  report.table.footnotes.push_back(R"(\ { } $ & # ^ _ ~ % < > | " ' [x])");
  write_file_atomically(dir / "t.tex", "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n" +
                                           to_latex(report.table) + "\\end{document}\n");
  const std::string command = fmt::format(
      "cd '{}' && timeout 60 pdflatex -interaction=nonstopmode -halt-on-error t.tex > out.txt", dir.path().string());
  EXPECT_EQ(std::system(command.c_str()), 0) << read_text_file(dir / "out.txt");
}

TEST(TableJson, HoldsTheTable) {
  const Json json = parse_json(
      to_json_text(compare({test::sample_result("a", 0.1 + 0.2), test::failed_result("b", "why")}, {})), "table.json");
  EXPECT_EQ(json["schema"], "vise-eval/table");
  EXPECT_EQ(json["sections"][0]["rows"][0]["metrics"]["accuracy"]["value"].get<double>(), 0.1 + 0.2);
  EXPECT_EQ(json["sections"][0]["rows"][1]["status"], "failed");
  EXPECT_EQ(json["sections"][0]["rows"][1]["error"], "why");
}

Json page_data(const std::string& html) {
  const std::string begin = "id=\"data\">";
  const auto from = html.find(begin) + begin.size();
  return parse_json(html.substr(from, html.find("</script>", from) - from), "page");
}

// Bit for bit: what the page shows is what results.jsonl says.
TEST(Html, EveryNumberEqualsTheResult) {
  const test::ScratchDir dir;
  const Report report = test::sample_report(dir.path(), 200);
  for (const experiments::Result& r : report.table.results) experiments::append_result(dir / "results.jsonl", r);
  std::map<std::string, experiments::Result> results;
  for (experiments::Result& r : experiments::read_results(dir / "results.jsonl")) results.emplace(r.key, std::move(r));
  const Json page = page_data(to_html(report));
  std::size_t numbers = 0;
  for (const Json& section : page["sections"])
    for (const Json& row : section["rows"]) {
      const experiments::Result& r = results.at(row["keys"][0].get<std::string>());
      if (!r.ok()) continue;
      for (const auto& [metric, value] : r.metrics) {
        EXPECT_EQ(row["metrics"][metric]["value"].get<double>(), *value);
        ++numbers;
      }
      ASSERT_EQ(row["curve"].size(), r.selection.curve.size());
      for (std::size_t i = 0; i < r.selection.curve.size(); ++i) {
        EXPECT_EQ(row["curve"][i]["score"].get<double>(), r.selection.curve[i].score);
        EXPECT_EQ(row["curve"][i]["parameters"]["C"].get<double>(), r.selection.curve[i].parameters->at("C"));
      }
      EXPECT_EQ(row["seconds"].get<decltype(r.seconds)>(), r.seconds);
      EXPECT_EQ(section["split"]["test"].get<std::size_t>(), r.sizes.test);
    }
  EXPECT_EQ(numbers, 48u);
}

TEST(Html, IsOneFileThatLoadsNothing) {
  const test::ScratchDir dir;
  std::string html = to_html(test::sample_report(dir.path(), 200));
  EXPECT_LT(html.size(), 330'000u);
  const auto library = html.find(page::kLibrary);
  ASSERT_NE(library, std::string::npos);
  html.erase(library, page::kLibrary.size());
  for (const char* reference : {"src=", "http:", "https:", "@import", "url("})
    EXPECT_EQ(html.find(reference), std::string::npos) << reference;
}

// Its addresses are names of XML's languages and of its authors.
TEST(Html, TheLibraryCanNeitherLoadNorEvaluate) {
  for (const char* way : {"XMLHttpRequest", "fetch(", "import(", "eval(", "new Function", "WebSocket", "src="})
    EXPECT_EQ(page::kLibrary.find(way), std::string_view::npos) << way;
  EXPECT_NE(page::kLibrary.find("BSD-3-Clause"), std::string_view::npos);  // its licence goes with it
}

// A hostile name neither ends the data's script element nor begins another.
TEST(Html, NamesCannotBecomeMarkup) {
  const test::ScratchDir dir;
  const std::string html = to_html(test::sample_report(dir.path(), 200));
  std::size_t scripts = 0;
  for (auto at = html.find("<script"); at != std::string::npos; at = html.find("<script", at + 1)) ++scripts;
  EXPECT_EQ(scripts, 2u);
  EXPECT_EQ(page_data(html)["sections"][0]["class_names"][1], test::kHostileClass);
}

TEST(Html, HugeTablesKeepOneBaseline) {
  std::vector<experiments::Result> results;
  for (int i = 0; i < 120; ++i) results.push_back(test::sample_result(fmt::format("b{}", i), 0.5));
  Silent log;
  const Json page = page_json(make_report({{"", results}}, {.baseline = "b7"}, Context{log, {}, 1}));
  EXPECT_EQ(page["backbones"], Json({"b7"}));
  EXPECT_EQ(page["sections"][0]["differences"]["b7"].size(), 120u);
}

TEST(Html, AnEmptyReportIsStillAPage) {
  Silent log;
  EXPECT_NE(to_html(make_report({}, {}, Context{log, {}, 1})).find("</html>"), std::string::npos);
}

}  // namespace
}  // namespace vise::reports

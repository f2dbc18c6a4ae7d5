// Comparison tables for Python: of scores in memory, or of runs on disk; both by make_report(), as the program's are.
#include <fmt/format.h>
#include <pybind11/stl.h>
#include <stdlib.h>
#include <cmath>

#include <set>

#include "base/error.h"
#include "base/version.h"
#include "experiments/scores_file.h"
#include "probes/evaluate.h"
#include "python/arrays.h"
#include "python/bind.h"
#include "python/long_call.h"
#include "reports/compare.h"
#include "reports/report.h"
#include "reports/writers.h"

namespace vise::python {
namespace {

// The folder of scores while a report is made of them.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "vise-eval-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw Error(ErrorKind::system, fmt::format("cannot make a folder {}", name));
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const Path& path() const { return path_; }

 private:
  Path path_;
};

// The forms of one table.
// All forms are made at once, while the report is at hand; the page, which is large, only if it is asked for.
struct Table {
  std::string json, markdown, csv, latex, terminal;
  reports::Report report;

  explicit Table(reports::Report made) : report(std::move(made)) {
    const reports::ComparisonTable& table = report.table;
    json = reports::to_json_text(table);
    markdown = reports::to_markdown(table);
    csv = reports::to_csv(table);
    latex = reports::to_latex(table);
    terminal = reports::to_terminal(table, {});
  }
};

// Names are classes or values in the order of the columns.
datasets::Targets targets_of(const std::string& kind, const py::array& y, const std::vector<std::string>& names) {
  if (kind == "classes") {
    const IntVector classes(y);
    return datasets::Targets::from_classes({classes.data(), classes.data() + classes.size()}, names);
  }
  if (kind == "multi-label") {
    const py::array_t<std::int8_t, py::array::c_style | py::array::forcecast> bits(y);
    return datasets::Targets::from_multi_label({bits.data(), bits.data() + bits.size()}, names);
  }
  const DoubleMatrix rows(y);
  const std::vector<double> values(rows.data(), rows.data() + rows.size());
  return kind == "values" ? datasets::Targets::from_values(values, names)
                          : datasets::Targets::from_distribution(values, names);
}

// Rows are test items, columns classes or values.
probes::Scores scores_of(const DoubleMatrix& array, const std::string& name) {
  check_matrix(array, name);
  return {static_cast<std::size_t>(array.shape(0)),
          static_cast<std::size_t>(array.shape(1)),
          {array.data(), array.data() + array.size()}};
}

// What a table is made of: rows are models, distinguished by name.
struct Question {
  std::string title, metric;
  datasets::Targets targets;
  std::vector<std::string> ids;
  bool logits;
};

// One row of the table as a run would have left it: its metrics now, its scores in a file from which the report
// resamples.
experiments::Result result_of(const std::string& name, const Question& question, probes::Scores scores,
                              const Path& folder) {
  experiments::Result result;
  result.cell.task = question.title;
  result.cell.target = "label";
  result.cell.backbone = name;
  result.cell.probe = "scores";
  result.cell.layer = result.cell.pool = experiments::kGivenLayer;
  // Only tells rows of this table apart; nothing of it is kept.
  result.key = fmt::format("{:016x}", std::hash<std::string>()(name));
  result.primary_metric = question.metric.empty() ? probes::primary_metric(question.targets.kind()) : question.metric;
  result.calibration.scores_are_logits = question.logits;
  result.metrics = probes::evaluate(scores, question.targets, result.calibration);
  // A metric of another kind of target would be an empty column; the error lists those that there are.
  if (!result.metrics.contains(result.primary_metric)) {
    std::string known;
    for (const auto& [metric, value] : result.metrics) known += (known.empty() ? "" : ", ") + metric;
    throw Error(ErrorKind::usage, fmt::format("metric '{}' is none of these scores", result.primary_metric), known);
  }
  result.class_names = question.targets.names();
  result.target_kind = question.targets.kind();
  // The report pairs rows whose splits are the same: these are, all being scores of one y.
  result.split_origin = "given";
  result.split_hash = "given";
  result.sizes.test = question.targets.size();
  result.version = kVersion;
  if (std::string note = probes::absent_classes_note(question.targets); !note.empty())
    result.notes.push_back(std::move(note));
  result.scores_file =
      experiments::write_scores(folder, result.key, {question.ids, question.targets, std::move(scores), {}});
  return result;
}

// The last name is the baseline, as in `vise-eval compare`.
Table table_of_scores(const std::vector<std::string>& names, const std::vector<DoubleMatrix>& arrays,
                      const py::array& y, const std::string& kind, const std::vector<std::string>& classes,
                      const std::vector<std::string>& ids, const py::dict& settings, const py::object& progress,
                      int threads) {
  const Question question{settings["title"].cast<std::string>(), settings["metric"].cast<std::string>(),
                          targets_of(kind, y, classes), ids, settings["logits"].cast<bool>()};
  reports::CompareOptions options{.baseline = names.size() > 1 ? names.back() : ""};
  options.level = settings["level"].cast<double>();
  options.alpha = std::round(1e12 * (1 - options.level)) / 1e12;  // 0.05, not 0.050000000000000044
  options.resamples = settings["resamples"].cast<int>();
  // Rows are distinguished by their names alone.
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size())
    throw Error(ErrorKind::usage, "two rows of the table have one name");
  std::vector<probes::Scores> scores;
  for (std::size_t i = 0; i < names.size(); ++i) scores.push_back(scores_of(arrays[i], names[i]));
  std::optional<reports::Report> report;
  LongCall(progress, threads).run([&](const Context& context) {
    // Reports read scores from files, as a run's; these files end with the call.
    const ScratchFolder folder;
    std::vector<experiments::Result> results;
    for (std::size_t i = 0; i < names.size(); ++i)
      results.push_back(result_of(names[i], question, std::move(scores[i]), folder.path()));
    report = reports::make_report({{folder.path(), std::move(results)}}, options, context);
  });
  return Table(std::move(*report));
}

// Reads what runs left on disk; nothing is computed but the statistics.
Table table_of_runs(const std::vector<std::string>& folders, const std::string& baseline, const py::object& progress,
                    int threads) {
  std::optional<reports::Report> report;
  LongCall(progress, threads).run([&](const Context& context) {
    std::vector<reports::RunFolder> runs;
    for (const std::string& folder : folders) runs.push_back(reports::read_run(folder));
    report = reports::make_report(std::move(runs), {.baseline = baseline}, context);
  });
  return Table(std::move(*report));
}

}  // namespace

void bind_tables(py::module_& core) {
  py::class_<Table>(core, "TableForms")
      .def_readonly("json", &Table::json)
      .def_readonly("markdown", &Table::markdown)
      .def_readonly("csv", &Table::csv)
      .def_readonly("latex", &Table::latex)
      .def_readonly("terminal", &Table::terminal)
      .def("page", [](const Table& table) { return reports::to_html(table.report); });
  core.def("table_of_scores", &table_of_scores);
  core.def("table_of_runs", &table_of_runs);
}

}  // namespace vise::python

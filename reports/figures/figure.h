// A report's figures as values: what SVG, pgfplots and CSV draw and list.
//
//   for (const Figure& figure : figures_of(report)) write_file_atomically(folder / (figure.name + ".svg"),
//   to_svg(figure));
//
// Numbers are as they are shown: percent where a metric is, seconds, training images. Names are whole; what draws them
// shortens them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/metric_names.h"
#include "reports/report.h"

namespace vise::reports {

enum class FigureKind {
  dots,    // a row a point of the one series, named by the point; x with its interval, y its place
  lines,   // a line and a mark a series; y with its interval
  stacks,  // a row a name of `rows`, a length a series and row
  matrix,  // rows x rows counts, true class first, shaded by share of the row
  ranks    // names hang from their places x along one line, 1 at the left; bars join `groups` of the one series' points
};

struct FigurePoint {
  double x = 0, y = 0;
  std::optional<Interval> interval = {};
  std::string name = {};
  bool marked = false;  // the chosen hyper-parameter, the baseline
};

struct FigureSeries {
  std::string name;
  std::vector<FigurePoint> points;
};

struct Figure {
  std::string name = {};   // of its files, without ending: letters, digits and dashes
  std::string title = {};  // "omi300/happy: accuracy on test"
  FigureKind kind = FigureKind::dots;
  std::string x_title = {}, y_title = {};
  bool log_x = false;
  bool diagonal = false;  // of lines: y = x is drawn, both from 0 to 100
  std::vector<std::string> rows = {};
  std::vector<FigureSeries> series = {};
  std::vector<double> counts = {};                    // of a matrix
  bool bands = false;                                 // of lines: intervals are drawn as bands
  std::vector<std::string> x_names = {};              // of lines: of x = 0, 1, 2 ..., in place of numbers
  std::vector<std::vector<std::size_t>> groups = {};  // of ranks: points, from the left
};

// Of the verdict: ranks, label efficiency and layers of the mean over tasks. Of every section: values, a sweep a
// parameter, label efficiency, layers, cost, reliability, agreement, and a confusion matrix a row of at most 40
// classes.
std::vector<Figure> figures_of(const Report& report);

// Those of the verdict and of its curves, titled and not yet named.
std::vector<Figure> verdict_figures(const Verdict& verdict);

// Lines or rows of a figure, at most.
inline constexpr std::size_t kMostLines = 8;

// "accuracy in %"
std::string axis_title(const MetricName& metric);
// A metric's value or interval as figures have it, percent where it is one.
double shown_value(const MetricName& metric, double value);
std::optional<Interval> shown_interval(const MetricName& metric, const std::optional<Interval>& interval);

std::string to_svg(const Figure& figure);
// A tikzpicture as wide as a column; needs \usepackage{pgfplots}.
std::string to_pgfplots(const Figure& figure);
std::string figure_csv(const Figure& figure);

// The three of each figure. Returns how many figures there are.
std::size_t write_figures(const Report& report, const Path& folder);

// Round numbers, about `most` of them, the first at or below `low` and the last at or above `high`.
std::vector<double> round_ticks(double low, double high, int most);

}  // namespace vise::reports

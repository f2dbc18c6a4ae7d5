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

#include "reports/report.h"

namespace vise {

enum class FigureKind {
  dots,    // a row a point of the one series, named by the point; x with its interval, y its place
  lines,   // a line and a mark a series; y with its interval
  stacks,  // a row a name of `rows`, a length a series and row
  matrix   // rows x rows counts, true class first, shaded by share of the row
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
  std::vector<double> counts = {};  // of a matrix
};

// Of every section: values, a sweep a parameter, label efficiency, cost, reliability, agreement, and a confusion matrix
// a row of at most 40 classes.
std::vector<Figure> figures_of(const Report& report);

std::string to_svg(const Figure& figure);
// A tikzpicture as wide as a column; needs \usepackage{pgfplots}.
std::string to_pgfplots(const Figure& figure);
std::string figure_csv(const Figure& figure);

// The three of each figure. Returns how many figures there are.
std::size_t write_figures(const Report& report, const Path& folder);

// Round numbers, about `most` of them, the first at or below `low` and the last at or above `high`.
std::vector<double> round_ticks(double low, double high, int most);

}  // namespace vise

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/csv.h"
#include "base/file.h"
#include "base/text.h"
#include "reports/figures/figure.h"

namespace vise::reports {
namespace {

// An end of an interval; empty where there is none.
std::string end_text(const std::optional<Interval>& interval, bool high) {
  return interval ? number(high ? interval->high : interval->low) : "";
}

// A line a cell of the matrix: long form, which plotting programs and spreadsheets group as they like.
std::string matrix_csv(const Figure& figure) {
  std::string text = csv_line(std::vector<std::string>{"true", "predicted", "images"});
  const std::size_t k = figure.rows.size();
  for (std::size_t i = 0; i < figure.counts.size(); ++i)
    text += csv_line(std::vector<std::string>{figure.rows[i / k], figure.rows[i % k], number(figure.counts[i])});
  return text;
}

// A line a bar's part; `y` of a point is its place among the rows.
std::string stacks_csv(const Figure& figure) {
  std::string text = csv_line(std::vector<std::string>{"row", "part", "seconds"});
  for (const FigureSeries& series : figure.series)
    for (const FigurePoint& p : series.points)
      text += csv_line(std::vector<std::string>{figure.rows[static_cast<std::size_t>(p.y)], series.name, number(p.x)});
  return text;
}

// "a", "ab": rows that share a letter are those that a bar joins.
std::string letters_of(const Figure& figure, std::size_t point) {
  std::string letters;
  for (std::size_t g = 0; g < figure.groups.size(); ++g)
    if (std::ranges::count(figure.groups[g], point) > 0) letters += static_cast<char>('a' + g % 26);
  return letters;
}

std::string ranks_csv(const Figure& figure) {
  std::string text = csv_line(std::vector<std::string>{"row", figure.x_title, "low", "high", "joined"});
  for (std::size_t i = 0; i < figure.series.front().points.size(); ++i) {
    const FigurePoint& p = figure.series.front().points[i];
    text += csv_line(std::vector<std::string>{p.name, number(p.x), end_text(p.interval, false),
                                              end_text(p.interval, true), letters_of(figure, i)});
  }
  return text;
}

std::string x_text(const Figure& figure, double x) {
  return figure.x_names.empty() ? number(x) : figure.x_names[static_cast<std::size_t>(x)];
}

}  // namespace

std::string figure_csv(const Figure& figure) {
  if (figure.kind == FigureKind::matrix) return matrix_csv(figure);
  if (figure.kind == FigureKind::stacks) return stacks_csv(figure);
  if (figure.kind == FigureKind::ranks) return ranks_csv(figure);
  const bool dots = figure.kind == FigureKind::dots;
  std::vector<std::string> head{"row", figure.x_title};
  if (!dots) head.push_back(figure.y_title);
  head.insert(head.end(), {"low", "high"});
  std::string text = csv_line(head);
  for (const FigureSeries& series : figure.series)
    for (const FigurePoint& p : series.points) {
      std::vector<std::string> cells{dots ? p.name : series.name, x_text(figure, p.x)};
      if (!dots) cells.push_back(number(p.y));
      cells.insert(cells.end(), {end_text(p.interval, false), end_text(p.interval, true)});
      text += csv_line(cells);
    }
  return text;
}

std::size_t write_figures(const Report& report, const Path& folder) {
  std::filesystem::create_directories(folder);
  const std::vector<Figure> figures = figures_of(report);
  for (const Figure& figure : figures) {
    write_file_atomically(folder / (figure.name + ".svg"), to_svg(figure));
    write_file_atomically(folder / (figure.name + ".tex"), to_pgfplots(figure));
    write_file_atomically(folder / (figure.name + ".csv"), figure_csv(figure));
  }
  return figures.size();
}

// Steps of 1, 2 or 5 times a power of ten (Heckbert 1990, Graphics Gems: nice numbers for graph labels).
std::vector<double> round_ticks(double low, double high, int most) {
  // A single value gets a range about it.
  if (!(high > low)) low -= 1, high += 1;
  const double raw = (high - low) / std::max(1, most - 1), power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * power >= raw * 0.999) step = factor * power;
  // The first tick is at or below `low`, the last at or above `high`; the tolerances absorb ends such as 0.3 = 3 x
  // 0.1.
  std::vector<double> ticks;
  for (double i = std::floor(low / step + 1e-9); (i - 1) * step < high - 1e-9 * step; ++i) ticks.push_back(i * step);
  return ticks;
}

}  // namespace vise::reports

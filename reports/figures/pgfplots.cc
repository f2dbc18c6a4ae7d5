// pgfplots for a column of a paper: the look of booktabs' tables, small type, no frame, data inside the file.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "reports/escape.h"
#include "reports/figures/figure.h"
#include "reports/shorten.h"

namespace vise::reports {
namespace {

constexpr std::size_t kLongestName = 20;  // two of a legend are side by side in a column

// Written into every file, so that it needs no preamble but the package; the same hues as svg.cc's.
constexpr const char* kColours =
    "  \\definecolor{viseA}{HTML}{2F6FB5}\\definecolor{viseB}{HTML}{D1702A}\\definecolor{viseC}{HTML}{3D8F5F}%\n"
    "  \\definecolor{viseD}{HTML}{B34A6B}\\definecolor{viseE}{HTML}{7A5FB0}\\definecolor{viseF}{HTML}{8A6D3B}%\n"
    "  \\definecolor{viseG}{HTML}{3C8F9C}\\definecolor{viseH}{HTML}{6B6F76}%\n";

// Eight colours, then from the first again: kMostLines is eight, so lines of one figure all differ.
std::string colour(std::size_t i) { return fmt::format("vise{}", static_cast<char>('A' + i % 8)); }

std::string mark(std::size_t i) {
  static constexpr const char* kMarks[] = {"*", "square*", "triangle*", "diamond*", "x", "+", "o", "square"};
  return kMarks[i % 8];
}

// Three dots in a list would be taken for one of pgf's that continues by itself.
std::string name_text(const std::string& name) {
  std::string text = latex_text(shortened(name, kLongestName));
  for (std::size_t at = 0; (at = text.find("...", at)) != std::string::npos;) text.replace(at, 3, "\\ldots{}");
  return text;
}

std::string names_text(const std::vector<std::string>& names) {
  std::vector<std::string> texts;
  for (const std::string& name : names) texts.push_back(fmt::format("{{{}}}", name_text(name)));
  return join(texts, ",");
}

// "0,1,2": places of ticks that have names.
std::string range_text(std::size_t count) {
  std::vector<std::string> places;
  for (std::size_t i = 0; i < count; ++i) places.push_back(std::to_string(i));
  return join(places, ",");
}

// Of the axes of every kind. Lines at bottom and left alone, as the rules of booktabs.
std::string common(const Figure& figure) {
  return fmt::format(
      "    font=\\footnotesize, axis lines*=left, tick align=outside, tick pos=lower,\n"
      "    major tick length=2pt, axis line style={{line width=0.4pt}}, xlabel={{{}}}, ylabel={{{}}},\n"
      "    legend columns=2, legend cell align=left,\n"
      "    legend style={{draw=none, at={{(0.5,0)}}, yshift=-1.05cm, anchor=north, font=\\scriptsize}},\n",
      latex_text(figure.x_title), latex_text(figure.y_title));
}

// An axis whose rows have names, the first on top; 0.42 cm a row, whatever their number.
std::string row_axis(const std::vector<std::string>& names) {
  return fmt::format(
      "    scale only axis, width=0.5\\columnwidth, height={:.1f}cm, y dir=reverse, ymin=-0.6, ymax={:.1f}, "
      "ytick={{{}}}, yticklabels={{{}}},\n"
      "    xmajorgrids, grid style={{black!10}}, y axis line style={{draw=none}}, ytick style={{draw=none}},\n",
      0.2 + 0.42 * static_cast<double>(names.size()), static_cast<double>(names.size()) - 0.4, range_text(names.size()),
      names_text(names));
}

// Absolute distances, as pgfplots wants them. They are cut at 0, as an interval of a skewed law may not hold the
// value.
std::string error_text(const FigurePoint& p, double value, bool along_x) {
  const double up = p.interval ? std::max(0.0, p.interval->high - value) : 0;
  const double down = p.interval ? std::max(0.0, value - p.interval->low) : 0;
  return along_x ? fmt::format(" += ({},0) -= ({},0)", number(up), number(down))
                 : fmt::format(" += (0,{}) -= (0,{})", number(up), number(down));
}

// One plot a point: pgfplots has one mark and colour a plot, and the baseline's differ.
std::string dots(const Figure& figure) {
  const std::vector<FigurePoint>& points = figure.series.front().points;
  std::vector<std::string> names;
  for (const FigurePoint& p : points) names.push_back(p.name);
  std::string text = fmt::format("  \\begin{{axis}}[\n{}{}  ]\n", common(figure), row_axis(names));
  for (const FigurePoint& p : points)
    text += fmt::format(
        "    \\addplot[only marks, {0}, mark={1}, mark size=1.8pt, error bars/.cd, x dir=both, x explicit]\n"
        "      coordinates {{({2},{3}){4}}};\n",
        colour(p.marked ? 7 : 0), mark(p.marked ? 1 : 0), number(p.x), number(p.y), error_text(p, p.x, true));
  return text + "  \\end{axis}\n";
}

// Along the intervals' high ends, and back along the low ones.
std::string band(const std::vector<FigurePoint>& points, const std::string& fill) {
  std::string there, back;
  for (const FigurePoint& p : points) {
    if (!p.interval) continue;
    there += fmt::format(" ({},{})", number(p.x), number(p.interval->high));
    back.insert(0, fmt::format(" ({},{})", number(p.x), number(p.interval->low)));
  }
  if (there.empty()) return "";
  return fmt::format(
      "    \\addplot[draw=none, fill={}, fill opacity=0.14, forget plot] coordinates {{{}{} }} -- cycle;\n", fill,
      there, back);
}

// Names in place of 0, 1, 2 ... below lines; the legend makes room for them.
std::string names_below(const std::vector<std::string>& names) {
  if (names.empty()) return "";
  return fmt::format(
      " xtick={{{}}}, xticklabels={{{}}}, x tick label style={{rotate=45, anchor=north east, font=\\scriptsize}},\n"
      "    legend style={{yshift=-0.7cm}}, xlabel style={{yshift=-2pt}},",
      range_text(names.size()), names_text(names));
}

std::string lines(const Figure& figure) {
  std::string text = fmt::format(
      "  \\begin{{axis}}[\n{}    width=0.94\\columnwidth, height=5.6cm, ymajorgrids, grid style={{black!10}},{}{}{}\n  "
      "]\n",
      common(figure), figure.log_x ? " xmode=log," : "",
      figure.diagonal ? " xmin=0, xmax=100, ymin=0, ymax=100," : " enlargelimits=0.06,", names_below(figure.x_names));
  for (std::size_t i = 0; i < figure.series.size() && figure.bands; ++i)
    text += band(figure.series[i].points, colour(i));
  for (std::size_t i = 0; i < figure.series.size(); ++i) {
    text += fmt::format(
        "    \\addplot[{0}, mark={1}, mark size=1.5pt, line width=0.7pt, error bars/.cd, y dir=both, y explicit]\n"
        "      coordinates {{",
        colour(i), mark(i));
    for (const FigurePoint& p : figure.series[i].points)
      text += fmt::format(" ({},{}){}", number(p.x), number(p.y), figure.bands ? "" : error_text(p, p.y, false));
    text += fmt::format(" }};\n    \\addlegendentry{{{}}}\n", name_text(figure.series[i].name));
  }
  if (figure.diagonal) text += "    \\addplot[black!50, dashed, forget plot] coordinates {(0,0) (100,100)};\n";
  return text + "  \\end{axis}\n";
}

std::string stacks(const Figure& figure) {
  std::string text = fmt::format("  \\begin{{axis}}[\n{}{}    xbar stacked, bar width=6pt, xmin=0,\n  ]\n",
                                 common(figure), row_axis(figure.rows));
  for (std::size_t i = 0; i < figure.series.size(); ++i) {
    std::vector<double> lengths(figure.rows.size());
    for (const FigurePoint& p : figure.series[i].points) lengths[static_cast<std::size_t>(p.y)] += p.x;
    text += fmt::format("    \\addplot[draw=none, fill={}] coordinates {{", colour(i));
    for (std::size_t r = 0; r < lengths.size(); ++r) text += fmt::format(" ({},{})", number(lengths[r]), r);
    text += fmt::format(" }};\n    \\addlegendentry{{{}}}\n", name_text(figure.series[i].name));
  }
  return text + "  \\end{axis}\n";
}

// Cells are drawn one by one: a matrix plot would shade by its own largest cell, not by the share of the true class.
std::string matrix(const Figure& figure) {
  const std::size_t k = figure.rows.size();
  std::string text = fmt::format(
      "  \\begin{{axis}}[\n{0}    scale only axis, width=0.45\\columnwidth, axis equal image, axis line "
      "style={{draw=none}}, tick style={{draw=none}}, xmin=-0.5,\n"
      "    xmax={1}.5, ymin=-0.5, ymax={1}.5, y dir=reverse, xtick={{{2}}}, ytick={{{2}}}, xticklabels={{{3}}},\n"
      "    yticklabels={{{3}}}, x tick label style={{rotate=45, anchor=east}},\n  ]\n",
      common(figure), k - 1, range_text(k), names_text(figure.rows));
  for (std::size_t i = 0; i < k; ++i) {
    double total = 0;
    for (std::size_t j = 0; j < k; ++j) total += figure.counts[i * k + j];
    for (std::size_t j = 0; j < k; ++j) {
      const double count = figure.counts[i * k + j], share = total > 0 ? count / total : 0;
      text += fmt::format("    \\fill[viseA!{0:.0f}] (axis cs:{1:.2f},{2:.2f}) rectangle (axis cs:{3:.2f},{4:.2f});\n",
                          6 + 84 * share, static_cast<double>(j) - 0.48, static_cast<double>(i) - 0.48,
                          static_cast<double>(j) + 0.48, static_cast<double>(i) + 0.48);
      if (k <= 12)
        text += fmt::format("    \\node[font=\\scriptsize{0}] at (axis cs:{1},{2}) {{{3}}};\n",
                            share > 0.7 ? ", text=white" : "", j, i, number(count));
    }
  }
  return text + "  \\end{axis}\n";
}

// Demsar's diagram, in centimetres: the better half of the names on the left, each hanging from its rank; bars join
// what can't be told apart.
std::string ranks(const Figure& figure) {
  constexpr double kRow = 0.36, kBar = 0.16;
  constexpr std::size_t kShort = 16;
  const std::vector<FigurePoint>& points = figure.series.front().points;
  const std::size_t count = points.size(), half = (count + 1) / 2;
  const double below = 0.2 + kBar * static_cast<double>(figure.groups.size());
  std::string text = fmt::format(
      "  \\begin{{axis}}[\n"
      "    font=\\scriptsize, scale only axis, clip=false, width=0.3\\columnwidth, height={0:.2f}cm,\n"
      "    axis x line*=top, axis y line=none, xmin=1, xmax={1}, ymin=-{0:.2f}, ymax=0, xtick={{1,...,{1}}},\n"
      "    tick align=outside, major tick length=2pt, xlabel={{{2}}},\n"
      "    x label style={{at={{(0.5,1)}}, yshift=14pt}},\n  ]\n",
      below + kRow * static_cast<double>(half), count, latex_text(figure.x_title));
  for (std::size_t i = 0; i < count; ++i) {
    const bool on_left = i < half;
    const double depth = below + kRow * (static_cast<double>(on_left ? i : count - 1 - i) + 0.4);
    text += fmt::format(
        "    \\draw[black!60] (axis cs:{0},0) |- (axis cs:{1},-{2:.3f}) node[{3}, black] {{{4}}};\n"
        "    \\addplot[only marks, viseA, mark={5}, mark size=1.6pt] coordinates {{({0},0)}};\n",
        number(points[i].x), on_left ? 1 : count, depth, on_left ? "left" : "right",
        name_text(shortened(points[i].name, kShort)), mark(points[i].marked ? 1 : 0));
  }
  for (std::size_t g = 0; g < figure.groups.size(); ++g)
    text += fmt::format("    \\draw[line width=1.6pt] (axis cs:{0},-{2:.3f}) -- (axis cs:{1},-{2:.3f});\n",
                        number(points[figure.groups[g].front()].x), number(points[figure.groups[g].back()].x),
                        0.14 + kBar * static_cast<double>(g));
  return text + "  \\end{axis}\n";
}

}  // namespace

std::string to_pgfplots(const Figure& figure) {
  const std::string body = figure.kind == FigureKind::dots     ? dots(figure)
                           : figure.kind == FigureKind::lines  ? lines(figure)
                           : figure.kind == FigureKind::stacks ? stacks(figure)
                           : figure.kind == FigureKind::ranks  ? ranks(figure)
                                                               : matrix(figure);
  return fmt::format(
      "% {}\n% needs \\usepackage{{pgfplots}}\\pgfplotsset{{compat=1.17}}; then \\input this file in a figure\n"
      "\\begin{{tikzpicture}}\n{}{}\\end{{tikzpicture}}%\n",
      latex_text(figure.title), kColours, body);
}

}  // namespace vise::reports

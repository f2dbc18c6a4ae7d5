// SVG in the colours of paper, without scripts, styles or fonts of its own.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "reports/escape.h"
#include "reports/figures/figure.h"
#include "reports/layout.h"
#include "reports/shorten.h"

namespace vise::reports {
namespace {

constexpr double kWidth = 520, kLetter = 6.4;  // a letter of 12 px type is about so wide
constexpr std::size_t kLongestName = 28, kLongestTap = 16;
constexpr const char *kInk = "#1d1f23", *kMuted = "#5c616a", *kGrid = "#e2e3e6";
constexpr const char* kColours[] = {"#2f6fb5", "#d1702a", "#3d8f5f", "#b34a6b",
                                    "#7a5fb0", "#8a6d3b", "#3c8f9c", "#6b6f76"};

std::string colour(std::size_t i) { return kColours[i % 8]; }

// One decimal of a pixel: enough for the eye, and the same text whatever the last bits of a sum are.
std::string line(double x1, double y1, double x2, double y2, const std::string& stroke, double width = 1) {
  return fmt::format("<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\" stroke=\"{}\" stroke-width=\"{}\"/>\n", x1, y1, x2, y2,
                     stroke, width);
}

std::string label(double x, double y, std::string_view text, const char* anchor, const char* fill = kInk) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" fill=\"{}\">{}</text>\n", x, y, anchor, fill,
                     markup_text(text));
}

std::string box(double x, double y, double width, double height, const std::string& fill, double opacity = 1) {
  return fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" fill-opacity=\"{:.3f}\"/>\n", x,
      y, width, height, fill, opacity);
}

// A shape a series, so that colour isn't all that tells them apart.
std::string mark(std::size_t i, double x, double y) {
  static constexpr const char* kShapes[] = {"M-4 0A4 4 0 1 1 4 0A4 4 0 1 1 -4 0Z",
                                            "M-3.5 -3.5H3.5V3.5H-3.5Z",
                                            "M0 -4.6L4.2 3.2H-4.2Z",
                                            "M0 -5L4 0L0 5L-4 0Z",
                                            "M-1.4 -4.4H1.4V-1.4H4.4V1.4H1.4V4.4H-1.4V1.4H-4.4V-1.4H-1.4Z",
                                            "M0 4.6L-4.2 -3.2H4.2Z",
                                            "M-4.6 -2L0 -4.6L4.6 -2L2.8 4H-2.8Z",
                                            "M-4.6 -2.4H4.6V2.4H-4.6Z"};
  return fmt::format("<path d=\"{}\" transform=\"translate({:.1f},{:.1f})\" fill=\"{}\"/>\n", kShapes[i % 8], x, y,
                     colour(i));
}

double text_width(std::string_view text) { return kLetter * static_cast<double>(display_width(text)); }

std::string tick_text(double value) {
  // Four digits tell neighbouring ticks apart; round_ticks() gives round numbers.
  return std::fabs(value) >= 1e5 || (value != 0 && std::fabs(value) < 1e-3) ? fmt::format("{:.0e}", value)
                                                                            : fmt::format("{:.4g}", value);
}

// Where a value lies between two ends, along pixels.
struct Scale {
  double low, high, from, to;
  bool log = false;
  double operator()(double value) const {
    const double at = log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return from + at * (to - from);
  }
};

// The outer element. `title` is what screen readers and pointers say of the whole.
std::string document(const Figure& figure, double height, const std::string& body) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "role=\"img\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"none\">\n<title>{2}</title>\n"
      "{3}</svg>\n",
      kWidth, height, markup_text(figure.title), body);
}

// Names with their marks in as many lines as they need; `y` moves below them.
std::string legend(const std::vector<FigureSeries>& series, double left, double& y, bool bars) {
  std::string text;
  double x = left;
  y += 14;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const std::string name = shortened(series[i].name, kLongestName);
    const double room = text_width(name) + 34;
    // A name that is wider than the drawing still gets a line of its own.
    if (x > left && x + room > kWidth) x = left, y += 18;
    text += bars ? box(x, y - 9, 12, 10, colour(i)) : mark(i, x + 6, y - 4);
    text += label(x + 18, y, name, "start");
    x += room;
  }
  y += 10;
  return text;
}

// Vertical lines of the grid with their numbers.
std::string ticks_below(const Scale& x, const std::vector<double>& ticks, double top, double bottom) {
  std::string text;
  for (const double tick : ticks)
    text += line(x(tick), top, x(tick), bottom, kGrid) + label(x(tick), bottom + 16, tick_text(tick), "middle", kMuted);
  return text;
}

// Pixels that the longest of the names takes at the left, gap included.
double name_room(const std::vector<std::string>& names) {
  double room = 40;
  for (const std::string& name : names) room = std::max(room, text_width(shortened(name, kLongestName)) + 12);
  return room;
}

// Rows of dots with intervals, the baseline as a square with a line through all rows.
std::string dots(const Figure& figure) {
  const std::vector<FigurePoint>& points = figure.series.front().points;
  std::vector<std::string> names;
  double low = INFINITY, high = -INFINITY;
  for (const FigurePoint& p : points) {
    names.push_back(p.name);
    low = std::min({low, p.x, p.interval ? p.interval->low : p.x});
    high = std::max({high, p.x, p.interval ? p.interval->high : p.x});
  }
  const std::vector<double> ticks = round_ticks(low, high, 6);
  const double left = name_room(names), step = 24, bottom = step * static_cast<double>(points.size()) + 6;
  const Scale x{ticks.front(), ticks.back(), left, kWidth - 20};
  std::string text = ticks_below(x, ticks, 0, bottom);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const FigurePoint& p = points[i];
    const double y = step * static_cast<double>(i) + step / 2 + 3;
    if (p.marked) text += line(x(p.x), 0, x(p.x), bottom, kMuted, 0.6);
    text += label(left - 8, y + 4, shortened(p.name, kLongestName), "end");
    if (p.interval) text += line(x(p.interval->low), y, x(p.interval->high), y, colour(p.marked ? 7 : 0), 1.6);
    text += p.marked ? box(x(p.x) - 4, y - 4, 8, 8, colour(7)) : mark(0, x(p.x), y);
  }
  return document(figure, bottom + 44,
                  text + label((left + kWidth) / 2, bottom + 36, figure.x_title, "middle", kMuted));
}

// The powers of ten within a range, the ticks of a logarithmic axis.
std::vector<double> powers_of_ten(double low, double high) {
  std::vector<double> ticks;
  // The tolerance is for ends such as 0.001, whose logarithm isn't exactly -3.
  for (double e = std::ceil(std::log10(low) - 1e-9); e <= std::log10(high) + 1e-9; ++e)
    ticks.push_back(std::pow(10, e));
  return ticks;
}

// Names below a drawing of lines, aslant where they are wider than their places. `bottom` moves below them.
std::string names_below(const Scale& x, const std::vector<std::string>& names, double& bottom) {
  const double place = names.size() > 1 ? x(1) - x(0) : kWidth;
  double widest = 0;
  for (const std::string& name : names) widest = std::max(widest, text_width(shortened(name, kLongestTap)));
  const bool aslant = widest > place - 6;
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = shortened(names[i], kLongestTap);
    const double at = x(static_cast<double>(i));
    text += aslant ? fmt::format(
                         "<text transform=\"translate({:.1f},{:.1f}) rotate(-40)\" text-anchor=\"end\" "
                         "fill=\"{}\">{}</text>\n",
                         at + 4, bottom + 14, kMuted, markup_text(name))
                   : label(at, bottom + 16, name, "middle", kMuted);
  }
  if (aslant) bottom += 0.65 * widest;
  return text;
}

// From point to point along the intervals' high ends, and back along the low ones.
std::string band(const std::vector<FigurePoint>& points, const Scale& x, const Scale& y, const std::string& fill) {
  std::string there, back;
  for (const FigurePoint& p : points) {
    if (!p.interval) continue;
    there += fmt::format("{}{:.1f} {:.1f}", there.empty() ? "M" : "L", x(p.x), y(p.interval->high));
    back.insert(0, fmt::format("L{:.1f} {:.1f}", x(p.x), y(p.interval->low)));
  }
  if (there.empty()) return "";
  return fmt::format("<path d=\"{}{}Z\" fill=\"{}\" fill-opacity=\"0.14\"/>\n", there, back, fill);
}

std::string lines(const Figure& figure) {
  double low = INFINITY, high = -INFINITY, first = INFINITY, last = -INFINITY;
  for (const FigureSeries& series : figure.series)
    for (const FigurePoint& p : series.points) {
      first = std::min(first, p.x), last = std::max(last, p.x);
      low = std::min({low, p.y, p.interval ? p.interval->low : p.y});
      high = std::max({high, p.y, p.interval ? p.interval->high : p.y});
    }
  // Reliability is read as the distance from the diagonal, so both axes span the same
  // range whatever the data.
  if (figure.diagonal) low = first = 0, high = last = 100;
  // One point only: a range of no width can't be scaled.
  if (!(last > first)) first /= 2, last *= 2;
  const double left = 48, right = kWidth - 16, top = 8;
  double bottom = 216;
  const std::vector<double> y_ticks = round_ticks(low, high, 5);
  const Scale x{first, last, left + 14, right - 14, figure.log_x}, y{y_ticks.front(), y_ticks.back(), bottom, top};
  std::vector<double> x_ticks = figure.log_x ? powers_of_ten(first, last) : round_ticks(first, last, 6);
  if (figure.log_x && x_ticks.size() < 2) x_ticks = {first, last};
  std::erase_if(x_ticks, [&](double t) { return t < first * (1 - 1e-9) || t > last * (1 + 1e-9); });
  std::string text = figure.x_names.empty() ? ticks_below(x, x_ticks, bottom, bottom + 4) : "";
  for (const double tick : y_ticks)
    text += line(left, y(tick), right, y(tick), kGrid) + label(left - 6, y(tick) + 4, tick_text(tick), "end", kMuted);
  if (figure.diagonal) text += line(x(0), y(0), x(100), y(100), kMuted, 0.6);
  // Bands before lines: a later band must not cover an earlier line.
  for (std::size_t i = 0; i < figure.series.size() && figure.bands; ++i)
    text += band(figure.series[i].points, x, y, colour(i));
  for (std::size_t i = 0; i < figure.series.size(); ++i) {
    std::string way;
    for (const FigurePoint& p : figure.series[i].points)
      way += fmt::format("{}{:.1f} {:.1f}", way.empty() ? "M" : "L", x(p.x), y(p.y));
    text += fmt::format("<path d=\"{}\" stroke=\"{}\" stroke-width=\"1.6\"/>\n", way, colour(i));
    for (const FigurePoint& p : figure.series[i].points) {
      if (p.interval && !figure.bands) text += line(x(p.x), y(p.interval->low), x(p.x), y(p.interval->high), colour(i));
      if (p.marked)
        text += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"7\" stroke=\"{}\"/>\n", x(p.x), y(p.y), colour(i));
      text += mark(i, x(p.x), y(p.y));
    }
  }
  const double middle = (top + bottom) / 2;
  if (!figure.x_names.empty()) text += names_below(x, figure.x_names, bottom);
  text += label((left + right) / 2, bottom + 34, figure.x_title, "middle", kMuted);
  text +=
      fmt::format("<text transform=\"translate(12,{:.1f}) rotate(-90)\" text-anchor=\"middle\" fill=\"{}\">{}</text>\n",
                  middle, kMuted, markup_text(figure.y_title));
  double height = bottom + 42;
  text += legend(figure.series, left, height, false);
  return document(figure, height, text);
}

// Horizontal bars: each part begins where the row's last one ended.
std::string stacks(const Figure& figure) {
  std::vector<double> ends(figure.rows.size());
  for (const FigureSeries& series : figure.series)
    for (const FigurePoint& p : series.points) ends[static_cast<std::size_t>(p.y)] += p.x;
  const std::vector<double> ticks = round_ticks(0, std::max(1e-9, std::ranges::max(ends)), 6);
  const double left = name_room(figure.rows), step = 22, bottom = step * static_cast<double>(ends.size()) + 4;
  const Scale x{0, ticks.back(), left, kWidth - 20};
  std::string text = ticks_below(x, ticks, 0, bottom);
  std::ranges::fill(ends, 0);
  for (std::size_t i = 0; i < figure.series.size(); ++i)
    for (const FigurePoint& p : figure.series[i].points) {
      double& end = ends[static_cast<std::size_t>(p.y)];
      // Stages of no visible width are still drawn, so that the legend's colours can all be found.
      text += box(x(end), step * p.y + 5, std::max(0.4, x(end + p.x) - x(end)), 14, colour(i));
      end += p.x;
    }
  for (std::size_t r = 0; r < ends.size(); ++r)
    text += label(left - 8, step * static_cast<double>(r) + 16, shortened(figure.rows[r], kLongestName), "end");
  text += label((left + kWidth) / 2, bottom + 34, figure.x_title, "middle", kMuted);
  double height = bottom + 42;
  text += legend(figure.series, left, height, true);
  return document(figure, height, text);
}

// Names at the left and, aslant, below; the cells shrink with the number of classes.
std::string matrix(const Figure& figure) {
  const std::size_t k = figure.rows.size();
  const double left = name_room(figure.rows), top = 24,
               size = std::min(56.0, (kWidth - left - 90) / static_cast<double>(k));
  std::string text =
      label(left, 14, figure.x_title + " \xE2\x86\x92, " + figure.y_title + " \xE2\x86\x93", "start", kMuted);
  const double bottom = top + size * static_cast<double>(k);
  for (std::size_t i = 0; i < k; ++i) {
    double total = 0;
    for (std::size_t j = 0; j < k; ++j) total += figure.counts[i * k + j];
    const double y = top + size * static_cast<double>(i), middle = left + size * (static_cast<double>(i) + 0.5);
    const std::string name = shortened(figure.rows[i], kLongestName);
    text += label(left - 6, y + size / 2 + 4, name, "end");
    text += fmt::format("<text transform=\"translate({:.1f},{:.1f}) rotate(35)\" fill=\"{}\">{}</text>\n", middle - 4,
                        bottom + 14, kInk, markup_text(name));
    for (std::size_t j = 0; j < k; ++j) {
      // Shaded by the share of the true class, so that a rare class's confusions are as
      // visible as a frequent one's.
      const double count = figure.counts[i * k + j], share = total > 0 ? count / total : 0,
                   x = left + size * static_cast<double>(j);
      text += box(x, y, size - 2, size - 2, kColours[0], 0.06 + 0.84 * share);
      // Smaller cells have no room for a number.
      if (size >= 22)
        text +=
            label(x + size / 2 - 1, y + size / 2 + 4, number(count), "middle", share > 0.85 ? "#ffffff" : "#000000");
    }
  }
  return document(figure, bottom + 24 + 0.58 * name_room(figure.rows), text);
}

// Demsar's diagram: the better half of the names on the left, each hanging from its rank; bars join what can't be told
// apart.
std::string ranks(const Figure& figure) {
  const std::vector<FigurePoint>& points = figure.series.front().points;
  const std::size_t count = points.size(), half = (count + 1) / 2;
  const double side = 170, top = 40, step = 20, below = top + 12 + 9 * static_cast<double>(figure.groups.size());
  const Scale x{1, static_cast<double>(count), side + 10, kWidth - side - 10};
  std::string text = label(kWidth / 2, 12, figure.x_title, "middle", kMuted) + line(x.from, top, x.to, top, kInk);
  for (std::size_t rank = 1; rank <= count; ++rank) {
    const double at = x(static_cast<double>(rank));
    text += line(at, top - 5, at, top, kInk) + label(at, top - 9, std::to_string(rank), "middle", kMuted);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const bool on_left = i < half;
    // On the right from the last to the middle, so that no two lines cross.
    const double y = below + 12 + step * static_cast<double>(on_left ? i : count - 1 - i), at = x(points[i].x);
    const double end = on_left ? side : kWidth - side;
    text += fmt::format("<path d=\"M{:.1f} {:.1f}V{:.1f}H{:.1f}\" stroke=\"{}\"/>\n", at, top, y, end, kMuted);
    text += mark(points[i].marked ? 1 : 0, at, top);
    text += label(on_left ? end - 5 : end + 5, y + 4, shortened(points[i].name, 24), on_left ? "end" : "start");
  }
  for (std::size_t g = 0; g < figure.groups.size(); ++g) {
    const double y = top + 10 + 9 * static_cast<double>(g);
    text += line(x(points[figure.groups[g].front()].x) - 4, y, x(points[figure.groups[g].back()].x) + 4, y, kInk, 4);
  }
  return document(figure, below + step * static_cast<double>(half) + 12, text);
}

}  // namespace

std::string to_svg(const Figure& figure) {
  switch (figure.kind) {
    case FigureKind::dots:
      return dots(figure);
    case FigureKind::lines:
      return lines(figure);
    case FigureKind::stacks:
      return stacks(figure);
    case FigureKind::ranks:
      return ranks(figure);
    case FigureKind::matrix:
      break;
  }
  return matrix(figure);
}

}  // namespace vise::reports

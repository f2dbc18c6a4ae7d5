#include "reports/escape.h"

#include <array>
#include <utility>

namespace vise::reports {
namespace {

// Tabulators and line ends among them: no writer's table may break inside a cell.
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

}  // namespace

// Names come from folders and tables of users. What LaTeX takes for commands is written by name;
// < > | and " print as other signs in its default font encoding.
std::string latex_text(std::string_view text) {
  static constexpr std::array<std::pair<char, const char*>, 7> kNamed{{{'\\', "\\textbackslash{}"},
                                                                       {'~', "\\textasciitilde{}"},
                                                                       {'^', "\\textasciicircum{}"},
                                                                       {'<', "\\textless{}"},
                                                                       {'>', "\\textgreater{}"},
                                                                       {'|', "\\textbar{}"},
                                                                       {'"', "\\char34{}"}}};
  std::string result;
  for (const char c : text) {
    const char* name = nullptr;
    for (const auto& [character, command] : kNamed)
      if (c == character) name = command;
    if (name) {
      result += name;
      continue;
    }
    if (std::string_view("&%$#_{}").find(c) != std::string_view::npos) result += '\\';
    result += is_control(c) ? ' ' : c;
  }
  return result;
}

// In markup mode; a dash that begins a word would be a list's, and two of them one long one.
std::string typst_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view("\\*_`$#<>@[]=-+/~\"'").find(c) != std::string_view::npos) result += '\\';
    result += is_control(c) ? ' ' : c;
  }
  return result;
}

std::string markup_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += is_control(c) ? ' ' : c;
    }
  }
  return result;
}

}  // namespace vise::reports

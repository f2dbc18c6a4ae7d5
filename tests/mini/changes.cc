#include "tests/mini/changes.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace vise::test {
namespace {

// What a field holds that isn't as it should be.
constexpr std::array<std::string_view, 26> kCells{"",
                                                  "NA",
                                                  "nan",
                                                  "null",
                                                  "None",
                                                  "-",
                                                  "0",
                                                  "-1",
                                                  "1e999",
                                                  "3,5",
                                                  "1.5",
                                                  "true",
                                                  "train",
                                                  "test",
                                                  "joy",
                                                  "left",
                                                  "../x",
                                                  "a b",
                                                  "1.jpg",
                                                  "\"q\"",
                                                  "|",
                                                  "\xFF\xFE",
                                                  "999999999999999999999",
                                                  "inf",
                                                  "2",
                                                  "'"};

Json value_of(Choices& choices) {
  switch (choices.below(8)) {
    case 0:
      return nullptr;
    case 1:
      return std::string(kCells[choices.below(kCells.size())]);
    case 2:
      return static_cast<int>(choices.below(256)) - 128;
    case 3:
      return 0.5;
    case 4:
      return true;
    case 5:
      return Json::array();
    case 6:
      return Json::object();
    default:
      return Json::array({"x", 1, nullptr});
  }
}

// A value somewhere within: walks down by choice.
void change_json(Json& json, Choices& choices, int depth = 0) {
  const bool deeper = (json.is_array() || json.is_object()) && !json.empty() && depth < 8 && choices.below(4) != 0;
  if (!deeper) {
    json = value_of(choices);
    return;
  }
  const std::size_t place = choices.below(json.size());
  if (json.is_array()) {
    if (choices.below(6) == 0)
      json.erase(place);
    else if (choices.below(6) == 0)
      json.push_back(json[place]);
    else
      change_json(json[place], choices, depth + 1);
    return;
  }
  const auto key = std::next(json.begin(), static_cast<std::ptrdiff_t>(place)).key();
  if (choices.below(4) == 0)
    json.erase(key);
  else
    change_json(json[key], choices, depth + 1);
}

char separator_of(const std::string& line) {
  for (const char c : {'\t', ',', ';', ' '})
    if (line.find(c) != std::string::npos) return c;
  return ',';
}

void change_table(std::string& text, Choices& choices) {
  std::vector<std::string> lines = split(text, '\n');
  const std::size_t row = choices.below(lines.size());
  const char separator = separator_of(lines.front());
  std::vector<std::string> cells = split(lines[row], separator);
  const std::size_t column = choices.below(cells.size());
  switch (choices.below(8)) {
    case 0:
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(row));
      break;
    case 1:
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(row), lines[row]);
      break;
    case 2:  // a column of every row
    case 3: {
      const bool twice = choices.below(2) == 1;
      for (std::string& line : lines) {
        std::vector<std::string> parts = split(line, separator);
        if (column >= parts.size()) continue;
        if (twice)
          parts.push_back(parts[column]);
        else
          parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(column));
        line = join(parts, std::string(1, separator));
      }
      break;
    }
    case 4: {  // a whole column of one value
      const std::string value(kCells[choices.below(kCells.size())]);
      for (std::size_t r = 1; r < lines.size(); ++r) {
        std::vector<std::string> parts = split(lines[r], separator);
        if (column < parts.size()) parts[column] = value;
        lines[r] = join(parts, std::string(1, separator));
      }
      break;
    }
    default:
      cells[column] = kCells[choices.below(kCells.size())];
      lines[row] = join(cells, std::string(1, separator));
  }
  text = join(lines, "\n");
}

void change_bytes(std::string& text, Choices& choices) {
  if (text.empty()) return;
  const std::size_t place = choices.below(text.size());
  if (choices.below(3) == 0)
    text.resize(place);
  else
    text[place] = static_cast<char>(choices.below(256));
}

// Lines of JSON are changed one at a time.
bool change_json_text(std::string& text, Choices& choices, bool lines) {
  std::vector<std::string> parts = lines ? split(text, '\n') : std::vector<std::string>{text};
  std::string& part = parts[choices.below(parts.size())];
  Json json = Json::parse(part, nullptr, false);
  if (json.is_discarded()) return false;
  change_json(json, choices);
  part = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  text = join(parts, "\n");
  return true;
}

}  // namespace

std::size_t Choices::below(std::size_t n) {
  if (n <= 1 || rest_.empty()) return 0;
  std::size_t value = rest_[0];
  rest_ = rest_.subspan(1);
  if (n > 256 && !rest_.empty()) {
    value = value << 8 | rest_[0];
    rest_ = rest_.subspan(1);
  }
  return value % n;
}

void change(std::map<std::string, std::string>& texts, Choices& choices) {
  const std::size_t count = 1 + choices.below(8);
  for (std::size_t c = 0; c < count && !texts.empty(); ++c) {
    const auto file = std::next(texts.begin(), static_cast<std::ptrdiff_t>(choices.below(texts.size())));
    const bool json = file->first.ends_with(".json"), lines = file->first.ends_with(".jsonl");
    const std::size_t how = choices.below(12);
    if (how == 0)
      texts.erase(file);
    else if (how == 1)
      file->second.clear();
    else if (how == 2)
      change_bytes(file->second, choices);
    else if (!(json || lines) || !change_json_text(file->second, choices, lines))
      change_table(file->second, choices);
  }
}

}  // namespace vise::test

#include "datasets/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/csv.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace vise::datasets {
namespace {

// Spreadsheets set to a language with a decimal comma write semicolons.
char separator_of(std::string_view text) {
  const std::string_view header = text.substr(0, text.find('\n'));
  const auto has = [&](char c) { return header.find(c) != std::string_view::npos; };
  return has(';') && !has(',') ? ';' : ',';
}

// A header that names the columns, then rows of as many cells; every cell is text.
class CsvRows final : public RowReader {
 public:
  CsvRows(const Path& path, std::string text, std::optional<char> separator)
      : name_(path.string()),
        text_(std::move(text)),
        separator_(separator.value_or(separator_of(text_))),
        reader_(text_, name_, separator_) {
    if (!reader_.next())
      throw Error(ErrorKind::input, fmt::format("{}: is empty", name_), "its first line must name the columns");
    for (const std::string_view cell : reader_.cells()) columns_.emplace_back(trim(cell));
  }

  const std::vector<std::string>& columns() const override { return columns_; }
  bool next() override {
    if (!reader_.next()) return false;
    // A row that is too long or too short has shifted cells: silently taken, labels would change places.
    if (reader_.cells().size() != columns_.size())
      throw Error(ErrorKind::input,
                  fmt::format("{}: line {}: {} cells, but the header has {}", name_, row(), reader_.cells().size(),
                              columns_.size()),
                  "put a cell that holds a comma in double quotes");
    return true;
  }
  std::span<const std::string_view> cells() const override { return reader_.cells(); }
  bool may_have_decimal_commas() const override { return separator_ == ';'; }
  std::size_t row() const override { return reader_.row(); }

 private:
  std::string name_, text_;
  char separator_;
  CsvReader reader_;
  std::vector<std::string> columns_;
};

// Objects of one line each. Columns appear as lines bring them, so a reader looks at columns() again when there are
// more.
class JsonRows final : public RowReader {
 public:
  JsonRows(const Path& path, std::string text) : name_(path.string()), text_(std::move(text)), rest_(text_) {
    // A byte order mark, which some editors put in front of UTF-8.
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  bool next() override {
    while (!rest_.empty()) {
      const auto end = std::min(rest_.find('\n'), rest_.size());
      // Lines that a Windows program wrote end with '\r', which trim() takes off.
      const std::string_view line = trim(rest_.substr(0, end));
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++row_;
      if (line.empty()) continue;
      read(line);
      return true;
    }
    return false;
  }

  std::span<const std::string_view> cells() const override { return cells_; }
  bool may_have_decimal_commas() const override { return false; }
  std::size_t row() const override { return row_; }

 private:
  void read(std::string_view line) {
    const Json object = parse_json(line, fmt::format("{}: line {}", name_, row_));
    if (!object.is_object()) fail("isn't a JSON object");
    // A line needn't have every column; what it lacks is empty.
    std::fill(cells_.begin(), cells_.end(), std::string_view());
    kept_.clear();
    flatten(object, "", 0);
  }

  // Nested objects become columns with ':' between the keys, as votes:joy.
  void flatten(const Json& object, const std::string& prefix, int depth) {
    if (depth > 8) fail("is nested deeper than 8 objects");
    for (const auto& [key, value] : object.items()) {
      const std::string column = prefix.empty() ? key : fmt::format("{}:{}", prefix, key);
      if (value.is_object()) {
        flatten(value, column, depth + 1);
      } else {
        const std::size_t at = index_of(column);
        // {"v:joy": 1, "v": {"joy": 2}} would be two cells of one column.
        if (std::exchange(filled_at_[at], row_) == row_) fail(fmt::format("has the column '{}' twice", column));
        // The cells refer to the kept texts: a deque never moves its elements.
        cells_[at] = kept_.emplace_back(value.is_array() ? list_text(value) : plain_text(value));
      }
    }
  }

  std::size_t index_of(const std::string& column) {
    const auto [found, is_new] = index_.emplace(column, columns_.size());
    if (is_new) {
      columns_.push_back(column);
      cells_.emplace_back();
      filled_at_.push_back(0);
    }
    return found->second;
  }

  // Numbers and true and false as JSON writes them.
  static std::string plain_text(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    return value.is_null() ? std::string() : value.dump();
  }

  std::string list_text(const Json& list) const {
    std::vector<std::string> parts;
    for (const Json& value : list) {
      parts.push_back(plain_text(value));
      if (parts.back().find('|') != std::string::npos) fail("holds a list with '|' in a text");
    }
    return join(parts, "|");
  }

  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorKind::input, fmt::format("{}: line {}: {}", name_, row_, what));
  }

  std::string name_, text_;
  std::string_view rest_;
  std::size_t row_ = 0;
  std::vector<std::string> columns_;
  std::unordered_map<std::string, std::size_t> index_;
  std::deque<std::string> kept_;  // this row's texts
  std::vector<std::string_view> cells_;
  std::vector<std::size_t> filled_at_;  // the row that gave each column its cell; rows count from 1
};

}  // namespace

std::unique_ptr<RowReader> parse_rows(const Path& path, std::string text) {
  const std::string extension = lower(path.extension().string());
  if (extension == ".csv") return std::make_unique<CsvRows>(path, std::move(text), std::nullopt);
  if (extension == ".tsv") return std::make_unique<CsvRows>(path, std::move(text), '\t');
  if (extension == ".jsonl" || extension == ".ndjson") return std::make_unique<JsonRows>(path, std::move(text));
  throw Error(ErrorKind::input, fmt::format("{}: is no table by its name", path.string()),
              "known: .csv, .tsv, .jsonl, .ndjson, .parquet");
}

}  // namespace vise::datasets

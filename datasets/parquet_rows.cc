#include "datasets/parquet_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"

namespace vise::datasets {
namespace {

using parquet::Cell;
using parquet::Column;
using parquet::Cursor;
using parquet::Kind;

// A page may repeat one value a million times; a table of texts is kept, so what it may grow to is bounded.
constexpr std::uint64_t kMostRowsPerByte = 64, kMaxCell = 1U << 20;
constexpr std::uint64_t kMaxText = std::uint64_t{1} << 30;

// A table in Parquet as rows of texts: the manifest reader has one set of rules for every kind of table.
class ParquetRows final : public RowReader {
 public:
  ParquetRows(parquet::File file, std::string name, ParquetColumns columns)
      : file_(std::move(file)), name_(std::move(name)), texts_(std::move(columns.texts)), has_images_(columns.image) {
    // Before anything is allocated by the number of rows.
    if (file_.rows() / kMostRowsPerByte > file_.bytes())
      throw Error(ErrorKind::input, fmt::format("{}: claims {} rows in {} bytes", name_, file_.rows(), file_.bytes()));
    // Ordinary files are far below this: a gigabyte of texts, or 64 times the file.
    text_left_ = std::max(kMaxText, file_.bytes() * kMostRowsPerByte);
    for (const auto& text : texts_) names_.push_back(text.name);
    if (has_images_) names_.push_back(columns.image_name);
    kept_.resize(names_.size());
    cells_.resize(names_.size());
  }

  const std::vector<std::string>& columns() const override { return names_; }

  bool next() override {
    // The columns' cursors move from row to row together, a row group at a time.
    while (left_ == 0) {
      if (group_ == file_.groups()) return false;
      cursors_.clear();
      for (const auto& text : texts_) cursors_.push_back(file_.read(text.column, group_));
      left_ = file_.group_rows(group_++);
    }
    --left_;
    for (std::size_t t = 0; t < texts_.size(); ++t) read_cell(t);
    // An image's cell is its row's number, by which ParquetImages finds it; the bytes aren't read here.
    if (has_images_) kept_.back() = fmt::format("{}", row_);
    std::copy(kept_.begin(), kept_.end(), cells_.begin());
    ++row_;
    return true;
  }

  std::span<const std::string_view> cells() const override { return cells_; }
  // Numbers are written by this program here, with points.
  bool may_have_decimal_commas() const override { return false; }
  std::size_t row() const override { return row_; }

 private:
  void read_cell(std::size_t t) {
    const Column& column = file_.columns()[texts_[t].column];
    Cursor& cursor = cursors_[t];
    std::string& text = kept_[t];
    text.clear();
    if (!cursor.next_row()) fail(t, "has no value in this row");
    if (column.is_list) {
      read_list(t, cursor, text);
    } else if (Cell cell; cursor.next_value(cell)) {
      append(t, cell, text);
    }
    if (text.size() > text_left_) fail(t, "holds more text than such a file should");
    text_left_ -= text.size();
  }

  void read_list(std::size_t t, Cursor& cursor, std::string& text) {
    const bool is_labels = texts_[t].name == "labels";
    bool is_known = !cursor.is_null();
    listed_.clear();
    bool first = true;
    for (Cell cell; cursor.next_value(cell); first = false) {
      if (!first) text += '|';
      const std::size_t begin = text.size();
      append(t, cell, text);
      const std::string_view value = std::string_view(text).substr(begin);
      if (value.find('|') != std::string_view::npos) fail(t, "holds a list with '|' in a text");
      is_known = is_known && !value.empty();
      // A class named twice would be counted once, and whatever the second one meant would be lost.
      if (is_labels && std::find(listed_.begin(), listed_.end(), value) != listed_.end())
        fail(t, fmt::format("lists '{}' twice", printable(value)),
             "a list of classes names each once; 0 and 1 for each class are columns labels:CLASS");
      if (is_labels) listed_.emplace_back(value);
    }
    // "NA", as a list that is there and empty means an item without any of the labels.
    if (!is_known) text = is_labels ? "NA" : "";
  }

  // Adds the value's text to the cell; a null adds nothing, so that the cell is as empty as a CSV's.
  void append(std::size_t t, const Cell& cell, std::string& text) const {
    if (cell.is_null) return;
    switch (file_.columns()[texts_[t].column].kind) {
      case Kind::boolean:
        text += cell.integer != 0 ? "true" : "false";
        return;
      case Kind::integer:
        return append_integer(t, cell.integer, text);
      case Kind::real:
        text += number(cell.real);
        return;
      default:
        // Texts, and bytes of a column that was asked for by name: both must be UTF-8.
        break;
    }
    if (cell.bytes.size() > kMaxCell - std::min<std::uint64_t>(text.size(), kMaxCell))
      fail(t, fmt::format("holds a text of more than {} bytes", kMaxCell));
    if (!is_utf8(cell.bytes)) fail(t, "holds bytes that are no UTF-8 text");
    text += cell.bytes;
  }

  // The hub's ClassLabel: the cell gets the name, since a number would be taken for a value.
  void append_integer(std::size_t t, std::int64_t value, std::string& text) const {
    const std::vector<std::string>& classes = texts_[t].classes;
    if (classes.empty()) {
      text += fmt::format("{}", value);
    } else if (value >= 0 && static_cast<std::uint64_t>(value) < classes.size()) {
      text += classes[static_cast<std::size_t>(value)];
    } else if (value != -1) {  // which is the hub's "not labelled"
      fail(t, fmt::format("holds the class {}, but {} are named", value, classes.size()));
    }
  }

  [[noreturn]] void fail(std::size_t t, const std::string& what, std::string hint = {}) const {
    throw Error(
        ErrorKind::input,
        fmt::format("{}: row {}: the column '{}' {}", name_, row_, file_.columns()[texts_[t].column].name, what),
        std::move(hint));
  }

  parquet::File file_;
  std::string name_;
  std::vector<ParquetColumns::Text> texts_;
  bool has_images_;
  // `kept_` owns the texts of the row that `cells_` shows.
  std::vector<std::string> names_, kept_;
  std::vector<std::string_view> cells_;
  std::vector<std::string> listed_;
  std::vector<Cursor> cursors_;
  std::size_t group_ = 0, row_ = 0;  // the next ones
  std::uint64_t left_ = 0;           // rows of the group
  std::uint64_t text_left_ = 0;
};

}  // namespace

std::unique_ptr<RowReader> parquet_rows(parquet::File file, std::string name, ParquetColumns columns) {
  return std::make_unique<ParquetRows>(std::move(file), std::move(name), std::move(columns));
}

}  // namespace vise::datasets

#include "cli/probe_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"
#include "datasets/cells.h"
#include "datasets/label_check.h"

// The way through this file: read_npy_cells() and read_csv_cells() read a file of labels as cells of text,
// make_targets() makes targets of them, add_features() maps a file of features, add_pair() checks both against each
// other, and read_probe_data() joins up to three such pairs and finds or draws the split.

namespace vise::cli {
namespace {

[[noreturn]] void bad(const std::string& file, const std::string& what, const std::string& hint = {}) {
  throw Error(ErrorKind::input, fmt::format("{}: {}", file, what), hint);
}

// An .npz is refused by the same reader, which says why.
bool is_npy(const std::string& file) { return Path(file).extension() == ".npy" || Path(file).extension() == ".npz"; }

// "" is classes, which is what labels mostly are; check_classes() then asks about those that look like something else.
datasets::TargetKind parse_kind(const std::string& text) {
  if (text.empty()) return datasets::TargetKind::classes;
  std::vector<std::string> known;
  for (const datasets::TargetKind kind : {datasets::TargetKind::classes, datasets::TargetKind::multi_label,
                                          datasets::TargetKind::distribution, datasets::TargetKind::values}) {
    known.emplace_back(datasets::target_kind_name(kind));
    if (text == known.back()) return kind;
  }
  throw Error(ErrorKind::usage, fmt::format("--target {}: one of {} is needed", text, join(known, ", ")),
              suggest(text, known));
}

// Labels as one file has them: N x K cells of text.
struct Cells {
  std::size_t width = 0;
  std::vector<std::string> names;  // of the columns: the CSV's, or "0", "1", ...
  std::vector<std::string> text;
  std::vector<std::string> ids;  // a CSV's column `id`, where it has one
  std::size_t rows() const { return text.size() / width; }
};

// Numbers become texts in the shortest form that reads back as the same number, so that labels of both kinds of files
// go one way.
Cells read_npy_cells(const std::string& file) {
  const NpyArray array = NpyArray::open(file);
  if (array.shape().size() > 2 || array.size() == 0) bad(file, "N or N x K labels are needed");
  Cells cells;
  cells.width = array.shape().size() == 2 ? array.shape()[1] : 1;
  for (std::size_t k = 0; k < cells.width; ++k) cells.names.push_back(std::to_string(k));
  if (array.is_text())
    for (std::string& text : array.to_texts())
      cells.text.push_back(datasets::is_missing(text) ? std::string() : std::move(text));
  else
    for (const double value : array.to_doubles()) cells.text.push_back(std::isnan(value) ? "" : number(value));
  return cells;
}

// `extract` lists its rows in a manifest.csv, which looks like a table of labels and has none.
void check_columns_of_rows(const CsvTable& table, const std::vector<std::string>& columns, const std::string& file) {
  const std::vector<std::string> of_rows{"row", "id", "content"};
  if (!std::ranges::equal(table.header(), of_rows)) return;
  for (const std::string& column : columns)
    if (!table.has_column(column))
      bad(file, fmt::format("lists the rows of an extraction and has no column '{}'", column),
          "labels, split and groups are the data set's: vise-eval export --data DATA --out labels.csv writes them in "
          "the same order, with the --data that was extracted");
}

// A table of any kind that data sets come in; what says nothing ("NA") is an empty cell.
Cells read_csv_cells(const std::string& file, const std::string& columns) {
  const std::string text = read_text_file(file), header = text.substr(0, text.find('\n'));
  const bool semicolons = header.find(';') != std::string::npos && header.find(',') == std::string::npos;
  const CsvTable table = CsvTable::parse(text, file,
                                         lower(Path(file).extension().string()) == ".tsv" ? '\t'
                                         : semicolons                                     ? ';'
                                                                                          : ',');
  Cells cells;
  cells.names = split(columns, ',');
  check_columns_of_rows(table, cells.names, file);
  cells.width = cells.names.size();
  std::vector<std::size_t> places;
  // A file with one column needs no name for it.
  const bool only = table.header().size() == 1 && cells.width == 1;
  for (const std::string& name : cells.names) places.push_back(only ? 0 : table.column(name));
  for (std::size_t row = 0; row < table.rows(); ++row) {
    for (const std::size_t place : places) {
      const std::string& cell = table.cell(row, place);
      const auto with_comma =
          semicolons && datasets::has_decimal_comma(cell) ? datasets::parse_cell_number(cell, true) : std::nullopt;
      cells.text.push_back(datasets::is_missing(cell) ? std::string() : with_comma ? number(*with_comma) : cell);
    }
    // The first of these columns that the table has names the rows.
    for (const char* const id : {"id", "path"}) {
      if (cells.ids.size() == row && table.has_column(id)) cells.ids.push_back(table.cell(row, table.column(id)));
    }
  }
  return cells;
}

// Class numbers in their own order, names bytewise.
// Classes are numbered in this order, which decides the columns of the scores.
std::vector<std::string> class_order(std::vector<std::string> labels) {
  std::sort(labels.begin(), labels.end(), [](const std::string& a, const std::string& b) {
    double x = 0, y = 0;
    const bool first = parse_double(a, x), second = parse_double(b, y);
    // Numbers before names; the order must be a strict weak one, so a number and a name
    // are never compared by their letters.
    if (first != second) return first;
    return first && x != y ? x < y : a < b;
  });
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  std::erase(labels, "");
  return labels;
}

// A fraction in an .npy means numbers to predict: as classes each would be one of its own.
datasets::Targets class_targets(const Cells& cells, const std::string& file) {
  if (cells.width != 1)
    bad(file, fmt::format("{} labels a row", cells.width), "say --target multi-label, distribution or values");
  double value = 0;
  for (std::size_t row = 0; is_npy(file) && row < cells.rows(); ++row) {
    if (parse_double(cells.text[row], value) && value != std::floor(value))
      bad(file, fmt::format("row {}: {} is no class number", row, cells.text[row]),
          "say --target values to predict numbers");
  }
  return datasets::Targets::from_labels(cells.text, class_order(cells.text));
}

// Labels that look like something else are asked about, unless the command says that they are classes. Whole numbers
// are codes here, as scikit-learn's examples have them.
void check_classes(const datasets::Targets& targets, const std::string& file) {
  const auto is_whole = [](const std::string& name) {
    std::int64_t value = 0;
    return parse_int(name, value);
  };
  if (std::all_of(targets.names().begin(), targets.names().end(), is_whole)) return;
  if (const auto doubt = datasets::doubt_about(targets))
    bad(file, fmt::format("the labels {}", *doubt),
        "--column names another column; --target values predicts numbers, --target classes takes them as they are");
}

// NaN for an empty cell: unknown.
double parse_cell(const Cells& cells, std::size_t i, const std::string& file) {
  double value = std::nan("");
  if (!cells.text[i].empty() && !parse_double(cells.text[i], value))
    bad(file, fmt::format("row {}: '{}' is not a number", i / cells.width, cells.text[i]),
        "say --target classes to predict names");
  return value;
}

// `file` is named in errors, with the row counted from 0 as NumPy counts.
datasets::Targets make_targets(const Cells& cells, datasets::TargetKind kind, const std::string& file) {
  if (kind == datasets::TargetKind::classes) return class_targets(cells, file);
  std::vector<double> values;
  for (std::size_t i = 0; i < cells.text.size(); ++i) values.push_back(parse_cell(cells, i, file));
  if (kind == datasets::TargetKind::values) return datasets::Targets::from_values(std::move(values), cells.names);
  if (kind == datasets::TargetKind::distribution) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!(values[i] >= 0)) bad(file, fmt::format("row {}: votes are 0 or more", i / cells.width));
    }
    return datasets::Targets::from_distribution(std::move(values), cells.names);
  }
  std::vector<std::int8_t> bits;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double bit = std::isnan(values[i]) ? -1 : values[i];
    if (bit != 0 && bit != 1 && bit != -1)
      bad(file, fmt::format("row {}: {} is none of 1, 0 and -1 (unknown)", i / cells.width, number(bit)));
    bits.push_back(static_cast<std::int8_t>(bit));
  }
  return datasets::Targets::from_multi_label(std::move(bits), cells.names);
}

// Adds the rows of one file as pointers into it; `owners` keeps what they point into. Returns how many.
std::size_t add_features(ProbeData& data, const std::string& file) {
  const auto array = std::make_shared<const NpyArray>(NpyArray::open(file));
  // Of a network's last map, N x D x 1 x 1, each row is as good.
  const auto& shape = array->shape();
  if (shape.size() < 2 || array->size() == 0 ||
      std::any_of(shape.begin() + 2, shape.end(), [](std::uint64_t n) { return n != 1; }))
    bad(file, "N x D features are needed",
        shape.size() > 2
            ? fmt::format("it holds {}: take a mean over places, or x.reshape(len(x), -1)", fmt::join(shape, " x "))
            : "");
  const std::size_t count = array->shape()[0], dim = array->shape()[1];
  if (data.dim != 0 && data.dim != dim) bad(file, fmt::format("{} dimensions, the others have {}", dim, data.dim));
  data.dim = dim;
  const float* values = nullptr;
  // float32 is read in place from the mapped file; any other type is converted once.
  if (array->type() == "f4") {
    values = array->as<float>().data();
    data.owners.push_back(array);
  } else {
    // Features are float32 everywhere: a file of doubles is rounded as the program's own would be.
    const std::vector<double> wide = array->to_doubles();
    const auto narrow = std::make_shared<const std::vector<float>>(wide.begin(), wide.end());
    values = narrow->data();
    data.owners.push_back(narrow);
  }
  for (std::size_t i = 0; i < count; ++i) data.rows.push_back(values + i * dim);
  return count;
}

// One part's features and labels, checked against the parts before: as many columns of labels, as many dimensions.
void add_pair(ProbeData& data, Cells& all, std::vector<datasets::Part>& parts, const std::string& features,
              const std::string& labels, const ProbeFiles& files, datasets::Part part) {
  const std::size_t count = add_features(data, features);
  Cells cells = is_npy(labels) ? read_npy_cells(labels) : read_csv_cells(labels, files.column);
  if (cells.rows() != count)
    bad(labels, fmt::format("{} rows, but {} has {}", cells.rows(), features, count), "row i labels row i");
  if (all.width != 0 && cells.width != all.width)
    bad(labels, fmt::format("{} labels a row, the others have {}", cells.width, all.width));
  all.width = cells.width;
  all.names = cells.names;
  all.text.insert(all.text.end(), cells.text.begin(), cells.text.end());
  all.ids.insert(all.ids.end(), cells.ids.begin(), cells.ids.end());
  parts.insert(parts.end(), count, part);
}

// One cell a row: an .npy's numbers or a CSV's column.
std::vector<std::string> read_column(const std::string& file, const std::string& column, std::size_t rows) {
  Cells cells = is_npy(file) ? read_npy_cells(file) : read_csv_cells(file, column);
  if (cells.width != 1 || cells.rows() != rows)
    bad(file, fmt::format("{} rows of {}, but there are {} rows of features", cells.rows(), cells.width, rows));
  return std::move(cells.text);
}

// A column of part names, or an .npy of 0, 1 and 2. Its name is the split's origin in tables.
datasets::Split read_split(const std::string& file, std::size_t rows) {
  std::vector<datasets::Part> parts;
  for (const std::string& text : read_column(file, "split", rows)) {
    if (is_npy(file) && text != "0" && text != "1" && text != "2")
      bad(file, fmt::format("row {}: {}: 0 (train), 1 (val) or 2 (test) is needed", parts.size(), text));
    parts.push_back(is_npy(file) ? static_cast<datasets::Part>(text[0] - '0') : datasets::parse_part(text));
  }
  return datasets::Split(std::move(parts), Path(file).filename().string());
}

// Drawn by the same functions as a data set's split, under a stream of its own name.
datasets::Split draw_split(const ProbeData& data, const ProbeFiles& files) {
  const std::vector<int> strata = data.targets.strata();
  const std::string text = fmt::format("{:g}/{:g}/{:g} (seed {})", 100 * files.shares[0], 100 * files.shares[1],
                                       100 * files.shares[2], files.seed);
  if (data.groups.empty())
    return datasets::Split::stratified(strata, files.shares, "probe/split", files.seed)
        .with_origin("stratified " + text);
  return datasets::Split::grouped(data.groups, strata, files.shares, "probe/split", files.seed)
      .with_origin("grouped " + text);
}

}  // namespace

ProbeData read_probe_data(const ProbeFiles& files) {
  const bool separate = !files.val.empty() || !files.test.empty();
  if (separate && !files.split.empty())
    throw Error(ErrorKind::usage, "--split and --val or --test say the same thing twice", "leave one out");
  ProbeData data;
  Cells cells;
  std::vector<datasets::Part> parts;
  add_pair(data, cells, parts, files.features, files.labels, files, datasets::Part::train);
  if (!files.val.empty()) add_pair(data, cells, parts, files.val[0], files.val[1], files, datasets::Part::val);
  if (!files.test.empty()) add_pair(data, cells, parts, files.test[0], files.test[1], files, datasets::Part::test);
  // Targets of all parts together, so that a class that only test has is a class.
  data.targets = make_targets(cells, parse_kind(files.target), files.labels);
  if (files.target.empty()) check_classes(data.targets, files.labels);
  data.ids = cells.ids.size() == data.rows.size() ? std::move(cells.ids) : std::vector<std::string>{};
  // Without ids of their own rows are named by their numbers, so that two runs on the
  // same files can be paired.
  for (std::size_t i = data.ids.size(); i < data.rows.size(); ++i) data.ids.push_back(std::to_string(i));
  if (!files.groups.empty()) data.groups = read_column(files.groups, "group", data.rows.size());
  data.split = separate              ? datasets::Split(std::move(parts), "separate files")
               : files.split.empty() ? draw_split(data, files)
                                     : read_split(files.split, data.rows.size());
  return data;
}

std::vector<const float*> rows_of(const ProbeData& data, std::span<const std::uint32_t> items) {
  std::vector<const float*> rows;
  for (const std::uint32_t item : items) rows.push_back(data.rows[item]);
  return rows;
}

}  // namespace vise::cli

#include "datasets/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "datasets/rows.h"
#include "datasets/sampling.h"

namespace vise {
namespace {

constexpr std::array<std::string_view, 8> kPathColumns{"path", "file_name", "filename",   "image",
                                                       "img",  "file",      "image_path", "image_name"};
constexpr std::array<std::string_view, 4> kLabelColumns{"label", "class", "category", "target"};
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

bool is_missing(std::string_view cell) {
  const std::string word = lower(trim(cell));
  return word.empty() || word == "na" || word == "nan" || word == "null";
}

double value_of(std::string_view cell) {
  double value = kUnknown;
  return parse_double(cell, value) ? value : kUnknown;
}

// What the first pass learns of a column, so that the second can store its cells in their final form.
struct ColumnKind {
  bool numbers = true;     // every cell is a number or missing
  bool fractions = false;  // some number isn't whole
  bool filled = false;     // some cell isn't missing

  void see(std::string_view cell) {
    if (!numbers || is_missing(cell)) return;
    filled = true;
    double value = 0;
    numbers = parse_double(cell, value);
    fractions = fractions || value != std::floor(value);
  }
  bool is_values() const { return numbers && filled; }
};

using ColumnKinds = std::map<std::string, ColumnKind>;

ColumnKinds column_kinds(std::span<const ManifestPart> parts) {
  ColumnKinds kinds;
  for (const ManifestPart& part : parts) {
    const auto rows = RowReader::open(part.table);
    std::vector<ColumnKind*> of_column;
    while (rows->next()) {
      const auto cells = rows->cells();
      for (std::size_t c = of_column.size(); c < cells.size(); ++c) of_column.push_back(&kinds[rows->columns()[c]]);
      for (std::size_t c = 0; c < cells.size(); ++c) of_column[c]->see(cells[c]);
    }
    for (const std::string& column : rows->columns()) kinds.try_emplace(column);
  }
  return kinds;
}

template <std::size_t N>
std::string first_known(const ColumnKinds& kinds, const std::array<std::string_view, N>& names) {
  for (const std::string_view name : names)
    if (kinds.contains(std::string(name))) return std::string(name);
  return {};
}

// Texts as numbers, in order of appearance; most columns hold few different ones.
class Interned {
 public:
  int add(std::string_view text) {
    if (text.empty()) return kNoClass;
    const auto found = index_.find(text);
    if (found != index_.end()) return found->second;
    const std::string& kept = texts_.emplace_back(text);
    return index_.emplace(kept, static_cast<int>(texts_.size()) - 1).first->second;
  }

  // Classes sorted bytewise.
  Targets targets(std::vector<int> numbers) const {
    std::vector<std::string> names(texts_.begin(), texts_.end());
    std::sort(names.begin(), names.end());
    std::unordered_map<std::string_view, int> place;
    for (std::size_t k = 0; k < names.size(); ++k) place.emplace(names[k], static_cast<int>(k));
    std::vector<int> moved;
    for (const std::string& text : texts_) moved.push_back(place.at(text));
    for (int& number : numbers)
      if (number >= 0) number = moved[static_cast<std::size_t>(number)];
    return Targets::from_classes(std::move(numbers), std::move(names));
  }

  std::size_t size() const { return texts_.size(); }

 private:
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, int> index_;
};

struct Place {
  const std::string& table;
  std::size_t row;

  [[noreturn]] void fail(const std::string& what, std::string hint = {}) const {
    throw Error(ErrorKind::input, fmt::format("{}: line {}: {}", table, row, what), std::move(hint));
  }
};

// What becomes of a column's cells.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void add(std::string_view cell, const Place& place) = 0;
  virtual void finish(Dataset& dataset) = 0;
};

class ClassSink final : public Sink {
 public:
  void add(std::string_view cell, const Place&) override { numbers_.push_back(texts_.add(trim(cell))); }
  void finish(Dataset& dataset) override {
    dataset.targets.insert_or_assign("label", texts_.targets(std::move(numbers_)));
  }

 private:
  Interned texts_;
  std::vector<int> numbers_;
};

class ValueSink final : public Sink {
 public:
  explicit ValueSink(std::string name) : name_(std::move(name)) {}
  void add(std::string_view cell, const Place&) override { values_.push_back(value_of(cell)); }
  void finish(Dataset& dataset) override {
    dataset.targets.insert_or_assign(name_, Targets::from_values(std::move(values_), {name_}));
  }

 private:
  std::string name_;
  std::vector<double> values_;
};

class TextSink final : public Sink {
 public:
  TextSink(std::string name, bool as_target) : name_(std::move(name)), as_target_(as_target) {}

  void add(std::string_view cell, const Place&) override {
    texts_.emplace_back(trim(cell));
    if (as_target_) numbers_.push_back(distinct_.add(texts_.back()));
    if (distinct_.size() > kMostClasses) as_target_ = false;
  }

  void finish(Dataset& dataset) override {
    if (as_target_ && distinct_.size() * 2 <= texts_.size())
      dataset.targets.try_emplace(name_, distinct_.targets(std::move(numbers_)));
    dataset.attributes.insert_or_assign(name_, std::move(texts_));
  }

 private:
  static constexpr std::size_t kMostClasses = 10000;
  std::string name_;
  bool as_target_;
  std::vector<std::string> texts_;
  Interned distinct_;
  std::vector<int> numbers_;
};

class SplitSink final : public Sink {
 public:
  explicit SplitSink(std::string column) : column_(std::move(column)) {}

  void add(std::string_view cell, const Place& place) override {
    const auto found = words_.find(cell);
    if (found != words_.end()) return parts_.push_back(found->second);
    try {
      parts_.push_back(words_.emplace(cell, parse_part(cell)).first->second);
    } catch (const Error& error) {
      place.fail(error.message(), error.hint());
    }
  }

  void finish(Dataset& dataset) override { dataset.official = Split(std::move(parts_), column_); }

 private:
  std::string column_;
  std::map<std::string, Part, std::less<>> words_;
  std::vector<Part> parts_;
};

// Several columns of one target, "votes:joy", "votes:fear": an item's row is complete when each has added its cell.
class RowsSink final : public Sink {
 public:
  RowsSink(std::string name, TargetKind kind) : name_(std::move(name)), kind_(kind) {}

  void add_class(std::string name) { names_.push_back(std::move(name)); }

  void add(std::string_view cell, const Place& place) override {
    double value = kind_ == TargetKind::multi_label ? -1 : 0;
    const std::string word = lower(trim(cell));
    if (word == "true" || word == "false") {
      value = word == "true" ? 1 : 0;
    } else if (!is_missing(cell)) {
      value = value_of(cell);
      const bool good = kind_ == TargetKind::multi_label ? value == 0 || value == 1 || value == -1 : value >= 0;
      if (!good)
        place.fail(fmt::format("'{}' in column {}:{}", cell, name_, names_[values_.size() % names_.size()]),
                   kind_ == TargetKind::multi_label ? "1, 0 or nothing" : "votes are numbers, not negative");
    }
    values_.push_back(value);
  }

  void finish(Dataset& dataset) override {
    if (kind_ == TargetKind::distribution) {
      dataset.targets.insert_or_assign(name_, Targets::from_distribution(std::move(values_), std::move(names_)));
    } else {
      std::vector<std::int8_t> bits(values_.begin(), values_.end());
      dataset.targets.insert_or_assign(name_, Targets::from_multi_label(std::move(bits), std::move(names_)));
    }
  }

 private:
  std::string name_;
  TargetKind kind_;
  std::vector<std::string> names_;
  std::vector<double> values_;
};

// One column of lists, "joy|fear". An empty cell is an item without any of the labels.
class ListSink final : public Sink {
 public:
  void add(std::string_view cell, const Place&) override {
    auto& of_item = numbers_.emplace_back();
    for (const std::string& label : split(cell, '|'))
      if (const int number = texts_.add(trim(label)); number >= 0) of_item.push_back(number);
  }

  void finish(Dataset& dataset) override {
    if (texts_.size() == 0) return;
    std::vector<int> identity(texts_.size());
    for (std::size_t k = 0; k < identity.size(); ++k) identity[k] = static_cast<int>(k);
    const Targets sorted = texts_.targets(std::move(identity));
    std::vector<std::int8_t> bits(numbers_.size() * texts_.size(), 0);
    for (std::size_t i = 0; i < numbers_.size(); ++i)
      for (const int number : numbers_[i])
        bits[i * texts_.size() + static_cast<std::size_t>(sorted.classes()[static_cast<std::size_t>(number)])] = 1;
    dataset.targets.insert_or_assign("labels", Targets::from_multi_label(std::move(bits), sorted.names()));
  }

 private:
  Interned texts_;
  std::vector<std::vector<int>> numbers_;
};

// Second pass: every column into its sink, paths into ids.
class ManifestBuilder {
 public:
  ManifestBuilder(const ColumnKinds& kinds, std::string origin, const Path& root)
      : path_column_(first_known(kinds, kPathColumns)), root_prefix_(std::filesystem::absolute(root).string() + '/') {
    const std::string label = first_known(kinds, kLabelColumns);
    for (const auto& [column, kind] : kinds)
      if (column != path_column_) sinks_.emplace(column, sink_for(column, kind, label, origin));
  }

  void read(const ManifestPart& part) {
    const auto rows = RowReader::open(part.table);
    const std::string table = part.table.string();
    std::vector<std::pair<Sink*, std::size_t>> order;
    std::size_t path_cell = SIZE_MAX, known_columns = SIZE_MAX;
    while (rows->next()) {
      if (known_columns != rows->columns().size()) {
        known_columns = rows->columns().size();
        path_cell = cell_order(rows->columns(), order);
      }
      const Place place{table, rows->row()};
      const auto cells = rows->cells();
      const auto cell = [&](std::size_t c) { return c < cells.size() ? cells[c] : std::string_view(); };
      ids_.push_back(id_of(cell(path_cell), part.prefix, place));
      places_.push_back({table_number_, static_cast<std::uint32_t>(rows->row())});
      for (const auto& [sink, c] : order) sink->add(cell(c), place);
      if (!sinks_.contains("split") && part.part) folder_parts_.push_back(*part.part);
    }
    tables_.push_back(table);
    ++table_number_;
  }

  Dataset finish() {
    Dataset dataset;
    dataset.ids = std::move(ids_);
    for (Sink* sink : distinct_sinks()) sink->finish(dataset);
    if (!dataset.official && !folder_parts_.empty() && folder_parts_.size() == dataset.size())
      dataset.official = Split(std::move(folder_parts_), "official (folders)");
    check_unique(dataset);
    return dataset;
  }

 private:
  struct RowPlace {
    std::uint32_t table, row;
  };

  std::shared_ptr<Sink> sink_for(const std::string& column, const ColumnKind& kind, const std::string& label,
                                 const std::string& origin) {
    if (column == "split") return std::make_shared<SplitSink>(origin);
    if (column == "group") return std::make_shared<TextSink>(column, false);
    if (column.starts_with("votes:")) return shared_rows(column, votes_, TargetKind::distribution);
    if (column.starts_with("labels:")) return shared_rows(column, labels_, TargetKind::multi_label);
    if (column == "labels") return std::make_shared<ListSink>();
    if (!label.empty() && column == label) {
      if (kind.is_values() && kind.fractions) return std::make_shared<ValueSink>("label");
      return std::make_shared<ClassSink>();
    }
    if (kind.is_values()) return std::make_shared<ValueSink>(column);
    return std::make_shared<TextSink>(column, true);
  }

  static std::shared_ptr<Sink> shared_rows(const std::string& column, std::shared_ptr<RowsSink>& rows,
                                           TargetKind kind) {
    const auto colon = column.find(':');
    if (!rows) rows = std::make_shared<RowsSink>(column.substr(0, colon), kind);
    rows->add_class(column.substr(colon + 1));
    return rows;
  }

  // Sinks in the order of their columns' names, as RowsSink's classes are; a column that this table lacks has empty
  // cells.
  std::size_t cell_order(const std::vector<std::string>& columns,
                         std::vector<std::pair<Sink*, std::size_t>>& order) const {
    const auto place_of = [&](const std::string& name) {
      const auto found = std::find(columns.begin(), columns.end(), name);
      return found == columns.end() ? SIZE_MAX : static_cast<std::size_t>(found - columns.begin());
    };
    order.clear();
    for (const auto& [column, sink] : sinks_) order.emplace_back(sink.get(), place_of(column));
    return place_of(path_column_);
  }

  std::vector<Sink*> distinct_sinks() const {
    std::vector<Sink*> sinks;
    for (const auto& [column, sink] : sinks_)
      if (std::find(sinks.begin(), sinks.end(), sink.get()) == sinks.end()) sinks.push_back(sink.get());
    return sinks;
  }

  std::string id_of(std::string_view path, const std::string& prefix, const Place& place) const {
    path = trim(path);
    while (path.starts_with("./")) path.remove_prefix(2);
    if (path.starts_with(root_prefix_)) path.remove_prefix(root_prefix_.size());
    if (path.empty()) place.fail(fmt::format("no path in column '{}'", path_column_));
    return prefix.empty() || path.starts_with('/') ? std::string(path) : prefix + std::string(path);
  }

  void check_unique(const Dataset& dataset) const {
    const auto equal = equal_ids(dataset.ids);
    if (!equal) return;
    const auto where = [&](std::size_t item) {
      return fmt::format("{}: line {}", tables_[places_[item].table], places_[item].row);
    };
    throw Error(
        ErrorKind::input,
        fmt::format("{}: '{}' is also in {}", where(equal->second), dataset.ids[equal->first], where(equal->first)),
        "a row an image: join what the rows say, for example as votes:CLASS columns");
  }

  std::string path_column_, root_prefix_;
  std::map<std::string, std::shared_ptr<Sink>> sinks_;  // by column
  std::shared_ptr<RowsSink> votes_, labels_;
  std::vector<std::string> ids_;
  std::vector<RowPlace> places_;
  std::vector<std::string> tables_;
  std::uint32_t table_number_ = 0;
  std::vector<Part> folder_parts_;
};

void check_path_column(const ColumnKinds& kinds, std::span<const ManifestPart> parts) {
  if (!first_known(kinds, kPathColumns).empty()) return;
  std::vector<std::string> columns;
  for (const auto& [column, kind] : kinds) columns.push_back(column);
  throw Error(
      ErrorKind::input,
      fmt::format("{}: no column names the image; it has {}", parts.front().table.string(), join(columns, ", ")),
      "call it path (or file_name, filename, image, img, file, image_path, image_name)");
}

void check_first_images(const Dataset& dataset, std::span<const ManifestPart> parts) {
  constexpr std::size_t kLookedFor = 5;
  std::error_code ignored;
  for (std::size_t i = 0; i < std::min(kLookedFor, dataset.size()); ++i)
    if (std::filesystem::exists(dataset.path(i), ignored)) return;
  if (dataset.size() == 0) throw Error(ErrorKind::input, fmt::format("{}: has no rows", parts.front().table.string()));
  std::string hint = "paths are relative to the table's folder";
  if (std::filesystem::exists(dataset.root / "images" / dataset.ids[0], ignored))
    hint = fmt::format("it is in images/: write images/{}", dataset.ids[0]);
  else if (dataset.ids[0].find('\\') != std::string::npos)
    hint = "write '/' between folders, not '\\'";
  throw Error(ErrorKind::missing,
              fmt::format("{}: none of its first images is there, for example {}", parts.front().table.string(),
                          dataset.path(0).string()),
              hint);
}

}  // namespace

Dataset read_manifest(std::span<const ManifestPart> parts, const Path& root, std::string name, Log& log) {
  const ColumnKinds kinds = column_kinds(parts);
  check_path_column(kinds, parts);
  const std::string table = parts.size() == 1 ? parts.front().table.filename().string() : "the tables";
  ManifestBuilder builder(kinds, fmt::format("official (column 'split' of {})", table), root);
  for (const ManifestPart& part : parts) builder.read(part);
  Dataset dataset = builder.finish();
  dataset.name = std::move(name);
  dataset.root = root;
  check_first_images(dataset, parts);
  add_label_from_votes(dataset, log);
  return dataset;
}

Dataset read_manifest(const Path& table, Log& log) {
  const Path absolute = std::filesystem::absolute(table).lexically_normal();
  const ManifestPart part{table, "", std::nullopt};
  const std::string folder = absolute.parent_path().filename().string(), stem = absolute.stem().string();
  return read_manifest(std::span(&part, 1), table.has_parent_path() ? table.parent_path() : Path("."),
                       folder.empty() ? stem : fmt::format("{}/{}", folder, stem), log);
}

}  // namespace vise

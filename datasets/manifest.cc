#include "datasets/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "datasets/data_columns.h"
#include "datasets/data_folder.h"
#include "datasets/manifest_columns.h"
#include "datasets/manifest_images.h"
#include "datasets/manifest_part.h"
#include "datasets/manifest_sinks.h"
#include "datasets/rows.h"
#include "datasets/sampling.h"

namespace vise::datasets {
namespace {

// Second pass: every column into its sink, paths into ids. The first (manifest_columns.h) has found what each column
// holds.
class ManifestBuilder {
 public:
  ManifestBuilder(const ColumnKinds& kinds, ColumnRoles roles, std::string origin, const Path& root)
      : roles_(std::move(roles)), root_prefix_(std::filesystem::absolute(root).string() + '/') {
    for (const auto& [column, kind] : kinds)
      if (column != roles_.path) sinks_.emplace(column, sink_for(column, kind, origin));
  }

  void read(const ManifestPart& part) {
    const auto rows = part.open();
    const std::string table = part.table.string();
    std::vector<std::pair<Sink*, std::size_t>> order;
    std::size_t path_cell = SIZE_MAX, known_columns = SIZE_MAX;
    while (rows->next()) {
      // JSON lines may bring new columns at any line; the order is then found again.
      if (known_columns != rows->columns().size()) {
        known_columns = rows->columns().size();
        path_cell = cell_order(rows->columns(), order);
      }
      const CellPlace place{table, rows->row()};
      const auto cells = rows->cells();
      const auto cell = [&](std::size_t c) { return c < cells.size() ? cells[c] : std::string_view(); };
      ids_.push_back(id_of(cell(path_cell), part.prefix, place));
      // For messages: an id that comes twice is reported with both of its lines.
      places_.push_back({table_number_, static_cast<std::uint32_t>(rows->row())});
      for (const auto& [sink, c] : order) sink->add(cell(c), place);
      if (roles_.split.empty() && part.part) folder_parts_.push_back(*part.part);
    }
    tables_.push_back(table);
    ++table_number_;
  }

  Dataset finish() {
    Dataset dataset;
    dataset.ids = std::move(ids_);
    // Before the sinks are emptied below.
    note_unsaid(dataset);
    for (Sink* sink : distinct_sinks()) sink->finish(dataset);
    // The split of the tables' folders counts where every row has one and no column says it.
    if (!dataset.official && !folder_parts_.empty() && folder_parts_.size() == dataset.size())
      dataset.official = Split(std::move(folder_parts_), "official (folders)");
    check_unique(dataset);
    return dataset;
  }

 private:
  struct RowPlace {
    std::uint32_t table, row;
  };

  std::shared_ptr<Sink> sink_for(const std::string& column, const ColumnKind& kind, const std::string& origin) {
    // An unnamed column (pandas writes its index so) has no role. It comes first, as a role that no column has is "" as
    // well.
    if (column.empty()) return kind.is_values() ? value_sink(column, kind.decimal_comma) : text_sink(column, true);
    if (column == roles_.label && kind.is_values() && kind.fractions) return value_sink("label", kind.decimal_comma);
    if (column == roles_.label) return class_sink();
    if (column == roles_.split) return split_sink(origin);
    if (column == "group") return text_sink(column, false);
    if (column.starts_with("votes:")) return shared_rows(column, kind, votes_, TargetKind::distribution);
    if (column.starts_with("labels:")) return shared_rows(column, kind, labels_, TargetKind::multi_label);
    if (column == "labels") return list_sink();
    // A column called label, where another was named as the labels: "label" is that one's.
    const std::string name = column == "label" ? "column:label" : column;
    if (kind.is_values()) return value_sink(name, kind.decimal_comma);
    return text_sink(name, true);
  }

  // Columns of one prefix share a sink, to which each adds its class.
  static std::shared_ptr<Sink> shared_rows(const std::string& column, const ColumnKind& kind,
                                           std::shared_ptr<ClassColumns>& rows, TargetKind of) {
    const auto colon = column.find(':');
    if (!rows) rows = rows_sink(column.substr(0, colon), of);
    rows->add_class(column.substr(colon + 1), kind.decimal_comma);
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
    // Several columns may share one sink; it gets its cells in this order for every row.
    for (const auto& [column, sink] : sinks_) order.emplace_back(sink.get(), place_of(column));
    return place_of(roles_.path);
  }

  // What the tables leave open: labels of any spelling, in other columns what a program wrote for "nothing".
  void note_unsaid(Dataset& dataset) const {
    std::vector<std::string> columns;
    std::set<const Sink*> seen;
    for (const auto& [column, sink] : sinks_) {
      const Sink::Unsaid& unsaid = sink->unsaid();
      const bool is_label = !column.empty() && column == roles_.label;
      const std::size_t count = unsaid.spelt + (is_label ? unsaid.empty : 0);
      if (count == 0 || column == roles_.split || !seen.insert(sink.get()).second) continue;
      std::vector<std::string> spellings(unsaid.spellings.begin(), unsaid.spellings.end());
      if (is_label && unsaid.empty > 0) spellings.emplace_back("empty");
      const std::string name = column.substr(0, column.find(':'));  // votes:joy and votes:fear are votes
      columns.push_back(fmt::format("{} {} ({})", count, name, join(spellings, ", ")));
    }
    if (!columns.empty()) dataset.notes.push_back(fmt::format("not known: {}", join(columns, ", ")));
  }

  // A sink that several columns share is finished once.
  std::vector<Sink*> distinct_sinks() const {
    std::vector<Sink*> sinks;
    for (const auto& [column, sink] : sinks_)
      if (std::find(sinks.begin(), sinks.end(), sink.get()) == sinks.end()) sinks.push_back(sink.get());
    return sinks;
  }

  // The id of a row: the path of its image, relative to the data set's root where the image is below it.
  std::string id_of(std::string_view path, const std::string& prefix, const CellPlace& place) const {
    path = trim(path);
    while (path.starts_with("./")) path.remove_prefix(2);
    // Absolute paths below the root become relative, so that a moved data set keeps its ids.
    if (path.starts_with(root_prefix_)) path.remove_prefix(root_prefix_.size());
    if (path.empty()) place.fail(fmt::format("no path in column '{}'", roles_.path));
    return prefix.empty() || path.starts_with('/') ? std::string(path) : prefix + std::string(path);
  }

  // An image in two rows would count twice, and could be in two parts of a split.
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

  ColumnRoles roles_;
  std::string root_prefix_;
  std::map<std::string, std::shared_ptr<Sink>> sinks_;  // by column
  std::shared_ptr<ClassColumns> votes_, labels_;
  std::vector<std::string> ids_;
  std::vector<RowPlace> places_;
  std::vector<std::string> tables_;
  std::uint32_t table_number_ = 0;
  std::vector<Part> folder_parts_;
};

// Where no column says the split but all images are in folders that are called so, the split that is drawn is another.
void note_split_folders(Dataset& dataset) {
  if (dataset.official) return;
  std::set<std::string> seen;
  std::set<Part> parts;
  for (const std::string& id : dataset.ids) {
    bool found = false;
    for (std::size_t begin = 0, end = id.find('/'); end != std::string::npos && !found;
         begin = end + 1, end = id.find('/', begin)) {
      const std::string folder = id.substr(begin, end - begin);
      if (const auto part = part_named(folder)) {
        found = true;
        seen.insert(folder);
        parts.insert(*part);
      }
    }
    if (!found) return;
  }
  if (parts.size() < 2) return;
  dataset.notes.push_back(
      fmt::format("the images lie in {}, but no column says the split, so none of these folders is "
                  "taken for it: add a column split",
                  join(std::vector<std::string>(seen.begin(), seen.end()), "/, ") + "/"));
}

}  // namespace

Dataset read_manifest(std::span<const ManifestPart> parts, const Path& root, std::string name, Log& log,
                      const DataColumns& columns, std::shared_ptr<const ImageContainer> container) {
  // Two passes over the tables: a column's type is known only after its last cell, and until
  // then all of its cells would have to be kept as texts.
  const ColumnKinds kinds = column_kinds(parts);
  const Path& first = parts.front().table;
  const ColumnRoles roles = column_roles(kinds, columns, first);
  const std::string table = parts.size() == 1 ? first.filename().string() : "the tables";
  const std::string split_column = roles.split.empty() ? "split" : roles.split;
  ManifestBuilder builder(kinds, roles, fmt::format("official (column '{}' of {})", split_column, table), root);
  for (const ManifestPart& part : parts) builder.read(part);
  Dataset dataset = builder.finish();
  dataset.name = std::move(name);
  dataset.root = root;
  dataset.container = std::move(container);
  note_split_folders(dataset);
  for (const std::string& column : unused_splits(kinds, roles))
    dataset.notes.push_back(
        kinds.at(column).is_split()
            ? fmt::format("column '{0}' holds a split's names and is not used as the split: say "
                          "--split-column {0}, or call it split",
                          column)
            : fmt::format("column '{}' seems to say which images are one part of a split, and is not used: name the "
                          "part of each image in a column split (train, val, test)",
                          column));
  for (const std::string& note : dataset.notes) log.warn(fmt::format("{}: {}", dataset.name, note));
  check_images(dataset, first);
  // Last: the label of votes needs the votes, and a label column makes it needless.
  add_label_from_votes(dataset);
  return dataset;
}

Dataset read_manifest(const Path& table, Log& log, const DataColumns& columns, const Path& cache) {
  const Path absolute = std::filesystem::absolute(table).lexically_normal();
  const ManifestPart part{table, "", std::nullopt};
  const std::string folder = absolute.parent_path().filename().string(), stem = absolute.stem().string();
  const Path root = table.has_parent_path() ? table.parent_path() : Path(".");
  return read_manifest(std::span(&part, 1), root, folder.empty() ? stem : fmt::format("{}/{}", folder, stem), log,
                       columns, container_of(root, cache));
}

}  // namespace vise::datasets

#include "reports/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "base/text.h"
#include "base/threads.h"
#include "experiments/draws.h"
#include "reports/folds.h"
#include "reports/metric_names.h"

namespace vise::reports {
namespace {

// The way from results to a table: Grouping puts each result into a section and a row; finish_sections() averages
// seeds, names layers and numbers footnotes; add_fold_means() appends means over folds; published numbers and the
// baselines' differences come last, since they apply to the means too.
const char* const kEdgeNote =
    "(edge): the chosen value is the first or last of its grid, so the best one may lie outside it.";

// What must agree for two results to be rows of one section, as views of the result.
// Rows are compared only with rows of the same split: its hash is part of the key,
// whatever the task is called.
auto section_key(const experiments::Result& r) {
  return std::make_tuple(std::string_view(r.cell.task), std::string_view(r.cell.target), std::string_view(r.cell.where),
                         std::string_view(r.split_hash), std::string_view(r.primary_metric), r.cell.shots,
                         r.cell.fraction);
}

// ... and of one row of a section.
auto row_key(std::size_t section, const experiments::Cell& cell) {
  return std::make_tuple(section, std::string_view(cell.backbone), std::string_view(cell.probe),
                         std::string_view(cell.layer), std::string_view(cell.pool));
}

// Hashes nested tuples of views: std::hash has none for tuples. The constant is 2^64 over the golden ratio, which
// spreads the low bits of small numbers (Knuth's multiplicative hashing).
struct TupleHash {
  template <typename... Parts>
  std::size_t operator()(const std::tuple<Parts...>& key) const {
    std::size_t hash = 0;
    std::apply([&](const auto&... part) { (add(hash, part), ...); }, key);
    return hash;
  }

 private:
  template <typename Part>
  void add(std::size_t& hash, const Part& part) const {
    if constexpr (requires { std::hash<Part>{}(part); })
      hash = (hash ^ std::hash<Part>{}(part)) * 0x9E3779B97F4A7C15u;
    else
      hash = (hash ^ (*this)(part)) * 0x9E3779B97F4A7C15u;
  }
};

// An empty section with what all of its results have in common, taken from the first of them.
TableSection new_section(const experiments::Result& r) {
  TableSection section;
  section.task = r.cell.task;
  section.target = r.cell.target;
  section.target_kind = r.target_kind;
  section.shots = r.cell.shots;
  section.fraction = r.cell.fraction;
  section.where = r.cell.where;
  section.class_names = r.class_names;
  section.split_origin = r.split_origin;
  // Two tables with other draws of one seed must not look alike.
  if (r.draw == experiments::kDrawnByName && r.split_origin.find("(seed ") != std::string::npos)
    section.split_origin += fmt::format(", as 0.1 drew it from the name {}", r.cell.task);
  section.split_hash = r.split_hash;
  section.sizes = r.sizes;
  section.primary_metric = r.primary_metric;
  return section;
}

// Results -> sections -> rows. A second result of the same cell with another key (other weights or settings under one
// name) is not a seed: it begins a row of its own.
class Grouping {
 public:
  explicit Grouping(ComparisonTable& table) : table_(table) {}

  void add(std::size_t index) {
    const experiments::Result& r = table_.results[index];
    const auto [place, is_new] = sections_.try_emplace(section_key(r), table_.sections.size());
    if (is_new) table_.sections.push_back(new_section(r));
    TableSection& section = table_.sections[place->second];
    if (section.class_names.empty()) section.class_names = r.class_names;  // a failed first row may know none
    Variants& variants = variants_[row_key(place->second, r.cell)];
    row(section, variants, variants.results_of_seed[r.cell.seed]++, r.cell).results.push_back(index);
  }

 private:
  using SectionKey = decltype(section_key(std::declval<experiments::Result>()));
  using RowKey = decltype(row_key(0, std::declval<experiments::Cell>()));

  // The rows of one key: places in the section.
  struct Variants {
    std::vector<std::size_t> rows;
    std::map<std::uint64_t, std::size_t> results_of_seed;
  };

  // The row of that variant. A number in brackets tells a second one apart ("resnet50 (2)"), as both have one name.
  static TableRow& row(TableSection& section, Variants& variants, std::size_t variant, const experiments::Cell& cell) {
    if (variant == variants.rows.size()) {
      variants.rows.push_back(section.rows.size());
      TableRow added;
      added.cell = cell;
      added.backbone = variant == 0 ? cell.backbone : fmt::format("{} ({})", cell.backbone, variant + 1);
      added.probe = cell.probe;
      section.rows.push_back(std::move(added));
    }
    return section.rows[variants.rows[variant]];
  }

  ComparisonTable& table_;
  // Keys view table_.results, which stays as it is meanwhile.
  std::unordered_map<SectionKey, std::size_t, TupleHash> sections_;
  std::unordered_map<RowKey, Variants, TupleHash> variants_;
};

// Whether a row's feature is taken from a network: floors have the picture itself, and cells that failed before their
// weights were found have no tap yet.
bool has_tap(const TableRow& row) { return row.cell.layer != "image" && row.cell.layer != "default"; }

// Rows say their layer and pool where these differ: within a backbone, or between networks of several kinds (a map's
// mean beside a class token is no like for like unless it is said).
void name_layers_where_they_vary(TableSection& section) {
  std::map<std::string, std::set<std::pair<std::string, std::string>>> taps;
  std::set<std::pair<std::string, std::string>> of_networks;
  for (const TableRow& row : section.rows) {
    taps[row.cell.backbone].emplace(row.cell.layer, row.cell.pool);
    if (has_tap(row)) of_networks.emplace(row.cell.layer, row.cell.pool);
  }
  const bool within = std::ranges::any_of(taps, [](const auto& of) { return of.second.size() > 1; });
  if (!within && of_networks.size() < 2) return;
  for (TableRow& row : section.rows)
    if (within || has_tap(row)) row.backbone += fmt::format(" {}/{}", row.cell.layer, row.cell.pool);
}

// Lists every metric that a row of the section has in the order of a table's columns; metrics that users registered
// follow in alphabetical order.
void list_metrics(TableSection& section, const ComparisonTable& table) {
  std::set<std::string> present;
  for (const TableRow& row : section.rows)
    for (const std::size_t i : row.results)
      for (const auto& [name, value] : table.results[i].metrics)
        if (!present.contains(name)) present.insert(name);  // a search makes no copy
  const auto take = [&](const std::string& name) {
    if (present.erase(name)) section.metrics.push_back(name);
  };
  present.insert(section.primary_metric);
  take(section.primary_metric);
  for (const MetricName& known : metric_names()) take(std::string(known.key));
  for (const std::string& other : std::set(present)) take(other);
}

// People's tables show at most five metrics; of classes those that everybody reports ("auc" exists for two only).
void choose_shown(TableSection& section) {
  const bool classes = section.target_kind == datasets::TargetKind::classes;
  static const std::set<std::string, std::less<>> kUsual{"accuracy", "balanced_accuracy", "f1_macro", "auc"};
  for (const std::string& name : section.metrics) {
    const bool usual = classes ? kUsual.contains(name) : !metric_name(name).title.empty();
    if (name == section.primary_metric || (usual && section.shown.size() < 5)) section.shown.push_back(name);
  }
}

// A metric that one of the seeds leaves undefined has no mean.
Estimate average_metric(const TableRow& row, const ComparisonTable& table, const std::string& metric) {
  std::vector<double> values;
  values.reserve(row.results.size());
  for (const std::size_t i : row.results) {
    const experiments::Result& r = table.results[i];
    if (!r.ok()) continue;
    const auto found = r.metrics.find(metric);
    if (found == r.metrics.end() || !found->second) return {};
    values.push_back(*found->second);
  }
  return mean_estimate(values);
}

// "C = 0.1, gamma = 2"; six digits are enough to tell the values of a grid apart.
std::string parameters_text(const std::map<std::string, double>& parameters) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : parameters) parts.push_back(fmt::format("{} = {:.6g}", name, value));
  return join(parts, ", ");
}

// Seeds may choose different values: all are listed with their counts, the most frequent first, since an average of
// hyper-parameters was never fitted.
void describe_choice(TableRow& row, const ComparisonTable& table) {
  std::map<std::string, int> counts;
  for (const std::size_t i : row.results) {
    const experiments::Result& r = table.results[i];
    if (!r.ok() || r.selection.chosen.empty()) continue;
    ++counts[parameters_text(r.selection.chosen)];
    row.on_edge |= r.selection.on_edge;
  }
  std::vector<std::pair<std::string, int>> ordered(counts.begin(), counts.end());
  std::ranges::stable_sort(ordered, std::greater{}, &std::pair<std::string, int>::second);
  std::vector<std::string> parts;
  for (const auto& [text, count] : ordered)
    parts.push_back(ordered.size() == 1 ? text : fmt::format("{} ({}x)", text, count));
  row.chosen = join(parts, "; ");
}

// What a row says of its seeds together: how many of them are ok, the first error, means and choices.
void summarise(TableRow& row, const TableSection& section, const ComparisonTable& table) {
  for (const std::size_t i : row.results) {
    const experiments::Result& r = table.results[i];
    row.seeds += r.ok();
    if (!r.ok() && row.error.empty()) row.error = r.error.empty() ? "no reason was recorded" : r.error;
  }
  row.failed = row.seeds == 0;
  for (const std::string& metric : section.metrics) row.metrics.push_back(average_metric(row, table, metric));
  describe_choice(row, table);
}

// Where all rows were chosen on the same images the column's head says which; where they differ each row says it
// itself.
void agree_on_selection(TableSection& section, const ComparisonTable& table) {
  std::set<std::string> selected_on;
  for (const TableRow& row : section.rows)
    for (const std::size_t i : row.results)
      // "nothing to choose" has no curve: a value was taken as given.
      if (table.results[i].ok() && !table.results[i].selection.curve.empty())
        selected_on.insert(table.results[i].selection.selected_on);
  if (selected_on.size() == 1) section.selected_on = *selected_on.begin();
  if (selected_on.size() < 2) return;
  for (TableRow& row : section.rows)
    if (!row.chosen.empty())
      row.chosen += fmt::format(" ({})", table.results[row.results.front()].selection.selected_on);
}

// The notes of a row's results, each once, as views of them.
using RowNotes = std::vector<std::string_view>;

RowNotes row_notes(const TableRow& row, const ComparisonTable& table) {
  RowNotes notes;
  for (const std::size_t i : row.results)
    for (const std::string& note : table.results[i].notes)
      if (std::ranges::find(notes, note) == notes.end()) notes.push_back(note);
  return notes;
}

// A note that every row has belongs to the section.
void number_notes(TableSection& section, const std::vector<RowNotes>& notes_of_row, ComparisonTable& table) {
  std::map<std::string_view, std::size_t> counts;
  for (const RowNotes& notes : notes_of_row)
    for (const std::string_view note : notes) ++counts[note];
  for (std::size_t r = 0; r < section.rows.size(); ++r) {
    TableRow& row = section.rows[r];
    for (const std::string_view note : notes_of_row[r]) {
      std::vector<int>& notes =
          counts[note] == section.rows.size() && section.rows.size() > 1 ? section.notes : row.notes;
      const int number = add_footnote(table, std::string(note));
      if (std::ranges::find(notes, number) == notes.end()) notes.push_back(number);
    }
    if (!row.failed && !row.error.empty())
      row.notes.push_back(add_footnote(table, fmt::format("{} of {} seeds failed: {}", row.results.size() - row.seeds,
                                                          row.results.size(), row.error)));
    if (row.failed) row.notes.push_back(add_footnote(table, fmt::format("failed: {}", row.error)));
    if (row.on_edge) row.notes.push_back(add_footnote(table, kEdgeNote));
  }
}

// What is printed beside a published number: how it was measured, and how ours was.
std::string published_note(const PublishedRecord& record, const TableRow& row) {
  std::string text = fmt::format("published: {} of {} on {}", record.metric, record.backbone, record.task);
  if (!record.protocol.empty()) text += fmt::format("; protocol there: {}, here: {}", record.protocol, row.probe);
  if (!record.source.empty()) text += fmt::format("; {}", record.source);
  if (!record.seen_in.empty()) text += fmt::format(" (seen in {})", record.seen_in);
  if (!record.note.empty()) text += fmt::format("; {}", record.note);
  return text;
}

// The published numbers of each row's backbone and primary metric, each with a footnote on how it was measured.
void add_published(TableSection& section, ComparisonTable& table, const std::vector<PublishedRecord>& records) {
  std::map<std::string, std::vector<PublishedRecord>> of_backbone;  // rows share backbones, and names are slow to match
  for (TableRow& row : section.rows) {
    const auto [known, is_new] = of_backbone.try_emplace(row.cell.backbone);
    if (is_new) known->second = published_for(records, section.task, row.cell.backbone, section.primary_metric);
    row.published = known->second;
    for (const PublishedRecord& record : row.published)
      row.published_notes.push_back(add_footnote(table, published_note(record, row)));
  }
}

// All that a section says by itself, and its rows' notes, which are numbered through the table.
std::vector<RowNotes> finish_section(TableSection& section, const ComparisonTable& table) {
  name_layers_where_they_vary(section);
  list_metrics(section, table);
  choose_shown(section);
  std::vector<RowNotes> notes;
  notes.reserve(section.rows.size());
  for (TableRow& row : section.rows) {
    std::ranges::stable_sort(row.results, {}, [&](std::size_t i) { return table.results[i].cell.seed; });
    summarise(row, section, table);
    notes.push_back(row_notes(row, table));
  }
  agree_on_selection(section, table);
  return notes;
}

void finish_sections(ComparisonTable& table) {
  std::vector<std::vector<RowNotes>> notes(table.sections.size());
  // Sections by themselves side by side; footnotes are numbered through the table and come after, in order.
  parallel_for(available_cores(), notes.size(),
               [&](std::size_t s) { notes[s] = finish_section(table.sections[s], table); });
  for (std::size_t s = 0; s < notes.size(); ++s) number_notes(table.sections[s], notes[s], table);
}

// Asked for by name, so a misspelt baseline is an error with the nearest name, not a table without differences.
void check_baseline(const ComparisonTable& table, const std::string& baseline) {
  std::set<std::string> names;
  for (const experiments::Result& r : table.results) names.insert(r.cell.backbone);
  if (names.contains(baseline)) return;
  throw Error(ErrorKind::usage, fmt::format("baseline '{}' is no backbone of these results", baseline),
              suggest(baseline, std::vector<std::string>(names.begin(), names.end())));
}

// Of the baseline's rows the one to compare `row` with: the same probe, layer and pool where there is one, otherwise
// the first.
std::optional<std::size_t> baseline_row(const TableSection& section, const TableRow& row,
                                        const std::vector<std::size_t>& baselines) {
  std::optional<std::size_t> best;
  int best_score = -1;
  for (const std::size_t i : baselines) {
    const TableRow& candidate = section.rows[i];
    // The same probe matters more than the same layer: a difference should be the backbone's.
    const int score = 2 * (candidate.probe == row.probe) +
                      (candidate.cell.layer == row.cell.layer && candidate.cell.pool == row.cell.pool);
    if (score > best_score) best = i, best_score = score;
  }
  return best;
}

// Values only: p and intervals of the former baseline's differences are dropped with them, until test_differences()
// is called again.
void set_section_baseline(TableSection& section, const std::string& backbone) {
  section.baseline = backbone;
  std::vector<std::size_t> baselines;
  // A failed baseline has no value to compare with.
  for (std::size_t i = 0; i < section.rows.size(); ++i)
    if (section.rows[i].cell.backbone == backbone && !section.rows[i].failed) baselines.push_back(i);
  for (TableRow& row : section.rows) {
    row.difference.reset();
    row.is_baseline = row.cell.backbone == backbone;
    const auto other = row.is_baseline || row.failed ? std::nullopt : baseline_row(section, row, baselines);
    if (!other) continue;
    const auto mine = row.metrics.front().value, theirs = section.rows[*other].metrics.front().value;
    if (!mine || !theirs) continue;
    row.difference.emplace().value = *mine - *theirs;
    row.compared_with = *other;
  }
}

// Without a baseline that was asked for: each task's own, and where a task names none, or one that isn't among the
// rows, its first backbone.
void set_own_baselines(ComparisonTable& table, const std::map<std::string, std::string>& of_task) {
  std::set<std::string> used;
  for (TableSection& section : table.sections) {
    // A mean over folds is called NAME, its folds NAME.1 ...: the options know the tasks by the folds' names.
    const auto named = of_task.find(section.folds.empty() ? section.task : table.sections[section.folds.front()].task);
    const bool is_row = named != of_task.end() && std::ranges::any_of(section.rows, [&](const TableRow& row) {
                          return row.cell.backbone == named->second;
                        });
    set_section_baseline(section, is_row ? named->second : section.rows.front().cell.backbone);
    used.insert(section.baseline);
  }
  table.baseline = used.size() == 1 ? *used.begin() : "";
}

}  // namespace

void set_baseline(ComparisonTable& table, const std::string& backbone) {
  if (!table.sections.empty()) check_baseline(table, backbone);
  table.baseline = backbone;
  for (TableSection& section : table.sections) set_section_baseline(section, backbone);
}

ComparisonTable compare(std::vector<experiments::Result> results, const CompareOptions& options) {
  ComparisonTable table;
  table.alpha = options.alpha;
  table.level = options.level;
  table.kinds = options.kinds;
  table.results = std::move(results);
  Grouping grouping(table);
  for (std::size_t i = 0; i < table.results.size(); ++i) grouping.add(i);
  finish_sections(table);
  // After the sections are finished, since a mean is made of their rows.
  add_fold_means(table);
  for (TableSection& section : table.sections) add_published(section, table, options.published);
  if (options.baseline.empty())
    set_own_baselines(table, options.baselines);
  else
    set_baseline(table, options.baseline);
  return table;
}

}  // namespace vise::reports

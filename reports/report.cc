#include "reports/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "experiments/results_file.h"
#include "reports/compare.h"
#include "reports/gallery.h"
#include "reports/verdict/make_verdict.h"
#include "reports/won_images.h"

namespace vise::reports {
namespace {

// The results of all runs in one list, and for each the folder below which its scores are.
struct Merged {
  std::vector<experiments::Result> results;
  RunOfResults runs;
};

// A failure whose cell succeeded later, under the key that only success could give it, is history.
void drop_overcome(Merged& merged) {
  std::set<experiments::Cell> failed, overcome;
  for (const experiments::Result& result : merged.results)
    if (!result.ok()) failed.insert(result.cell);
  if (failed.empty()) return;
  for (const experiments::Result& result : merged.results)
    if (result.ok() && failed.contains(result.cell)) overcome.insert(result.cell);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < merged.results.size(); ++i) {
    if (!merged.results[i].ok() && overcome.contains(merged.results[i].cell)) continue;
    if (kept != i) merged.results[kept] = std::move(merged.results[i]);
    // Results and the runs that they are from move together.
    merged.runs.of_result[kept++] = merged.runs.of_result[i];
  }
  merged.results.resize(kept);
  merged.runs.of_result.resize(kept);
}

// Of equal keys the last run's result counts, in the first one's place.
Merged merge(std::vector<RunFolder> runs) {
  Merged merged;
  if (runs.empty()) return merged;
  for (const RunFolder& run : runs) merged.runs.folders.push_back(run.path);
  merged.results = std::move(runs.front().results);
  merged.runs.of_result.assign(merged.results.size(), 0);
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < merged.results.size() && runs.size() > 1; ++i) places.emplace(merged.results[i].key, i);
  for (std::size_t run = 1; run < runs.size(); ++run)
    for (experiments::Result& result : runs[run].results) {
      const auto [place, is_new] = places.try_emplace(result.key, merged.results.size());
      if (is_new) {
        merged.results.push_back(std::move(result));
        merged.runs.of_result.push_back(run);
      } else {
        merged.results[place->second] = std::move(result);
        merged.runs.of_result[place->second] = run;
      }
    }
  drop_overcome(merged);
  return merged;
}

// Where no row of the whole table has scores, one sentence says so instead of one a row.
bool any_scores(const std::vector<SectionEvidence>& evidence) {
  return std::ranges::any_of(evidence, [](const SectionEvidence& e) { return !e.empty(); });
}

// Moves a footnote that every row of a section has to the section itself. Failed rows have no scores in any case.
void note_once_and_for_all(ComparisonTable& table, const std::string& rows_note) {
  const auto found = std::ranges::find(table.footnotes, rows_note);
  if (found == table.footnotes.end()) return;
  const int number = static_cast<int>(found - table.footnotes.begin()) + 1;
  for (TableSection& section : table.sections) {
    bool every_row = true;
    for (const TableRow& row : section.rows) every_row &= row.failed || std::ranges::count(row.notes, number) > 0;
    // A remark that holds for every row belongs to the section, not to each name.
    if (!every_row) continue;
    for (TableRow& row : section.rows) std::erase(row.notes, number);
    section.notes.push_back(number);
  }
}

// Tests every difference, once the baselines are set; the evidence itself doesn't change with them.
void test_all(Report& report) {
  for (std::size_t s = 0; s < report.evidence.size(); ++s)
    report.evidence[s].test_differences(report.table, report.table.sections[s]);
}

// The surest images that only the row gets right, and those that only the row it is compared with does.
void add_won(const SectionEvidence& evidence, const TableRow& row, std::size_t place, std::set<std::string>& ids) {
  if (!row.difference) return;
  std::size_t by_row = 0, by_other = 0;
  for (const WonImage& image : won_images(evidence, place, row.compared_with))
    if ((image.by_row ? by_row : by_other)++ < kGalleryImages) ids.insert(evidence.ids()[image.item]);
}

}  // namespace

RunFolder read_run(const Path& path, experiments::ResultDetail detail) {
  const bool is_folder = std::filesystem::is_directory(path);
  const Path file = is_folder ? path / "results.jsonl" : path;
  if (!std::filesystem::exists(file))
    throw Error(ErrorKind::missing, fmt::format("{}: there are no results here", path.string()),
                "name a run's folder, the one that holds results.jsonl");
  return {file.parent_path(), experiments::read_results(file, detail)};
}

Report make_report(std::vector<RunFolder> runs, const CompareOptions& options, const Context& context) {
  Merged merged = merge(std::move(runs));
  Report report{compare(std::move(merged.results), options), {}, std::move(merged.runs), options.seed, {}};
  ComparisonTable& table = report.table;
  report.evidence.reserve(table.sections.size());  // a mean over folds looks at those before it
  for (TableSection& section : table.sections) {
    if (section.folds.empty())
      report.evidence.emplace_back(table, section, report.runs, options, context);
    else
      report.evidence.emplace_back(table, section, std::span<const SectionEvidence>(report.evidence), options);
    report.evidence.back().add_intervals(section);
  }
  if (any_scores(report.evidence)) table.resamples = options.resamples;
  note_once_and_for_all(table, kNoScores);
  test_all(report);
  if (options.verdict) table.verdict = make_verdict(table, report.evidence, options, context);
  return report;
}

// Found by the same rules as the page draws them, so no thumbnail is made in vain and none is missing.
std::vector<std::vector<std::string>> gallery_ids(const Report& report) {
  std::vector<std::vector<std::string>> ids;
  for (std::size_t s = 0; s < report.evidence.size(); ++s) {
    const SectionEvidence& evidence = report.evidence[s];
    std::set<std::string> of_section;
    for (std::size_t r = 0; r < evidence.rows().size(); ++r) {
      const RowGallery gallery = row_gallery(evidence, r, kGalleryImages);
      for (const auto* side : {&gallery.right, &gallery.wrong})
        for (const GalleryItem& item : *side) of_section.insert(item.id);
      add_won(evidence, report.table.sections[s].rows[r], r, of_section);
    }
    ids.emplace_back(of_section.begin(), of_section.end());
  }
  return ids;
}

void switch_baseline(Report& report, const std::string& backbone) {
  set_baseline(report.table, backbone);
  test_all(report);
}

}  // namespace vise::reports

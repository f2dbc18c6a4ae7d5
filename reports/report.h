// Runs in, the table with its proof out.
//
//   Report report = make_report({read_run("runs/a"), read_run("runs/b")}, {.baseline = "resnet18"}, context);
//   std::cout << to_markdown(report.table);
//   write_file_atomically("report.html", to_html(report));
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/log.h"
#include "reports/compare.h"
#include "reports/evidence.h"
#include "reports/gallery_map.h"
#include "reports/table.h"

namespace vise::reports {

struct RunFolder {
  Path path;  // scores are below it
  std::vector<experiments::Result> results;
};

// `path` is a run's folder or its results.jsonl. Error{missing} with what to do when there is none.
RunFolder read_run(const Path& path, experiments::ResultDetail detail = experiments::ResultDetail::everything);

struct Report {
  ComparisonTable table;
  std::vector<SectionEvidence> evidence;  // one a section of the table
  RunOfResults runs;                      // where table.results came from
  std::uint64_t seed = 0;                 // of the bootstrap
  std::string seal = {};                  // digest of the folder whose page this is (experiments/seal.h), or empty
  // Item id -> data URI, one map a section or none at all: with them the page has a gallery.
  std::vector<std::map<std::string, std::string>> thumbnails = {};
  std::vector<GalleryMaps> maps = {};            // one a section or none at all, beside thumbnails
  std::vector<GalleryAttention> attention = {};  // the same
};

// Merges the runs (of equal keys the last one counts), compares, reads the saved scores and adds intervals and tests.
// Without scores the table stays as it is, with a footnote. Uses context.threads; the numbers don't depend on them.
Report make_report(std::vector<RunFolder> runs, const CompareOptions& options, const Context& context);

// Images a row and side of the gallery.
inline constexpr std::size_t kGalleryImages = 6;
// The ids whose thumbnails the page of this report would show, by section.
std::vector<std::vector<std::string>> gallery_ids(const Report& report);

// The report with another baseline, tests included; nothing is resampled again.
void switch_baseline(Report& report, const std::string& backbone);

// One HTML file that works offline: the table (sortable, any backbone as baseline), bars with intervals, sweeps,
// confusion matrices, reliability, cost and provenance.
std::string to_html(const Report& report);
// The numbers it holds.
Json page_json(const Report& report);

}  // namespace vise::reports

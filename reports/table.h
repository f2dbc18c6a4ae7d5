// The comparison table: what every writer (Markdown, terminal, CSV, LaTeX, JSON, HTML) prints.
//
//   ComparisonTable table = compare(read_results("run/results.jsonl"), {.baseline = "resnet18"});
//   std::cout << to_markdown(table);
//
// One section a task, target, split and sample of train; one row a backbone (x layer x pool where they vary) x probe.
// Seeds of one row are averaged. Values are the results' own, as fractions; writers turn them into percent. compare()
// looks at results.jsonl alone; make_report (report.h) adds what needs the saved scores: intervals and tests. Plain
// values, no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "experiments/result.h"
#include "reports/published.h"
#include "reports/statistics/interval.h"
#include "reports/verdict_values.h"

namespace vise::reports {

// A metric of a row: the mean over its seeds.
struct Estimate {
  std::optional<double> value;       // nothing: undefined on this test set, or not measured
  std::optional<Interval> interval;  // over test items
  std::optional<double> deviation;   // standard deviation over seeds or folds (ddof 1), with two or more
};

// Difference::test of a mean over splits that were drawn several times.
inline constexpr const char* kCorrectedT = "corrected resampled t";

// The primary metric minus the baseline's.
struct Difference {
  double value = 0;
  std::optional<Interval> interval;  // inverts `test`: excludes 0 where p < alpha
  std::optional<double> p, p_holm;   // two-sided; p_holm is adjusted over the rows of the section
  std::string test;                  // "McNemar, exact"
  std::optional<double> detectable;  // the smallest difference McNemar's test would find here with 80 % power
  std::size_t only_row = 0, only_baseline = 0;  // test images that only one of the two got right (McNemar's b, c)
  std::vector<double> per_class;  // recall minus the baseline's, a class; NaN where the class has no test image
  bool survives = false;          // p_holm < alpha
  bool survives_alone = false;    // p < alpha: before Holm's adjustment, as the interval has it
};

struct TableRow {
  std::string backbone;  // with layer and pool where the section has several
  std::string probe;
  experiments::Cell cell;              // of the first result; its seed is one of the row's
  std::vector<std::size_t> results;    // places in ComparisonTable::results, one a seed
  std::size_t seeds = 0;               // results that are ok; of a mean over folds: how many folds
  std::vector<std::size_t> fold_rows;  // of a mean over folds: this row's place in each of them
  bool is_baseline = false;
  bool failed = false;                     // no seed is ok
  std::string error;                       // of the first failed seed
  std::vector<Estimate> metrics;           // as TableSection::metrics
  std::optional<Difference> difference;    // nothing for the baseline itself, failed rows and rows without a baseline
  std::size_t compared_with = 0;           // the row of the section, where `difference` is there
  std::string chosen;                      // "C = 0.1"; with several seeds every value, the most frequent first
  bool on_edge = false;                    // a chosen value is the first or last of its grid
  std::vector<PublishedRecord> published;  // of the primary metric
  std::vector<int> published_notes;        // a footnote each
  std::vector<int> notes;                  // footnote numbers, from 1
};

struct TableSection {
  std::string task, target;
  datasets::TargetKind target_kind = datasets::TargetKind::classes;
  int shots = 0;
  double fraction = 1;  // of train
  std::string where;    // the condition that items meet
  std::vector<std::string> class_names;
  std::string split_origin, split_hash;
  experiments::SplitSizes sizes;
  std::string primary_metric;
  std::vector<std::string> metrics;  // every metric any row has: the primary one first, then in metric_names' order
  std::vector<std::string> shown;    // those for people's tables, in that order
  std::string selected_on;           // what hyper-parameters were chosen on, where all rows agree; otherwise ""
  std::string baseline;              // the backbone that rows are compared with; "" where there is none
  std::optional<double> annotator_agreement;  // mean share of votes for the label, where the test images have votes
  std::vector<TableRow> rows;                 // in the order of the results
  std::vector<std::size_t> folds;             // the sections that this one is the mean of (folds.h); none: its own
  std::vector<int> notes;                     // footnotes of every row
};

// Images that the section's models learnt from: train, and where that is all of it val too, with which they are
// refitted.
std::size_t training_images(const TableSection& section);

struct ComparisonTable {
  std::string baseline;  // of every section; "" where sections have their own, or there is nothing to compare with
  double alpha = 0.05, level = 0.95;
  int resamples = 0;  // of the bootstrap; 0: no intervals
  std::vector<TableSection> sections;
  std::vector<std::string> footnotes;        // number i + 1
  std::vector<experiments::Result> results;  // what the rows were made of
  std::map<std::string, std::string> kinds;  // of tasks that have one: "subjective", "control"
  Verdict verdict;                           // over the tasks, samples and layers; make_report's
};

// Mean and, of two values and more, standard deviation (ddof 1); nothing of none.
Estimate mean_estimate(const std::vector<double>& values);

// The footnote's number; the same text is kept once.
int add_footnote(ComparisonTable& table, const std::string& text);

}  // namespace vise::reports

// The parts of a comparison over tasks that make_verdict.cc puts together.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reports/evidence.h"
#include "reports/verdict/entrants.h"
#include "reports/verdict_values.h"

namespace vise::reports {

// What every step needs: the table, one evidence a section, and which sections have test images in common (pairs, the
// smaller first).
struct Sources {
  const ComparisonTable& table;
  std::span<const SectionEvidence> evidence;
  std::set<std::pair<std::size_t, std::size_t>> sharing;
};

Sources sources_of(const ComparisonTable& table, std::span<const SectionEvidence> evidence);

// Of images and runs, tasks x tasks: each task's own error, and what tasks share by their images. `effects_of` says
// what each test image does to task t's number (influences() in task_scores.h); it is asked where tasks share any.
std::vector<double> covariance_of(const Sources& sources, std::span<const std::size_t> sections,
                                  std::span<const SeedMean> parts,
                                  const std::function<std::vector<double>(std::size_t)>& effects_of);

// The weighted sum of numbers of several tasks. Where tasks share images its resamples are as wide as that covariance
// has it: tasks of one split draw alike, others apart, and neither is what they share.
SeedMean sum_over_tasks(std::span<const SeedMean> parts, std::span<const double> weights,
                        std::span<const double> covariance);

// Gains over the baseline on one scale, rows x tasks, and what their tests need.
struct Gains {
  std::vector<double> values;      // a task each
  std::vector<SeedMean> parts;     // the same with their errors; empty where some task has none
  std::vector<double> covariance;  // tasks x tasks, of images and runs; 0 where unknown
};

// Factor and sign that take a task's metric to the comparison's scale: 1, or 1 / (ceiling - floor).
Gains gains_of(const Sources& sources, const TaskComparison& comparison, std::size_t row, bool in_shares);

// A weighted sum of a row's gains: value, both intervals and p-values. `kinds` empty: the mean over all tasks; else the
// mean over those marked 1 less that over those marked 0, tasks marked 2 left out.
OverTasks over_tasks(const Gains& gains, std::span<const std::uint8_t> kinds, double level);

// Holm's adjustment over `numbers`, for each of the two p-values.
void adjust(std::span<OverTasks* const> numbers);

// Mean ranks, their intervals, the chance of being best; from kFewestForRanks tasks on the tests of ranks too.
void add_ranks(const Sources& sources, TaskComparison& comparison, std::size_t resamples, double level, double alpha);

// Differences between kinds of tasks of each row's gain.
void add_kinds(const Sources& sources, TaskComparison& comparison, double level);

// The sentences: the answer first.
void add_sentences(const ComparisonTable& table, TaskComparison& comparison, std::vector<std::string> left_out);

}  // namespace vise::reports

// The verdict of a report's table and evidence.
//
//   report.table.verdict = make_verdict(report.table, report.evidence, options, context);
//
// Gains of one task are paired by image (and training run). Over tasks: "these" has the error of images and runs of
// each task, jackknife covariances of tasks that share test images among it (statistics/seed_means.h for few runs);
// "alike" takes the tasks as the units (statistics/task_contrast.h). Ranks and the chance of being best come from the
// resamples themselves, images within tasks, and tasks too.
#pragma once

#include <span>

#include "base/log.h"
#include "reports/compare.h"
#include "reports/evidence.h"
#include "reports/table.h"
#include "reports/verdict_values.h"

namespace vise::reports {

// Empty where there are neither several tasks nor samples nor layers. `evidence`: one a section. The numbers don't
// depend on context.threads.
Verdict make_verdict(const ComparisonTable& table, std::span<const SectionEvidence> evidence,
                     const CompareOptions& options, const Context& context);

}  // namespace vise::reports

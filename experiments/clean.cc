#include "experiments/clean.h"

#include <fmt/format.h>

#include <optional>

#include "base/csv.h"
#include "base/hash.h"
#include "datasets/audit.h"
#include "experiments/results_file.h"
#include "experiments/scores_file.h"
#include "experiments/split_file.h"
#include "experiments/split_rule.h"
#include "experiments/task_run.h"
#include "extract/images/fingerprint.h"
#include "probes/evaluate.h"

namespace vise::experiments {
namespace {

// Is printed where --where's condition is: in the table's title and in the names of files.
constexpr const char* kCondition = "the audit flags nothing";

// The saved scores of the items that aren't flagged, in the same order.
SavedScores without(const SavedScores& saved, const std::map<std::string, std::string>& flagged) {
  std::vector<std::uint32_t> kept;
  SavedScores clean{{}, {}, {0, saved.scores.columns, {}}};
  for (std::uint32_t i = 0; i < saved.ids.size(); ++i) {
    if (flagged.contains(saved.ids[i])) continue;
    kept.push_back(i);
    clean.ids.push_back(saved.ids[i]);
    for (std::size_t k = 0; k < saved.scores.columns; ++k) clean.scores.values.push_back(saved.scores(i, k));
  }
  clean.scores.rows = kept.size();
  clean.targets = saved.targets.select(kept);
  if (saved.votes) clean.votes = saved.votes->select(kept);
  return clean;
}

// The run's split with flagged test images in no part, written where `cell` looks for it; returns its hash.
std::string write_clean_split(const Path& run_folder, const Path& out, const Cell& of_run, const Cell& cell,
                              const std::map<std::string, std::string>& flagged) {
  const SavedSplit saved = read_split(run_folder / split_file(of_run, false));
  std::vector<datasets::Part> parts = saved.split.parts();
  for (std::size_t i = 0; i < parts.size(); ++i)
    // Train and val stay as they were, so the fitted models are the run's own and only the judging changes.
    if (parts[i] == datasets::Part::test && flagged.contains(saved.ids[i])) parts[i] = datasets::Part::unused;
  const datasets::Split clean(std::move(parts), "");
  clean.write(out / split_file(cell, false), saved.ids);
  return clean.hash(saved.ids);
}

// Nothing where no test image is left.
std::optional<Result> clean_result(const Path& run_folder, const Path& out, const Result& result,
                                   const std::map<std::string, std::string>& flagged) {
  const SavedScores all = read_scores(run_folder, result), kept = without(all, flagged);
  if (kept.ids.empty()) return std::nullopt;
  Result clean = result;
  clean.cell.where += (clean.cell.where.empty() ? "" : " and ") + std::string(kCondition);
  // The key of the run's result and of the ids that are left out: judged without others it is another result.
  std::string identity = result.key;
  for (const auto& [id, reason] : flagged) identity += fmt::format("\n{}", id);
  clean.key = sha256_hex(identity).substr(0, 16);
  // From stored scores: nothing is fitted again, and the calibration is val's.
  clean.metrics = probes::evaluate(kept.scores, kept.targets, result.calibration);
  clean.split_hash = write_clean_split(run_folder, out, result.cell, clean.cell, flagged);
  clean.data_hash.clear();    // the run's: this key is of its key and what is left out
  clean.sample_hash.clear();  // the subset's file lies with the run
  const std::size_t left_out = all.ids.size() - kept.ids.size();
  clean.sizes.test -= left_out;
  clean.sizes.unused += left_out;
  clean.notes.push_back(fmt::format("{} of {} test images are left out: the audit flags them (flagged-{}.csv).",
                                    left_out, all.ids.size(), result.cell.task));
  clean.scores_file = write_scores(out, clean.key, kept);
  return clean;
}

}  // namespace

std::map<std::string, std::string> flagged_test_images(const Task& task, const RunRequest& request,
                                                       const Context& context) {
  const datasets::Dataset dataset = open_dataset(task, request, context.log);
  const datasets::Split split = resolve_split(task, dataset);
  std::vector<datasets::PictureFacts> pictures(dataset.size());
  const images::DecodeOptions decode{request.extract.max_pixels};
  // The files are read once: audit_files() hands each one's bytes to the decoder as well, and audit_pictures() then
  // compares what the pictures show.
  datasets::Audit audit = datasets::audit_files(
      dataset, split, context,
      [&](std::uint32_t item, ByteView bytes) {
        pictures[item] = images::picture_facts(bytes, dataset.ids[item], decode);
      },
      task.target);
  datasets::audit_pictures(dataset, split, pictures, context, audit, task.target);
  std::map<std::string, std::string> flagged;
  for (const datasets::BadFile& bad : datasets::flagged_test_items(audit, dataset, split))
    flagged[dataset.ids[bad.item]] = bad.reason;
  return flagged;
}

std::vector<Result> write_clean_results(const Path& run_folder, const std::vector<Result>& results, const Task& task,
                                        const std::map<std::string, std::string>& flagged) {
  std::vector<Result> clean;
  if (flagged.empty()) return clean;
  const Path out = run_folder / "clean";
  std::string csv = "id,reason\n";
  for (const auto& [id, reason] : flagged) csv += csv_line(std::vector<std::string>{id, reason});
  write_file_atomically(out / fmt::format("flagged-{}.csv", task.name), csv);
  for (const Result& result : results) {
    // Other tasks of the run have flags of their own and are judged by a call of their own.
    if (result.cell.task != task.name || result.cell.target != task.target) continue;
    if (!result.ok() || result.scores_file.empty()) continue;
    auto judged = clean_result(run_folder, out, result, flagged);
    if (!judged) continue;
    append_result(out / "results.jsonl", *judged);
    clean.push_back(std::move(*judged));
  }
  return clean;
}

}  // namespace vise::experiments

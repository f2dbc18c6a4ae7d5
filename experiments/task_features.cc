// The features of a task: extracted, looked up, or left out where images can't be read.
#include "experiments/task_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/csv.h"
#include "base/error.h"
#include "datasets/sampling.h"
#include "experiments/split_rule.h"

namespace vise::experiments {

std::vector<TaskRun::Row*> TaskRun::with_features() {
  std::vector<Row*> rows;
  for (Row& row : rows_)
    if (row.failure.empty()) rows.push_back(&row);
  return rows;
}

// Results come in the order of the requests, one a tap; `request` says which of the rows each is of.
void TaskRun::extract_rows(const std::vector<Row*>& rows) {
  std::vector<features::Features> all =
      features::extract_features(dataset_, feature_requests(), request_.extract, context_);
  for (Row* row : rows) row->features.clear();
  for (features::Features& features : all) rows[features.request]->features.push_back(std::move(features));
}

// Which backbone an extraction failed for: each is tried on one image. Where none fails, or all do, the data are to
// blame and the error is everybody's.
void TaskRun::find_failing(const Error& error) {
  const auto used = std::ranges::find(dataset_.unused, false);  // the split has images in train and test
  const std::vector<std::uint32_t> first{static_cast<std::uint32_t>(used - dataset_.unused.begin())};
  const datasets::Dataset one = datasets::subset(dataset_, first);
  std::size_t failed = 0;
  for (Row& row : rows_) {
    try {
      features::extract_missing(one, {row.request}, request_.extract, context_);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::interrupted) throw;
      row.failure = words_of(e);
      ++failed;
    }
  }
  if (failed == 0 || failed == rows_.size()) throw error;
  for (const Row& row : rows_)
    if (!row.failure.empty())
      context_.log.warn(fmt::format("{}: the rows of {} fail, the rest goes on: {}", task_.name,
                                    row.request.backbone.name, row.failure));
}

void TaskRun::extract() {
  try {
    extract_rows(with_features());
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::interrupted) throw;
    // What can be computed still is: one backbone's missing file must not cost the others their rows.
    find_failing(e);
    extract_rows(with_features());
  }
  // After all backbones: an image that one of them could not read is left out of every
  // row, so that rows stay paired.
  leave_out_unreadable();
  draw_subsets();
  hash_data(with_features().front()->features.front().contents);
}

std::vector<features::FeatureRequest> TaskRun::feature_requests() const {
  std::vector<features::FeatureRequest> requests;
  for (const Row& row : rows_)
    if (row.failure.empty()) requests.push_back(row.request);
  return requests;
}

// No row is read back: a shard leaves features in its own store, and the final job reads them from the merged cache.
void TaskRun::extract_part(std::span<const std::uint32_t> items) {
  const datasets::Dataset part = datasets::subset(dataset_, items);
  try {
    features::extract_missing(part, feature_requests(), request_.extract, context_);
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::interrupted) throw;
    find_failing(e);
    features::extract_missing(part, feature_requests(), request_.extract, context_);
  }
}

// Of the cache alone: what the shard's own store has is counted by count_kept().
std::size_t TaskRun::count_missing(std::span<const std::uint32_t> items) const {
  features::ExtractOptions options = request_.extract;
  options.into.clear();
  std::size_t missing = 0;
  for (const features::FeatureStatus& status :
       features::feature_status(datasets::subset(dataset_, items), feature_requests(), options, context_))
    missing += status.missing + status.unread;
  return missing;
}

// The status of every backbone, and subsets and hashes as far as contents are known, so that plan() can name cells.
const std::vector<features::FeatureStatus>& TaskRun::look(bool read_unknown) {
  status_ = features::feature_status(dataset_, feature_requests(), request_.extract, context_, read_unknown);
  for (Row& row : rows_)
    for (const features::FeatureStatus& status : status_)
      if (status.backbone == row.request.backbone.name) row.status.push_back(status);
  draw_subsets();
  for (const features::FeatureStatus& status : status_)
    if (!status.contents.empty()) {
      hash_data(status.contents);
      break;
    }
  return status_;
}

// Rows must stay paired: an image that one backbone can't read is missing for all.
void TaskRun::leave_out_unreadable() {
  std::map<std::uint32_t, std::string> unreadable;
  for (const Row* row : with_features())
    for (const features::Features& features : row->features)
      unreadable.insert(features.unreadable.begin(), features.unreadable.end());
  if (unreadable.empty()) return;
  const auto& [first, reason] = *unreadable.begin();
  notes_.push_back(fmt::format("{} image(s) could not be read and are left out of every row, for example {}: {}",
                               unreadable.size(), dataset_.ids[first], reason));
  std::vector<std::uint32_t> items;
  skipped_csv_ = "path,split,reason\n";
  for (const auto& [item, why] : unreadable) {
    items.push_back(item);
    skipped_csv_ += csv_line(
        std::vector<std::string>{dataset_.ids[item], std::string(datasets::part_name(split_.part(item))), why});
  }
  split_ = without_items(split_, items);
}

}  // namespace vise::experiments

// What a task's cells are, before one of them is fitted: subsets of its split, keys, and where splits are written.
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/version.h"
#include "experiments/cell_key.h"
#include "experiments/task_run.h"
#include "probes/parse_probe.h"

namespace vise::experiments {
namespace {

constexpr std::string_view kTokens = "tokens";  // the pool

// A thinned cell learns from its subset alone: val belongs to nobody.
datasets::Split without_val(const datasets::Split& split) {
  std::vector<datasets::Part> parts = split.parts();
  std::ranges::replace(parts, datasets::Part::val, datasets::Part::unused);
  return {std::move(parts), split.origin()};
}

// ".shots-4.seed-0", as it is in the names of split files; nothing for all of train.
std::string subset_name(const TrainSubset& subset, std::uint64_t seed) {
  if (subset.is_all()) return {};
  std::string name;
  if (subset.shots > 0) name += fmt::format(".shots-{}", subset.shots);
  if (subset.fraction < 1) name += fmt::format(".fraction-{}", number(subset.fraction));
  return fmt::format("{}.seed-{}", name, seed);
}

}  // namespace

// Tokens are extracted for the probes that read them alone, and pooled rows for the others.
std::vector<features::FeatureTap> TaskRun::wanted_taps() const {
  // Each tap once: several probes read the same rows.
  std::vector<features::FeatureTap> taps;
  const auto add = [&](const features::FeatureTap& tap) {
    if (std::ranges::none_of(taps,
                             [&](const features::FeatureTap& t) { return t.layer == tap.layer && t.pool == tap.pool; }))
      taps.push_back(tap);
  };
  for (const probes::ProbeChoice& probe : probes_)
    for (const features::FeatureTap& tap : request_.taps) {
      if (probe.info().needs_tokens)
        add({tap.layer, std::string(kTokens)});
      else if (tap.pool != kTokens)
        add(tap);
      else if (request_.taps.size() == 1)
        throw Error(ErrorKind::usage, fmt::format("probe {} reads pooled rows, not tokens", probe.text),
                    "--probe attentive reads tokens; for the others --pool avg, cls, ... or none");
    }
  return taps;
}

// Drawn within classes from train alone. A fraction is drawn before shots, so that both together mean shots of the
// fraction.
datasets::Split TaskRun::thinned(const TrainSubset& subset, std::uint64_t seed) const {
  datasets::Split thin = split_;
  const std::vector<int> strata = targets_.strata();
  if (subset.fraction < 1) thin = draws_.label_fraction(thin, strata, subset.fraction, seed);
  if (subset.shots > 0) thin = draws_.few_shots(thin, strata, subset.shots, seed);
  return without_val(thin);
}

// Entry 0 is the split itself; each subset is drawn per seed, since a subset of four images
// a class depends on chance far more than a fit does.
void TaskRun::draw_subsets() {
  split_hash_ = split_.hash(dataset_.ids);
  splits_ = {{TrainSubset{}, 0, split_, split_hash_, ""}};
  for (const TrainSubset& subset : request_.subsets)
    for (int seed = 0; seed < request_.seeds && !subset.is_all(); ++seed) {
      datasets::Split thin = thinned(subset, static_cast<std::uint64_t>(seed));
      std::string hash = thin.hash(dataset_.ids);
      splits_.push_back({subset, static_cast<std::uint64_t>(seed), std::move(thin), std::move(hash), ""});
    }
}

// What is measured on: the items' ids and contents in their parts.
void TaskRun::hash_data(std::span<const ContentHash> contents) {
  for (SubsetSplit& split : splits_) {
    Sha256 hash;
    for (std::size_t item = 0; item < dataset_.size(); ++item)
      hash.update(fmt::format("{}\n{}\n{}\n", dataset_.ids[item], contents[item].str(),
                              datasets::part_name(split.split.part(item))));
    split.data_hash = hash.hex();
  }
}

const SubsetSplit& TaskRun::split_for(const TrainSubset& subset, std::uint64_t seed) const {
  const auto found = std::ranges::find_if(
      splits_, [&](const SubsetSplit& s) { return s.subset == subset && (s.subset.is_all() || s.seed == seed); });
  return *found;  // draw_subsets() made one for each
}

// Two keys: `key` names the cell, `fit_key` the fit. Cells of several seeds share a fit where the
// probe draws nothing and the split is the same, and are then computed once.
void TaskRun::set_keys(PlannedCell& planned, const features::FeatureKey* features) const {
  const Cell& cell = planned.cell;
  const SubsetSplit& split = *planned.split;
  // Without contents of images no key can be made: look_ahead() then counts the cell as open.
  if (!features || split.data_hash.empty()) return;
  // A probe's identity is asked for at this seed: of a probe that draws nothing it is the same for all.
  const Json identity = cell_identity(
      cell, {split.data_hash, targets_hash_, features->str(), planned.probe->make(cell.seed)->identity(), kVersion});
  // Probes describe their seed where they use it, a subset's split is in its data; folds are drawn where val is empty.
  Json fit = identity;
  if (split.split.count(datasets::Part::val) == 0) fit["folds"] = cell.seed;
  planned.key = cell_key(cell, identity);
  planned.fit_key = sha256_hex(canonical_json(fit));
}

// The cells of one backbone and tap, in the order of tables. `features` and `key` are null where nothing is known
// yet.
void TaskRun::plan_row(const Row& row, const features::FeatureTap& tap, const features::Features* features,
                       const features::FeatureKey* key, std::vector<PlannedCell>& cells) const {
  for (const probes::ProbeChoice& probe : probes_) {
    // A floor has no tokens; the probe says so.
    if (probe.info().needs_tokens != (tap.pool == kTokens) && !row.request.backbone.function) continue;
    for (const TrainSubset& subset : request_.subsets)
      for (int s = 0; s < request_.seeds; ++s) {
        const auto seed = static_cast<std::uint64_t>(s);
        PlannedCell planned;
        planned.cell = {task_.name, task_.target, row.request.backbone.name, probe.text,     tap.layer, tap.pool,
                        seed,       subset.shots, subset.fraction,           task_.condition};
        planned.probe = &probe;
        planned.features = features;
        planned.split = &split_for(subset, seed);
        planned.failure = row.failure;
        if (row.failure.empty())
          set_keys(planned, key);
        else
          planned.key = key_without_data(planned.cell);
        cells.push_back(std::move(planned));
      }
  }
}

// In the order of the tables: backbone, tap, probe, subset, seed. Before features are extracted the plan is
// made of what their status says, so that `plan` and `run` list the same cells under the same keys.
std::vector<PlannedCell> TaskRun::plan() const {
  std::vector<PlannedCell> cells;
  for (const Row& row : rows_) {
    for (const features::Features& features : row.features)
      plan_row(row, features.tap, &features, &features.key, cells);
    if (!row.features.empty()) continue;
    for (const features::FeatureStatus& status : row.status)
      plan_row(row, status.tap, nullptr, status.problem.empty() && status.fetched_from.empty() ? &status.key : nullptr,
               cells);
    if (!row.failure.empty())
      for (const features::FeatureTap& tap : row.request.taps) plan_row(row, tap, nullptr, nullptr, cells);
  }
  return cells;
}

// Splits of the task, of each subset, and the images that couldn't be read.
void TaskRun::write_splits(const Path& out) const {
  const auto cell_of = [&](const TrainSubset& subset, std::uint64_t seed) {
    return Cell{task_.name, task_.target, {}, {}, {}, {}, seed, subset.shots, subset.fraction, task_.condition};
  };
  for (const SubsetSplit& split : splits_)
    split.split.write(out / split_file(cell_of(split.subset, split.seed), !split.subset.is_all()), dataset_.ids);
  const Path file = out / "skipped" / split_file(cell_of({}, 0), false).lexically_relative("splits");
  std::error_code ignored;
  std::filesystem::remove(file, ignored);  // of an earlier run that couldn't read what this one could
  if (!skipped_csv_.empty()) write_file_atomically(file, skipped_csv_);
}

// Names hold only what makes the split another one, so that all rows of a table share one file.
Path split_file(const Cell& cell, bool of_subset) {
  std::string name = cell.task;
  if (cell.target != "label") name += fmt::format(".{}", cell.target);
  if (!cell.where.empty()) name += fmt::format(".where-{}", sha256_hex(cell.where).substr(0, 8));
  if (of_subset) name += subset_name({cell.shots, cell.fraction}, cell.seed);
  return Path("splits") / (name + ".csv");
}

Path split_file(const Result& result, bool of_subset) {
  if (result.cell.layer != kGivenLayer) return split_file(result.cell, of_subset);
  Cell named = result.cell;
  // Given features come with a split of their own each, which may differ under one task's name.
  named.task += fmt::format(".{}", result.split_hash.substr(0, 8));
  return split_file(named, of_subset);
}

}  // namespace vise::experiments

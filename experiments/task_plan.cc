// What a task's cells are, before one of them is fitted: samples of its split, keys, and where splits are written.
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/version.h"
#include "experiments/cell_key.h"
#include "experiments/task_run.h"
#include "probes/parse_probe.h"

namespace vise {
namespace {

constexpr std::string_view kTokens = "tokens";  // the pool

bool reads_tokens(const std::string& probe) {
  return ProbeRegistry::instance().info(parse_probe(probe).first).needs_tokens;
}

// A sampled cell learns from its sample alone: val belongs to nobody.
Split without_val(const Split& split) {
  std::vector<Part> parts = split.parts();
  std::ranges::replace(parts, Part::val, Part::unused);
  return {std::move(parts), split.origin()};
}

std::string sample_name(const Sample& sample, std::uint64_t seed) {
  if (sample.is_all()) return {};
  std::string name;
  if (sample.shots > 0) name += fmt::format(".shots-{}", sample.shots);
  if (sample.fraction < 1) name += fmt::format(".fraction-{}", number(sample.fraction));
  return fmt::format("{}.seed-{}", name, seed);
}

}  // namespace

// Tokens are extracted for the probes that read them alone, and pooled rows for the others.
std::vector<FeatureTap> TaskRun::wanted_taps() const {
  std::vector<FeatureTap> taps;
  const auto add = [&](const FeatureTap& tap) {
    if (std::ranges::none_of(taps, [&](const FeatureTap& t) { return t.layer == tap.layer && t.pool == tap.pool; }))
      taps.push_back(tap);
  };
  for (const std::string& probe : task_.probes)
    for (const FeatureTap& tap : request_.taps) {
      if (reads_tokens(probe))
        add({tap.layer, std::string(kTokens)});
      else if (tap.pool != kTokens)
        add(tap);
      else if (request_.taps.size() == 1)
        throw Error(ErrorKind::usage, fmt::format("probe {} reads pooled rows, not tokens", probe),
                    "--probe attentive reads tokens; for the others --pool avg, cls, ... or none");
    }
  return taps;
}

Split TaskRun::sampled(const Sample& sample, std::uint64_t seed) const {
  Split thin = split_;
  const std::vector<int> strata = targets_.strata();
  if (sample.fraction < 1) thin = draws_.label_fraction(thin, strata, sample.fraction, seed);
  if (sample.shots > 0) thin = draws_.few_shots(thin, strata, sample.shots, seed);
  return without_val(thin);
}

void TaskRun::sample_splits() {
  split_hash_ = split_.hash(dataset_.ids);
  splits_ = {{Sample{}, 0, split_, split_hash_, ""}};
  for (const Sample& sample : request_.samples)
    for (int seed = 0; seed < request_.seeds && !sample.is_all(); ++seed) {
      Split thin = sampled(sample, static_cast<std::uint64_t>(seed));
      std::string hash = thin.hash(dataset_.ids);
      splits_.push_back({sample, static_cast<std::uint64_t>(seed), std::move(thin), std::move(hash), ""});
    }
}

// What is measured on: the items' ids and contents in their parts.
void TaskRun::hash_data(std::span<const ContentHash> contents) {
  for (SampledSplit& split : splits_) {
    Sha256 hash;
    for (std::size_t item = 0; item < dataset_.size(); ++item)
      hash.update(
          fmt::format("{}\n{}\n{}\n", dataset_.ids[item], contents[item].str(), part_name(split.split.part(item))));
    split.data_hash = hash.hex();
  }
}

const SampledSplit& TaskRun::split_for(const Sample& sample, std::uint64_t seed) const {
  const auto found = std::ranges::find_if(
      splits_, [&](const SampledSplit& s) { return s.sample == sample && (s.sample.is_all() || s.seed == seed); });
  return *found;  // sample_splits() made one for each
}

void TaskRun::set_keys(PlannedCell& planned, const FeatureKey* features) const {
  const Cell& cell = planned.cell;
  const SampledSplit& split = *planned.split;
  if (!features || split.data_hash.empty()) return;
  auto [name, options] = parse_probe(cell.probe);
  options.seed = cell.seed;
  const Json identity = cell_identity(cell, {split.data_hash, targets_hash_, features->str(),
                                             ProbeRegistry::instance().make(name, options)->identity(), kVersion});
  // Probes describe their seed where they use it, a sample's split is in its data; folds are drawn where val is empty.
  Json fit = identity;
  if (split.split.count(Part::val) == 0) fit["folds"] = cell.seed;
  planned.key = cell_key(cell, identity);
  planned.fit_key = sha256_hex(canonical_json(fit));
}

void TaskRun::plan_column(const Column& column, const FeatureTap& tap, const Features* features, const FeatureKey* key,
                          std::vector<PlannedCell>& cells) const {
  for (const std::string& probe : task_.probes) {
    // A floor has no tokens; the probe says so.
    if (reads_tokens(probe) != (tap.pool == kTokens) && !column.request.backbone.function) continue;
    for (const Sample& sample : request_.samples)
      for (int s = 0; s < request_.seeds; ++s) {
        const auto seed = static_cast<std::uint64_t>(s);
        PlannedCell planned;
        planned.cell = {task_.name,     task_.target, column.request.backbone.name,
                        probe,          tap.layer,    tap.pool,
                        seed,           sample.shots, sample.fraction,
                        task_.condition};
        planned.features = features;
        planned.split = &split_for(sample, seed);
        planned.failure = column.failure;
        if (column.failure.empty())
          set_keys(planned, key);
        else
          planned.key = key_without_data(planned.cell);
        cells.push_back(std::move(planned));
      }
  }
}

std::vector<PlannedCell> TaskRun::plan() const {
  std::vector<PlannedCell> cells;
  for (const Column& column : columns_) {
    for (const Features& features : column.features) plan_column(column, features.tap, &features, &features.key, cells);
    if (!column.features.empty()) continue;
    for (const FeatureStatus& status : column.status)
      plan_column(column, status.tap, nullptr,
                  status.problem.empty() && status.fetched_from.empty() ? &status.key : nullptr, cells);
    if (!column.failure.empty())
      for (const FeatureTap& tap : column.request.taps) plan_column(column, tap, nullptr, nullptr, cells);
  }
  return cells;
}

void TaskRun::write_splits(const Path& out) const {
  const auto cell_of = [&](const Sample& sample, std::uint64_t seed) {
    return Cell{task_.name, task_.target, {}, {}, {}, {}, seed, sample.shots, sample.fraction, task_.condition};
  };
  for (const SampledSplit& split : splits_)
    split.split.write(out / split_file(cell_of(split.sample, split.seed), !split.sample.is_all()), dataset_.ids);
  const Path file = out / "skipped" / split_file(cell_of({}, 0), false).lexically_relative("splits");
  std::error_code ignored;
  std::filesystem::remove(file, ignored);  // of an earlier run that couldn't read what this one could
  if (!skipped_csv_.empty()) write_file_atomically(file, skipped_csv_);
}

Path split_file(const Cell& cell, bool of_sample) {
  std::string name = cell.task;
  if (cell.target != "label") name += fmt::format(".{}", cell.target);
  if (!cell.where.empty()) name += fmt::format(".where-{}", sha256_hex(cell.where).substr(0, 8));
  if (of_sample) name += sample_name({cell.shots, cell.fraction}, cell.seed);
  return Path("splits") / (name + ".csv");
}

Path split_file(const Result& result, bool of_sample) {
  if (result.cell.layer != kGivenLayer) return split_file(result.cell, of_sample);
  Cell named = result.cell;
  named.task += fmt::format(".{}", result.split_hash.substr(0, 8));
  return split_file(named, of_sample);
}

}  // namespace vise

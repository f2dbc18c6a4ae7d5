// One row of a comparison: what was measured, how, and everything needed to recompute it.
//
// results.jsonl holds one Result a line, append-only; its first line is {"schema": "vise-eval/results", "version": 1}.
// Format: docs/formats/results.md. Scores are stored beside it, in scores/<key>.test.npy (N x K float64) with ids in
// scores/<key>.test.csv (id, true target, ...).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "datasets/targets.h"
#include "experiments/cell.h"
#include "probes/probe.h"

namespace vise::experiments {

struct SplitSizes {
  std::size_t train = 0, val = 0, test = 0, unused = 0;
};

enum class CellStatus { ok, failed };

std::string_view status_name(CellStatus status);  // "ok", "failed"

struct Result {
  Cell cell;
  std::string key;  // SHA-256 (first 16 hex) over everything that decides the numbers
  CellStatus status = CellStatus::ok;
  std::string error;  // why it failed

  std::string primary_metric;                            // "accuracy": what the table ranks by
  std::map<std::string, std::optional<double>> metrics;  // null = undefined on this test set
  std::vector<std::string> class_names;
  datasets::TargetKind target_kind = datasets::TargetKind::classes;

  std::string split_origin, split_hash;
  int draw = 1;  // how split and subset were drawn (draws.h): 1, by the task's name, as up to 0.1; 2, from ids
  std::string sample_hash;  // of the split with train thinned to shots or a fraction; empty: all of train
  SplitSizes sizes;
  probes::Selection selection;
  probes::Convergence convergence;
  probes::Calibration calibration;      // what the scores were judged with
  SharedJson probe_settings;            // Probe::describe()
  std::string data_hash, targets_hash;  // of ids, contents and parts; of the labels: with the rest they make `key`
  std::string parameters;  // SHA-256 of the network's parameters, whatever file they came in; empty: none, or unknown
  SharedJson features;     // the feature key's parts in words (store's features.json, no timings)
  // Per stage. "fit" is elapsed time; "features/decode", "features/forward" ... are thread-seconds of the extraction
  // that the run did for this cell's features, "features/wall" its elapsed time (absent where all were cached).
  std::map<std::string, double> seconds;
  std::size_t images = 0;          // that went through the network in this run
  std::vector<std::string> notes;  // footnotes: warnings about weights, images left out, ...
  std::string scores_file;         // relative to the run's folder
  std::string version;             // of vise-eval
  std::string started_at;          // UTC, ISO 8601

  bool ok() const { return status == CellStatus::ok; }
};

Json to_json(const Result& result);
// How much of each result is read.
enum class ResultDetail {
  everything,
  // What tables print: `convergence`, `probe_settings`, `features` and `seconds` stay empty, and of a selection's curve
  // only the first candidate is kept (a curve without one says that there was nothing to choose). Half the time.
  table
};

}  // namespace vise::experiments

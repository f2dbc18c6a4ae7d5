// Numbers others have published, shown beside ours in a column of their own.
//
//   const auto records = read_published("published.yaml");
//   published_for(records, "emotion", "vise-250m", "accuracy");
//
// The file is YAML: lists of records, either at the top level or under headings of any name. Format:
// docs/formats/published.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace vise::reports {

struct PublishedRecord {
  std::string task, backbone, protocol, metric;
  std::optional<double> value;  // in percent, or as the metric says; nothing: not known
  std::optional<double> deviation;
  std::string source, seen_in, note;

  bool operator==(const PublishedRecord&) const = default;
};

// Error{input} with the line for a record without task, backbone or metric, or with a value that isn't a number.
std::vector<PublishedRecord> read_published(const Path& yaml);

// Those of the program, then those of `file` that it doesn't have; `file` empty: the program's alone.
std::vector<PublishedRecord> published_records(const Path& file);

// Those that come with the program (reports/published.yaml). VisE's own are there without values: its tables could not
// be read.
const std::vector<PublishedRecord>& builtin_published();
const std::map<std::string, std::string>& builtin_published_file();  // "published" -> its text

// The records that speak of this row, those without a value left out. Names match when their letters and digits agree,
// any case ("UnBiased Emotion" is "unbiasedemotion"); a record whose `task` or `backbone` is a list of names separated
// by " = " or "|" speaks of each. Metrics also match by their usual names ("AUROC" is auc, "macro F1" is f1_macro).
std::vector<PublishedRecord> published_for(const std::vector<PublishedRecord>& records, std::string_view task,
                                           std::string_view backbone, std::string_view metric);

}  // namespace vise::reports

// A data set as a table for use elsewhere, or for `--data`: what is written reads back as the same ids, label, votes,
// labels, values, attributes and split. Format: docs/formats/manifest.md.
#pragma once

#include <string>
#include <string_view>

#include "datasets/dataset.h"

namespace vise {

enum class ExportFormat { csv, jsonl };

// "csv" or "jsonl"; else Error{usage}.
ExportFormat parse_export_format(std::string_view text);

// The whole table as text: path, label, split (where it isn't null), every other target and every attribute; a target
// that has the name of an attribute is left to it. Values of several numbers are columns TARGET.NAME. Paths are ids,
// relative to the data set's root: write the table there, or ask for absolute ones.
std::string export_table(const Dataset& dataset, const Split* split, ExportFormat format, bool absolute_paths = false);

}  // namespace vise

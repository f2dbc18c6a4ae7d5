// A data set as a table for use elsewhere, or for `--data`: what is written reads back as the same ids, label, votes,
// labels, values, attributes and split. Format: docs/formats/manifest.md.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "datasets/dataset.h"

namespace vise::datasets {

enum class ExportFormat { csv, jsonl };

// "csv" or "jsonl"; else Error{usage}.
ExportFormat parse_export_format(std::string_view text);

// The whole table as text: path, label, split (where it isn't null), every other target and every attribute; a target
// that has the name of an attribute is left to it. Values of several numbers are columns TARGET.NAME. Paths are ids,
// relative to the data set's root: write the table there, or ask for absolute ones.
std::string export_table(const Dataset& dataset, const Split* split, ExportFormat format, bool absolute_paths = false);

// An item's features; empty where its image could not be read: then it gets no row.
using FeaturesOfItem = std::function<std::span<const float>(std::uint32_t item)>;

// <folder>/<part>.libsvm: "LABEL 1:v 2:v ...", zeros left out, numbers that read back exactly. LABEL is the class's
// index from 0, the value, or the indices of labels joined by commas; Error{usage} for distributions and for several
// values, for which the format has no form. Returns the rows written.
std::size_t export_libsvm(const Path& folder, const Targets& targets, Part part, std::span<const std::uint32_t> items,
                          const FeaturesOfItem& features);

// <folder>/X_<part>.npy (rows x dim, float32), y_<part>.npy (class indices as int64, or rows x K as float64) and
// ids_<part>.csv (id). Items without features are in none of the three. Returns the rows written.
std::size_t export_npy(const Path& folder, const Dataset& dataset, const Targets& targets, Part part,
                       std::span<const std::uint32_t> items, std::size_t dim, const FeaturesOfItem& features);

}  // namespace vise::datasets

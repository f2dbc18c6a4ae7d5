// Features in a data set's order, as files of their own: what `vise-eval extract --out DIR` leaves.
#pragma once

#include "datasets/dataset.h"
#include "extract/features/features.h"

namespace vise::features {

// Writes features.npy (float32, row i = item i), manifest.csv (row,id,content) and features.json (the key in words).
// Items that could not be read have no row: they are listed in features.json and their manifest line has an empty row.
// Atomic, file by file, features.json last.
void export_features(const datasets::Dataset& dataset, const Features& features, const Path& folder);

}  // namespace vise::features

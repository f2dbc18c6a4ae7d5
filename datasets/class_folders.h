// Labels and an official split from the folders that images are in.
#pragma once

#include <span>
#include <string>

#include "base/log.h"
#include "datasets/dataset.h"

namespace vise::datasets {

// What the folders in the ids say, where nothing else does: the target "label" and the official split
// (folder_layout.h), with its remarks as warnings and notes. `ids` must be sorted; `bare` are folders without an image.
void add_class_folders(Dataset& dataset, Log& log, std::span<const std::string> bare = {});
// The same where a table gives neither label, labels nor votes; recorded in a note.
void add_labels_of_folders(Dataset& dataset, Log& log);

}  // namespace vise::datasets

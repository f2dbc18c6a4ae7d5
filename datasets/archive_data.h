// A data set in archives, in the three ways people pack one:
//
//   photos.zip                      class folders, as folder_layout.h reads them; the ids are the paths inside
//   img.tar with metadata.csv       a manifest beside the images (manifest.h), as image folders on hubs have it
//   shard-000000.tar, ...           WebDataset: samples of fields with one key (samples.h)
//
// Of several archives those whose names differ by numbers alone are one whole, and their ids are the paths inside; else
// each is a folder by its name without the number, so that train-000.tar and test-000.tar, or joy.zip and fear.zip, are
// read as folders of these names are. Where two images would have one id, each is prefixed with its archive's whole
// name.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "datasets/archives/archive.h"
#include "datasets/data_columns.h"
#include "datasets/dataset.h"

namespace vise::datasets {

// `files` are at `root`, or below it, or the root itself. Error{input} where no image is in them.
Dataset read_archives(std::span<const Path> files, const Path& root, std::string name, Log& log,
                      const DataColumns& columns, const Path& cache);

}  // namespace vise::datasets

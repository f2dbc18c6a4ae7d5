// What a File and its Cursors share.
#pragma once

#include <memory>
#include <string>

#include "datasets/parquet/metadata.h"
#include "datasets/parquet/parquet.h"
#include "datasets/parquet/source.h"

namespace vise::datasets::parquet {

struct File::Contents {
  std::string name;
  std::unique_ptr<const Source> source;
  Metadata metadata;
};

}  // namespace vise::datasets::parquet

// Which columns of a Parquet file are a data set's: the image's bytes, and what a table's cells say of each image.
//
//   const ParquetColumns columns = parquet_columns(file, "train-00000-of-00005.parquet", asked);
//
// As the Hugging Face hub converts data sets: the image is a structure {bytes, path}, or bytes alone; the schema's
// metadata may say under "huggingface" which columns are images and what a class's number is called.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "datasets/data_columns.h"
#include "datasets/parquet/parquet.h"

namespace vise::datasets {

// What the hub's metadata say of columns, by their names ("image", "objects:category").
struct HubFeatures {
  std::set<std::string> images;
  std::map<std::string, std::vector<std::string>> classes;  // the names of 0, 1, 2 ...; also of lists of such numbers
};

// `metadata` is the JSON text, "" for none. Error{input} where it is no JSON.
HubFeatures hub_features(std::string_view metadata, const std::string& name_for_messages);

struct ParquetColumns {
  std::optional<std::size_t> image;  // the column of the file that holds the bytes; none: a table of paths
  std::string image_name;            // "image", also where the column is "image:bytes"

  struct Text {
    std::size_t column;
    std::string name;                  // as the table's header has it: "labels" for a list of classes
    std::vector<std::string> classes;  // names of the numbers; empty where they are numbers
  };
  std::vector<Text> texts;
  std::vector<std::string> unread;  // "taken (a timestamp)"
};

// Error{input} where several columns may be the image, or one that was asked for holds what is not read.
ParquetColumns parquet_columns(const parquet::File& file, const std::string& name, const DataColumns& asked);

}  // namespace vise::datasets

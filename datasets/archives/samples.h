// WebDataset's samples: members of a tar that share a key, one an image, the others what is known of it.
//
//   0001.png  0001.cls  0001.json  0001.txt       the key is "0001", the fields are png, cls, json and txt
//
// The key ends at the first dot of the file's name, folders included, as in github.com/webdataset/webdataset. A sample
// becomes a row of a table: `cls` is a column, with the names of classnames.txt for its numbers (beside the archives or
// in the folder above, as CLIP_benchmark lays sets out); `txt` is one; the keys of a `json` object are columns. So
// labels, values, votes and splits are what they are in a manifest.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/archives/archive_images.h"
#include "datasets/rows.h"

namespace vise::datasets {

// The column of rows() that names the image.
inline constexpr const char* kSamplePath = "__path__";

// Whether most images of the archives have a field beside them.
bool are_samples(const std::vector<PlacedArchive>& archives);

class Samples {
 public:
  // `image_field` chooses where samples have several images; "" where each has one.
  Samples(const PlacedArchive& archive, std::string image_field, std::vector<std::string> class_names);

  // A row a sample that has an image, in the order of keys.
  std::unique_ptr<RowReader> rows() const;
  bool has_field(std::string_view field) const;
  std::size_t without_image() const { return without_image_; }

 private:
  struct Field {
    std::string_view name;
    const std::string* text;
  };
  struct Sample {
    std::string_view key;
    const ArchiveMember* image = nullptr;
    std::vector<Field> fields;
  };
  void take_image(Sample& sample, const ArchiveMember& member) const;
  std::string line(const Sample& sample) const;
  std::string class_name(const std::string& cls, const Sample& sample) const;

  const PlacedArchive& archive_;
  std::string image_field_;
  std::vector<std::string> class_names_;
  std::vector<Sample> samples_;
  std::size_t without_image_ = 0;
};

}  // namespace vise::datasets

// Pictures that need no encoder, in a scratch folder beside an empty cache: what tests of extraction run on.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "extract/features/features.h"
#include "tests/plain_file.h"
#include "tests/shared.h"
#include "tests/torch_module.h"

namespace vise::test {

class DrawnImages : public testing::Test {
 protected:
  // A binary PPM of `side` x `side` noise.
  static std::string noise_ppm(const std::string& name, std::size_t side = 40) {
    RandomStream random("features-test/" + name, 0);
    std::string file = fmt::format("P6\n{} {}\n255\n", side, side);
    for (std::size_t i = 0; i < side * side * 3; ++i) file += static_cast<char>(random.below(256));
    return file;
  }

  void put(const std::string& id, const std::string& bytes) { write_plainly(data_ / id, bytes); }

  std::vector<std::string> put_several(int count, std::size_t side = 40) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      ids.push_back(fmt::format("{}.ppm", i));
      put(ids.back(), noise_ppm(ids.back(), side));
    }
    return ids;
  }
  // Seven, so that the last batch is padded.
  std::vector<std::string> put_seven() { return put_several(7); }

  datasets::Dataset dataset(std::vector<std::string> ids) {
    datasets::Dataset dataset;
    dataset.name = "drawn";
    dataset.root = data_.path();
    dataset.ids = std::move(ids);
    return dataset;
  }

  std::vector<features::Features> extract(const datasets::Dataset& dataset, int threads = 2,
                                          std::vector<std::string> backbones = {"random-resnet18"}) {
    std::vector<features::FeatureRequest> requests;
    for (const std::string& name : backbones) requests.push_back({features::parse_backbone(name)});
    return features::extract_features(dataset, requests, options_, {log_, {}, threads});
  }

  static std::vector<float> row(const features::Features& features, std::size_t item) {
    const auto values = features.values(item);
    return {values.begin(), values.end()};
  }

  ScratchDir data_, cache_;
  RecordingLog log_;
  features::ExtractOptions options_{.cache = cache_.path(), .weights = {{}, true, {}}};
};

}  // namespace vise::test

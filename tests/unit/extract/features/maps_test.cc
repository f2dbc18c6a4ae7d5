#include "extract/features/maps.h"

#include <fmt/format.h>

#include <numeric>

#include "base/error.h"
#include "tests/unit/extract/drawn.h"

namespace vise::features {
namespace {

class MapsTest : public test::DrawnImages {
 protected:
  FeatureRequest request(const std::string& layer = "final") {
    FeatureRequest request{parse_backbone("random-resnet18")};
    request.taps = {{layer, "avg"}};
    return request;
  }
};

TEST_F(MapsTest, AreWhatTheRowsAreTheMeansOf) {
  const datasets::Dataset all = dataset(put_seven());
  const std::vector<std::uint32_t> items{5, 0, 1, 6, 3};
  const auto features = extract_features(all, {request()}, options_, {log_, {}, 2});
  const auto maps = compute_maps(all, items, request(), options_, {log_, {}, 2});
  ASSERT_EQ(maps.size(), items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const ImageMap& map = maps[i];
    EXPECT_EQ(map.item, items[i]);
    ASSERT_EQ(map.height, 7);
    ASSERT_EQ(map.width, 7);
    ASSERT_EQ(map.channels, 512);
    for (std::size_t c = 0; c < 512; ++c) {
      double sum = 0;
      for (int y = 0; y < 7; ++y)
        for (int x = 0; x < 7; ++x) sum += static_cast<double>(map.at(y, x)[c]);
      EXPECT_EQ(features[0].values(items[i])[c], static_cast<float>(sum / 49)) << i << " " << c;
    }
  }
}

TEST_F(MapsTest, ComeFromTheLayerThatIsAskedFor) {
  const datasets::Dataset all = dataset(put_seven());
  const std::vector<std::uint32_t> items{2};
  const ImageMap map = compute_maps(all, items, request("layer2"), options_, {log_, {}, 1})[0];
  EXPECT_EQ(map.height, 28);
  EXPECT_EQ(map.channels, 128);
}

TEST_F(MapsTest, OfABadImageAreAnErrorOrLeftOut) {
  std::vector<std::string> ids = put_seven();
  put("bad.ppm", noise_ppm("bad").substr(0, 600));
  ids.insert(ids.begin(), "bad.ppm");
  const datasets::Dataset all = dataset(ids);
  const std::vector<std::uint32_t> items{1, 0};
  EXPECT_THROW(compute_maps(all, items, request(), options_, {log_, {}, 1}), Error);
  options_.on_bad_image = BadImagePolicy::skip;
  const auto maps = compute_maps(all, items, request(), options_, {log_, {}, 1});
  EXPECT_FALSE(maps[0].values.empty());
  EXPECT_TRUE(maps[1].values.empty());
}

TEST_F(MapsTest, DoNotExistForFloors) {
  const datasets::Dataset all = dataset(put_seven());
  const std::vector<std::uint32_t> items{0};
  EXPECT_THROW(compute_maps(all, items, {parse_backbone("colour-histogram")}, options_, {log_, {}, 1}), Error);
}

}  // namespace
}  // namespace vise::features

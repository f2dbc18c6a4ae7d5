#include "extract/features/features.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/half.h"
#include "base/npy.h"
#include "extract/features/export.h"
#include "tests/unit/extract/drawn.h"

namespace vise::features {
namespace {

using FeaturesTest = test::DrawnImages;

TEST_F(FeaturesTest, AreBitEqualWhateverTheOrderTheBatchPositionAndTheThreads) {
  std::vector<std::string> ids = put_seven();
  const Features one = extract(dataset(ids), 1)[0];
  const test::ScratchDir other;
  options_.cache = other.path();
  std::vector<std::string> turned = ids;
  std::rotate(turned.begin(), turned.begin() + 3, turned.end());
  turned.pop_back();
  const Features two = extract(dataset(turned), 2)[0];
  for (std::size_t i = 0; i < turned.size(); ++i) {
    const auto place = std::find(ids.begin(), ids.end(), turned[i]) - ids.begin();
    EXPECT_EQ(row(two, i), row(one, static_cast<std::size_t>(place))) << turned[i];
  }
}

TEST_F(FeaturesTest, AFunctionOfOnesOwnIsABackbone) {
  const auto first_pixel = [](const DecodedFile& file) {
    return std::vector<float>{static_cast<float>(file.image.pixels[0]), static_cast<float>(file.bytes.size())};
  };
  Backbone mine;
  mine.name = "first-pixel";
  mine.kind = BackboneKind::image_function;
  mine.function = std::make_shared<const ImageFunction>(ImageFunction{{{"mine", 1}}, 2, first_pixel});
  add_backbone(mine);
  EXPECT_THROW(add_backbone(mine), Error);
  const std::string bytes = noise_ppm("x");
  put("x.ppm", bytes);
  for (const std::size_t computed : {1u, 0u}) {
    const Features features = extract(dataset({"x.ppm"}), 2, {"first-pixel"})[0];
    EXPECT_EQ(features.computed, computed);
    const auto pixel = static_cast<float>(static_cast<unsigned char>(bytes[bytes.size() - 40 * 40 * 3]));
    EXPECT_EQ(row(features, 0), (std::vector<float>{pixel, static_cast<float>(bytes.size())}));
  }
}

TEST_F(FeaturesTest, ASecondRunComputesNothing) {
  const std::vector<std::string> ids = put_seven();
  const Features first = extract(dataset(ids))[0];
  const Features second = extract(dataset(ids))[0];
  EXPECT_EQ(first.computed, 7u);
  EXPECT_EQ(second.computed, 0u);
  EXPECT_TRUE(second.seconds.empty());
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(row(second, i), row(first, i));
}

TEST_F(FeaturesTest, ANewOrChangedImageCostsOnlyItself) {
  std::vector<std::string> ids = put_seven();
  extract(dataset(ids));
  put("7.ppm", noise_ppm("7.ppm"));
  put("2.ppm", noise_ppm("another"));
  ids.push_back("7.ppm");
  EXPECT_EQ(extract(dataset(ids))[0].computed, 2u);
}

TEST_F(FeaturesTest, AMovedRootCostsNoForwardPass) {
  const std::vector<std::string> ids = put_seven();
  extract(dataset(ids));
  const test::ScratchDir elsewhere;
  for (const std::string& id : ids) std::filesystem::copy(data_ / id, elsewhere / id);
  datasets::Dataset moved = dataset(ids);
  moved.root = elsewhere.path();
  EXPECT_EQ(extract(moved)[0].computed, 0u);
}

TEST_F(FeaturesTest, FilesOfEqualNameSizeAndTimeAreNotConfused) {
  const test::ScratchDir elsewhere;
  put("a.ppm", noise_ppm("one"));
  write_file_atomically(elsewhere / "a.ppm", noise_ppm("two"));
  const auto stamp = std::filesystem::last_write_time(data_ / "a.ppm");
  std::filesystem::last_write_time(elsewhere / "a.ppm", stamp);
  datasets::Dataset here = dataset({"a.ppm"}), there = dataset({"a.ppm"});
  there.root = elsewhere.path();
  const Features a = extract(here)[0], b = extract(there)[0];
  EXPECT_EQ(b.computed, 1u);
  EXPECT_NE(row(a, 0), row(b, 0));
}

TEST_F(FeaturesTest, AFileRewrittenUnderItsOldSizeAndTimeIsReadAgain) {
  put("a.ppm", noise_ppm("one"));
  const auto stamp = std::filesystem::last_write_time(data_ / "a.ppm");
  const Features before = extract(dataset({"a.ppm"}))[0];
  put("a.ppm", noise_ppm("two"));
  std::filesystem::last_write_time(data_ / "a.ppm", stamp);
  const Features after = extract(dataset({"a.ppm"}))[0];
  EXPECT_EQ(after.computed, 1u);
  EXPECT_NE(row(before, 0), row(after, 0));
}

TEST_F(FeaturesTest, APictureUnderTwoNamesIsComputedOnce) {
  put("a.ppm", noise_ppm("one"));
  put("b.ppm", noise_ppm("one"));
  const Features features = extract(dataset({"a.ppm", "b.ppm"}))[0];
  EXPECT_EQ(features.computed, 1u);
  EXPECT_EQ(row(features, 0), row(features, 1));
}

// Three networks and a floor: two networks want the same pixels, the third another crop.
TEST_F(FeaturesTest, SeveralBackbonesDecodeAnImageOnceAndResizeItOnceATransform) {
  const std::vector<std::string> ids = put_seven();
  std::vector<FeatureRequest> requests;
  for (const char* name : {"random-resnet18", "random-resnet18", "random-resnet18", "colour-histogram"})
    requests.push_back({parse_backbone(name)});
  requests[1].backbone.transform = "imagenet,mean=0/0/0,std=1/1/1";
  requests[2].backbone.transform = "imagenet,crop=192";
  const std::vector<Features> all = extract_features(dataset(ids), requests, options_, {log_, {}, 2});
  for (const Features& features : all) {
    EXPECT_EQ(features.computed, 7u);
    EXPECT_EQ(features.decoded, 7u);
    EXPECT_EQ(features.resized, 14u);
  }
}

TEST_F(FeaturesTest, OneBackboneUnderTwoNamesIsComputedOnce) {
  put("a.ppm", noise_ppm("one"));
  const auto features = extract(dataset({"a.ppm"}), 1, {"random-resnet18", "random-resnet18,transform=imagenet"});
  EXPECT_EQ(features[0].folder, features[1].folder);
}

TEST_F(FeaturesTest, ABadImageEndsTheRunWithItsNameAndKeepsTheOthers) {
  std::vector<std::string> ids = put_seven();
  put("bad.ppm", noise_ppm("bad").substr(0, 600));
  ids.push_back("bad.ppm");
  try {
    extract(dataset(ids), 1);
    FAIL() << "accepted a truncated image";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input);
    EXPECT_NE(e.message().find("bad.ppm"), std::string::npos) << e.message();
    EXPECT_NE(e.hint().find("--on-bad-image skip"), std::string::npos) << e.hint();
  }
  ids.pop_back();
  EXPECT_LT(extract(dataset(ids), 1)[0].computed, 7u);
}

TEST_F(FeaturesTest, ASkippedImageHasNoRowUnderAnyBackbone) {
  std::vector<std::string> ids = put_seven();
  put("bad.ppm", noise_ppm("bad").substr(0, 600));
  ids.insert(ids.begin() + 2, "bad.ppm");
  options_.on_bad_image = BadImagePolicy::skip;
  for (const Features& features : extract(dataset(ids), 2, {"random-resnet18", "colour-histogram"})) {
    EXPECT_EQ(features.unreadable.size(), 1u);
    EXPECT_TRUE(features.unreadable.contains(2u));
    EXPECT_EQ(features.rows[2], kNoRow);
  }
  options_.on_bad_image = BadImagePolicy::fail;
  EXPECT_THROW(extract(dataset(ids)), Error) << "the store knows it as unreadable";
}

// A folder of unlabelled images beside the others costs no forward pass, and a broken one among them no run.
TEST_F(FeaturesTest, OfUnusedImagesTheContentAloneIsLearnt) {
  const std::vector<std::string> ids = put_seven();
  put("3.ppm", "no picture");
  datasets::Dataset some = dataset(ids);
  some.unused = {false, true, false, true, true, false, false};
  const Features features = extract(some)[0];
  EXPECT_EQ(features.computed, 4u);
  EXPECT_TRUE(features.unreadable.empty());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(features.rows[i] == kNoRow, some.unused[i]) << i;
    EXPECT_EQ(features.contents[i], content_hash(some.read(i)));
  }
  EXPECT_EQ(extract(some)[0].computed, 0u);
  some.unused = {};
  EXPECT_THROW(extract(some), Error);
  put("3.ppm", noise_ppm("3.ppm"));
  EXPECT_EQ(std::ranges::count(extract(some)[0].rows, kNoRow), 0);
}

TEST_F(FeaturesTest, AStoppedRunKeepsWhatItHadAndEndsAsInterrupted) {
  const std::vector<std::string> ids = put_seven();
  std::stop_source stop;
  stop.request_stop();
  try {
    extract_features(dataset(ids), {{parse_backbone("random-resnet18")}}, options_, {log_, stop.get_token(), 1});
    FAIL() << "did not stop";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::interrupted);
  }
  const Features features = extract(dataset(ids), 1)[0];
  EXPECT_LE(features.computed, 7u);
  EXPECT_EQ(features.rows.size(), 7u);
}

TEST_F(FeaturesTest, AFlippedByteInTheStoreIsFoundAndRepaired) {
  const std::vector<std::string> ids = put_seven();
  const Features before = extract(dataset(ids))[0];
  std::vector<std::vector<float>> rows;
  for (std::size_t i = 0; i < ids.size(); ++i) rows.push_back(row(before, i));
  std::string bytes;
  {
    const auto read = read_file(before.folder / "features.npy");
    bytes.assign(reinterpret_cast<const char*>(read.data()), read.size());
  }
  bytes[bytes.size() - 1000] ^= 1;
  write_file_atomically(before.folder / "features.npy", bytes);
  const Features after = extract(dataset(ids))[0];
  EXPECT_GT(after.computed, 0u);
  EXPECT_FALSE(log_.warnings().empty());
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(row(after, i), rows[i]);
}

TEST_F(FeaturesTest, SeveralLayersAndPoolsComeFromOnePass) {
  const std::vector<std::string> ids = put_seven();
  FeatureRequest request{parse_backbone("random-resnet18")};
  request.taps = {{"layer3", "avg"}, {"layer4", "avg"}, {"layer4", "max"}};
  const auto features = extract_features(dataset(ids), {request}, options_, {log_, {}, 2});
  ASSERT_EQ(features.size(), 3u);
  EXPECT_EQ(features[0].dim, 256u);
  EXPECT_EQ(features[1].dim, 512u);
  EXPECT_EQ(features[1].seconds.at("forward"), features[2].seconds.at("forward"));
  for (std::size_t i = 0; i < ids.size(); ++i)
    for (std::size_t d = 0; d < 512; ++d) EXPECT_LE(features[1].values(i)[d], features[2].values(i)[d]);
}

TEST_F(FeaturesTest, ExportsRowsInTheDataSetsOrder) {
  std::vector<std::string> ids = put_seven();
  extract(dataset({ids[5], ids[1]}));  // the store's rows come in another order
  const datasets::Dataset all = dataset(ids);
  const Features features = extract(all)[0];
  const test::ScratchDir out;
  export_features(all, features, out.path());
  const NpyArray array = NpyArray::open(out / "features.npy");
  ASSERT_EQ(array.shape(), (std::vector<std::uint64_t>{7, 512}));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto exported = array.as<float>().subspan(i * 512, 512);
    EXPECT_EQ(row(features, i), std::vector<float>(exported.begin(), exported.end()));
  }
}

TEST_F(FeaturesTest, TheSamePictureInASecondDataSetCostsNoForwardPass) {
  const std::vector<std::string> ids = put_seven();
  extract(dataset(ids));
  const test::ScratchDir second;
  std::filesystem::create_directories(second / "sub");
  std::filesystem::copy(data_ / ids[4], second / "sub/other-name.bin");
  datasets::Dataset other;
  other.name = "second";
  other.root = second.path();
  other.ids = {"sub/other-name.bin"};
  const Features features = extract(other)[0];
  EXPECT_EQ(features.computed, 0u);
  EXPECT_TRUE(features.seconds.empty()) << "a network was built";
}

TEST_F(FeaturesTest, ARemovedImageCostsNothing) {
  std::vector<std::string> ids = put_seven();
  extract(dataset(ids));
  std::filesystem::remove(data_ / ids[2]);
  ids.erase(ids.begin() + 2);
  EXPECT_TRUE(extract(dataset(ids))[0].seconds.empty());
}

// A picture of 224 x 224 that is not resized: its views can be made by hand.
std::string ppm_of(std::span<const std::uint8_t> rgb) {
  return "P6\n224 224\n255\n" + std::string(reinterpret_cast<const char*>(rgb.data()), rgb.size());
}

TEST_F(FeaturesTest, ARowOfSeveralViewsIsTheMeanOfTheViewsOwnRows) {
  const images::Transform transform = images::Transform::parse("crop=224");
  RandomStream random("views", 0);
  images::Image image{230, 227, {}};
  for (std::size_t i = 0; i < 230 * 227 * 3; ++i) image.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
  put("whole.ppm", fmt::format("P6\n230 227\n255\n{}", std::string(image.pixels.begin(), image.pixels.end())));
  const std::vector<std::string> net{"random-resnet18,transform=crop=224"};
  for (const images::Views views : {images::Views::hflip, images::Views::tencrop}) {
    std::vector<std::uint8_t> rgb(images::view_count(views) * transform.bytes());
    images::view_pixels(transform, image, views, rgb);
    std::vector<std::string> ids;
    for (std::size_t view = 0; view < images::view_count(views); ++view) {
      ids.push_back(fmt::format("{}-{}.ppm", images::views_name(views), view));
      put(ids.back(), ppm_of(std::span(rgb).subspan(view * transform.bytes(), transform.bytes())));
    }
    FeatureRequest request{parse_backbone(net[0])};
    request.views = views;
    const datasets::Dataset whole = dataset({"whole.ppm"});
    const Features averaged = extract_features(whole, {request}, options_, {log_, {}, 2})[0];
    const Features each = extract(dataset(ids), 2, net)[0];
    EXPECT_NE(averaged.key.str(), each.key.str());
    for (std::size_t d = 0; d < averaged.dim; ++d) {
      double sum = 0;
      for (std::size_t view = 0; view < ids.size(); ++view) sum += static_cast<double>(each.values(view)[d]);
      EXPECT_EQ(averaged.values(0)[d], static_cast<float>(sum / static_cast<double>(ids.size()))) << d;
    }
  }
}

TEST_F(FeaturesTest, RowsOfFp16StorageAreTheRoundedOnesInHalfTheRoom) {
  std::vector<std::string> ids = put_seven();
  put("bad.ppm", noise_ppm("bad").substr(0, 600));
  ids.insert(ids.begin() + 2, "bad.ppm");
  options_.on_bad_image = BadImagePolicy::skip;
  const Features wide = extract(dataset(ids))[0];
  FeatureRequest request{parse_backbone("random-resnet18")};
  request.storage = Storage::fp16;
  for (const std::size_t computed : {7u, 0u}) {
    const Features half = extract_features(dataset(ids), {request}, options_, {log_, {}, 2})[0];
    EXPECT_EQ(half.computed, computed);
    EXPECT_EQ(half.rows[2], kNoRow);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (i == 2) continue;
      std::vector<float> rounded = row(wide, i);
      for (float& value : rounded) value = half_to_float(float_to_half(value));
      EXPECT_EQ(row(half, i), rounded);
    }
    EXPECT_NE(half.key.str(), wide.key.str());
    EXPECT_EQ(std::filesystem::file_size(half.folder / "features.npy"), 128u + 7 * 512 * 2);
    EXPECT_EQ(NpyArray::open(half.folder / "features.npy").type(), "f2");
    const test::ScratchDir out;
    export_features(dataset(ids), half, out.path());
    EXPECT_EQ(NpyArray::open(out / "features.npy").type(), "f4");
  }
}

TEST_F(FeaturesTest, APictureThatCannotBeCroppedIsABadImageWithAName) {
  put("small.ppm", noise_ppm("small", 20));
  put("large.ppm", noise_ppm("large", 230));
  FeatureRequest request{parse_backbone("random-resnet18,transform=crop=224")};
  request.views = images::Views::tencrop;
  const datasets::Dataset both = dataset({"small.ppm", "large.ppm"});
  try {
    extract_features(both, {request}, options_, {log_, {}, 1});
    FAIL() << "made crops of 224 from 20 pixels";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input);
    EXPECT_NE(e.message().find("small.ppm"), std::string::npos) << e.message();
  }
  options_.on_bad_image = BadImagePolicy::skip;
  const Features features = extract_features(both, {request}, options_, {log_, {}, 1})[0];
  EXPECT_TRUE(features.unreadable.contains(0u));
  EXPECT_NE(features.rows[1], kNoRow);
}

}  // namespace
}  // namespace vise::features

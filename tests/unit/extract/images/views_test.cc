#include "extract/images/transform/views.h"

#include "base/error.h"
#include "base/hash.h"
#include "tests/shared.h"

namespace vise::images {
namespace {

Image drawn(std::uint32_t width, std::uint32_t height) {
  Image image{width, height, {}};
  for (std::uint32_t y = 0; y < height; ++y)
    for (std::uint32_t x = 0; x < width; ++x)
      for (const std::uint32_t value : {x * 7 + y * 13, x * x + 3 * y, x + y * y})
        image.pixels.push_back(static_cast<std::uint8_t>(value));
  return image;
}

std::vector<std::uint8_t> views_of(const Transform& transform, const Image& image, Views views) {
  std::vector<std::uint8_t> rgb(view_count(views) * transform.bytes());
  view_pixels(transform, image, views, rgb);
  return rgb;
}

struct TenCrops {
  std::uint32_t width, height;
  const char *transform, *sha256;
};

// torchvision 0.14.1 on Pillow 9.4.0: sha256(b"".join(c.tobytes() for c in ten_crop(resize(image, size), 224))), first
// 16 digits, of the picture above. Odd and even excesses on both axes, and a centre that rounds to even.
TEST(Views, TenCropsAreTorchvisionsToTheBit) {
  const TenCrops cases[] = {{301, 203, "imagenet", "f08c76cfce302d3e"}, {301, 203, "timm-a1", "99dfb63c637873ae"},
                            {97, 401, "imagenet", "49cf7da12452f546"},  {97, 401, "timm-a1", "f98792510f7b30ce"},
                            {224, 224, "imagenet", "215c4a5d87bd4019"}, {224, 224, "timm-a1", "19ebf3e714c229a3"}};
  for (const TenCrops& c : cases) {
    const auto rgb = views_of(Transform::parse(c.transform), drawn(c.width, c.height), Views::tencrop);
    EXPECT_EQ(sha256_hex(std::as_bytes(std::span(rgb))).substr(0, 16), c.sha256) << c.width << " " << c.transform;
  }
}

TEST(Views, TheSecondOfTwoIsTheMirrorImageOfTheFirst) {
  const Transform transform = Transform::parse("resize=20,crop=11");
  const Image image = drawn(33, 25);
  const auto one = views_of(transform, image, Views::one), two = views_of(transform, image, Views::hflip);
  EXPECT_TRUE(std::equal(one.begin(), one.end(), two.begin()));
  for (std::size_t y = 0; y < 11; ++y)
    for (std::size_t x = 0; x < 11; ++x)
      for (std::size_t c = 0; c < 3; ++c)
        EXPECT_EQ(two[one.size() + (y * 11 + x) * 3 + c], one[(y * 11 + 10 - x) * 3 + c]) << x << " " << y;
}

TEST(Views, TenCropsNeedATransformThatCropsAndAPictureThatIsLargeEnough) {
  EXPECT_THROW(check_views(Transform::parse("politics"), Views::tencrop), Error);
  EXPECT_NO_THROW(check_views(Transform::parse("politics"), Views::hflip));
  try {
    views_of(Transform::parse("crop=64"), drawn(63, 200), Views::tencrop);
    FAIL() << "cropped more than there is";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input);
  }
}

TEST(Views, AnUnknownNameGetsTheNearest) {
  EXPECT_EQ(parse_views("tencrop"), Views::tencrop);
  try {
    parse_views("tencorp");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(e.hint().find("tencrop"), std::string::npos) << e.hint();
  }
}

}  // namespace
}  // namespace vise::images

#include "extract/images/transform/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "extract/images/mat_view.h"
#include "extract/images/transform/crop.h"

namespace vise::images {
namespace {

// In the order of Views.
const std::vector<std::string> kNames{"one", "hflip", "tencrop"};

// Every row of `width` pixels, right to left.
void mirror(std::span<const std::uint8_t> rgb, std::size_t width, std::span<std::uint8_t> out) {
  constexpr int kLeftToRight = 1;
  cv::Mat mirrored = mat_view(out, width);
  cv::flip(mat_view(rgb, width), mirrored, kLeftToRight);
}

// torchvision's five_crop: top left, top right, bottom left, bottom right, centre; each `side` x `side`.
void five_crops(const Image& image, std::uint32_t side, CentreRule centre, std::span<std::uint8_t> out) {
  const std::uint32_t right = image.width - side, bottom = image.height - side;
  const std::uint32_t middle_x = centre_crop(image.width, side, centre).begin;
  const std::uint32_t middle_y = centre_crop(image.height, side, centre).begin;
  const std::size_t bytes = std::size_t{side} * side * 3;
  for (const auto& [left, top] : std::initializer_list<std::pair<std::uint32_t, std::uint32_t>>{
           {0, 0}, {right, 0}, {0, bottom}, {right, bottom}, {middle_x, middle_y}}) {
    cv::Mat crop = mat_view(out.first(bytes), side);
    mat_view(image)(cv::Rect(static_cast<int>(left), static_cast<int>(top), crop.cols, crop.rows)).copyTo(crop);
    out = out.subspan(bytes);
  }
}

void ten_crops(const Image& resized, std::uint32_t side, CentreRule centre, std::span<std::uint8_t> rgb) {
  if (resized.width < side || resized.height < side)
    throw Error(ErrorKind::input,
                fmt::format("a picture that is resized to {} x {} has no crops of {} x {} pixels", resized.width,
                            resized.height, side, side),
                "use a transform that resizes, or one view");
  Image mirrored{resized.width, resized.height, std::vector<std::uint8_t>(resized.pixels.size())};
  mirror(resized.pixels, resized.width, mirrored.pixels);
  // torchvision's ten_crop mirrors the resized picture and crops it again; mirrored crops
  // would be others where the excess is odd.
  five_crops(resized, side, centre, rgb.first(rgb.size() / 2));
  five_crops(mirrored, side, centre, rgb.subspan(rgb.size() / 2));
}

}  // namespace

std::string_view views_name(Views views) { return kNames[static_cast<std::size_t>(views)]; }

Views parse_views(std::string_view text) {
  const auto found = std::find(kNames.begin(), kNames.end(), text);
  if (found == kNames.end())
    throw Error(ErrorKind::usage, fmt::format("unknown views '{}'", text), suggest(text, kNames));
  return static_cast<Views>(found - kNames.begin());
}

std::size_t view_count(Views views) { return views == Views::one ? 1 : views == Views::hflip ? 2 : 10; }

void check_views(const Transform& transform, Views views) {
  if (views == Views::tencrop && !transform.spec().crop)
    throw Error(ErrorKind::usage, fmt::format("--views tencrop: transform {} crops nothing", transform.name()),
                "--views hflip, or a transform with a crop: transform=imagenet");
}

void view_pixels(const Transform& transform, const Image& image, Views views, std::span<std::uint8_t> rgb) {
  assert(rgb.size() == view_count(views) * transform.bytes());
  if (views == Views::tencrop)
    return ten_crops(transform.resized(image), transform.width(), transform.spec().centre, rgb);
  transform.pixels(image, rgb.first(transform.bytes()));
  if (views == Views::hflip) mirror(rgb.first(transform.bytes()), transform.width(), rgb.subspan(transform.bytes()));
}

}  // namespace vise::images

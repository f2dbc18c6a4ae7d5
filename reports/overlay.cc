#include "reports/overlay.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "extract/images/mat_view.h"

namespace vise::reports {
namespace {

// page.css has the same colours in its key.
const cv::Vec3f kWarm(226, 60, 30), kCold(40, 96, 214), kSeen(240, 160, 20);
constexpr float kMostCover = 0.75F;

// The map's values are taken as they are: from -1, all `below`, over 0, clear, to 1, all `above`.
images::Image covered(images::Image thumbnail, const cv::Mat1f& map, double inset, const cv::Vec3f& above,
                      const cv::Vec3f& below) {
  const int edge = static_cast<int>(std::min(thumbnail.width, thumbnail.height));
  // The network saw the middle of the picture only; the map covers that part of the thumbnail.
  const int skipped = static_cast<int>(std::lround(inset * edge)), side = edge - 2 * skipped;
  if (side <= 0) return thumbnail;
  cv::Mat3b seen = images::mat_view(thumbnail)({skipped, skipped, side, side});
  // The map has few places, such as 7 x 7; interpolated linearly as its places are centres of patches, not pixels.
  cv::Mat1f strength;
  cv::resize(map, strength, {side, side}, 0, 0, cv::INTER_LINEAR);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const float cover = kMostCover * std::fabs(strength(y, x));
      const cv::Vec3f under = seen(y, x);
      seen(y, x) = under + cover * ((strength(y, x) > 0 ? above : below) - under);
    }
  return thumbnail;
}

}  // namespace

images::Image overlay(images::Image thumbnail, const ClassMap& map, double inset) {
  cv::Mat1f values(map.height, map.width);
  const float most = strongest_place(map);
  std::ranges::transform(map.values, values.begin(), [&](float value) { return most > 0 ? value / most : 0; });
  return covered(std::move(thumbnail), values, inset, kWarm, kCold);
}

images::Image overlay(images::Image thumbnail, std::span<const float> shares, int height, int width, double inset) {
  assert(!shares.empty() && shares.size() == static_cast<std::size_t>(height) * static_cast<std::size_t>(width));
  const auto [least, most] = std::ranges::minmax(shares);
  cv::Mat1f values(height, width);
  std::ranges::transform(shares, values.begin(), [least = least, most = most](float share) {
    return most > least ? (share - least) / (most - least) : 0;
  });
  return covered(std::move(thumbnail), values, inset, kSeen, kSeen);
}

}  // namespace vise::reports

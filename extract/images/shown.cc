#include "extract/images/shown.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "extract/images/mat_view.h"

namespace vise::images {
namespace {

Image scaled(const cv::Mat& from, std::uint32_t width, std::uint32_t height) {
  Image result{width, height, std::vector<std::uint8_t>(std::size_t{width} * height * 3)};
  cv::Mat to = mat_view(result);
  // Area means shrink; enlarged by them, a picture would be blocks.
  const bool shrinks = from.cols >= to.cols && from.rows >= to.rows;
  cv::resize(from, to, to.size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  return result;
}

}  // namespace

Image middle_square(const Image& image, std::uint32_t side) {
  const int width = static_cast<int>(image.width), height = static_cast<int>(image.height);
  const int edge = std::min(width, height);
  return scaled(mat_view(image)({(width - edge) / 2, (height - edge) / 2, edge, edge}), side, side);
}

Image fitted(const Image& image, std::uint32_t side) {
  const double scale = std::min(1.0, static_cast<double>(side) / std::max(image.width, image.height));
  const auto edge = [&](std::uint32_t length) {
    // A very oblong picture still has one pixel across.
    return std::max(1U, static_cast<std::uint32_t>(std::lround(length * scale)));
  };
  return scaled(mat_view(image), edge(image.width), edge(image.height));
}

}  // namespace vise::images

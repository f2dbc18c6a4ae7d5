// Several views of one picture, whose features are averaged to one row.
//
//   const Views views = parse_views("tencrop");
//   check_views(transform, views);
//   std::vector<std::uint8_t> rgb(view_count(views) * transform.bytes());
//   view_pixels(transform, image, views, rgb);            // view after view, each as Transform::pixels gives it
//
// hflip: what the transform gives, and its mirror image. tencrop: torchvision 0.14's ten_crop in place of the centre
// crop: the four corners and the centre of the resized picture, then the same five of its mirror image (whose centre
// can be a pixel off). Thread-safe: no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "extract/images/transform/transform.h"

namespace vise::images {

enum class Views { one, hflip, tencrop };

std::string_view views_name(Views views);  // "one", "hflip", "tencrop"
Views parse_views(std::string_view text);  // Error{usage} with the nearest name
std::size_t view_count(Views views);       // 1, 2, 10

// Error{usage} for ten crops of a transform that crops nothing.
void check_views(const Transform& transform, Views views);

// `rgb` must hold view_count(views) * transform.bytes() (asserted). Error{input} as Transform::pixels, and for ten
// crops of a picture that is smaller than the crop, where torchvision gives up too.
void view_pixels(const Transform& transform, const Image& image, Views views, std::span<std::uint8_t> rgb);

}  // namespace vise::images

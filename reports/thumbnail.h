// Small pictures for pages: a square from the middle of an image, and pictures as data URIs.
//
//   const Image small = thumbnail("photo.jpg", 96);
//   json["picture"] = picture_uri(small);
#pragma once

#include <string>

#include "base/file.h"
#include "extract/images/image.h"

namespace vise::reports {

// side x side pixels of an image file's bytes. Error{input} with `name` for an image that can't be read.
images::Image thumbnail(ByteView image, const std::string& name, unsigned side);

// "data:image/webp;base64,...", about 2 kB of 96 x 96 pixels. Error{system} where it can't be encoded.
std::string picture_uri(const images::Image& picture);

}  // namespace vise::reports

#include "extract/features/bad_images.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace vise::features {

void throw_bad_images(std::vector<BadImage> images) {
  // More lines than this would scroll the cause and the cure off the screen; `audit` lists all.
  constexpr std::size_t kMost = 20;
  // Workers find them in an order that differs from run to run; the message must not.
  std::ranges::sort(images, {}, &BadImage::file);
  const std::string& cure = images.front().hint;
  const std::string hint = fmt::format("{}{}or leave it out of every backbone's rows: --on-bad-image skip", cure,
                                       cure.empty() ? "repair or remove the image, " : "; ");
  if (images.size() == 1) throw Error(ErrorKind::input, images.front().message(), hint);
  std::string text = fmt::format("{} images can't be read:", images.size());
  for (std::size_t i = 0; i < std::min(kMost, images.size()); ++i) text += "\n    " + images[i].message();
  if (images.size() > kMost)
    text += fmt::format("\n    ... and {} more: vise-eval audit lists them", images.size() - kMost);
  throw Error(ErrorKind::input, text, hint);
}

}  // namespace vise::features

// vise_eval.load_image: Pillow's pixels, or what a network is given.
#include <pybind11/stl.h>

#include "base/file.h"
#include "extract/images/decode/decode.h"
#include "extract/images/transform/transform.h"
#include "python/arrays.h"
#include "python/bind.h"

namespace vise::python {
namespace {

images::Image decode(const std::string& path, std::uint64_t max_pixels) {
  const MappedFile file(path);
  return images::decode_image(file.bytes(), path, {.max_pixels = max_pixels});
}

// H x W x 3, uint8, as Pillow's convert("RGB") would give it.
py::array pixels_of(const std::string& path, std::uint64_t max_pixels) {
  images::Image image;
  {
    const py::gil_scoped_release released;
    image = decode(path, max_pixels);
  }
  const auto height = static_cast<py::ssize_t>(image.height), width = static_cast<py::ssize_t>(image.width);
  return array_of(std::move(image.pixels), {height, width, 3});
}

// Without a transform the decoded pixels; with one the 3 x side x side floats, normalised, that a network is given.
py::array load_image(const std::string& path, const std::optional<std::string>& transform_text,
                     std::uint64_t max_pixels) {
  if (!transform_text) return pixels_of(path, max_pixels);
  const images::Transform transform = images::Transform::parse(*transform_text);
  std::vector<float> input(transform.bytes());
  {
    const py::gil_scoped_release released;
    std::vector<std::uint8_t> rgb(transform.bytes());
    transform.pixels(decode(path, max_pixels), rgb);
    transform.normalise(rgb, input.data());
  }
  const auto side = static_cast<py::ssize_t>(transform.width());
  return array_of(std::move(input), {3, side, side});
}

}  // namespace

void bind_images(py::module_& core) {
  core.def("load_image", &load_image, py::arg("path"), py::arg("transform"), py::arg("max_pixels"));
  core.def("transforms", [] { return images::transform_names(); });
}

}  // namespace vise::python

// Times one pass of our decoding, resizing and normalising over image files and prints seconds as one line of JSON:
// {"images", "decode", "resize", "window", "normalise"}. "resize" makes the whole resized picture, as Pillow does,
// "window" what Transform::pixels() does (only what the crop needs). bench_resample.py runs it beside Pillow.
//
//   bench_resample TRANSFORM FILE...
#include <chrono>
#include <cstdio>

#include "base/error.h"
#include "extract/images/decode/decode.h"
#include "extract/images/transform/transform.h"

namespace vise {
namespace {

class Stage {
 public:
  template <typename F>
  auto operator()(F&& work) {
    const auto begin = std::chrono::steady_clock::now();
    auto result = work();
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return result;
  }
  double seconds() const { return seconds_; }

 private:
  double seconds_ = 0;
};

images::Image resize_whole(const images::Image& image, const images::TransformSpec& spec) {
  const double edge = spec.resize.value_or(256), w = image.width, h = image.height;
  const auto longer = static_cast<std::uint32_t>(edge * std::max(w, h) / std::min(w, h));
  const auto shorter = static_cast<std::uint32_t>(edge);
  return w <= h ? images::resize(image, shorter, longer, spec.filter)
                : images::resize(image, longer, shorter, spec.filter);
}

void run(const images::Transform& transform, std::span<char*> paths) {
  Stage decode, whole, window, normalise;
  std::vector<std::uint8_t> rgb(transform.bytes());
  std::vector<float> chw(transform.bytes());
  std::size_t sink = 0;
  for (const char* path : paths) {
    const auto bytes = read_file(path);
    const images::Image image = decode([&] { return images::decode_image(bytes, path); });
    sink += whole([&] { return resize_whole(image, transform.spec()); }).pixels.size();
    sink += window([&] { return transform.pixels(image, rgb), rgb[0]; });
    sink += normalise([&] { return transform.normalise(rgb, chw.data()), rgb[1]; });
  }
  std::printf(
      "{\"images\": %zu, \"kernels\": \"%s\", \"decode\": %.6f, \"resize\": %.6f, \"window\": %.6f, "
      "\"normalise\": %.6f, \"sink\": %zu}\n",
      paths.size(), std::string(images::resample_kernels_in_use()).c_str(), decode.seconds(), whole.seconds(),
      window.seconds(), normalise.seconds(), sink);
}

}  // namespace
}  // namespace vise

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_resample TRANSFORM FILE...\n");
    return 2;
  }
  try {
    vise::run(vise::images::Transform::parse(argv[1]), std::span(argv + 2, static_cast<std::size_t>(argc - 2)));
  } catch (const vise::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 4;
  }
}

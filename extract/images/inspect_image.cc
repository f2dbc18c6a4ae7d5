#include "extract/images/inspect_image.h"

#include "base/error.h"
#include "base/hash.h"
#include "extract/images/parity_images.h"

namespace vise::images {
namespace {

std::string sha_of(const std::vector<std::uint8_t>& bytes) { return sha256_hex(std::as_bytes(std::span(bytes))); }

std::string sha_of(const Image& image, const Transform& transform) {
  std::vector<std::uint8_t> rgb(transform.bytes());
  transform.pixels(image, rgb);
  return sha_of(rgb);
}

ParityCheck check(std::string name, const std::string& ours, std::string_view pillows) {
  if (ours == pillows) return {std::move(name), true, {}};
  return {std::move(name), false, "SHA-256 " + ours + " instead of Pillow's " + std::string(pillows)};
}

}  // namespace

Json inspect_image(const Path& path, const Transform& transform, const DecodeOptions& options) {
  Json json = {{"path", path.string()}};
  try {
    const MappedFile file(path);
    const ImageHeader header = read_image_header(file.bytes(), path.string(), options);
    const Image image = decode_image(file.bytes(), path.string(), options);
    json["format"] = format_name(header.format);
    json["mode"] = header.mode;
    json["width"] = image.width;
    json["height"] = image.height;
    json["exif_orientation"] = header.exif_orientation ? Json(*header.exif_orientation) : Json();
    json["rgb_sha256"] = sha_of(image.pixels);
    json["transform"] = transform.name();
    json["pixels_sha256"] = sha_of(image, transform);
  } catch (const Error& error) {
    // One line a file whatever happens, so that a list of a million files is reported to its end.
    json = {{"path", path.string()}, {"error", error.message()}};
    if (!error.hint().empty()) json["hint"] = error.hint();
  }
  return json;
}

std::vector<ParityCheck> pixel_parity_selftest() {
  // One of each filter: a compiler or CPU that computes weights otherwise shows in one of the hashes.
  const Transform bilinear = Transform::parse("imagenet"), bicubic = Transform::parse("clip");
  std::vector<ParityCheck> checks;
  for (const ParityImage& known : parity_images()) {
    const std::string name(known.name);
    try {
      const Image image = decode_image(std::as_bytes(known.file), name);
      checks.push_back(check(name + ", decoded", sha_of(image.pixels), known.rgb_sha256));
      checks.push_back(check(name + ", resized bilinear", sha_of(image, bilinear), known.bilinear_sha256));
      checks.push_back(check(name + ", resized bicubic", sha_of(image, bicubic), known.bicubic_sha256));
    } catch (const Error& error) {
      checks.push_back({name, false, error.message()});
    }
  }
  return checks;
}

}  // namespace vise::images

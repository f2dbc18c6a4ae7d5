#include "datasets/png.h"

#include <zlib.h>

#include <cassert>
#include <string_view>

#include "base/error.h"

namespace vise::datasets {
namespace {

void put_u32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xFF));
}

void put_chunk(std::string& out, std::string_view type, std::string_view data) {
  // A chunk is its length, its type, its data, and the CRC-32 of type and data (PNG
  // specification, section 5.3).
  put_u32(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t begin = out.size();
  out.append(type).append(data);
  const auto* bytes = reinterpret_cast<const Bytef*>(out.data() + begin);
  put_u32(out, static_cast<std::uint32_t>(::crc32(0, bytes, static_cast<uInt>(out.size() - begin))));
}

// zlib's format (RFC 1950), which IDAT holds (section 10).
std::string deflated(const std::string& raw) {
  uLongf size = ::compressBound(raw.size());
  std::string packed(size, '\0');
  const int level = 3;  // drawn images shrink well at any level
  const int code = ::compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                               reinterpret_cast<const Bytef*>(raw.data()), raw.size(), level);
  if (code != Z_OK) throw Error(ErrorKind::system, "zlib cannot compress a PNG's pixels");
  packed.resize(size);
  return packed;
}

}  // namespace

std::string png_bytes(std::span<const std::uint8_t> pixels, std::uint32_t width, std::uint32_t height, int channels) {
  assert(channels == 1 || channels == 3);
  const std::size_t stride = static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  assert(pixels.size() == stride * height);
  std::string raw;
  raw.reserve((stride + 1) * height);
  for (std::size_t y = 0; y < height; ++y) {
    const auto row = pixels.subspan(y * stride, stride);
    // Neighbouring pixels are alike, so that their differences pack better; they wrap at 256 (section 9.2).
    raw.push_back(1);  // filter Sub: the difference to the pixel on the left
    for (std::size_t x = 0; x < stride; ++x) {
      const int left = x < static_cast<std::size_t>(channels) ? 0 : row[x - static_cast<std::size_t>(channels)];
      raw.push_back(static_cast<char>(row[x] - left));
    }
  }
  // The signature (section 5.2): it shows a file that was transferred as text.
  std::string out = "\x89PNG\r\n\x1A\n";
  std::string header;
  put_u32(header, width);
  put_u32(header, height);
  // 8 bits a sample; colour type 2 is RGB, 0 is grey; deflate, adaptive filters, not interlaced.
  header.append({8, static_cast<char>(channels == 3 ? 2 : 0), 0, 0, 0});
  put_chunk(out, "IHDR", header);
  put_chunk(out, "IDAT", deflated(raw));
  put_chunk(out, "IEND", "");
  return out;
}

}  // namespace vise::datasets

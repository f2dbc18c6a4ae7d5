#include <tiffio.h>
#include <webp/decode.h>
#include <zlib.h>

#include <cstdio>  // jpeglib.h needs FILE and size_t

#include <jpeglib.h>

#include <fmt/format.h>

#include "base/text.h"
#include "extract/images/decode/decode.h"

// Two steps, since # takes its argument before the macro in it is expanded.
#define VISE_TEXT(x) #x
#define VISE_TEXT_OF(macro) VISE_TEXT(macro)

namespace vise::images {

std::map<std::string, std::string> codec_versions() {
  // "LIBTIFF, Version 4.5.0\nCopyright ..."
  const std::string tiff = split(TIFFGetVersion(), '\n').front();
  const int webp = WebPGetDecoderVersion();
  return {{"libjpeg-turbo", VISE_TEXT_OF(LIBJPEG_TURBO_VERSION)},  // the library itself does not tell
          {"libtiff", tiff.substr(tiff.rfind(' ') + 1)},
          {"libwebp", fmt::format("{}.{}.{}", webp >> 16, webp >> 8 & 255, webp & 255)},
          {"zlib", zlibVersion()}};
}

}  // namespace vise::images

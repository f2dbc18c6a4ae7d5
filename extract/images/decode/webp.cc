// WebP by libwebp's animation decoder, which Pillow uses for still pictures too: the first frame on a transparent
// canvas.
#include <webp/demux.h>

#include <memory>

#include "extract/images/decode/codec.h"
#include "extract/images/decode/exif.h"

namespace vise::images {
namespace {

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
struct DeleteDecoder {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};

WebPData data_of(const Source& source) { return {source.data(), source.size()}; }

std::optional<int> orientation(const WebPDemuxer* demuxer) {
  WebPChunkIterator chunk;
  if (!WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk)) return std::nullopt;
  const auto found = exif_orientation(std::as_bytes(std::span(chunk.chunk.bytes, chunk.chunk.size)));
  WebPDemuxReleaseChunkIterator(&chunk);
  return found;
}

}  // namespace

ImageHeader webp_header(const Source& source) {
  const WebPData data = data_of(source);
  // Null also for a file that is cut short behind a whole first frame, which Pillow refuses too.
  const std::unique_ptr<WebPDemuxer, DeleteDemuxer> demuxer(WebPDemux(&data));
  if (!demuxer) source.refuse("the WebP is cut short or broken");
  ImageHeader header{ImageFormat::webp, "RGBA", WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH),
                     WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT), orientation(demuxer.get())};
  source.check_size(header.width, header.height);
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data.bytes, data.size, &features) == VP8_STATUS_OK && !features.has_alpha) header.mode = "RGB";
  return header;
}

Image decode_webp(const Source& source) {
  const ImageHeader header = webp_header(source);
  const WebPData data = data_of(source);
  // The default options: RGBA without premultiplied alpha, one thread.
  const std::unique_ptr<WebPAnimDecoder, DeleteDecoder> decoder(WebPAnimDecoderNew(&data, nullptr));
  std::uint8_t* rgba = nullptr;  // the decoder's
  int timestamp = 0;
  if (!decoder || !WebPAnimDecoderGetNext(decoder.get(), &rgba, &timestamp)) {
    source.refuse("the WebP's data are broken");
  }
  Image image = source.make_image(header.width, header.height);
  // Around a first frame that is smaller than the canvas libwebp leaves zeros, which become black.
  for (std::size_t i = 0, n = image.pixels.size() / 3; i < n; ++i) {
    // Alpha is dropped and the colour below it kept, as convert("RGB") does.
    for (std::size_t c = 0; c < 3; ++c) image.pixels[i * 3 + c] = rgba[i * 4 + c];
  }
  return image;
}

}  // namespace vise::images

// Pictures to fingerprints (datasets/fingerprint.h): what `vise-eval audit` compares.
//
//   const PictureFacts facts = picture_facts(file.bytes(), id, {});
//
// Thread-safe: no state.
#pragma once

#include <string_view>

#include "datasets/audit.h"
#include "extract/images/decode/decode.h"

namespace vise::images {

datasets::Fingerprint fingerprint_of(const Image& image);

// Size, hash of the decoded pixels and fingerprint; `error` is why it can't be decoded. Throws nothing of the kind
// Error{input}.
datasets::PictureFacts picture_facts(ByteView bytes, std::string_view name_for_messages,
                                     const DecodeOptions& options = {});

// The picture at most `side` pixels wide and high, as the bytes of a PNG file.
std::string png_thumbnail(const Image& image, std::uint32_t side);

}  // namespace vise::images

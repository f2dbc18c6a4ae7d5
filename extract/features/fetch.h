// Fetching published weights: the backbone's links in order, each until a whole, checked file has its final
// name.
//
//   const Path file = fetch_weights(parse_backbone("vise-250m"), search, context);
//
// One line says what, from where, how large and under which licence. Checked means: the publisher's SHA-256 or MD5 (or
// the digits in a torch.hub name) where one is known; else the file has to load, strictly, as the backbone's network,
// and its SHA-256 is printed. What fails is removed. See download.h for what is asked of the network.
#pragma once

#include "extract/features/backbone.h"

namespace vise::features {

// The file, in search.into. Error{missing} with a line for every link that failed, Error{system} where the folder can't
// be written, Error{usage} for a mirror that is no URL, Error{interrupted}.
Path fetch_weights(const Backbone& backbone, const WeightsSearch& search, const Context& context);

// The URL with its scheme and host replaced by the mirror ("http://127.0.0.1:8000"); unchanged without one.
std::string mirrored_url(const std::string& url, const std::string& mirror);

}  // namespace vise::features

// Fetching published weights: one line that says what, from where, how large and under which licence; progress; resume
// of a partial download; the hash checked where the name carries one; an atomic rename at the end.
#pragma once

#include "extract/backbone.h"

namespace vise {

// Into the last of `search.folders`. Error{missing} when the network says no, Error{input} when what came is not what
// was promised (the partial file is removed).
Path fetch_weights(const Backbone& backbone, const WeightsSearch& search, Log& log);

// The URL with its scheme and host replaced by the mirror ("http://127.0.0.1:8000"); unchanged without one.
std::string mirrored_url(const std::string& url, const std::string& mirror);

}  // namespace vise

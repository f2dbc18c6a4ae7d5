// One HTTP(S) request for a file or for its rest, by libcurl: what was answered, and how the answer ended.
//
//   const HttpAnswer answer = http_get({.url = url, .from = 4096, .if_range = etag}, body, context);
//   if (answer.end == HttpEnd::complete && answer.head.status == 206) ...
//
// Nothing is tried twice here, and no status is an error: that is the caller's business (fetch.h). Redirects are
// followed, from https to https only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/log.h"

namespace vise::features {

struct HttpRequest {
  std::string url;
  std::uint64_t from = 0;  // bytes that are there already: the rest is asked for
  std::string if_range{};  // the rest only if the file is still the one of this ETag or date; else all of it
  int patience = 30;       // seconds to wait for a connection, and for each next byte; at least 1
};

// The answer's head, after redirects.
struct HttpHead {
  int status = 0;                        // 0: no answer came
  std::uint64_t first = 0;               // the body's first byte is this one of the file
  std::optional<std::uint64_t> total{};  // bytes of the whole file, where the server says so
  std::string etag{}, last_modified{};
  int retry_after = 0;  // seconds
};

enum class HttpEnd {
  complete,    // as many bytes as the server had promised
  cut,         // fewer
  stalled,     // nothing came for `patience` seconds
  unreachable  // no server, no such name, no trust, too many redirects
};

struct HttpAnswer {
  HttpEnd end = HttpEnd::complete;
  std::string words{};  // libcurl's, unless complete
  HttpHead head{};
};

// A piece of the body of a 200 or 206; other bodies are not read. What it throws ends the transfer and is thrown on.
using HttpBody = std::function<void(const HttpHead& head, ByteView piece)>;

// Error{interrupted} once `context` is stopped.
HttpAnswer http_get(const HttpRequest& request, const HttpBody& body, const Context& context);

}  // namespace vise::features

// One URL into a PartialFile, whatever the server and the network do: the rest of a part where that is safe, the whole
// anew where it isn't, a few more tries after a cut, a stall or a busy server.
//
//   PartialFile part(target, context);
//   const DownloadResult done = download({.url = url, .name = "vise-250m"}, part, context);
//
// A part is gone on with only if the server still has the file it came from: the URL, and a strong ETag or a date that
// the server honours (If-Range), or, where it sends neither, a known hash that will tell (`verifiable`). What begins
// like a web page, a Git LFS pointer or the like never replaces a part. docs/troubleshooting.md lists the refusals.
#pragma once

#include <functional>
#include <string>

#include "extract/features/partial_file.h"

namespace vise::features {

struct DownloadRequest {
  std::string url;
  std::string name;         // for the progress line
  bool verifiable = false;  // a hash of the whole file is known
  // Seconds to wait for a connection, for each next byte, and for a server that asks to come back later. The pauses
  // between tries are 1/30, 2/30 and 4/30 of it.
  int patience = 30;
  // Told once, as soon as the server has said how large the file is (0: it didn't); `already`: bytes that are there.
  std::function<void(std::uint64_t total, std::uint64_t already)> announce{};
};

struct DownloadResult {
  bool spliced = false;  // the file is made of more than one answer
};

// Error{missing} with the cause, without the URL: what the server or the network would not give; the part is kept for
// another day. Error{system} where it can't be written, Error{interrupted}.
DownloadResult download(const DownloadRequest& request, PartialFile& part, const Context& context);

}  // namespace vise::features

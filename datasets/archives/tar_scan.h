// A walk along a tar archive of strangers, from its first header to its end blocks: POSIX ustar and pax, GNU's long
// names, v7. Nothing is kept but one header and one name.
//
//   scan_tar(stream, [&](const StreamedMember& member) { ... });     // may read up to member.size bytes off the stream
//
// Checked: each header's sum, sizes against the stream, names (pax and GNU names of at most 4096 bytes), the end blocks
// (an archive without them was cut off) and that nothing but zeros follows them. Folders are passed over. Sparse files,
// pieces of multi-volume archives and types nobody knows are refused by name. Throws Error{input}.
#pragma once

#include <functional>
#include <string>

#include "datasets/archives/byte_stream.h"

namespace vise::datasets {

struct StreamedMember {
  std::string name;          // as written, less leading "./"; not judged
  bool is_file = true;       // or a link or a device, which hold nothing
  std::uint64_t offset = 0;  // of its bytes in the stream
  std::uint64_t size = 0;
};

void scan_tar(ByteStream& stream, const std::function<void(const StreamedMember&)>& visit);

}  // namespace vise::datasets

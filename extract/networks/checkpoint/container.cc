// Tells containers, and what people save in their place, by their first bytes.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/text.h"
#include "extract/networks/checkpoint/foreign.h"
#include "extract/networks/checkpoint/readers.h"

namespace vise::networks {
namespace {

constexpr std::string_view kDownload = "the download went wrong: get the file again";

[[noreturn]] void refuse(const std::string& what, std::string_view hint) {
  throw Error(ErrorKind::input, what, std::string(hint));
}

// How another format begins, what to call it, and what its owner can do.
struct KnownFormat {
  std::string_view start, what, hint;
};

constexpr KnownFormat kKnown[] = {
    {"\x1F\x8B", "is a gzip file, not a checkpoint", "unpack it first: gunzip"},
    {"\x89HDF\r\n", "is an HDF5 file (Keras), not a PyTorch checkpoint", "export the weights to safetensors"},
    {"\x89PNG\r\n", "is a PNG image, not a checkpoint", ""},
    {"\xFF\xD8\xFF", "is a JPEG image, not a checkpoint", ""},
    {"\x93NUMPY", "is a NumPy .npy file, not a checkpoint", "features are read by probe --features"},
    {"BZh", "is a bzip2 file, not a checkpoint", "unpack it first: bunzip2"},
    {"\xFD"
     "7zXZ",
     "is an xz file, not a checkpoint", "unpack it first: unxz"},
    {"7z\xBC\xAF", "is a 7-Zip archive, not a checkpoint", "unpack it first"},
    {"GGUF", "is a GGUF file, not a PyTorch checkpoint", ""},
    {"version https://git-lfs", "is a Git LFS pointer, not the file itself", "fetch the file: git lfs pull"},
    {"PK\5\6", "is a zip archive without members", kDownload}};

// Text that servers send in a file's place.
void refuse_text(std::string_view head) {
  // Windows editors begin a text with a byte order mark.
  const std::string start = lower(trim(head.substr(head.starts_with("\xEF\xBB\xBF") ? 3 : 0)));
  const bool html = start.starts_with("<!doctype html") || start.starts_with("<html") ||
                    start.find("<html") != std::string::npos || start.find("<head") != std::string::npos;
  if (html) refuse("is a web page (an HTML page), not a checkpoint", kDownload);
  // S3 and its relatives answer a missing or forbidden object with an XML document and status
  // 403 or 404, which a downloader without checks saves.
  if (start.starts_with('<')) refuse("is an XML document (an error of the server's?), not a checkpoint", kDownload);
  if (start.starts_with('{') || start.starts_with('['))
    refuse("is JSON text (an error of the server's?), not a checkpoint", kDownload);
  const bool printable = std::all_of(head.begin(), head.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\r' || c == '\t';
  });
  if (printable) refuse("is a text file, not a checkpoint", "");
}

// POSIX's magic is at byte 257 of a tar's first header.
bool begins_tar(std::string_view head) { return head.size() >= 512 && head.substr(257, 5) == "ustar"; }

}  // namespace

// For files that no reader takes: says what they are to the person who expected a checkpoint.
void refuse_foreign(ByteView bytes) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 512));
  if (bytes.empty()) refuse("is empty", kDownload);
  // An interrupted copy to a file system that allocates ahead leaves zeros of the full length.
  if (std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; }))
    refuse("holds nothing but zeros: the copy or the disk failed", "get the file again");
  for (const KnownFormat& known : kKnown)
    if (head.starts_with(known.start)) refuse(std::string(known.what), known.hint);
  // A tar begins with a member's name, which is text.
  if (!begins_tar(head)) refuse_text(head);
}

ContainerContents read_container(ByteView bytes, const Owner& owner, const ReadOptions& options) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 512));
  if (head.starts_with("PK\3\4")) return read_zip_checkpoint(bytes, owner, options);
  // PROTO (0x80) and a version begin every pickle since protocol 2, which is torch.save's default.
  if (head.size() >= 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5)
    return read_legacy_checkpoint(bytes, owner, options);
  if (begins_tar(head)) return read_tar_checkpoint(bytes, owner, options);
  // safetensors has no magic number: the header's length comes first. It is asked last, since
  // eight arbitrary bytes and a brace may begin anything.
  if (head.size() > 8 && head[8] == '{') return read_safetensors(bytes, owner);
  refuse_foreign(bytes);
  refuse("is no checkpoint: not a zip, legacy or tar file of torch.save's, a TorchScript archive or safetensors",
         "the beginning of the file may be damaged: get it again");
}

}  // namespace vise::networks

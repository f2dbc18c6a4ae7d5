#include "extract/networks/checkpoint/read_checkpoint.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "extract/networks/checkpoint/folder.h"
#include "extract/networks/checkpoint/readers.h"

namespace vise::networks {

Checkpoint read_checkpoint(const Path& path, const ReadOptions& options) {
  if (std::error_code error; std::filesystem::is_directory(path, error)) return read_model_folder(path, options);
  const auto file = std::make_shared<const MappedFile>(path);
  // One name for all messages: readers speak of what is wrong in the bytes and don't know the file. printable() keeps a
  // stranger's text from a terminal's control codes.
  try {
    ContainerContents contents = read_container(file->bytes(), file, options);
    // Over the whole file, so that weights are known again under any name.
    const std::string sha256 = sha256_hex(file->bytes());
    return {path,    contents.container,          file->bytes().size(),
            sha256,  std::move(contents.tensors), std::move(contents.opaque),
            {sha256}};
  } catch (const Error& e) {
    throw Error(e.kind(), fmt::format("{}: {}", path.string(), printable(e.message())), e.hint());
  }
}

}  // namespace vise::networks

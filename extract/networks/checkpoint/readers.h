// The containers' readers, chosen by read_checkpoint. Not for use outside this folder, its tests and fuzz targets.
//
// Each takes the whole file's bytes, which `owner` keeps alive, and returns the tensors as views of them; a message
// names the place inside the file, read_checkpoint puts the file's name before it.
#pragma once

#include <memory>
#include <vector>

#include "extract/networks/checkpoint/state_dict.h"

namespace vise::networks {

struct ContainerContents {
  Container container = Container::zip;
  std::vector<NamedTensor> tensors;
  std::vector<std::string> opaque;
};

using Owner = std::shared_ptr<const void>;

ContainerContents read_zip_checkpoint(ByteView bytes, const Owner& owner, const ReadOptions& options);
ContainerContents read_legacy_checkpoint(ByteView bytes, const Owner& owner, const ReadOptions& options);
ContainerContents read_tar_checkpoint(ByteView bytes, const Owner& owner, const ReadOptions& options);
ContainerContents read_safetensors(ByteView bytes, const Owner& owner);

// Chooses by the bytes; Error{input} that names what the file is where it is no checkpoint.
ContainerContents read_container(ByteView bytes, const Owner& owner, const ReadOptions& options);

}  // namespace vise::networks

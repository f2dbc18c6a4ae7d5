// A checkpoint as named tensors, whatever container it came in.
//
//   const Checkpoint checkpoint = read_checkpoint("resnet50-0676ba61.pth");   // read_checkpoint.h
//   for (const NamedTensor& t : checkpoint.tensors) use(t.name, t.tensor.shape, t.tensor.to_floats());
//
// The container is recognised by the file's bytes, never by its name. The reader builds tensors and nothing else: no
// global is called, nothing from the file names a path, and every length is checked against the file's size before
// anything is allocated. Tensors are views into the mapped file (of a deflated zip member: into its inflated bytes), so
// reading costs one pass for the checksums and no copy. docs/formats/checkpoints.md says what is read and what is
// refused.
//
// A Checkpoint may be copied and read from many threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "extract/networks/checkpoint/tensor.h"

namespace vise::networks {

struct NamedTensor {
  std::string name;     // keys joined by '.': "state_dict.module.encoder_q.conv1.weight"
  std::string pointer;  // RFC 6901 JSON pointer of the place it was found at; "" for a bare tensor
  Tensor tensor;
};

enum class Container { zip, legacy, tar, safetensors, torchscript, folder };
// "zip", "legacy", "tar", "safetensors", "torchscript", "folder"
std::string_view container_name(Container container);

struct Checkpoint {
  Path path;
  Container container = Container::zip;
  std::uint64_t file_size = 0;       // of a folder: its weights files together
  std::string sha256;                // of the whole file, or the folder's (folder.h): the identity used in cache keys
  std::vector<NamedTensor> tensors;  // in the file's order
  // Globals that the pickle names beside the tensors and were not called ("argparse.Namespace"); only with
  // ReadOptions::skip_foreign.
  std::vector<std::string> opaque;
  std::vector<std::string> hashes;  // SHA-256 of each weights file: sha256 itself, or those of a folder's
};

struct ReadOptions {
  // Pickles that hold other things than tensors and plain values (argparse.Namespace, numpy scalars) are refused by
  // that thing's name. With this they are read all the same: such things become placeholders that are never called,
  // and only a tensor that depends on one is an error.
  bool skip_foreign = false;
};

}  // namespace vise::networks

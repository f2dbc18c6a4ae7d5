// A checkpoint as named tensors, whatever container it came in.
//
//   const Checkpoint checkpoint = read_checkpoint("resnet50-0676ba61.pth");
//   for (const NamedTensor& t : checkpoint.tensors) use(t.name, t.tensor.shape, t.tensor.contiguous_bytes());
//
// The reader builds tensors and nothing else: no global is called, nothing from the file names a path, and every length
// is checked against the file's size before anything is allocated. Tensors are views into the mapped file where its
// bytes lie as they are needed, so reading costs no copy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace vise {

enum class DType { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean, complex64, complex128 };

std::string_view dtype_name(DType dtype);   // torch's: "float32", "float16", "bfloat16", "int64", "bool" ...
std::size_t dtype_size(DType dtype);

// A strided view into a storage that `owner` keeps alive. Strides and offset are in elements, as PyTorch has them, and
// are known to stay inside the storage.
struct Tensor {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape, strides;
  std::int64_t offset = 0;
  ByteView storage;
  std::shared_ptr<const void> owner;

  std::int64_t numel() const;
  // Row-major little-endian bytes.
  std::vector<std::byte> contiguous_bytes() const;
  // Row-major; fp16, bf16, fp64 and integers converted. Error{input} for complex.
  std::vector<float> to_floats() const;
};

struct NamedTensor {
  std::string name;      // keys joined by '.': "state_dict.module.encoder_q.conv1.weight"
  std::string pointer;   // RFC 6901 JSON pointer of the place it was found at
  Tensor tensor;
};

enum class Container { zip, legacy, tar, safetensors, torchscript };
std::string_view container_name(Container container);

struct Checkpoint {
  Path path;
  Container container = Container::zip;
  std::uint64_t file_size = 0;
  std::string sha256;                  // of the whole file
  std::vector<NamedTensor> tensors;    // in the file's order
  // Globals that stood in the pickle beside the tensors and were not called ("argparse.Namespace").
  std::vector<std::string> opaque;
};

// Error{missing} without the file; Error{input} with a reason, and a hint where one helps ("this is an HTML page: the
// download went wrong"), for everything that isn't a whole, lawful checkpoint.
Checkpoint read_checkpoint(const Path& path);

}  // namespace vise

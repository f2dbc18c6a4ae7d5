// A tensor as a weights file holds it: a strided view into bytes that somebody keeps alive.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace vise::networks {

enum class DType { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean, complex64, complex128 };

std::string_view dtype_name(DType dtype);  // torch's: "float32", "float16", "bfloat16", "int64", "bool" ...
std::size_t dtype_size(DType dtype);       // bytes of one value
bool is_floating(DType dtype);             // f64, f32, f16, bf16

// Strides and offset count elements, as PyTorch has them; whoever makes a Tensor has checked that every element is in
// `storage` (check_view below). Copying shares the bytes. Safe to read from many threads.
struct Tensor {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape, strides;
  std::int64_t offset = 0;
  ByteView storage;                   // the whole storage, little-endian; need not be aligned
  std::shared_ptr<const void> owner;  // keeps `storage` alive

  std::int64_t numel() const;
  std::uint64_t bytes() const { return static_cast<std::uint64_t>(numel()) * dtype_size(dtype); }
  bool is_contiguous() const;
  // Row-major little-endian bytes; a view of the storage where the tensor is contiguous, else of `scratch`.
  ByteView contiguous(std::vector<std::byte>& scratch) const;
  std::vector<std::byte> contiguous_bytes() const;
  // Row-major; fp16, bf16 and fp64 converted, integers and bool widened. Error{input} for complex.
  std::vector<float> to_floats() const;
};

// What numpy gives for tensor.astype(float64).sum(), up to the order of summation: double, pairwise. `imaginary` is 0
// unless the tensor is complex; of booleans it is the count of true.
struct TensorSum {
  double real = 0, imaginary = 0;
};
TensorSum sum(const Tensor& tensor);

// SHA-256 of the row-major little-endian bytes.
std::string content_sha256(const Tensor& tensor);

// "64x3x7x7"; "scalar" for no dimensions.
std::string shape_text(const std::vector<std::int64_t>& shape);

// Throws Error{input} unless the view is in a storage of `storage_numel` elements: ranks equal and at most 64, no
// negative size, stride or offset, no overflow. A tensor without elements may have any strides and an offset up to the
// storage's end.
void check_view(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides, std::int64_t offset,
                std::int64_t storage_numel);

// The product of the sizes; Error{input} for a negative size or one past 2^63 - 1.
std::int64_t checked_numel(const std::vector<std::int64_t>& shape);

// Row-major strides.
std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape);

}  // namespace vise::networks

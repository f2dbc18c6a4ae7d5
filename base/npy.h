// NumPy's .npy files (format 1.0 to 3.0, numpy/lib/format.py): read through a map, written atomically.
//
//   const NpyArray x = NpyArray::open("features.npy");      // mapped, nothing is copied
//   std::span<const float> values = x.as<float>();          // Error{input} if it holds another type
//   write_npy(path, std::span<const float>(rows), {n, d});
//
// C order, little-endian, 1 to 8 dimensions; every length is checked against the file's size before use.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace vise {

class NpyArray {
 public:
  // Error{input} with the reason and the cure for Fortran order, big-endian, object or structured types, an .npz, or a
  // wrong size.
  static NpyArray open(const Path& path);
  static NpyArray parse(ByteView bytes, std::string_view name_for_messages);  // `bytes` must outlive the array

  const std::vector<std::uint64_t>& shape() const { return shape_; }
  std::uint64_t size() const;  // number of values
  const std::string& type() const {
    return type_;
  }  // numpy's descr without byte order: "f4", "i8", "u1", "b1", "f2" ...
  ByteView bytes() const { return data_; }

  // T is float, double, std::int64_t, std::int32_t or std::uint8_t.
  template <typename T>
  std::span<const T> as() const;
  // Any integer, bool or float type, widened; Error{input} for text.
  std::vector<double> to_doubles() const;
  // Of the types U and S: UTF-8, without the zeros at their ends. Error{input} for letters that are none.
  bool is_text() const { return type_.starts_with('U') || type_.starts_with('S'); }
  std::vector<std::string> to_texts() const;

 private:
  void expect(std::string_view type) const;
  std::string name_, type_;
  std::vector<std::uint64_t> shape_;
  ByteView data_;
  std::shared_ptr<const MappedFile> map_;
};

// The header of a C-order array, padded to a multiple of 64 and at least `min_bytes` long, so that a file whose first
// dimension grows keeps its header's length. `type` as "f4".
std::string npy_header(std::string_view type, std::span<const std::uint64_t> shape, std::size_t min_bytes = 0);

void write_npy(const Path& path, std::span<const float> values, std::vector<std::uint64_t> shape);
void write_npy(const Path& path, std::span<const double> values, std::vector<std::uint64_t> shape);
void write_npy(const Path& path, std::span<const std::int64_t> values, std::vector<std::uint64_t> shape);

}  // namespace vise

// Matlab's .mat files of level 5 (MathWorks, "MAT-File Format", R2023a): what datasets' annotations come in.
//
//   const MatFile file = MatFile::read("Annotations.mat");
//   const MatArray& train = file.variable("train");
//   train.field("filename", 0)->text;                          // of its first element
//
// Read: numeric arrays (as double), char arrays, cells and structs, compressed or not, little-endian. Objects, sparse
// and complex arrays are kept as `other`, without contents. Files of version 7.3 are HDF5: Error{input} says how to
// save them again. Every length is checked against the bytes that are there; nesting and what compressed variables
// unfold to are bounded. Values; not thread-safe while being made.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace vise::datasets {

struct MatArray {
  enum class Kind : std::uint8_t { numbers, text, cells, structs, other };

  Kind kind = Kind::numbers;
  std::vector<std::uint32_t> shape;  // rows, columns, ...
  std::vector<double> numbers;       // column-major
  std::string text;                  // UTF-8; a char matrix of several rows is read column by column
  std::vector<std::string> fields;   // of structs
  std::vector<MatArray> items;       // cells column-major; structs: element by element, fields within

  // Elements: the product of the shape.
  std::size_t size() const;
  // A field of a struct's element, or nullptr where there is no such field or element, or it isn't a struct.
  const MatArray* field(std::string_view name, std::size_t element = 0) const;
};

class MatFile {
 public:
  static MatFile read(const Path& path);
  static MatFile parse(ByteView bytes, const std::string& name_for_messages);

  // Error{input} naming the file and the variables there are.
  const MatArray& variable(const std::string& name) const;
  const std::map<std::string, MatArray>& variables() const { return variables_; }

 private:
  std::string name_;
  std::map<std::string, MatArray> variables_;
};

}  // namespace vise::datasets

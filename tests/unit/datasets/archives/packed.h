// Archives assembled byte by byte, so that tests can make every field lie.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/packed_bytes.h"
#include "tests/unit/datasets/trees.h"
#include "tests/unit/extract/networks/checkpoint/files.h"

namespace vise::test {

struct TarFile {
  std::string name, data;
  char type = '0';
  std::string size_field{};  // instead of the data's own
};

// A ustar header with its sum; names of at most 100 bytes.
inline std::string tar_header(const TarFile& file) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, const std::string& field) { block.replace(at, field.size(), field); };
  put(0, file.name);
  put(100, "0000644");
  put(124, file.size_field.empty() ? fmt::format("{:011o}", file.data.size()) : file.size_field);
  put(136, "00000000000");
  put(148, "        ");
  block[156] = file.type;
  put(257, std::string("ustar\0", 6) + "00");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return block;
}

inline std::string tar_member(const TarFile& file) {
  const std::size_t filled = (file.data.size() + 511) / 512 * 512;
  return tar_header(file) + file.data + std::string(filled - file.data.size(), '\0');
}

inline std::string tar(const std::vector<TarFile>& files) {
  std::string bytes;
  for (const TarFile& file : files) bytes += tar_member(file);
  return bytes + std::string(1024, '\0');
}

inline std::string as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace vise::test

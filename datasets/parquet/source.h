// Where a Parquet file's bytes come from, by place: a file is never whole in memory, nor mapped, as others may write
// it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/file.h"

namespace vise::datasets::parquet {

class Source {
 public:
  virtual ~Source() = default;
  virtual std::uint64_t size() const = 0;
  // Fills `out` from byte `at`; both were checked against size(). Error{input} where the file has become shorter. Safe
  // to call from many threads.
  virtual void read(std::uint64_t at, std::span<std::byte> out) const = 0;
};

// Error{missing|system|input} where it can't be opened.
std::unique_ptr<const Source> open_source(const Path& path);
std::unique_ptr<const Source> memory_source(std::vector<std::byte> bytes);

// Memory that is kept between pages. Not cleared, so what a page claims costs nothing before it is there.
class Buffer {
 public:
  std::span<std::byte> get(std::size_t size) {
    if (size > capacity_) {
      bytes_.reset();
      bytes_ = std::make_unique_for_overwrite<std::byte[]>(size);
      capacity_ = size;
    }
    return {bytes_.get(), size};
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_ = 0;
};

}  // namespace vise::datasets::parquet

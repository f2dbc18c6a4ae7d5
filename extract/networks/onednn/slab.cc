#include "extract/networks/onednn/slab.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace vise::networks {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

std::shared_ptr<const SlabPlan::Place> SlabPlan::place(std::size_t bytes) {
  bytes = aligned(std::max<std::size_t>(bytes, 1));
  std::size_t offset = 0;
  // First fit: `taken_` is ordered by offset, so the loop walks the gaps.
  for (const auto& [begin, length] : taken_) {
    if (begin - offset >= bytes) break;
    offset = begin + length;
  }
  taken_.emplace(offset, bytes);
  size_ = std::max(size_, offset + bytes);
  // A place is free again when the last value that holds it is gone: the shared pointer's
  // count is the plan's bookkeeping.
  return {new Place{offset, bytes}, [this](const Place* place) {
            taken_.erase(place->offset);
            delete place;
          }};
}

AlignedBytes::AlignedBytes(std::size_t bytes)
    : bytes_(static_cast<std::byte*>(std::aligned_alloc(kAlignment, aligned(std::max<std::size_t>(bytes, 1))))),
      size_(bytes) {
  if (!bytes_) throw std::bad_alloc();
  // Zeros, so that padding of blocked layouts is never NaN.
  std::memset(bytes_.get(), 0, aligned(std::max<std::size_t>(bytes, 1)));
}

void AlignedBytes::Free::operator()(std::byte* bytes) const { std::free(bytes); }

}  // namespace vise::networks

// Memory planning for a chain of layers: activations are placed in one slab, and a place is reused once nobody holds
// it.
//
//   SlabPlan plan;
//   auto a = plan.place(bytes);         // a place, held as long as a copy of `a` lives
//   ...                                 // layers are planned in the order in which they run
//   AlignedBytes slab(plan.size());     // afterwards: slab.data() + a->offset
//
// First fit over the free gaps, which is within a few percent of optimal for the short lifetimes of a ResNet. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <memory>

namespace vise::networks {

class SlabPlan {
 public:
  struct Place {
    std::size_t offset, bytes;
  };
  // Must outlive the places it gave.
  SlabPlan() = default;
  SlabPlan(const SlabPlan&) = delete;
  SlabPlan& operator=(const SlabPlan&) = delete;

  std::shared_ptr<const Place> place(std::size_t bytes);
  std::size_t size() const { return size_; }

 private:
  std::map<std::size_t, std::size_t> taken_;  // offset -> bytes
  std::size_t size_ = 0;
};

// 64-byte aligned, zeroed memory.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t bytes);
  std::byte* data() const { return bytes_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* bytes) const;
  };
  std::unique_ptr<std::byte, Free> bytes_;
  std::size_t size_;
};

}  // namespace vise::networks

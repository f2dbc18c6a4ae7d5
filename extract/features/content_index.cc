#include "extract/features/content_index.h"

#include <bit>

namespace vise::features {

// The slot that has the content, or the first free one after where it would be.
std::size_t ContentIndex::place(const ContentHash& content) const {
  // Linear probing. A content's hash is uniform already, so its low bits are the slot; the loop
  // ends because put() keeps a third of the slots free.
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = static_cast<std::size_t>(content.low) & mask;
  while (slots_[at].used && slots_[at].content != content) at = (at + 1) & mask;
  return at;
}

// All slots are placed anew, since the mask changes with the size.
void ContentIndex::rehash(std::size_t slots) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  for (const Slot& slot : old)
    if (slot.used) slots_[place(slot.content)] = slot;
}

void ContentIndex::reserve(std::size_t contents) {
  // A power of two, for the mask; half as many again as there are contents keeps the
  // load at two thirds or less.
  const std::size_t slots = std::bit_ceil(contents + contents / 2 + 16);
  if (slots > slots_.size()) rehash(slots);
}

// Grown before the slot is looked for: place() needs a free one to end.
void ContentIndex::put(const ContentHash& content, std::uint32_t value) {
  if (3 * (size_ + 1) > 2 * slots_.size()) reserve(2 * size_ + 16);
  Slot& slot = slots_[place(content)];
  if (!slot.used) ++size_;
  slot = {content, value, true};
}

const std::uint32_t* ContentIndex::find(const ContentHash& content) const {
  if (slots_.empty()) return nullptr;
  const Slot& slot = slots_[place(content)];
  return slot.used ? &slot.value : nullptr;
}

}  // namespace vise::features

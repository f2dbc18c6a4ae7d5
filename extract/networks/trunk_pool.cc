#include "extract/networks/trunk_pool.h"

namespace vise::networks {

TrunkPool::TrunkPool(std::unique_ptr<Trunk> first, int most) : places_(static_cast<std::size_t>(most)) {
  places_[0].trunk = std::move(first);
}

// places_.size() if none is free.
std::size_t TrunkPool::free_place(std::size_t worker) const {
  // A worker's own place first: with as many replicas as workers each keeps the memory
  // that is warm in its core's cache.
  if (worker < places_.size() && !places_[worker].taken) return worker;
  std::size_t place = 0;
  while (place < places_.size() && places_[place].taken) ++place;
  return place;
}

TrunkPool::Lease TrunkPool::borrow(std::size_t worker) {
  std::unique_lock lock(mutex_);
  std::size_t place = 0;
  freed_.wait(lock, [&] { return (place = free_place(worker)) < places_.size(); });
  // Made under the lock: building a replica takes milliseconds, and only once.
  if (!places_[place].trunk) places_[place].trunk = places_[0].trunk->replicate();
  places_[place].taken = true;
  return {*this, place};
}

void TrunkPool::give_back(std::size_t place) {
  // The lock is let go before anybody is woken, who would wait for it otherwise.
  {
    const std::lock_guard lock(mutex_);
    places_[place].taken = false;
  }
  freed_.notify_one();
}

}  // namespace vise::networks

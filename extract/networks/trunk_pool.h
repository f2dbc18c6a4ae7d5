// A network's replicas, and who uses which: one a worker on a CPU, a few that all workers share on a CUDA device.
//
//   TrunkPool pool(make_trunk(network, request), trunk_plan(device, workers).trunks);
//   ... on any thread ...
//   const TrunkPool::Lease trunk = pool.borrow(worker);     // waits for a free one
//   trunk->forward();                                       // given back when the lease ends
//
// Worker w is given trunk w whenever that one is free: on a CPU a replica's memory stays with the core that first
// touched it. Thread-safe.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "extract/networks/trunk.h"

namespace vise::networks {

class TrunkPool {
 public:
  // `most` >= 1 trunks, `first` among them; the others are made when they are needed, on the threads that need them.
  TrunkPool(std::unique_ptr<Trunk> first, int most);

  // One trunk, for one thread. The pool must outlive it.
  class Lease {
   public:
    Lease(TrunkPool& pool, std::size_t place) : pool_(&pool), place_(place) {}
    ~Lease() { pool_->give_back(place_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Trunk& operator*() const { return *pool_->places_[place_].trunk; }
    Trunk* operator->() const { return &**this; }

   private:
    TrunkPool* pool_;
    std::size_t place_;
  };
  Lease borrow(std::size_t worker);

  // The one that the others are replicas of: their parameters are its.
  const Trunk& first() const { return *places_[0].trunk; }

 private:
  struct Place {
    std::unique_ptr<Trunk> trunk;
    bool taken = false;
  };
  std::size_t free_place(std::size_t worker) const;
  void give_back(std::size_t place);

  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<Place> places_;
};

}  // namespace vise::networks

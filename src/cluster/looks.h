#ifndef NEARBY_SRC_CLUSTER_LOOKS_H_
#define NEARBY_SRC_CLUSTER_LOOKS_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby::internal {

// When to look at which guest. A look that is brought forward is added anew; the old one, and those
// of guests who have gone, stay until their time, or until there are too many of them.
//
// Thread-compatible. Add and PopDue take O(log size).
class Looks {
 public:
  using Look = std::pair<Time, UserId>;

  // Held for so many guests at most, once DropOld has been called.
  static std::size_t MaxFor(std::size_t guests) { return 4 * guests + 1024; }

  void Add(Time at, UserId user) {
    looks_.emplace_back(at, user);
    std::push_heap(looks_.begin(), looks_.end(), std::greater<>());
  }

  // Takes the earliest, if it is due.
  bool PopDue(Time now, Look* look) {
    if (looks_.empty() || looks_.front().first > now) return false;
    *look = looks_.front();
    std::pop_heap(looks_.begin(), looks_.end(), std::greater<>());
    looks_.pop_back();
    return true;
  }

  // If there are more than for so many guests, keeps those alone that are each guest's present one.
  // O(1) for each Add, on average.
  template <typename IsPresent>
  void DropOld(std::size_t guests, IsPresent is_present) {
    if (looks_.size() <= MaxFor(guests)) return;
    // In ascending order they are a heap.
    std::sort(looks_.begin(), looks_.end());
    looks_.erase(std::unique(looks_.begin(), looks_.end()), looks_.end());
    looks_.erase(std::remove_if(looks_.begin(), looks_.end(),
                                [&](const Look& look) { return !is_present(look); }),
                 looks_.end());
  }

  Time next() const { return looks_.empty() ? kNever : looks_.front().first; }
  std::size_t size() const { return looks_.size(); }

 private:
  std::vector<Look> looks_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_CLUSTER_LOOKS_H_

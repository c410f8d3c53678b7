#ifndef NEARBY_SRC_ENGINE_TIMERS_H_
#define NEARBY_SRC_ENGINE_TIMERS_H_

#include <cstddef>
#include <cstdint>
#include <queue>
#include <tuple>
#include <vector>

#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby::internal {

// What is to be looked at again at a time of its own: withheld moves and conflated reports. They
// are few, unlike expiries, so a binary heap serves. An entry is never cancelled; whoever takes it
// checks whether it still applies, and adds no second one while the first is under way.
//
// Entries come out in order of (due, kind, order of insertion). Thread-compatible.
class Timers {
 public:
  // In the order in which they come at one instant: a withheld move bears the newest position.
  enum class Kind : std::uint8_t { kConflatedReport, kWithheldMove };

  struct Entry {
    Time due;
    std::uint64_t order = 0;
    Kind kind = Kind::kWithheldMove;
    Slot subject = kNoSlot;      // the subscriber of a move; whose report
    Slot friend_slot = kNoSlot;  // kWithheldMove only
  };

  void Add(Time due, Kind kind, Slot subject, Slot friend_slot = kNoSlot) {
    heap_.push(Entry{due, next_order_++, kind, subject, friend_slot});
  }

  std::size_t size() const { return heap_.size(); }
  Time next() const { return heap_.empty() ? kNever : heap_.top().due; }
  Entry Pop() {
    const Entry entry = heap_.top();
    heap_.pop();
    return entry;
  }

 private:
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return std::tie(b.due, b.kind, b.order) < std::tie(a.due, a.kind, a.order);
    }
  };

  std::priority_queue<Entry, std::vector<Entry>, Later> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_ENGINE_TIMERS_H_

#ifndef NEARBY_SRC_RUNTIME_ERASURES_H_
#define NEARBY_SRC_RUNTIME_ERASURES_H_

#include <cstddef>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "nearby/ids.h"
#include "nearby/location_store.h"
#include "nearby/time.h"

namespace nearby::internal {

// Whose location is to be taken out of the location store, and up to when: only what was accepted
// here, for a user who has gone may have come back on another node, whose newer location is to
// stay. Best effort: past the limit a location is left to expire by itself.
//
// Thread-compatible. Knows no store: whoever owns it hands over what Begin answers.
class Erasures {
 public:
  // `max_batch` are handed over at once.
  Erasures(std::size_t limit, std::size_t max_batch) : limit_(limit), max_batch_(max_batch) {}

  // A location of the user's, who is connected, was accepted. It takes the place of an earlier one
  // in the store, which then needs no erasing; and must not: of the same millisecond, the store
  // could not tell it from this one.
  void Accepted(UserId user, Time accepted_at, Epoch session) {
    accepted_[user] = {user, accepted_at, session};
    if (!waiting_.empty()) waiting_.erase(user);
  }
  // The user has gone. Nothing happens if nothing was accepted of them.
  void Add(UserId user) {
    const auto found = accepted_.find(user);
    if (found == accepted_.end()) return;
    if (waiting_.size() < limit_) waiting_[user] = found->second;
    accepted_.erase(found);
  }

  // What to hand over now; empty if nothing waits. None may be under way. It counts as under way
  // until End, and is valid until then.
  absl::Span<const LocationStore::Erasure> Begin() {
    while (!waiting_.empty() && under_way_.size() < max_batch_) {
      const auto first = waiting_.begin();
      under_way_.push_back(first->second);
      waiting_.erase(first);
    }
    return under_way_;
  }
  void End() { under_way_.clear(); }
  bool is_under_way() const { return !under_way_.empty(); }

  // Users who would be erased if they went now.
  std::size_t users() const { return accepted_.size(); }

 private:
  std::size_t limit_;
  std::size_t max_batch_;
  absl::flat_hash_map<UserId, LocationStore::Erasure> accepted_;  // the last of each
  // Ordered, so that a run can be repeated.
  absl::btree_map<UserId, LocationStore::Erasure> waiting_;
  std::vector<LocationStore::Erasure> under_way_;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_ERASURES_H_

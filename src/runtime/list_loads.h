#ifndef NEARBY_SRC_RUNTIME_LIST_LOADS_H_
#define NEARBY_SRC_RUNTIME_LIST_LOADS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/runtime/backoff.h"

namespace nearby::internal {

// Friend lists that a shard is having loaded: which attempts are under way, which are to be
// repeated, and when each has taken too long. It calls nobody; whoever owns it asks what is next.
//
// Thread-compatible. O(log loads) a call.
class ListLoads {
 public:
  struct Load {
    std::uint64_t number = 0;  // of the attempt: an answer to an earlier one is ignored
    ClientHandle client;
    UserId user{};
    bool is_recheck = false;  // nobody has asked for it
    std::uint32_t failures = 0;
    Time deadline;  // kNever for a list that no connect waits for
    Time start;     // of this attempt, at the earliest
    Time timeout;   // of this attempt, once it is under way
  };

  ListLoads(std::size_t max_in_flight, std::int64_t attempt_timeout_ms, Backoff backoff)
      : max_in_flight_(max_in_flight), attempt_timeout_ms_(attempt_timeout_ms), backoff_(backoff) {}

  // Whether another connect may begin to load: none has to wait for a place.
  bool has_room() const { return in_flight_.size() + waiting_.size() < max_in_flight_; }

  // A client whose list is to be loaded already, and has not begun to, is not added again; but a
  // deadline holds for what is there as well.
  void Add(ClientHandle client, UserId user, Time deadline);
  // The same for one that nobody has asked for: it is one of these unless somebody does before it
  // has begun.
  void AddRecheck(ClientHandle client, UserId user);

  // The next attempt to begin now, if any; it counts as under way from here on.
  std::optional<Load> Begin(Time now);
  // Takes the attempt of that number out; nullopt if it has timed out already.
  std::optional<Load> End(std::uint64_t number);
  // Takes out an attempt that has taken too long by now, if any.
  std::optional<Load> TimeOut(Time now);
  // Has a load that was taken out repeated later. False if its deadline would have passed by then:
  // it has failed for good.
  bool Retry(const Load& load, Time now);

  // When Begin or TimeOut should be asked next; kNever if only End can help.
  Time next_event() const;
  std::size_t in_flight() const { return in_flight_.size(); }

 private:
  using Schedule = absl::btree_set<std::pair<std::int64_t, std::uint64_t>>;  // (ms, number)

  // Has a load begin when its start has come, or one of the same client that waits already.
  void Wait(Load load);

  std::size_t max_in_flight_;
  std::int64_t attempt_timeout_ms_;
  Backoff backoff_;
  std::uint64_t next_number_ = 1;
  absl::flat_hash_map<std::uint64_t, Load> in_flight_;
  Schedule timeouts_;  // of those
  absl::flat_hash_map<std::uint64_t, Load> waiting_;
  Schedule starts_;                                           // of those waiting
  absl::flat_hash_map<std::uint64_t, std::uint64_t> queued_;  // their numbers, by client
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_LIST_LOADS_H_

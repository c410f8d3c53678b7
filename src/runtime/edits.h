#ifndef NEARBY_SRC_RUNTIME_EDITS_H_
#define NEARBY_SRC_RUNTIME_EDITS_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "nearby/friendship.h"
#include "nearby/runtime.h"
#include "nearby/time.h"

namespace nearby::internal {

// Edits of friendships under way, between the call and its completion, so that their number has a
// limit and none is forgotten when the runtime goes. Those that the store does not answer in time
// are taken to be of open outcome.
//
// Thread-safe. O(log edits) a call.
class Edits {
 public:
  struct Edit {
    FriendEdit edit;
    Runtime::EditDone done;
  };

  struct Unanswered {
    std::uint64_t number = 0;
    FriendEdit edit;
  };

  Edits(std::size_t limit, std::int64_t timeout_ms) : limit_(limit), timeout_ms_(timeout_ms) {}

  // A number for the edit, or nullopt if too many are under way; it is then left as it was.
  std::optional<std::uint64_t> Begin(Edit& edit, Time now);
  // The store has answered. False if that is not waited for: it has answered before, or too late.
  bool Answer(std::uint64_t number);
  // An edit that the store has not answered in time, if any. That is not waited for any more.
  std::optional<Unanswered> TimeOut(Time now);
  // Takes it out; nullopt if it is not there any more.
  std::optional<Edit> End(std::uint64_t number);
  // Takes all out, in order of their beginning.
  std::vector<Edit> EndAll();

  std::size_t size() const;

 private:
  void SetTime(Time now);

  const std::size_t limit_;
  const std::int64_t timeout_ms_;
  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;
  Time latest_{-kMaxTimeMs};  // that it has been told: no clock makes a later edit time out earlier
  // By number, and so in order of their beginning.
  absl::btree_map<std::uint64_t, Edit> edits_;
  absl::btree_map<std::uint64_t, Time> unanswered_;  // when each of those times out
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_EDITS_H_

#ifndef NEARBY_SRC_RUNTIME_WRITE_BEHIND_H_
#define NEARBY_SRC_RUNTIME_WRITE_BEHIND_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/runtime/backoff.h"

namespace nearby::internal {

// Locations on their way to a store that may be slow or down: one batch under way at a time, the
// rest waits within a limit, and what failed is tried again, later each time. Best effort: past the
// limit new ones are dropped, and so is a batch that fails again and again; the next report makes
// up for it.
//
// Thread-compatible. Knows no store: whoever owns it hands over what Begin answers.
class WriteBehind {
 public:
  enum class Keep : std::uint8_t {
    kNewestOfEachUser,  // for a store of where everybody is
    kAll,               // for a log
  };

  // The most that are handed over at once, so that what has gathered during an outage does not come
  // as one request that is itself too large to succeed.
  static constexpr std::size_t kMaxBatch = 4096;
  // The most attempts at one batch. One that fails so often may never succeed, and the others wait
  // behind it; with the default delays this is most of a minute.
  static constexpr std::uint32_t kMaxAttempts = 10;

  WriteBehind(Keep keep, std::size_t limit, Backoff backoff)
      : keep_(keep), limit_(limit), backoff_(backoff) {}

  void Add(const AcceptedLocation& location);
  // Drops what waits of a user, and does not repeat what is under way.
  void Drop(UserId user);

  // The batch to hand over now; empty if one is under way, it is too early, or nothing waits. A
  // batch counts as under way until End, and is valid until then.
  absl::Span<const AcceptedLocation> Begin(Time now);
  void End(const absl::Status& status, Time now);

  // When Begin should be asked next: kNever if only End can help.
  Time next_attempt() const;
  bool is_under_way() const { return is_under_way_; }

  std::uint64_t stored() const { return stored_; }
  std::uint64_t dropped() const { return dropped_; }
  std::uint64_t failures() const { return failures_; }

 private:
  // Whether the batch that has ended so should be tried again.
  bool MayHelp(const absl::Status& status) const;
  // Takes those who are gone out of the batch.
  void RemoveGone();
  // Makes the next batch of what has waited longest.
  void Fill();
  // Forgets those who are gone and have nothing in the batch anyway.
  void ForgetStrangers();

  Keep keep_;
  std::size_t limit_;
  Backoff backoff_;
  std::deque<AcceptedLocation> waiting_;  // in order; a dropped one has no position
  std::uint64_t taken_ = 0;               // that have left the front of it
  // For kNewestOfEachUser: where each is in waiting_, counted from the first that ever was.
  absl::flat_hash_map<UserId, std::uint64_t> newest_;
  std::vector<AcceptedLocation> batch_;  // under way, or to be tried again
  absl::flat_hash_set<UserId> gone_;     // dropped while the batch is held; at most twice as many
  bool is_under_way_ = false;
  std::uint32_t attempts_ = 0;           // at this batch
  std::uint32_t failures_in_a_row_ = 0;  // of this one and those before it
  Time not_before_{-kMaxTimeMs};
  std::uint64_t stored_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace nearby::internal

#endif  // NEARBY_SRC_RUNTIME_WRITE_BEHIND_H_

#ifndef NEARBY_LOCATION_CACHE_H_
#define NEARBY_LOCATION_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "nearby/export.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/internal/slot_line.h"
#include "nearby/time.h"

namespace nearby {

namespace internal {
class SlotLines;
}

/// Where each known user was last, until a time to live has passed. A user who is known has a slot;
/// a user who is *active* also has a location that has not expired.
///
///   LocationCache cache(LocationCache::Options{});
///   Slot slot = cache.Acquire(UserId{7}).value();
///   cache.Write(slot, {Position::FromLatLng({48.1, 11.6}), accepted_at, reported_at});
///
///   LocationCache::Expired expired;
///   while (cache.PopExpired(now, &expired)) Forget(expired.user);
///
/// Thread-compatible. Owns its memory: about 77 bytes a user, of which 64 are the slot's line, in
/// which its other tables have their fields, too.
/// Cost: one hash look-up for `Find`, of one line of memory if it fails; none by slot. Expiry is
/// O(1) amortised for each write and each moment that passes, never a pass over all users: each is
/// looked at about once in a time to live, and PopExpired spreads these looks over its calls.
///
/// Invariants:
///   1. A slot belongs to one user from Acquire to Release; slots are reused, the kind's latest
///      first.
///   2. `position(slot)` is somewhere exactly while the slot is active.
///   3. PopExpired yields each active slot whose accepted_at + ttl <= until exactly once, in
///      ascending order of (deadline, user), but for those that are held.
class NEARBY_API LocationCache {
 public:
  struct Options {
    /// How long a location stays without a newer one. Requires at least 1 ms.
    absl::Duration ttl = absl::Minutes(10);
    /// Acquire fails beyond this many users.
    std::uint32_t max_entities = 1u << 26;
    /// Memory is set aside for this many at once; growth beyond copies the arrays.
    std::uint32_t expected_entities = 0;
    /// Whether writes judge how fast users go. If not, no speed is ever known, every write is
    /// kUnbounded, and costs less.
    bool learns_speeds = true;
  };

  struct Record {
    Position position;
    Time accepted_at;  ///< Engine time; the time to live counts from here.
    Time reported_at;  ///< Client time.
  };

  struct Expired {
    Slot slot = kNoSlot;
    UserId user{};
    Time deadline;
    Position position;  ///< Where the user was last.
  };

  /// What a write says about a user's speed.
  enum class Motion : std::uint8_t {
    /// Since the write before, the user moved no faster than the speed class said.
    kBounded,
    /// They did, or there is nothing to compare with: nothing that rested on the class holds.
    kUnbounded,
  };

  /// One answer of a batch look-up by user.
  struct Found {
    Slot slot = kNoSlot;
    Position position;  ///< Nowhere if the user is unknown or inactive.
  };

  explicit LocationCache(const Options& options);
  ~LocationCache();
  LocationCache(const LocationCache&) = delete;
  LocationCache& operator=(const LocationCache&) = delete;

  /// Slots of one kind lie together in memory, so that those that every report touches are not
  /// spread among those that few do: users who report here, and users of whom others tell.
  enum class Kind : std::uint8_t { kLocal, kRemote };

  /// The user's slot, a new one of that kind if need be; new slots are inactive.
  /// `ResourceExhausted` at `max_entities`.
  absl::StatusOr<Slot> Acquire(UserId user, Kind kind = Kind::kLocal);
  /// Forgets the user and frees the slot for reuse, by the kind that it was acquired as. Requires
  /// that nothing refers to the slot any more.
  void Release(Slot slot, Kind kind = Kind::kLocal);

  /// The user's slot, or kNoSlot.
  Slot Find(UserId user) const;
  /// Finds many at once, overlapping their cache misses. Requires out.size() == users.size().
  void FindAll(absl::Span<const UserId> users, absl::Span<Found> out) const;
  /// The same without the positions, which spares the memory a read for each user who is known.
  void FindAll(absl::Span<const UserId> users, absl::Span<Slot> out) const;

  /// Stores a location and renews the time to live. Requires a position that is somewhere. A record
  /// may be accepted earlier than one already written to other slots (a late arrival from another
  /// shard); one that is due already expires at the next PopExpired.
  Motion Write(Slot slot, const Record& record);
  /// Ends activity before the time to live does. The report times stay.
  void Deactivate(Slot slot);

  /// Takes the earliest expiry due at or before `until`, deactivating the slot. False if none is
  /// due.
  bool PopExpired(Time until, Expired* out);
  /// Takes back what PopExpired has just done: the slot is active again, where it was, and does not
  /// expire before the next Write. For users of whose end others will tell.
  void Hold(const Expired& expired);

  /// PopExpired yields nothing before this time; kNever if nobody is to expire. A lower bound:
  /// early where what was due then has been renewed since.
  Time next_expiry_check() const;

  bool is_active(Slot slot) const { return position(slot).is_somewhere(); }
  UserId user(Slot slot) const { return line(slot).user; }
  Position position(Slot slot) const { return line(slot).position; }
  /// Of the last write; before the first, earlier than every valid time.
  Time accepted_at(Slot slot) const;
  Time reported_at(Slot slot) const;
  /// The table of positions, indexed by slot, for batch filters. Valid until the next Acquire.
  PositionTable positions() const { return {&lines_->position, sizeof(internal::SlotLine)}; }
  /// A number of the caller's, kept beside the user because both are read together.
  std::uint64_t cookie(Slot slot) const { return line(slot).cookie; }
  void SetCookie(Slot slot, std::uint64_t cookie) { lines_[ToInt(slot)].cookie = cookie; }

  /// No user moves faster than this between two writes that are kBounded, in metres a millisecond:
  /// infinity if nothing is known. A write raises it only where it is kUnbounded.
  double speed_bound(Slot slot) const;

  /// What the three above are read from, and the lines in which the library's other tables have
  /// their fields: for the library itself.
  class NEARBY_LOCAL Motions;
  const Motions& motions() const { return *motions_; }
  NEARBY_LOCAL internal::SlotLines* lines();

  /// Asks the processor for what Release touches, for a slot whose line is at hand.
  void PrefetchRelease(Slot slot) const;

  /// Users known.
  std::size_t size() const;
  /// One past the largest slot ever given.
  std::size_t slot_limit() const;
  absl::Duration ttl() const { return absl::Milliseconds(ttl_ms_); }

 private:
  class NEARBY_LOCAL IndexedUsers;   // users by slot, for the index
  class NEARBY_LOCAL Index;          // users to slots
  class NEARBY_LOCAL ExpiryBuckets;  // slots by their deadlines
  struct NEARBY_LOCAL Tables;        // what grows with the slots

  void AddLine();
  Motion Judge(Slot slot, const Record& record);
  const internal::SlotLine& line(Slot slot) const { return lines_[ToInt(slot)]; }
  Time deadline(Slot slot) const { return Time{accepted_at(slot).ms + ttl_ms_}; }

  std::int64_t ttl_ms_;
  std::uint32_t max_entities_;
  bool learns_speeds_;
  std::unique_ptr<Tables> tables_;
  // Into the tables.
  internal::SlotLine* lines_ = nullptr;
  Motions* motions_ = nullptr;
  std::unique_ptr<Index> index_;
  std::unique_ptr<ExpiryBuckets> expiry_;
};

}  // namespace nearby

#endif  // NEARBY_LOCATION_CACHE_H_

#include "nearby/in_memory_location_store.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby {
namespace {

// A write looks at this many due locations for each that it brings, and at some more: enough to
// catch up with any backlog, and never a pass over all.
constexpr std::size_t kDuePerLocation = 2;
constexpr std::size_t kDuePerWrite = 16;

// Never overflows: far ahead is never.
Time Later(Time time, absl::Duration by) {
  const std::int64_t by_ms = absl::ToInt64Milliseconds(by);
  if (by_ms > 0 && time.ms > std::numeric_limits<std::int64_t>::max() - by_ms) return kNever;
  if (by_ms < 0 && time.ms < std::numeric_limits<std::int64_t>::min() - by_ms) {
    return Time::Millis(std::numeric_limits<std::int64_t>::min());
  }
  return Time::Millis(time.ms + by_ms);
}

}  // namespace

// Invariants:
//   1. Each user held is filed in `queue` exactly once, under `filed_under`.
//   2. That is never later than the location's deadline. It is earlier where the location has been
//      renewed since: renewing costs nothing, and the user is filed anew when their turn comes,
//      about once for each time to live.
struct InMemoryLocationStore::State {
  struct Entry {
    Position position;
    Time accepted_at;
    Time reported_at;
    Epoch session{};
    std::uint32_t speed_bound_mm_s = AcceptedLocation::kUnknownSpeed;
    Time deadline;
    Time filed_under;
  };

  State(const Clock* the_clock, const Options& the_options)
      : clock(the_clock), options(the_options) {}

  // Than what is held.
  static bool IsOlder(Epoch session, Time accepted_at, const Entry& entry) {
    return session != entry.session ? session < entry.session : accepted_at < entry.accepted_at;
  }
  // False if there is no room for a user who is new.
  bool Put(const AcceptedLocation& location, absl::Duration ttl, Time now);
  void File(UserId user, Entry& entry);
  void Remove(UserId user);
  // Takes the user who comes first in the queue, if due: removes or files them anew.
  bool TakeDue(Time now);
  bool MakeRoom(Time now);

  const Clock* const clock;
  const Options options;
  std::mutex mutex;
  absl::flat_hash_map<UserId, Entry> entries;
  absl::btree_set<std::pair<Time, UserId>> queue;
};

void InMemoryLocationStore::State::File(UserId user, Entry& entry) {
  entry.filed_under = entry.deadline;
  queue.emplace(entry.filed_under, user);
}

void InMemoryLocationStore::State::Remove(UserId user) {
  const auto it = entries.find(user);
  queue.erase({it->second.filed_under, user});
  entries.erase(it);
}

bool InMemoryLocationStore::State::TakeDue(Time now) {
  if (queue.empty() || queue.begin()->first > now) return false;
  const UserId user = queue.begin()->second;
  Entry& entry = entries.find(user)->second;
  if (entry.deadline <= now) {
    Remove(user);
  } else {
    queue.erase(queue.begin());
    File(user, entry);
  }
  return true;
}

bool InMemoryLocationStore::State::MakeRoom(Time now) {
  while (entries.size() >= options.max_users) {
    if (!TakeDue(now)) return false;
  }
  return true;
}

bool InMemoryLocationStore::State::Put(const AcceptedLocation& location, absl::Duration ttl,
                                       Time now) {
  auto it = entries.find(location.user);
  const bool is_new = it == entries.end();
  if (is_new) {
    if (!MakeRoom(now)) return false;
    it = entries.try_emplace(location.user).first;
  } else if (IsOlder(location.session, location.accepted_at, it->second)) {
    return true;
  }
  Entry& entry = it->second;
  entry.position = location.position;
  entry.accepted_at = location.accepted_at;
  entry.reported_at = location.reported_at;
  entry.session = location.session;
  entry.speed_bound_mm_s = location.speed_bound_mm_s;
  entry.deadline = Later(location.accepted_at, ttl);
  if (is_new) {
    File(location.user, entry);
  } else if (entry.deadline < entry.filed_under) {
    queue.erase({entry.filed_under, location.user});
    File(location.user, entry);
  }
  return true;
}

InMemoryLocationStore::InMemoryLocationStore(const Clock* clock)
    : InMemoryLocationStore(clock, Options()) {}
InMemoryLocationStore::InMemoryLocationStore(const Clock* clock, const Options& options)
    : state_(std::make_unique<State>(clock, options)) {}
InMemoryLocationStore::~InMemoryLocationStore() = default;

void InMemoryLocationStore::Write(absl::Span<const AcceptedLocation> locations, absl::Duration ttl,
                                  Done done) {
  const Time now = state_->clock->Now();
  std::size_t refused = 0;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    for (const AcceptedLocation& location : locations) {
      if (!state_->Put(location, ttl, now)) ++refused;
    }
    const std::size_t due = kDuePerWrite + kDuePerLocation * locations.size();
    for (std::size_t i = 0; i < due && state_->TakeDue(now); ++i) {
    }
  }
  if (refused == 0) return done(absl::OkStatus());
  done(absl::ResourceExhaustedError(
      absl::StrCat("the location store holds its maximum of ", state_->options.max_users,
                   " users; ", refused, " of ", locations.size(), " locations were refused")));
}

void InMemoryLocationStore::Read(absl::Span<const UserId> users, ReadDone done) {
  const Time now = state_->clock->Now();
  std::vector<std::optional<AcceptedLocation>> locations(users.size());
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    for (std::size_t i = 0; i < users.size(); ++i) {
      const auto it = state_->entries.find(users[i]);
      if (it == state_->entries.end() || it->second.deadline <= now) continue;
      const State::Entry& entry = it->second;
      locations[i] = {users[i],          entry.position, entry.accepted_at,
                      entry.reported_at, entry.session,  entry.speed_bound_mm_s};
    }
  }
  done(std::move(locations));
}

void InMemoryLocationStore::Erase(absl::Span<const Erasure> erasures, Done done) {
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    for (const Erasure& erasure : erasures) {
      const auto it = state_->entries.find(erasure.user);
      if (it == state_->entries.end()) continue;
      if (State::IsOlder(erasure.session, erasure.accepted_at, it->second)) continue;
      state_->Remove(erasure.user);
    }
  }
  done(absl::OkStatus());
}

std::size_t InMemoryLocationStore::size() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->entries.size();
}

}  // namespace nearby

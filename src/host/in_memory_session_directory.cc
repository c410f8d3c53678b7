#include "nearby/in_memory_session_directory.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "nearby/time.h"

namespace nearby {
namespace {

// Each call takes the users of ended leases out at this rate, and at this rate more for each user
// of its own: faster than they can come.
constexpr std::size_t kSweptPerCall = 16;
constexpr std::size_t kSweptPerUser = 2;

constexpr std::size_t kMinMaxHolders = 4;
constexpr std::size_t kMaxMaxHolders = 64;

absl::Status HasEnded(const NodeLease& lease) {
  return absl::NotFoundError(absl::StrCat("life ", ToInt(lease.life), " of node ",
                                          ToInt(lease.node), " has no lease any more"));
}

}  // namespace

// Everything requires the lock.
//
// Invariants:
//   1. A holder stands under its user exactly if the user stands under the holder's lease, be that
//      live or swept.
//   2. Each live lease is filed in `deadlines` once, under its deadline.
//   3. No user is held without a holder.
struct InMemorySessionDirectory::State {
  using Holders = absl::InlinedVector<SessionHolder, 1>;

  struct Lease {
    Time deadline;
    absl::flat_hash_set<UserId> users;
  };

  // The users of a lease that has ended.
  struct Swept {
    NodeLease lease;
    std::vector<UserId> users;
  };

  State(const Clock* the_clock, const Options& the_options)
      : clock(the_clock), options(WithinBounds(the_options)) {}

  static Options WithinBounds(Options options) {
    options.max_holders = std::clamp(options.max_holders, kMinMaxHolders, kMaxMaxHolders);
    return options;
  }

  // Brings the time up to date, ends what has run out, and takes out some of what has ended.
  void Begin(std::size_t users);
  void Sweep(std::size_t count);
  void End(const NodeLease& lease);
  bool IsLive(const NodeLease& lease) const { return leases.contains(lease); }
  // Takes the lease's holder of the user out, if it has one.
  void Remove(UserId user, const NodeLease& lease);
  void SetDeadline(const NodeLease& lease, absl::Duration duration);
  std::vector<SessionHolder> LiveHolders(UserId user) const;
  // Whether the users fit, once what has ended has made room.
  bool MakeRoom(absl::Span<const UserId> users);
  absl::Status CheckRoom(const NodeLease& lease, absl::Span<const UserId> users);
  SessionDirectory::Claimed Claim(const NodeLease& lease, UserId user);

  const Clock* const clock;
  const Options options;
  std::mutex mutex;
  Time now{-kMaxTimeMs};
  std::uint64_t last_epoch = 0;  // of all sessions and lives: what ascends over all does over each
  absl::btree_map<NodeLease, Lease> leases;
  absl::btree_set<std::pair<Time, NodeLease>> deadlines;
  std::vector<Swept> swept;
  absl::flat_hash_map<UserId, Holders> holders;
};

void InMemorySessionDirectory::State::Begin(std::size_t users) {
  const Time clock_now = clock->Now();
  if (IsValid(clock_now)) now = std::max(now, clock_now);
  while (!deadlines.empty() && deadlines.begin()->first <= now) {
    // A copy: it goes with what it is read from.
    const NodeLease lease = deadlines.begin()->second;
    End(lease);
  }
  Sweep(kSweptPerCall + kSweptPerUser * users);
}

void InMemorySessionDirectory::State::Sweep(std::size_t count) {
  while (count > 0 && !swept.empty()) {
    Swept& last = swept.back();
    if (last.users.empty()) {
      swept.pop_back();
      continue;
    }
    Remove(last.users.back(), last.lease);
    last.users.pop_back();
    --count;
  }
}

void InMemorySessionDirectory::State::End(const NodeLease& lease) {
  const auto it = leases.find(lease);
  if (it == leases.end()) return;
  deadlines.erase({it->second.deadline, it->first});
  Swept rest{lease, {it->second.users.begin(), it->second.users.end()}};
  leases.erase(it);
  if (!rest.users.empty()) swept.push_back(std::move(rest));
}

void InMemorySessionDirectory::State::Remove(UserId user, const NodeLease& lease) {
  const auto it = holders.find(user);
  if (it == holders.end()) return;
  Holders& all = it->second;
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const SessionHolder& holder) { return holder.lease == lease; }),
            all.end());
  if (all.empty()) holders.erase(it);
}

void InMemorySessionDirectory::State::SetDeadline(const NodeLease& lease, absl::Duration duration) {
  Lease& held = leases[lease];
  deadlines.erase({held.deadline, lease});
  // Rounded up, and never past what can be told: the node counts from before it asked.
  const std::int64_t ms = absl::ToInt64Milliseconds(absl::Ceil(duration, absl::Milliseconds(1)));
  held.deadline = Time{ms > kMaxTimeMs - now.ms ? kMaxTimeMs : now.ms + ms};
  deadlines.insert({held.deadline, lease});
}

std::vector<SessionHolder> InMemorySessionDirectory::State::LiveHolders(UserId user) const {
  std::vector<SessionHolder> live;
  const auto it = holders.find(user);
  if (it == holders.end()) return live;
  std::copy_if(it->second.begin(), it->second.end(), std::back_inserter(live),
               [this](const SessionHolder& holder) { return IsLive(holder.lease); });
  return live;
}

bool InMemorySessionDirectory::State::MakeRoom(absl::Span<const UserId> users) {
  while (true) {
    // Counted anew each time: those of the batch may be among those who are swept.
    const auto added = static_cast<std::size_t>(std::count_if(
        users.begin(), users.end(), [this](UserId user) { return !holders.contains(user); }));
    if (holders.size() + added <= options.max_users) return true;
    if (swept.empty()) return false;
    Sweep(kSweptPerCall + users.size());
  }
}

absl::Status InMemorySessionDirectory::State::CheckRoom(const NodeLease& lease,
                                                        absl::Span<const UserId> users) {
  for (const UserId user : users) {
    const std::vector<SessionHolder> live = LiveHolders(user);
    const auto others = std::count_if(live.begin(), live.end(), [&](const SessionHolder& holder) {
      return holder.lease != lease;
    });
    if (static_cast<std::size_t>(others) >= options.max_holders) {
      return absl::ResourceExhaustedError(absl::StrCat("user ", ToInt(user), " has the maximum of ",
                                                       options.max_holders, " sessions"));
    }
  }
  if (!MakeRoom(users)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the session directory holds its maximum of ", options.max_users, " users"));
  }
  return absl::OkStatus();
}

SessionDirectory::Claimed InMemorySessionDirectory::State::Claim(const NodeLease& lease,
                                                                 UserId user) {
  Remove(user, lease);
  Claimed claimed;
  claimed.others = LiveHolders(user);
  claimed.epoch = Epoch{++last_epoch};
  holders[user].push_back({lease, claimed.epoch});
  leases.find(lease)->second.users.insert(user);
  return claimed;
}

namespace {

absl::Status CheckBatch(std::size_t users) {
  if (users <= SessionDirectory::kMaxBatch) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("a call about ", users, " users; at most ",
                                                 SessionDirectory::kMaxBatch, " are allowed"));
}

}  // namespace

InMemorySessionDirectory::InMemorySessionDirectory(const Clock* clock)
    : InMemorySessionDirectory(clock, Options()) {}
InMemorySessionDirectory::InMemorySessionDirectory(const Clock* clock, const Options& options)
    : state_(std::make_unique<State>(clock, options)) {}
InMemorySessionDirectory::~InMemorySessionDirectory() = default;

void InMemorySessionDirectory::BeginLease(NodeId node, absl::Duration duration, LeaseDone done) {
  if (duration <= absl::ZeroDuration()) {
    return done(absl::InvalidArgumentError("a lease must last longer than nothing"));
  }
  absl::StatusOr<Epoch> life;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->Begin(0);
    if (state_->leases.size() >= state_->options.max_leases) {
      life = absl::ResourceExhaustedError(absl::StrCat(
          "the session directory holds its maximum of ", state_->options.max_leases, " leases"));
    } else {
      life = Epoch{++state_->last_epoch};
      state_->SetDeadline({node, *life}, duration);
    }
  }
  done(life);
}

void InMemorySessionDirectory::RenewLease(const NodeLease& lease, absl::Duration duration,
                                          Done done) {
  if (duration <= absl::ZeroDuration()) {
    return done(absl::InvalidArgumentError("a lease must last longer than nothing"));
  }
  bool is_live = false;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->Begin(0);
    is_live = state_->IsLive(lease);
    if (is_live) state_->SetDeadline(lease, duration);
  }
  done(is_live ? absl::OkStatus() : HasEnded(lease));
}

void InMemorySessionDirectory::EndLease(const NodeLease& lease, Done done) {
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->Begin(0);
    state_->End(lease);
  }
  done(absl::OkStatus());
}

void InMemorySessionDirectory::Claim(const NodeLease& lease, absl::Span<const UserId> users,
                                     ClaimDone done) {
  if (absl::Status status = CheckBatch(users.size()); !status.ok()) return done(std::move(status));
  absl::StatusOr<std::vector<Claimed>> claimed = std::vector<Claimed>();
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->Begin(users.size());
    if (!state_->IsLive(lease)) {
      claimed = absl::FailedPreconditionError(HasEnded(lease).message());
    } else if (absl::Status status = state_->CheckRoom(lease, users); !status.ok()) {
      claimed = std::move(status);
    } else {
      claimed->reserve(users.size());
      for (const UserId user : users) claimed->push_back(state_->Claim(lease, user));
    }
  }
  done(std::move(claimed));
}

void InMemorySessionDirectory::Release(const NodeLease& lease, absl::Span<const Session> sessions,
                                       Done done) {
  if (absl::Status status = CheckBatch(sessions.size()); !status.ok()) {
    return done(std::move(status));
  }
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->Begin(sessions.size());
    for (const auto& [user, epoch] : sessions) {
      const auto it = state_->holders.find(user);
      if (it == state_->holders.end()) continue;
      const SessionHolder holder{lease, epoch};
      if (std::find(it->second.begin(), it->second.end(), holder) == it->second.end()) continue;
      state_->Remove(user, lease);
      const auto held = state_->leases.find(lease);
      if (held != state_->leases.end()) held->second.users.erase(user);
    }
  }
  done(absl::OkStatus());
}

void InMemorySessionDirectory::Lookup(absl::Span<const UserId> users, LookupDone done) {
  if (absl::Status status = CheckBatch(users.size()); !status.ok()) return done(std::move(status));
  std::vector<std::vector<SessionHolder>> found;
  found.reserve(users.size());
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->Begin(users.size());
    for (const UserId user : users) found.push_back(state_->LiveHolders(user));
  }
  done(std::move(found));
}

void InMemorySessionDirectory::FindEnded(absl::Span<const NodeLease> leases, EndedDone done) {
  std::vector<NodeLease> ended;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->Begin(0);
    std::copy_if(leases.begin(), leases.end(), std::back_inserter(ended),
                 [this](const NodeLease& lease) { return !state_->IsLive(lease); });
  }
  done(std::move(ended));
}

std::size_t InMemorySessionDirectory::max_holders() const { return state_->options.max_holders; }

std::size_t InMemorySessionDirectory::size() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->holders.size();
}

}  // namespace nearby

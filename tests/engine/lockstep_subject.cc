#include "tests/engine/lockstep_subject.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

namespace nearby::test {

Friendship Changed(Friendship before, Op::Kind kind) {
  switch (kind) {
    case Op::Kind::kBefriend:
      before.friends = true;
      break;
    case Op::Kind::kUnfriend:
      before.friends = false;
      break;
    case Op::Kind::kHide:
      before.i_hide = true;
      break;
    case Op::Kind::kShare:
      before.i_hide = false;
      break;
    case Op::Kind::kUnsubscribe:
      before.i_unsubscribed = true;
      break;
    case Op::Kind::kSubscribe:
      before.i_unsubscribed = false;
      break;
    default:
      break;
  }
  return before;
}

LockstepSubject::LockstepSubject(const EngineOptions& options, std::uint32_t shards)
    : shards_(shards), oracle_(options) {
  Lockstep::Options lockstep_options;
  lockstep_options.engine = options;
  lockstep_options.shards = shards;
  lockstep_ = Lockstep::Create(lockstep_options).value();
}

std::vector<std::string> LockstepSubject::Do(const Op& op) {
  lockstep_->ClearDeliveries();
  switch (op.kind) {
    case Op::Kind::kAdvance:
      Expect(lockstep_->Advance(op.time).ok(), "time must go on");
      oracle_.Advance(Observed(), op.time);
      break;
    case Op::Kind::kReport: {
      const ReportOutcome outcome = lockstep_->Report(op.user, op.location, op.time);
      oracle_.Report(Observed(), op.user, {op.location, op.time}, outcome);
      break;
    }
    case Op::Kind::kConnect:
      Connect(op);
      break;
    case Op::Kind::kDisconnect:
      Disconnect(op.user);
      break;
    case Op::Kind::kSetRadius:
      SetRadius(op.user, *op.radius_m);
      break;
    case Op::Kind::kNearby:
      ReadPages(op.user, op.choice % 7 + 1);
      break;
    default:
      ChangeFriendship(op);
  }
  for (std::string& complaint : oracle_.TakeComplaints()) faults_.push_back(std::move(complaint));
  return std::exchange(faults_, {});
}

void LockstepSubject::Connect(const Op& op) {
  ConnectRequest request{op.user, ++last_cookie_, op.radius_m};
  Expect(lockstep_->Connect(request).ok(), "a connect must succeed");
  if (const auto set = radii_.find(op.user); !request.radius_m && set != radii_.end()) {
    request.radius_m = set->second;
  }
  // One call here is two events; a connect by itself delivers nothing.
  oracle_.Connect({}, request);
  oracle_.FriendsLoaded(Observed(), op.user, store_.version(),
                        store_.ListAt(op.user, store_.version()));
}

void LockstepSubject::Disconnect(UserId user) {
  const bool was_connected = oracle_.is_connected(user);
  const absl::Status status = lockstep_->Disconnect(user);
  if (was_connected) {
    Expect(status.ok(), "a disconnect must succeed");
    oracle_.Disconnect(Observed(), user);
  } else {
    Expect(absl::IsNotFound(status), "nobody is there to disconnect");
    oracle_.Nothing(Observed());
  }
}

void LockstepSubject::SetRadius(UserId user, double radius_m) {
  Expect(lockstep_->SetRadius(user, radius_m).ok(), "a radius must be accepted");
  radii_[user] = radius_m;
  if (oracle_.is_connected(user)) {
    oracle_.SetRadius(Observed(), user, radius_m);
  } else {
    oracle_.Nothing(Observed());
  }
}

void LockstepSubject::ReadPages(UserId user, std::size_t page_size) {
  PageToken after;
  for (;;) {
    lockstep_->ClearDeliveries();
    const absl::StatusOr<NearbyPage> page = lockstep_->Nearby(user, after, page_size);
    if (!oracle_.is_connected(user)) {
      Expect(absl::IsNotFound(page.status()), "there is no page for the absent");
      oracle_.Nothing(Observed());
      return;
    }
    Expect(page.ok(), "a page must be given");
    if (!page.ok()) return;
    oracle_.Nearby(Observed(), user, after, page_size, *page);
    if (!page->next) return;
    after = *page->next;
  }
}

absl::Status LockstepSubject::ChangeGraph(const Op& op) {
  switch (op.kind) {
    case Op::Kind::kBefriend:
      return lockstep_->Befriend(op.user, op.other);
    case Op::Kind::kUnfriend:
      return lockstep_->Unfriend(op.user, op.other);
    case Op::Kind::kHide:
      return lockstep_->Hide({/*viewer=*/op.other, /*owner=*/op.user});
    case Op::Kind::kShare:
      return lockstep_->Share({/*viewer=*/op.other, /*owner=*/op.user});
    case Op::Kind::kUnsubscribe:
      return lockstep_->Unsubscribe({/*viewer=*/op.user, /*owner=*/op.other});
    default:
      return lockstep_->Subscribe({/*viewer=*/op.user, /*owner=*/op.other});
  }
}

void LockstepSubject::ChangeFriendship(const Op& op) {
  const absl::Status status = ChangeGraph(op);
  if (op.user == op.other) {
    Expect(absl::IsInvalidArgument(status), "a user and themselves are no pair");
    oracle_.Nothing(Observed());
    return;
  }
  Expect(status.ok(), "a change must be accepted");
  const Friendship before = store_.Get(op.user, op.other);
  const Friendship after = Changed(before, op.kind);
  if (after == before) {
    oracle_.Nothing(Observed());
  } else {
    oracle_.Apply(Observed(), store_.Commit(op.user, op.other, after));
  }
}

std::vector<Delivery> LockstepSubject::SortedDeliveries() const {
  std::vector<Delivery> sorted = lockstep_->deliveries();
  std::stable_sort(sorted.begin(), sorted.end(), [](const Delivery& a, const Delivery& b) {
    return std::tie(a.time, a.subscriber, a.friend_id) <
           std::tie(b.time, b.subscriber, b.friend_id);
  });
  return sorted;
}

std::vector<std::string> LockstepSubject::CheckStats() const {
  const EngineStats stats = lockstep_->stats();
  const EngineOracle::Counts& counts = oracle_.counts();
  if (stats.enters == counts.enters && stats.moves == counts.moves &&
      stats.resets == counts.resets && stats.leaves == counts.leaves) {
    return {};
  }
  return {absl::StrCat("delivered ", counts.enters, " enters, ", counts.moves, " moves, ",
                       counts.resets, " resets; counted ", stats.enters, ", ", stats.moves, ", ",
                       stats.resets)};
}

void LockstepSubject::Expect(bool holds, const std::string& what) {
  if (!holds) faults_.push_back(what);
}

}  // namespace nearby::test

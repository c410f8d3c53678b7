// Friendships, and how they change.

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/sim/pace.h"
#include "tests/sim/world.h"

namespace nearby::sim {

void World::MakeFriends() {
  for (std::size_t i = 0; i < phones_.size(); ++i) {
    Phone& phone = phones_[i];
    phone.user = UserId{100 + i};
    // Most live in town, some so far away that nobody need listen to them.
    const double far_m = random_.Chance(0.25) ? 150'000 : 0;
    const double north_m = far_m + random_.Fraction() * 16'000 - 8000;
    phone.place = {kTown.lat + north_m / kMetersPerDegree, kTown.lng};
  }
  const double odds = WorldSize::FriendOdds(phones_.size(), 0.6);
  for (std::size_t a = 0; a < phones_.size(); ++a) {
    for (std::size_t b = a + 1; b < phones_.size(); ++b) {
      if (!random_.Chance(odds)) continue;
      const UserId one = phones_[a].user;
      const UserId other = phones_[b].user;
      scenery_.friends.Edit({FriendEdit::Kind::kBefriend, one, other}, [](auto) {});
      ledger_.SetFriends(one, other);
    }
  }
}

void World::ActEdit() {
  if (is_quiet_) return;
  const std::int64_t pause_ms = random_.Draw(odds_.edit_pause);
  scenery_.simulation.After(pause_ms / static_cast<std::int64_t>(size_.growth()),
                            [this] { ActEdit(); });
  EditFriendsOf(random_.Below(phones_.size()));
}

void World::EditFriendsOf(std::size_t phone) {
  FriendEdit edit;
  edit.kind = static_cast<FriendEdit::Kind>(random_.Below(6));
  edit.user = phones_[phone].user;
  edit.friend_id = phones_[random_.Below(phones_.size())].user;
  // What is taken away shows best of those who are in sight.
  if (const auto seen = ledger_.SomebodyInSight(edit.user, &random_); seen && random_.Chance(0.5)) {
    edit.friend_id = *seen;
  }
  if (edit.user != edit.friend_id) Edit(edit);
}

void World::MakeUp() {
  const auto edit_soon = [this](FriendEdit::Kind kind, UserId user, UserId friend_id) {
    scenery_.simulation.After(random_.Between(0, kMakeUpMs / 2), [this, kind, user, friend_id] {
      Edit({kind, user, friend_id});
    });
  };
  const double odds = WorldSize::FriendOdds(phones_.size(), 0.5);
  for (const Phone& a : phones_) {
    for (const Phone& b : phones_) {
      if (a.user >= b.user || !random_.Chance(odds)) continue;
      edit_soon(FriendEdit::Kind::kBefriend, a.user, b.user);
      for (const auto& [one, other] : {std::pair(a.user, b.user), std::pair(b.user, a.user)}) {
        edit_soon(FriendEdit::Kind::kShare, one, other);
        edit_soon(FriendEdit::Kind::kSubscribe, one, other);
      }
    }
  }
}

void World::TakeFromSightOf(std::size_t phone) {
  const UserId viewer = phones_[phone].user;
  const auto seen = ledger_.SomebodyInSight(viewer, &random_);
  if (!seen) return EditFriendsOf(phone);
  switch (random_.Below(3)) {
    case 0:
      return Edit({FriendEdit::Kind::kUnfriend, viewer, *seen});
    case 1:
      return Edit({FriendEdit::Kind::kUnsubscribe, viewer, *seen});
    default:
      return Edit({FriendEdit::Kind::kHide, *seen, viewer});
  }
}

void World::Edit(const FriendEdit& edit) {
  const std::size_t node = RandomNode();
  if (!nodes_[node]->is_up()) return;
  const std::uint64_t number = ledger_.OnEditing(edit);
  nodes_[node]->runtime().Edit(
      edit, [this, number](const absl::StatusOr<std::optional<NearbyFriend>>& result) {
        const absl::Status& status = result.status();
        ledger_.OnEdited(
            number, status.ok(),
            status.ok() || absl::IsResourceExhausted(status) || absl::IsInvalidArgument(status));
      });
}

}  // namespace nearby::sim

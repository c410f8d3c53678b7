#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "src/engine/engine_impl.h"

namespace nearby {

void Engine::Impl::CollectInSight(Slot client) {
  in_sight_.clear();
  if (!IsReady(client) || !cache_.is_active(client)) return;
  for (const Edge edge : registry_.Row(client)) {
    const Slot owner = edge.neighbour();
    // Of whom is parked nobody here is in sight.
    if (!edge.has(kIMaySee) || IsParked(owner)) continue;
    const Separation apart = Between(client, owner);
    if (!Reaches(client, apart, edge.has(kIHaveRadius), edge.has(kISee))) continue;
    in_sight_.push_back({apart.DistanceMm(), cache_.user(owner), owner});
  }
  std::sort(in_sight_.begin(), in_sight_.end(), [](const Sighting& a, const Sighting& b) {
    return std::tie(a.distance_mm, a.friend_id) < std::tie(b.distance_mm, b.friend_id);
  });
}

NearbyFriend Engine::Impl::Describe(const Sighting& sighting) const {
  return {sighting.friend_id, cache_.position(sighting.slot), sighting.distance_mm,
          cache_.reported_at(sighting.slot)};
}

std::optional<NearbyFriend> Engine::Impl::InSight(ClientHandle client, UserId friend_id) const {
  if (!IsClient(client)) return std::nullopt;
  const Slot owner = cache_.Find(friend_id);
  if (owner == kNoSlot) return std::nullopt;
  const Edge* edge = registry_.Find(client.slot, owner);
  if (edge == nullptr || !edge->has(kISee)) return std::nullopt;
  const std::int64_t distance_mm =
      DistanceMillimeters(cache_.position(client.slot), cache_.position(owner));
  return Describe({distance_mm, friend_id, owner});
}

void Engine::Impl::EnterIfNew(Slot client, Slot friend_slot, Effects* effects) {
  Edge& edge = *registry_.FindMutable(client, friend_slot);
  if (edge.has(kISee)) return;
  SetBoth(client, edge, kISee);
  Enter(client, friend_slot, Between(client, friend_slot).DistanceMm(), effects);
}

absl::Status Engine::Impl::Answer(ClientHandle handle, Effects* effects) {
  if (!IsClient(handle)) return NoSession();
  if (!entity(handle.slot).has_friends) {
    return absl::FailedPreconditionError("the session's friends have not been loaded");
  }
  if (IsReady(handle.slot)) return absl::FailedPreconditionError("the session has been answered");
  AnswerConnect(handle.slot, effects);
  return absl::OkStatus();
}

void Engine::Impl::AnswerConnect(Slot client, Effects* effects) {
  entity(client).is_answered = true;
  CollectInSight(client);
  ConnectAnswer answer;
  answer.client = {client, entity(client).generation};
  answer.cookie = cache_.cookie(client);
  answer.user = cache_.user(client);
  answer.first = effects->deliveries.size();
  answer.in_sight = in_sight_.size();
  answer.count = in_sight_.size();
  if (options_.connect_page_size > 0) {
    answer.count = std::min<std::size_t>(answer.count, options_.connect_page_size);
  }
  for (std::size_t i = 0; i < answer.count; ++i) EnterIfNew(client, in_sight_[i].slot, effects);
  if (answer.count > 0) {
    const Sighting& last = in_sight_[answer.count - 1];
    answer.next = {last.distance_mm, last.friend_id};
  }
  effects->answers.push_back(answer);
}

absl::StatusOr<NearbyPage> Engine::Impl::Nearby(ClientHandle client, PageToken after,
                                                std::size_t page_size, Effects* effects) {
  if (!IsClient(client)) return NoSession();
  if (page_size == 0 || page_size > options_.max_page_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("page size ", page_size, " lies outside 1 .. ", options_.max_page_size));
  }
  CollectInSight(client.slot);
  NearbyPage page;
  page.in_sight = in_sight_.size();
  const auto begin =
      std::partition_point(in_sight_.begin(), in_sight_.end(), [after](const Sighting& entry) {
        return std::tie(entry.distance_mm, entry.friend_id) <=
               std::tie(after.distance_mm, after.friend_id);
      });
  for (auto it = begin; it != in_sight_.end() && page.friends.size() < page_size; ++it) {
    EnterIfNew(client.slot, it->slot, effects);
    page.friends.push_back(Describe(*it));
  }
  if (page.friends.size() < static_cast<std::size_t>(in_sight_.end() - begin)) {
    page.next = PageToken{page.friends.back().distance_mm, page.friends.back().friend_id};
  }
  return page;
}

bool Engine::Impl::IsSeen(UserId user) const {
  const Slot slot = cache_.Find(user);
  if (slot == kNoSlot) return false;
  const absl::Span<const Edge> row = registry_.Row(slot);
  return std::any_of(row.begin(), row.end(), [](Edge edge) { return edge.has(kFriendSees); });
}

}  // namespace nearby

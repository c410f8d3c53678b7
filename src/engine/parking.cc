#include <algorithm>

#include "absl/numeric/bits.h"
#include "absl/time/time.h"
#include "src/engine/engine_impl.h"

namespace nearby {
namespace {

// To park costs a message, so it has to spare two at least: users report every half minute or so.
constexpr int kLeastTicks = 8;

}  // namespace

void Engine::Impl::ParkIfFar(Slot remote, const PeerMessage& location, Effects* effects) {
  if (!options_.park_far_channels || !UsesTicks(remote)) return;
  // Their own shard, which knows more, thinks them faster.
  const float speed_bound = SpeedBoundOf(remote);
  if (location.speed_bound > speed_bound) return;
  const RowView row = rows_.Row(remote);
  int ahead = DueTicks::kMaxAhead;
  for (std::size_t i = 0; i < row.edges.size(); ++i) {
    ahead = std::min(ahead, DueTicks::Ahead(row.ticks[i], now_tick_));
  }
  if (ahead < kLeastTicks) return;
  PeerMessage message = About(location.user, PeerMessage::Kind::kPark);
  message.sequence = location.sequence;
  message.speed_bound = speed_bound;
  message.until = Time{((now_.ms >> DueTicks::kTickShift) + ahead) * DueTicks::kTickMs};
  Send(message, location.from, effects);
  entity(remote).is_parked = true;
}

bool Engine::Impl::ReceivePark(const PeerMessage& message) {
  if (!IsHome(message.user)) return false;
  const Slot client = FindClient(message.user);
  if (client == kNoSlot) return false;
  Listeners& listeners = listeners_[ToInt(client)];
  const std::uint64_t shard = std::uint64_t{1} << ToInt(message.from);
  if ((listeners.shards & shard) == 0) return false;
  // It has been sent a newer location meanwhile, and will know better by that, or what it relies on
  // does not hold.
  if (message.sequence != listeners.sequence || !cache_.is_active(client)) return true;
  if (!(SpeedBoundOf(client) <= message.speed_bound)) return true;
  // Long before what they hold there expires.
  const Time until{std::min(message.until.ms, cache_.accepted_at(client).ms +
                                                  absl::ToInt64Milliseconds(cache_.ttl()) / 2)};
  const bool is_first = listeners.parked == 0;
  listeners.parked_until = is_first ? until : std::min(until, listeners.parked_until);
  listeners.parked_speed =
      is_first ? message.speed_bound : std::min(message.speed_bound, listeners.parked_speed);
  listeners.parked |= shard;
  return true;
}

void Engine::Impl::PublishLocation(Slot client, LocationCache::Motion motion, Effects* effects) {
  Listeners& listeners = listeners_[ToInt(client)];
  const bool is_as_expected = motion == LocationCache::Motion::kBounded &&
                              now_ < listeners.parked_until &&
                              SpeedBoundOf(client) <= listeners.parked_speed;
  if (!is_as_expected) listeners.parked = 0;
  const std::uint64_t to = listeners.shards & ~listeners.parked;
  stats_.locations_parked += static_cast<std::uint64_t>(absl::popcount(listeners.parked));
  if (to == 0) return;
  ++listeners.sequence;
  SendToAll(to, LocationMessage(client, PeerMessage::Kind::kLocation), effects);
}

std::uint8_t Engine::Impl::NotBeforeOfParked(Slot client, Edge edge, Effects* effects) {
  const Slot remote = edge.neighbour();
  // What the remote's own row says of the pair is as true, unless it is so old that it may have
  // come round.
  const std::uint8_t tick = registry_.TickOf(remote, registry_.MirrorOf(client, edge));
  const bool is_fresh = now_.ms - cache_.accepted_at(remote).ms <= DueTicks::kSafeMs;
  if (is_fresh && DueTicks::Ahead(tick, now_tick_) > 0) return tick;
  AskFor(remote, effects);
  return now_tick_;
}

void Engine::Impl::AskForParked(Slot client, Effects* effects) {
  for (const Edge edge : registry_.Row(client)) {
    if (IsParked(edge.neighbour())) AskFor(edge.neighbour(), effects);
  }
}

void Engine::Impl::AskForParkedInReach(Slot client, Effects* effects) {
  if (!cache_.is_active(client)) return;
  for (const Edge edge : registry_.Row(client)) {
    if (IsParked(edge.neighbour())) NotBeforeOfParked(client, edge, effects);
  }
}

void Engine::Impl::AskFor(Slot remote, Effects* effects) {
  if (entity(remote).is_asked) return;
  entity(remote).is_asked = true;
  ++stats_.locations_asked;
  const UserId user = cache_.user(remote);
  Send(About(user, PeerMessage::Kind::kSubscribe), options_.HomeOf(user), effects);
}

}  // namespace nearby

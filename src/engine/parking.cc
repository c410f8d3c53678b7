#include <algorithm>

#include "absl/time/time.h"
#include "src/engine/engine_impl.h"

namespace nearby {
namespace {

// To park costs a message, so it has to spare two at least: users report every half minute or so,
// and the end is rounded down by as much.
constexpr std::int64_t kLeastMs = 65'536;

}  // namespace

void Engine::Impl::ParkIfFar(Slot remote, const PeerMessage& location, Effects* effects) {
  if (!options_.park_far_channels || !UsesTicks(remote)) return;
  // Their own shard, which knows more, thinks them faster.
  const float speed_bound = SpeedBoundOf(remote);
  if (location.speed_bound > speed_bound) return;
  const std::int64_t far_ms = FarForMs(remote);
  if (far_ms == 0) return;
  PeerMessage message = About(location.user, PeerMessage::Kind::kPark);
  message.sequence = location.sequence;
  message.speed_bound = speed_bound;
  const std::uint8_t until = ParkTicks::NotBefore(now_, static_cast<double>(far_ms));
  message.until = Time{now_.ms + ParkTicks::MsUntil(until, now_)};
  Send(message, location.from, effects);
  entity(remote).is_parked = true;
  entity(remote).parked_until = until;
}

// The ticks of the row would tell most of it, but reach less far, and are of the time when each
// pair was last looked at.
std::int64_t Engine::Impl::FarForMs(Slot remote) const {
  const absl::Span<const Edge> row = registry_.Row(remote);
  for (const Edge edge : row) {
    if (edge.has(kFriendSees)) return 0;
  }
  for (const Edge edge : row) lines_.Prefetch(edge.neighbour());
  const internal::Approach approach = ApproachOf(remote);
  auto far_ms = static_cast<double>(ParkTicks::kSafeMs);
  for (const Edge edge : row) {
    // Whoever is inactive will ask when they come back.
    if (!cache_.is_active(edge.neighbour())) continue;
    far_ms = std::min(far_ms, MillisecondsToMeet(approach, remote, edge));
    if (far_ms < kLeastMs) return 0;
  }
  return static_cast<std::int64_t>(far_ms);
}

bool Engine::Impl::ReceivePark(const PeerMessage& message) {
  if (!IsValid(message.until)) return false;
  const Slot client = FindClient(message.user);
  if (client == kNoSlot) return false;
  const Listeners& listeners = listeners_[ToInt(client)];
  const std::uint64_t shard = std::uint64_t{1} << ToInt(message.from);
  if ((listeners.shards & shard) == 0) return false;
  // It has been sent a newer location meanwhile, and will know better by that, or what it relies on
  // does not hold.
  if (message.sequence != listeners.sequence || !cache_.is_active(client)) return true;
  if (!(SpeedBoundOf(client) <= message.speed_bound)) return true;
  const std::int64_t wait_ms = message.until.ms - now_.ms;
  if (wait_ms <= 0) return true;
  const std::uint8_t until = ParkTicks::NotBefore(now_, static_cast<double>(wait_ms));
  Entity& e = entity(client);
  const bool is_first = listeners.parked == 0;
  if (is_first || ParkTicks::MsUntil(e.parked_until, now_) > ParkTicks::MsUntil(until, now_)) {
    e.parked_until = until;
  }
  SetListeners(client, listeners.shards, listeners.parked | shard);
  return true;
}

void Engine::Impl::SetListeners(Slot client, std::uint64_t shards, std::uint64_t parked) {
  Listeners& listeners = listeners_[ToInt(client)];
  listeners.shards = shards;
  listeners.parked = parked;
  entity(client).is_heard = shards != 0;
  entity(client).is_all_parked = shards == parked;
}

void Engine::Impl::PublishLocation(Slot client, LocationCache::Motion motion,
                                   std::int64_t silence_ms, Effects* effects) {
  const Entity& e = entity(client);
  // Their class of speed has not risen since it was found to be within what is relied on: it rises
  // with reports that break the bound, and these alone.
  const bool is_as_expected = motion == LocationCache::Motion::kBounded &&
                              ParkTicks::MsUntil(e.parked_until, now_) > 0 &&
                              silence_ms <= ParkTicks::kSafeMs;  // or the tick may have come round
  if (is_as_expected && e.is_all_parked) {
    ++stats_.locations_parked;
    return;
  }
  Listeners& listeners = listeners_[ToInt(client)];
  if (!is_as_expected) SetListeners(client, listeners.shards, 0);
  if (listeners.parked != 0) ++stats_.locations_parked;
  listeners.sequence = ++last_sequence_;
  SendToAll(listeners.shards & ~listeners.parked,
            LocationMessage(client, PeerMessage::Kind::kLocation), effects);
}

std::uint8_t Engine::Impl::NotBeforeOfParked(const internal::Approach& approach, Edge edge,
                                             const Separation& apart, Effects* effects) {
  // Old as it is, what is held bounds where the remote is now.
  const std::uint8_t tick = NotBefore(approach, edge, apart);
  if (DueTicks::Ahead(tick, now_tick_) <= 0) AskFor(edge.neighbour(), effects);
  return tick;
}

void Engine::Impl::Reconsider(Slot client, Edge edge, Effects* effects) {
  // Whoever is nowhere sees nobody. It comes to this again when they report.
  if (!cache_.is_active(client)) return;
  const Slot remote = edge.neighbour();
  const internal::Approach approach = ApproachOf(client);
  const std::uint8_t tick = NotBefore(approach, edge, Between(client, remote));
  registry_.TickOf(remote, registry_.MirrorOf(client, edge)) = tick;
  const std::int64_t parked_ms = ParkTicks::MsUntil(entity(remote).parked_until, now_);
  const bool stands = DueTicks::Ahead(tick, now_tick_) > 0 &&
                      MillisecondsToMeet(approach, client, edge) >= static_cast<double>(parked_ms);
  if (!stands) AskFor(remote, effects);
}

void Engine::Impl::ReconsiderAll(Slot client, Effects* effects) {
  for (const Edge edge : registry_.Row(client)) {
    if (IsParked(edge.neighbour())) Reconsider(client, edge, effects);
  }
}

void Engine::Impl::AskFor(Slot remote, Effects* effects) {
  if (entity(remote).is_asked) return;
  entity(remote).is_asked = true;
  ++stats_.locations_asked;
  Send(About(cache_.user(remote), PeerMessage::Kind::kSubscribe), HomeOfRemote(remote), effects);
}

}  // namespace nearby

#include <algorithm>

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
  entity(remote).parked_until = static_cast<std::uint8_t>(now_tick_ + ahead);
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
  // Before the ticks that they hold there come round.
  const std::int64_t most_ms = cache_.accepted_at(client).ms + DueTicks::kSafeMs - now_.ms;
  const std::int64_t wait_ms = std::min(message.until.ms - now_.ms, most_ms);
  if (wait_ms <= 0) return true;
  const std::uint8_t until = DueTicks::NotBefore(now_, static_cast<double>(wait_ms));
  Entity& e = entity(client);
  const bool is_first = listeners.parked == 0;
  if (is_first || DueTicks::Ahead(e.parked_until, now_tick_) > DueTicks::Ahead(until, now_tick_)) {
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
                              DueTicks::Ahead(e.parked_until, now_tick_) > 0 &&
                              silence_ms <= DueTicks::kSafeMs;  // or the tick may have come round
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
  const std::uint8_t tick = NotBefore(ApproachOf(client), edge, Between(client, remote));
  registry_.TickOf(remote, registry_.MirrorOf(client, edge)) = tick;
  const int ahead = DueTicks::Ahead(tick, now_tick_);
  const bool stands = ahead > 0 && ahead >= DueTicks::Ahead(entity(remote).parked_until, now_tick_);
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

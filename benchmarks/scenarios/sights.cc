#include "benchmarks/scenarios/sights.h"

#include <algorithm>
#include <cmath>

#include "absl/types/span.h"
#include "nearby/effects.h"
#include "nearby/options.h"

namespace scenarios {
namespace {

constexpr double kToleranceMeters = 0.02;

}  // namespace

Sights::Sights(const capacity::World& world)
    : world_(world),
      positions_(world.size()),
      has_position_(world.size()),
      pairs_(world.friends.size()),
      mirror_(world.friends.size()) {
  for (std::uint32_t user = 0; user < world.size(); ++user) {
    const absl::Span<const std::uint32_t> friends = world.FriendsOf(user);
    for (std::size_t i = 0; i < friends.size(); ++i) {
      mirror_[world.offsets[user] + i] = static_cast<std::uint32_t>(IndexOf(friends[i], user));
    }
  }
}

std::size_t Sights::IndexOf(std::uint32_t user, std::uint32_t other) const {
  const absl::Span<const std::uint32_t> friends = world_.FriendsOf(user);
  const auto found = std::lower_bound(friends.begin(), friends.end(), other);
  return world_.offsets[user] + static_cast<std::size_t>(found - friends.begin());
}

void Sights::SetNear(std::size_t index, bool is_near, bool is_on_edge) {
  Pair& pair = pairs_[index];
  if (pair.is_near != is_near) {
    ++changes_;
    // Of a friend who is told of the silence goes on; another's begins here, and ends untold.
    if (!pair.is_told && is_near) pair.news_ms = now_.ms;
    if (!pair.is_told && !is_near) EndSilence(&pair);
  }
  pair.is_near = is_near;
  pair.is_on_edge = is_on_edge;
}

std::int64_t Sights::SilenceMs(const Pair& pair) const {
  const std::int64_t lasted_ms = pair.is_told || pair.is_near ? now_.ms - pair.news_ms : 0;
  return std::max<std::int64_t>(pair.silence_ms, lasted_ms);
}

void Sights::EndSilence(Pair* pair) const {
  pair->silence_ms = static_cast<std::int32_t>(SilenceMs(*pair));
}

void Sights::RestartSilences() {
  for (Pair& pair : pairs_) pair.silence_ms = 0;
}

std::vector<std::int64_t> Sights::SilencesMs(
    absl::FunctionRef<bool(std::uint32_t user, std::uint32_t other)> is_chosen) const {
  std::vector<std::int64_t> silences;
  for (std::uint32_t user = 0; user < world_.size(); ++user) {
    const absl::Span<const std::uint32_t> friends = world_.FriendsOf(user);
    for (std::size_t i = 0; i < friends.size(); ++i) {
      const std::int64_t silence_ms = SilenceMs(pairs_[world_.offsets[user] + i]);
      if (silence_ms > 0 && is_chosen(user, friends[i])) silences.push_back(silence_ms);
    }
  }
  std::sort(silences.begin(), silences.end());
  return silences;
}

void Sights::Report(std::uint32_t user, nearby::Position position) {
  positions_[user] = position;
  has_position_[user] = true;
  const nearby::LatLng here = position.ToLatLng();
  const absl::Span<const std::uint32_t> friends = world_.FriendsOf(user);
  const double radius_m = nearby::EngineOptions().radius_m;
  for (std::size_t i = 0; i < friends.size(); ++i) {
    if (!has_position_[friends[i]]) continue;
    const double away_m = nearby::HaversineMeters(here, positions_[friends[i]].ToLatLng());
    const bool is_near = away_m <= radius_m;
    const bool is_on_edge = std::abs(away_m - radius_m) <= kToleranceMeters;
    const std::size_t index = world_.offsets[user] + i;
    SetNear(index, is_near, is_on_edge);
    SetNear(mirror_[index], is_near, is_on_edge);
  }
}

nearby::ClientSink::Flow Sights::Deliver(const nearby::ClientBatch& batch) {
  const std::uint32_t user = capacity::UserOf(batch.user);
  // Nobody falls silent here, and nobody is slow.
  if (batch.start != nearby::BatchStart::kGoesOn) ++out_of_turn_;
  for (const nearby::ClientEvent& event : batch.events) {
    Pair& pair = pairs_[IndexOf(user, capacity::UserOf(event.friend_id))];
    const bool is_enter = event.kind == nearby::DeliveryKind::kEnter;
    const bool is_leave = event.kind == nearby::DeliveryKind::kLeave;
    out_of_turn_ += is_enter == pair.is_told ? 1 : 0;
    EndSilence(&pair);
    pair.news_ms = now_.ms;
    changes_told_ += is_enter || is_leave ? 1 : 0;
    pair.is_told = !is_leave;
    if (is_leave) continue;
    // Whoever has gone out of sight may come back without a report of their own.
    const std::int64_t newest_ms = pair.reported_ms + (is_enter ? 0 : 1);
    repeated_ += event.reported_at.ms < newest_ms ? 1 : 0;
    pair.reported_ms = event.reported_at.ms;
  }
  return Flow::kReady;
}

void Sights::Ended(nearby::SessionId /*session*/, std::uint64_t /*cookie*/, EndReason /*reason*/) {
  ++ended_;
}

Sights::Pairs Sights::Count() const {
  Pairs count;
  for (const Pair& pair : pairs_) {
    count.in_sight += pair.is_near ? 1 : 0;
    count.wrong += pair.is_near != pair.is_told && !pair.is_on_edge ? 1 : 0;
  }
  return count;
}

}  // namespace scenarios

#include "benchmarks/capacity/engine_side.h"

#include <algorithm>
#include <chrono>

namespace capacity {
namespace {

using Clock = std::chrono::steady_clock;
using nearby::DeliveryKind;

// Lists are made so many at a time, ahead of what is measured.
constexpr std::uint64_t kChunk = 1'000;

std::unique_ptr<nearby::Engine> MakeEngine(const World& world, bool skipping) {
  nearby::EngineOptions options;
  options.skip_far_pairs = skipping;
  options.expected_entities = world.users();
  return nearby::Engine::Create(options).value();
}

Deliveries::Kind KindOf(DeliveryKind kind) {
  switch (kind) {
    case DeliveryKind::kEnter:
      return Deliveries::Kind::kEnter;
    case DeliveryKind::kMove:
      return Deliveries::Kind::kMove;
    default:
      return Deliveries::Kind::kLeave;
  }
}

}  // namespace

EngineSide::EngineSide(const World& world, const Options& options)
    : world_(&world),
      options_(options),
      clients_(world.users()),
      engine_(MakeEngine(world, options.skipping)) {}

double EngineSide::ConnectAll(nearby::Time now, std::uint64_t seed) {
  const Order order(world_->users(), seed);
  Random random(seed);
  std::vector<std::vector<nearby::FriendEntry>> lists(kChunk);
  std::chrono::duration<double> took{0};
  engine_->Advance(now, &effects_).IgnoreError();  // Cannot fail.
  for (std::uint64_t begin = 0; begin < world_->users(); begin += kChunk) {
    const std::uint64_t end = std::min<std::uint64_t>(begin + kChunk, world_->users());
    for (std::uint64_t i = begin; i < end; ++i) {
      MakeList(static_cast<std::uint32_t>(order[i]), 0, &random, &lists[i - begin]);
    }
    const auto start = Clock::now();
    for (std::uint64_t i = begin; i < end; ++i) {
      Connect(static_cast<std::uint32_t>(order[i]), lists[i - begin]);
    }
    took += Clock::now() - start;
  }
  return took.count();
}

EngineSide::Storm EngineSide::ConnectStorm(std::uint32_t count, std::uint64_t seed) {
  const Order order(world_->users(), seed + 1);
  Random random(seed + 1);
  const auto start = Clock::now();
  for (std::uint32_t i = 0; i < count; ++i) {
    engine_->Disconnect(clients_[order[i]], &effects_).IgnoreError();  // They are connected.
    CarryOut();
  }
  const std::chrono::duration<double> disconnecting = Clock::now() - start;
  std::vector<std::vector<nearby::FriendEntry>> lists(kChunk);
  std::chrono::duration<double> connecting{0};
  for (std::uint64_t begin = 0; begin < count; begin += kChunk) {
    const std::uint64_t end = std::min<std::uint64_t>(begin + kChunk, count);
    for (std::uint64_t i = begin; i < end; ++i) {
      const auto user = static_cast<std::uint32_t>(order[i]);
      MakeList(user, 9 * world_->friends(user).size(), &random, &lists[i - begin]);
    }
    const auto begun = Clock::now();
    for (std::uint64_t i = begin; i < end; ++i) {
      Connect(static_cast<std::uint32_t>(order[i]), lists[i - begin]);
    }
    connecting += Clock::now() - begun;
  }
  return {count / disconnecting.count(), count / connecting.count()};
}

void EngineSide::MakeList(std::uint32_t user, std::size_t offline, Random* random,
                          std::vector<nearby::FriendEntry>* list) const {
  list->clear();
  const nearby::Friendship friends{/*friends=*/true};
  for (const std::uint32_t other : world_->friends(user)) {
    list->push_back({World::Id(other), friends});
  }
  for (std::size_t i = 0; i < offline; ++i) {
    // Behind those of the connected users.
    const std::uint64_t absent = world_->users() + random->Below(3'000'000'000u - world_->users());
    list->push_back({World::Id(static_cast<std::uint32_t>(absent)), friends});
  }
  std::sort(list->begin(), list->end(),
            [](const auto& a, const auto& b) { return a.friend_id < b.friend_id; });
}

void EngineSide::Connect(std::uint32_t user, absl::Span<const nearby::FriendEntry> friends) {
  clients_[user] = engine_->Connect({World::Id(user), user}, &effects_).value();
  // A list of a new session is never refused.
  engine_->FriendsLoaded(clients_[user], nearby::FriendVersion{1}, friends, &effects_)
      .IgnoreError();
  CarryOut();
}

void EngineSide::Report(absl::Span<const nearby::LocationReport> reports) {
  while (!reports.empty()) {
    const auto batch = reports.subspan(0, options_.batch);
    reports.remove_prefix(batch.size());
    engine_->Advance(batch.back().reported_at, &effects_).IgnoreError();  // Time goes forward.
    engine_->ReportAll(batch, nullptr, &effects_);
    CarryOut();
  }
}

void EngineSide::CarryOut() {
  for (const nearby::Delivery& delivery : effects_.deliveries) {
    deliveries_.Write(
        {delivery.subscriber, delivery.friend_id, KindOf(delivery.kind), delivery.position,
         delivery.kind == DeliveryKind::kLeave ? 0 : delivery.distance_mm, delivery.reported_at});
  }
  effects_.Clear();
}

}  // namespace capacity

#include "benchmarks/capacity/engine_side.h"

#include <algorithm>
#include <chrono>

#include "benchmarks/capacity/random.h"

namespace capacity {
namespace {

using Clock = std::chrono::steady_clock;
using nearby::DeliveryKind;

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
  constexpr std::uint64_t kChunk = 1'000;
  const Order order(world_->users(), seed);
  std::vector<std::vector<nearby::FriendEntry>> lists(kChunk);
  std::chrono::duration<double> took{0};
  engine_->Advance(now, &effects_).IgnoreError();  // Cannot fail.
  for (std::uint64_t begin = 0; begin < world_->users(); begin += kChunk) {
    const std::uint64_t end = std::min<std::uint64_t>(begin + kChunk, world_->users());
    for (std::uint64_t i = begin; i < end; ++i) {
      std::vector<nearby::FriendEntry>& list = lists[i - begin];
      list.clear();
      for (const std::uint32_t other : world_->friends(static_cast<std::uint32_t>(order[i]))) {
        list.push_back({World::Id(other), nearby::Friendship{/*friends=*/true}});
      }
      std::sort(list.begin(), list.end(),
                [](const auto& a, const auto& b) { return a.friend_id < b.friend_id; });
    }
    const auto start = Clock::now();
    for (std::uint64_t i = begin; i < end; ++i) {
      const auto user = static_cast<std::uint32_t>(order[i]);
      clients_[user] = engine_->Connect({World::Id(user), user}, &effects_).value();
      engine_->FriendsLoaded(clients_[user], nearby::FriendVersion{1}, lists[i - begin], &effects_)
          .IgnoreError();  // A list of a new session is never refused.
      CarryOut();
    }
    took += Clock::now() - start;
  }
  return took.count();
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

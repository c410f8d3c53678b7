#include "benchmarks/capacity/engine_side.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/capacity/stopwatch.h"

namespace capacity {
namespace {

using nearby::ClientHandle;
using nearby::FriendEntry;
using nearby::Friendship;
using nearby::FriendVersion;
using nearby::LocationReport;
using nearby::ReportOutcome;
using nearby::Time;
using nearby::UserId;

// Users whose lists are prepared before they connect.
constexpr std::size_t kConnectsPerSlice = 2'048;

// What a batch usually delivers, and more.
constexpr std::size_t kDeliveriesAtOnce = 20'000;

constexpr FriendVersion kListVersion{1};

}  // namespace

EngineSide::EngineSide(const World& world, std::size_t chunk)
    : world_(world), clients_(world.size()) {
  // All of this is touched now, so that it does not count as the engine's later.
  reports_.resize(chunk);
  outcomes_.resize(chunk);
  entries_.resize(kConnectsPerSlice * kMaxFriends);
  effects_.deliveries.resize(kDeliveriesAtOnce);
  sink_.Encode(effects_.deliveries);
  (void)sink_.Take();
}

bool EngineSide::Create(const nearby::EngineOptions& options, Time now) {
  absl::StatusOr<std::unique_ptr<nearby::Engine>> engine = nearby::Engine::Create(options);
  absl::Status status = engine.status();
  if (status.ok()) {
    engine_ = *std::move(engine);
    ClearEffects();
    status = engine_->Advance(now, &effects_);
  }
  if (status.ok()) return true;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return false;
}

void EngineSide::ClearEffects() {
  std::vector<nearby::PeerMessage> messages = std::move(effects_.messages);
  effects_.Clear();
  effects_.messages = std::move(messages);
}

void EngineSide::PrepareLists(absl::Span<const std::uint32_t> users,
                              std::uint32_t offline_friends) {
  entries_.clear();
  list_ends_.clear();
  for (const std::uint32_t user : users) {
    const std::size_t begin = entries_.size();
    for (const std::uint32_t other : world_.FriendsOf(user)) {
      entries_.push_back({IdOf(other), Friendship{/*friends=*/true}});
    }
    // Numbers next to those of friends: so whoever places users by where they live places those
    // who are not online as their friends.
    Random random(user);
    const absl::Span<const std::uint32_t> online = world_.FriendsOf(user);
    for (std::uint32_t i = 0; i < offline_friends; ++i) {
      const std::uint64_t after =
          online.empty() ? random.Below(world_.size()) : online[random.Below(online.size())];
      const UserId absent{after << 24 | (random.Next() & 0xFFFFFF)};
      if (absent != IdOf(UserOf(absent))) entries_.push_back({absent, Friendship{true}});
    }
    if (offline_friends > 0) {
      std::sort(
          entries_.begin() + static_cast<std::ptrdiff_t>(begin), entries_.end(),
          [](const FriendEntry& a, const FriendEntry& b) { return a.friend_id < b.friend_id; });
    }
    list_ends_.push_back(entries_.size());
  }
}

Served EngineSide::Connect(absl::Span<const std::uint32_t> users, std::uint32_t offline_friends) {
  Served served;
  while (!users.empty()) {
    const absl::Span<const std::uint32_t> slice = users.subspan(0, kConnectsPerSlice);
    users.remove_prefix(slice.size());
    PrepareLists(slice, offline_friends);
    const Stopwatch watch;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < slice.size(); ++i) {
      ClearEffects();
      const absl::StatusOr<ClientHandle> client =
          engine_->Connect({IdOf(slice[i]), /*cookie=*/slice[i], {}}, &effects_);
      if (!client.ok()) {
        ++failures_;
        continue;
      }
      clients_[slice[i]] = *client;
      const absl::Span<const FriendEntry> list(entries_.data() + begin, list_ends_[i] - begin);
      failures_ += engine_->FriendsLoaded(*client, kListVersion, list, &effects_).ok() ? 0 : 1;
      begin = list_ends_[i];
      sink_.Encode(effects_.deliveries);
    }
    served.seconds += watch.Seconds();
    served.calls += slice.size();
    served.delivered += sink_.Take();
  }
  ClearEffects();
  return served;
}

Served EngineSide::Disconnect(absl::Span<const std::uint32_t> users) {
  Served served;
  served.calls = users.size();
  const Stopwatch watch;
  for (const std::uint32_t user : users) {
    ClearEffects();
    failures_ += engine_->Disconnect(clients_[user], &effects_).ok() ? 0 : 1;
    sink_.Encode(effects_.deliveries);
  }
  served.seconds = watch.Seconds();
  served.delivered = sink_.Take();
  ClearEffects();
  return served;
}

void EngineSide::Prepare(absl::Span<const Batch> batches) {
  reports_.clear();
  next_report_ = 0;
  for (const Batch& batch : batches) {
    for (const TracedReport& report : batch.reports) {
      reports_.push_back({clients_[report.user], report.location, report.time});
    }
  }
}

void EngineSide::Serve(std::size_t count, Time now) {
  if (outcomes_.size() < count) outcomes_.resize(count);
  ClearEffects();
  advanced_ = engine_->Advance(now, &effects_);
  engine_->ReportAll(absl::MakeConstSpan(reports_).subspan(next_report_, count), outcomes_.data(),
                     &effects_);
  sink_.Encode(effects_.deliveries);
  next_report_ += count;
  CountFailures(count);
}

void EngineSide::CountFailures(std::size_t reports) {
  const auto end = outcomes_.begin() + static_cast<std::ptrdiff_t>(reports);
  failures_ += advanced_.ok() ? 0 : 1;
  failures_ += reports - static_cast<std::size_t>(
                             std::count(outcomes_.begin(), end, ReportOutcome::kAccepted));
}

Served EngineSide::ReportAll(absl::Span<const Batch> batches) {
  Prepare(batches);
  Served served;
  for (const Batch& batch : batches) {
    const std::size_t count = batch.reports.size();
    const Stopwatch watch;
    Serve(count, batch.now);
    served.seconds += watch.Seconds();
    served.calls += count;
    served.delivered += sink_.Take();
  }
  return served;
}

Served EngineSide::Advance(Time now) {
  ClearEffects();
  Served served;
  const Stopwatch watch;
  advanced_ = engine_->Advance(now, &effects_);
  sink_.Encode(effects_.deliveries);
  served.seconds = watch.Seconds();
  served.delivered = sink_.Take();
  CountFailures(0);
  return served;
}

void EngineSide::Receive(absl::Span<const nearby::PeerMessage> messages) {
  ClearEffects();
  engine_->Receive(messages, &effects_);
  sink_.Encode(effects_.deliveries);
}

}  // namespace capacity

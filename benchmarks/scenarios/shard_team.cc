#include "benchmarks/scenarios/shard_team.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/stopwatch.h"
#include "benchmarks/scenarios/setup.h"
#include "nearby/engine.h"

namespace scenarios {

using capacity::Stopwatch;
using nearby::PeerMessage;
using nearby::ShardId;

ShardWork& ShardWork::operator+=(const ShardWork& other) {
  reporting_s += other.reporting_s;
  connecting_s += other.connecting_s;
  receiving_s += other.receiving_s;
  mailing_s += other.mailing_s;
  ran_s += other.ran_s;
  reports += other.reports;
  deliveries += other.deliveries;
  return *this;
}

ShardTeam::Member::Member(const capacity::World& world, std::uint32_t shards, std::size_t batch)
    : side(world, batch), sendings(shards) {}

ShardTeam::ShardTeam(const Flags& flags, const capacity::World& world, std::uint32_t shards,
                     std::function<ShardId(nearby::UserId)> home_shard)
    : world_(world),
      offline_friends_(kOfflineForEachOnline * flags.friends),
      options_(EngineOptionsOf(flags, world)),
      mail_(shards),
      crew_(shards) {
  options_.shard_count = shards;
  options_.expected_entities /= shards;
  options_.home_shard = std::move(home_shard);
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    members_.push_back(std::make_unique<Member>(world, shards, flags.batch));
  }
}

std::uint32_t ShardTeam::HomeOf(std::uint32_t user) const {
  return ToInt(options_.HomeOf(capacity::IdOf(user)));
}

double ShardTeam::CrossingShare() const {
  std::uint64_t crossing = 0;
  for (std::uint32_t user = 0; user < world_.size(); ++user) {
    const std::uint32_t home = HomeOf(user);
    for (const std::uint32_t other : world_.FriendsOf(user)) crossing += HomeOf(other) != home;
  }
  return static_cast<double>(crossing) / static_cast<double>(world_.friends.size());
}

nearby::EngineStats ShardTeam::stats() const {
  nearby::EngineStats sum;
  for (const auto& member : members_) sum += member->side.stats();
  return sum;
}

void ShardTeam::Divide(absl::Span<const ShardStep> steps) {
  for (const auto& member : members_) {
    member->reports.clear();
    member->users.clear();
    member->report_ends.clear();
    member->user_ends.clear();
  }
  for (const ShardStep& step : steps) {
    for (const capacity::TracedReport& report : step.batch.reports) {
      members_[HomeOf(report.user)]->reports.push_back(report);
    }
    for (const std::uint32_t user : step.reconnects) members_[HomeOf(user)]->users.push_back(user);
    for (const auto& member : members_) {
      member->report_ends.push_back(member->reports.size());
      member->user_ends.push_back(member->users.size());
    }
  }
}

ShardTeam::Share ShardTeam::ShareOf(const Member& member, std::size_t step) const {
  const std::size_t reports = step == 0 ? 0 : member.report_ends[step - 1];
  const std::size_t users = step == 0 ? 0 : member.user_ends[step - 1];
  return {absl::MakeConstSpan(member.reports).subspan(reports, member.report_ends[step] - reports),
          absl::MakeConstSpan(member.users).subspan(users, member.user_ends[step] - users)};
}

void ShardTeam::Receive(Member* member) {
  if (member->mail.empty()) return;
  const Stopwatch watch;
  member->side.Receive(member->mail);
  member->work.receiving_s += watch.Seconds();
}

void ShardTeam::Send(Member* member) {
  std::vector<PeerMessage>& messages = member->side.messages();
  if (messages.empty()) return;
  const Stopwatch watch;
  for (const PeerMessage& message : messages) {
    member->sendings[ToInt(message.to)].push_back(message);
  }
  messages.clear();
  for (std::uint32_t to = 0; to < shards(); ++to) mail_.Send(ShardId{to}, &member->sendings[to]);
  member->work.mailing_s += watch.Seconds();
}

TeamWork ShardTeam::Run(std::size_t steps,
                        const std::function<void(Member* member, std::size_t step)>& serve) {
  mail_.Begin();
  const absl::Time start = absl::Now();
  crew_.Run([&](std::uint32_t shard) {
    Member* const member = members_[shard].get();
    member->work = {};
    const Stopwatch all;
    for (std::size_t step = 0; step < steps; ++step) {
      const Stopwatch watch;
      mail_.Take(ShardId{shard}, &member->mail);
      member->work.mailing_s += watch.Seconds();
      Receive(member);
      serve(member, step);
      Send(member);
    }
    while (mail_.Await(ShardId{shard}, &member->mail)) {
      Receive(member);
      Send(member);
    }
    member->work.deliveries += member->side.Discard();
    member->work.ran_s = all.Seconds();
  });
  TeamWork work;
  work.wall_s = absl::ToDoubleSeconds(absl::Now() - start);
  for (const auto& member : members_) {
    work.sum += member->work;
    work.longest_s = std::max(work.longest_s, member->work.seconds());
  }
  return work;
}

void ShardTeam::Connect(absl::Span<const std::uint32_t> users) {
  for (std::uint32_t shard = 0; shard < shards(); ++shard) {
    nearby::EngineOptions options = options_;
    options.shard = ShardId{shard};
    if (!members_[shard]->side.Create(options, capacity::kTraceStart)) std::abort();
  }
  // So that no shard falls far behind what is sent to it.
  constexpr std::size_t kUsersAtOnce = 1 << 16;
  constexpr std::size_t kUsersPerStep = 1 << 10;
  while (!users.empty()) {
    std::vector<ShardStep> steps;
    for (std::size_t i = 0; i < kUsersAtOnce / kUsersPerStep; ++i) {
      const absl::Span<const std::uint32_t> some = users.subspan(0, kUsersPerStep);
      users.remove_prefix(some.size());
      steps.push_back({{}, {some.begin(), some.end()}});
    }
    Divide(steps);
    Run(steps.size(), [this](Member* member, std::size_t step) {
      member->side.Connect(ShareOf(*member, step).users, 0);
    });
  }
}

TeamWork ShardTeam::Serve(absl::Span<const ShardStep> steps) {
  Divide(steps);
  return Run(steps.size(), [&](Member* member, std::size_t step) {
    const Share share = ShareOf(*member, step);
    Report(share, steps[step].batch.now, member);
    if (!share.users.empty()) Reconnect(share, member);
  });
}

void ShardTeam::Report(const Share& share, nearby::Time now, Member* member) {
  const capacity::Batch batch = {share.reports, now};
  member->side.Prepare({&batch, 1});
  const Stopwatch watch;
  member->side.Serve(share.reports.size(), now);
  member->work.reporting_s += watch.Seconds();
  member->work.reports += share.reports.size();
  member->work.deliveries += member->side.Discard();
}

void ShardTeam::Reconnect(const Share& share, Member* member) {
  capacity::Served served = member->side.Disconnect(share.users);
  served += member->side.Connect(share.users, offline_friends_);
  member->work.connecting_s += served.seconds;
  member->work.deliveries += served.delivered.count;
}

TeamSight ShardTeam::InSightOf(std::uint32_t user) {
  capacity::EngineSide& side = members_[HomeOf(user)]->side;
  nearby::Effects effects;
  const absl::StatusOr<nearby::NearbyPage> page =
      side.engine().Nearby(side.client(user), {}, options_.max_page_size, &effects);
  TeamSight sight;
  if (!page.ok()) return sight;
  sight.friends = page->in_sight;
  for (const nearby::NearbyFriend& other : page->friends) {
    std::uint64_t hash = capacity::Mix(ToInt(other.friend_id) + capacity::kGoldenRatio);
    hash = capacity::Mix(hash + static_cast<std::uint64_t>(other.distance_mm));
    sight.checksum += capacity::Mix(hash + static_cast<std::uint64_t>(other.reported_at.ms));
  }
  return sight;
}

}  // namespace scenarios

#include "benchmarks/scenarios/runtime_side.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "benchmarks/capacity/random.h"
#include "benchmarks/capacity/stopwatch.h"
#include "benchmarks/capacity/trace.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"

namespace scenarios {
namespace {

using capacity::Batch;
using capacity::Served;

nearby::RuntimeHost MakeHost(nearby::ClientSink* sink, nearby::FriendStore* friends,
                             const nearby::Clock* clock) {
  nearby::RuntimeHost host;
  host.sink = sink;
  host.friends = friends;
  host.clock = clock;
  return host;
}

}  // namespace

void AppendOfflineFriends(const capacity::World& world, std::uint32_t user, std::uint32_t count,
                          std::vector<nearby::UserId>* friends) {
  constexpr std::uint64_t kForEachOnline = 9;
  const auto begin = static_cast<std::ptrdiff_t>(friends->size());
  capacity::Random random(user);
  for (std::uint32_t i = 0; i < count; ++i) {
    friends->push_back(capacity::IdOf(world.size() + random.Below(kForEachOnline * world.size())));
  }
  std::sort(friends->begin() + begin, friends->end());
  friends->erase(std::unique(friends->begin() + begin, friends->end()), friends->end());
}

void WorldFriendStore::List(nearby::UserId user, ListDone done) {
  nearby::FriendList list;
  list.version = nearby::FriendVersion{1};
  for (const std::uint32_t other : world_.FriendsOf(capacity::UserOf(user))) {
    list.friends.push_back({capacity::IdOf(other), nearby::Friendship{/*friends=*/true}});
  }
  if (offline_friends_ > 0) {
    std::vector<nearby::UserId> offline;
    AppendOfflineFriends(world_, capacity::UserOf(user), offline_friends_, &offline);
    for (const nearby::UserId other : offline) {
      list.friends.push_back({other, nearby::Friendship{/*friends=*/true}});
    }
  }
  done(std::move(list));
}

void WorldFriendStore::Edit(const nearby::FriendEdit& /*edit*/, EditDone done) {
  done(absl::UnimplementedError("friendships of a world do not change"));
}

RuntimeSide::RuntimeSide(const capacity::World& world, const nearby::RuntimeOptions& options,
                         nearby::ClientSink* sink)
    : world_(world), friends_(world), sessions_(world.size()) {
  clock_.Set(capacity::kTraceStart);
  runtime_ = nearby::Runtime::Create(options, MakeHost(sink, &friends_, &clock_)).value();
}

void RuntimeSide::ConnectAll() {
  // So that neither calls nor lists come up against a limit.
  constexpr std::uint32_t kAtOnce = 512;
  for (std::uint32_t user = 0; user < world_.size(); ++user) {
    nearby::ConnectCall call;
    call.user = capacity::IdOf(user);
    call.cookie = user;
    runtime_->Connect(call, [this, user](absl::StatusOr<nearby::ConnectResult> result) {
      failures_ += result.ok() ? 0 : 1;
      if (result.ok()) sessions_[user] = result->session;
    });
    if (user % kAtOnce == kAtOnce - 1) runtime_->PollAll();
  }
  runtime_->PollAll();
}

absl::Span<const nearby::SessionReport> RuntimeSide::BySession(
    absl::Span<const capacity::TracedReport> reports) {
  reports_.clear();
  for (const capacity::TracedReport& report : reports) {
    reports_.push_back({sessions_[report.user], report.location, report.time});
  }
  return reports_;
}

Served RuntimeSide::ReportAll(absl::Span<const Batch> batches) {
  Served served;
  for (const Batch& batch : batches) {
    const absl::Span<const nearby::SessionReport> reports = BySession(batch.reports);
    const capacity::Stopwatch watch;
    clock_.Set(batch.now);
    failures_ += runtime_->ReportAll(reports);
    runtime_->PollAll();
    served.seconds += watch.Seconds();
    served.calls += reports.size();
  }
  return served;
}

}  // namespace scenarios

// Has a data race, by intent: two shards on two threads call one sink, which counts in a plain int.
// Built with ThreadSanitizer alone. That it is caught shows that neither the suppressions nor the
// way in which the library locks have blinded the runs in which nothing is found.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "nearby/friend_graph.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/runtime.h"
#include "nearby/testing/simulated_clock.h"

namespace {

class RacySink : public nearby::ClientSink {
 public:
  Flow Deliver(const nearby::ClientBatch& /*batch*/) override {
    ++deliveries_;
    return Flow::kReady;
  }
  void Ended(nearby::SessionId, std::uint64_t, EndReason) override {}

  int deliveries() const { return deliveries_; }

 private:
  int deliveries_ = 0;
};

// The n-th user at home on a shard.
nearby::UserId UserOn(std::uint32_t shard, int n) {
  std::uint64_t id = 0;
  for (;; ++id) {
    if (nearby::ToInt(nearby::HomeShard(nearby::UserId{id}, 2)) == shard && n-- == 0) break;
  }
  return nearby::UserId{id};
}

}  // namespace

int main() {
  RacySink sink;
  nearby::InMemoryFriendStore friends;
  const nearby::SimulatedClock clock(nearby::Time{1'000'000});
  nearby::RuntimeOptions options;
  options.shards = 2;
  options.max_batch = 1;  // a delivery for each report
  nearby::RuntimeHost host;
  host.sink = &sink;
  host.friends = &friends;
  host.clock = &clock;
  const std::unique_ptr<nearby::Runtime> runtime =
      nearby::Runtime::Create(options, std::move(host)).value();

  // On each shard two friends, who know nobody on the other.
  std::vector<nearby::SessionReport> reports;
  for (const std::uint32_t shard : {0u, 1u}) {
    const nearby::UserId pair[] = {UserOn(shard, 0), UserOn(shard, 1)};
    friends.graph().Befriend(pair[0], pair[1]).IgnoreError();
    for (const nearby::UserId user : pair) {
      nearby::ConnectCall call;
      call.user = user;
      runtime->Connect(call, [&](const absl::StatusOr<nearby::ConnectResult>& result) {
        reports.push_back({result.value().session, {48, 11}, clock.Now()});
      });
      runtime->PollAll();
    }
  }
  // All is handed in beforehand, so that from here on nothing orders the two threads.
  for (int i = 0; i < 200; ++i) runtime->ReportAll(reports);
  std::thread one([&] { runtime->Poll(nearby::ShardId{0}); });
  std::thread other([&] { runtime->Poll(nearby::ShardId{1}); });
  one.join();
  other.join();
  std::printf("%d deliveries\n", sink.deliveries());
  return 0;
}

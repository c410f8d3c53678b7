// Every call of the runtime from within every callback that a host gives it.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/metrics_sink.h"
#include "nearby/runtime.h"
#include "tests/runtime/world.h"

namespace nearby::test {
namespace {

using Kind = FriendEdit::Kind;

class CallingHost;

// A completion of any kind, which calls everything again.
struct Calling {
  CallingHost* host;
  const char* name;

  template <typename Result>
  void operator()(const Result& /*result*/) const;
};

// Calls the runtime back from wherever it is called.
class CallingHost : public ClientSink, public MetricsSink {
 public:
  explicit CallingHost(std::uint32_t shards) : clock_(kStart), shards_(shards) {
    RuntimeOptions options;
    options.shards = shards;
    RuntimeHost host;
    host.sink = this;
    host.metrics = this;
    host.friends = &friends_;
    host.clock = &clock_;
    host.wake = [this](ShardId) { CallEverything("wake"); };
    runtime_ = Runtime::Create(options, std::move(host)).value();
    for (std::uint64_t a = 1; a <= 4; ++a) {
      for (std::uint64_t b = a + 1; b <= 4; ++b) {
        EXPECT_TRUE(friends_.graph().Befriend(UserId{a}, UserId{b}).ok());
      }
    }
  }

  Flow Deliver(const ClientBatch& batch) override {
    CallEverything("Deliver");
    runtime_->Ready(batch.session);
    return Flow::kBusy;
  }
  void Ended(SessionId, std::uint64_t, EndReason) override { CallEverything("Ended"); }
  void ReportRefused(SessionId, std::uint64_t, Time, ReportOutcome) override {
    CallEverything("ReportRefused");
  }
  void MoveAway(SessionId, std::uint64_t, absl::Duration) override { CallEverything("MoveAway"); }
  void Export(absl::Span<const Metric>) override { CallEverything("Export"); }

  void Completed(const char* name) {
    ++completed_;
    CallEverything(name);
  }

  void Run() {
    // Each round begins from the outside; the rest follows from within.
    for (int i = 0; i < 50; ++i) {
      budget_ = 60;
      CallEverything("outside");
      clock_.Advance(absl::Seconds(1));
      runtime_->PollAll();
      EXPECT_TRUE(runtime_->CheckInvariants().ok()) << runtime_->CheckInvariants();
      if (i == 45) runtime_->Drain(Done("Drain"));
    }
    runtime_.reset();
    EXPECT_EQ(completed_, begun_);
  }

  const std::map<std::string, int>& callers() const { return callers_; }

 private:
  Calling Done(const char* name) {
    ++begun_;
    return {this, name};
  }

  void CallEverything(const char* caller) {
    ++callers_[caller];
    if (runtime_ == nullptr || --budget_ < 0) return;
    const UserId user{1 + next_ % 4};
    const UserId other{1 + (next_ + 1 + next_ / 4 % 3) % 4};
    ++next_;
    ConnectCall call;
    call.user = user;
    call.cookie = ++last_cookie_;
    call.location = TimedLocation{kHere, clock_.Now()};
    ++begun_;
    runtime_->Connect(call, [this](absl::StatusOr<ConnectResult> result) {
      if (result.ok()) sessions_.push_back(result->session);
      Completed("Connect");
    });
    const SessionId session = sessions_.empty() ? SessionId() : sessions_[next_ % sessions_.size()];
    runtime_->Report({session, North(static_cast<double>(next_ % 50)), clock_.Now()}).IgnoreError();
    runtime_->Report({session, kHere, Time{kStart.ms - 1}}).IgnoreError();
    runtime_->ReportAll(std::vector<SessionReport>{{session, kHere, clock_.Now()}});
    runtime_->SetRadius(session, 1'000, Done("SetRadius"));
    runtime_->Nearby(user, {}, 5, Done("Nearby"));
    constexpr Kind kKinds[] = {Kind::kHide, Kind::kShare, Kind::kSubscribe, Kind::kBefriend};
    runtime_->Edit({kKinds[next_ % 4], user, other}, Done("Edit"));
    runtime_->Apply({user, other, {}, FriendVersion{1}}, Done("Apply"));
    runtime_->Ready(session);
    if (next_ % 3 == 0) runtime_->Disconnect(session);
    EXPECT_LE(runtime_->stats().sessions, 4u);
    EXPECT_EQ(runtime_->shard_count(), shards_);
  }

  SimulatedClock clock_;
  InMemoryFriendStore friends_;
  const std::uint32_t shards_;
  std::unique_ptr<Runtime> runtime_;
  std::vector<SessionId> sessions_;
  std::map<std::string, int> callers_;
  std::uint64_t next_ = 0;
  std::uint64_t last_cookie_ = 0;
  int budget_ = 0;
  int begun_ = 0;
  int completed_ = 0;
};

template <typename Result>
void Calling::operator()(const Result& /*result*/) const {
  host->Completed(name);
}

TEST(RuntimeReentrancyTest, EveryCallMayComeFromWithinEveryCallback) {
  for (const std::uint32_t shards : {1u, 2u, 4u}) {
    CallingHost host(shards);
    host.Run();
    for (const char* caller : {"wake", "Deliver", "Ended", "ReportRefused", "MoveAway", "Export",
                               "Connect", "SetRadius", "Nearby", "Edit", "Apply", "Drain"}) {
      EXPECT_GT(host.callers().count(caller), 0u) << caller << " was never called";
    }
  }
}

TEST(RuntimeReentrancyTest, OfManyConnectsOfOneUserTheLastOneStays) {
  World world;
  const UserId alice = world.User(0);
  world.Connect(alice, kHere);
  std::vector<Connecting> all;
  for (int i = 0; i < 10; ++i) all.push_back(world.BeginConnect(alice, kHere));
  world.Settle();
  int answered = 0;
  for (const Connecting& one : all) answered += one.reply.status().ok() ? 1 : 0;
  EXPECT_EQ(answered, 1);
  EXPECT_TRUE(all.back().reply.status().ok());
}

}  // namespace
}  // namespace nearby::test

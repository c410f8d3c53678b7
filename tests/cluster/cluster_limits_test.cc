#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/cluster_stats.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/runtime.h"
#include "tests/cluster/few_nodes.h"

// What happens past each limit of ClusterOptions, and that there is room again later.

namespace nearby::test {
namespace {

using Client = FewNodes::Client;
using Kind = FriendEdit::Kind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};
constexpr UserId kCarol{3};

FewNodes::Options With(void (*set)(ClusterOptions*)) {
  FewNodes::Options options;
  set(&options.cluster);
  return options;
}

// The other node is alive, and hears nothing.
TEST(ClusterLimitsTest, EditsPastMaxFencesAreRefusedBeforeAnythingIsChanged) {
  FewNodes nodes(With([](ClusterOptions* options) { options->max_fences = 2; }));
  nodes.Befriend(kAlice, kBob);
  nodes.Befriend(kAlice, kCarol);
  const Client alice = nodes.Connect(0, kAlice, kHere);
  const Client bob = nodes.Connect(1, kBob, kHere);
  nodes.broker().TakeDown("server");
  const auto share = [&] { return nodes.Edit(0, Kind::kShare, kAlice, kBob); };
  const FewNodes::EditReply first = share();
  const FewNodes::EditReply second = share();
  nodes.Settle();
  EXPECT_EQ(nodes.stats(0).fences_open, 2u);

  const FewNodes::EditReply early = nodes.Edit(0, Kind::kHide, kAlice, kCarol);
  EXPECT_TRUE(absl::IsResourceExhausted(early.status())) << early.status();
  EXPECT_EQ(nodes.stats(0).fences_refused, 1u);
  // It is so after nobody waits for them any more, too.
  nodes.Pass(absl::Seconds(60));
  EXPECT_TRUE(absl::IsDeadlineExceeded(first.status())) << first.status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(second.status())) << second.status();
  const FewNodes::EditReply late = nodes.Edit(0, Kind::kHide, kAlice, kCarol);
  EXPECT_TRUE(absl::IsResourceExhausted(late.status())) << late.status();
  EXPECT_FALSE(nodes.friends().graph().Get(kAlice, kCarol).i_hide) << "nothing has changed";

  nodes.broker().BringUp("server");
  nodes.Pass(absl::Seconds(20));
  EXPECT_EQ(nodes.stats(0).fences_open, 0u);
  const FewNodes::EditReply hidden = nodes.Edit(0, Kind::kHide, kAlice, kBob);
  nodes.Settle();
  EXPECT_TRUE(hidden.is_ok()) << hidden.status();
  nodes.sink(1).MustNotSee(bob.cookie, kAlice);
  EXPECT_THAT(nodes.InSight(bob), IsEmpty());
  EXPECT_THAT(nodes.InSight(alice), ElementsAre(kBob));
}

TEST(ClusterLimitsTest, GuestsPastMaxGuestsAreNotKnown) {
  FewNodes nodes(With([](ClusterOptions* options) { options->max_guests = 1; }));
  nodes.Befriend(kAlice, kBob);
  nodes.Befriend(kAlice, kCarol);
  const Client alice = nodes.Connect(1, kAlice, kHere);
  const Client bob = nodes.Connect(0, kBob, kHere);
  EXPECT_EQ(nodes.stats(1).guests_refused, 0u);
  Client carol = nodes.Connect(0, kCarol, kHere);
  EXPECT_EQ(nodes.stats(1).guests, 1u);
  EXPECT_GT(nodes.stats(1).guests_refused, 0u);
  EXPECT_THAT(nodes.InSight(alice), ElementsAre(kBob)) << "who was there before is not lost";
  // And who is goes on being heard of.
  nodes.Pass(absl::Seconds(1));
  nodes.Report(bob, North(50'000));
  nodes.Settle();
  EXPECT_THAT(nodes.InSight(alice), IsEmpty());

  nodes.Disconnect(bob);
  nodes.Disconnect(carol);
  nodes.Settle();
  carol = nodes.Connect(0, kCarol, kHere);
  EXPECT_THAT(nodes.InSight(alice), ElementsAre(kCarol));
}

// The directory takes everything but claims, so that what has become of each has to be found out.
TEST(ClusterLimitsTest, ConnectsPastMaxQueriesAreRefused) {
  FewNodes nodes(With([](ClusterOptions* options) { options->max_queries = 3; }));
  nodes.Settle();
  const auto connect = [&](std::uint64_t user) {
    ConnectCall call;
    call.user = UserId{user};
    absl::Status status;
    nodes.runtime(0).Connect(
        call, [&](const absl::StatusOr<ConnectResult>& result) { status = result.status(); });
    nodes.Settle();
    return status.code();
  };
  nodes.directory(0).LoseClaims(true);
  for (const std::uint64_t user : {10, 11, 12}) {
    EXPECT_EQ(connect(user), absl::StatusCode::kUnavailable);
  }
  EXPECT_EQ(connect(13), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(nodes.stats(0).leases_lost, 0u);
  nodes.directory(0).LoseClaims(false);
  nodes.Pass(absl::Seconds(1));
  EXPECT_EQ(connect(13), absl::StatusCode::kOk);
}

}  // namespace
}  // namespace nearby::test

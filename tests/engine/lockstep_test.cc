// What lockstep.h documents of each method, and that the number of shards does not show.

#include "nearby/lockstep.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <ostream>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/radius_filter.h"

namespace nearby {
namespace {

constexpr UserId kAlice{1};
constexpr UserId kBob{2};
constexpr UserId kCarol{3};
constexpr UserId kDave{4};
constexpr LatLng kHome{48.137, 11.575};
constexpr LatLng kNearby{48.138, 11.575};
constexpr LatLng kFar{49, 11.575};
constexpr Time kNow{1'000'000};

struct Event {
  Time time;
  UserId subscriber{};
  UserId friend_id{};
  DeliveryKind kind = DeliveryKind::kEnter;
  LeaveReason reason = LeaveReason::kNone;

  friend bool operator==(const Event& a, const Event& b) {
    return std::tie(a.time, a.subscriber, a.friend_id, a.kind, a.reason) ==
           std::tie(b.time, b.subscriber, b.friend_id, b.kind, b.reason);
  }
  friend std::ostream& operator<<(std::ostream& out, const Event& event) {
    return out << event.time.ms << " " << ToInt(event.subscriber) << " " << ToString(event.kind)
               << " " << ToInt(event.friend_id) << " " << ToString(event.reason);
  }
};

/// By number of shards: with two or more, some of the users are at home on different ones.
class LockstepTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  LockstepTest() { Restart(EngineOptions()); }

  void Restart(const EngineOptions& engine) {
    Lockstep::Options options;
    options.engine = engine;
    options.shards = GetParam();
    options.graph.max_friends = engine.max_friends;
    shards_ = *Lockstep::Create(options);
    ASSERT_TRUE(shards_->Advance(kNow).ok());
  }

  void ConnectAll(const std::vector<UserId>& users) {
    for (const UserId user : users) {
      ASSERT_TRUE(shards_->Connect({user, 100 + ToInt(user), {}}).ok());
    }
  }

  ReportOutcome Report(UserId user, LatLng location) {
    return shards_->Report(user, location, shards_->now());
  }

  /// What was delivered since the last call, in order of (time, subscriber, friend).
  std::vector<Event> Take() {
    std::vector<Event> events;
    for (const Delivery& delivery : shards_->deliveries()) {
      EXPECT_EQ(delivery.cookie, 100 + ToInt(delivery.subscriber));
      events.push_back(
          {delivery.time, delivery.subscriber, delivery.friend_id, delivery.kind, delivery.reason});
    }
    shards_->ClearDeliveries();
    std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
      return std::tie(a.time, a.subscriber, a.friend_id) <
             std::tie(b.time, b.subscriber, b.friend_id);
    });
    return events;
  }

  std::unique_ptr<Lockstep> shards_;
};

INSTANTIATE_TEST_SUITE_P(Shards, LockstepTest, ::testing::Values(1, 2, 3, 7, 64),
                         ::testing::PrintToStringParamName());

TEST(LockstepCreate, RefusesWhatTheEngineOptionsRefuse) {
  Lockstep::Options options;
  options.shards = 0;
  EXPECT_EQ(Lockstep::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
  options.shards = 65;
  EXPECT_EQ(Lockstep::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
  options.shards = 2;
  options.engine.radius_m = -1;
  EXPECT_EQ(Lockstep::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
  // The place among the shards is filled in, whatever it was.
  options.engine = EngineOptions();
  options.engine.shard = ShardId{9};
  options.engine.shard_count = 3;
  EXPECT_TRUE(Lockstep::Create(options).ok());
}

TEST_P(LockstepTest, AdvanceRefusals) {
  EXPECT_EQ(shards_->Advance({kNow.ms - 1}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(shards_->Advance({kMaxTimeMs + 1}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(shards_->now(), kNow);
  EXPECT_TRUE(shards_->Advance(kNow).ok());
}

TEST_P(LockstepTest, AdvanceCarriesEachEventThroughAllShardsInOrderOfTime) {
  // Reports that were held back are applied at their own times, and friends on other shards see
  // each before the next: though one call of Advance covers all.
  EngineOptions options;
  options.min_report_interval = absl::Seconds(10);
  options.ttl = absl::Seconds(60);
  Restart(options);
  ASSERT_TRUE(shards_->Befriend(kAlice, kCarol).ok());
  ConnectAll({kAlice, kCarol});
  EXPECT_EQ(Report(kAlice, kHome), ReportOutcome::kAccepted);
  ASSERT_TRUE(shards_->Advance({kNow.ms + 5000}).ok());
  EXPECT_EQ(Report(kCarol, kHome), ReportOutcome::kAccepted);
  EXPECT_EQ(Report(kAlice, kFar), ReportOutcome::kConflated);
  EXPECT_EQ(Report(kCarol, kFar), ReportOutcome::kConflated);
  ASSERT_TRUE(shards_->Advance({kNow.ms + 300'000}).ok());
  const auto enter = DeliveryKind::kEnter;
  const auto leave = DeliveryKind::kLeave;
  const auto after = [](std::int64_t ms) { return Time{kNow.ms + ms}; };
  EXPECT_EQ(Take(), (std::vector<Event>{
                        {after(5000), kAlice, kCarol, enter, LeaveReason::kNone},
                        {after(5000), kCarol, kAlice, enter, LeaveReason::kNone},
                        {after(10'000), kAlice, kCarol, leave, LeaveReason::kRange},
                        {after(10'000), kCarol, kAlice, leave, LeaveReason::kRange},
                        {after(15'000), kAlice, kCarol, enter, LeaveReason::kNone},
                        {after(15'000), kCarol, kAlice, enter, LeaveReason::kNone},
                        {after(70'000), kAlice, kAlice, DeliveryKind::kReset, LeaveReason::kNone},
                        {after(70'000), kCarol, kAlice, leave, LeaveReason::kExpired},
                        {after(75'000), kCarol, kCarol, DeliveryKind::kReset, LeaveReason::kNone},
                    }));
}

TEST_P(LockstepTest, ConnectLoadsTheGraph) {
  ASSERT_TRUE(shards_->graph().Befriend(kAlice, kBob).ok());
  ASSERT_TRUE(shards_->graph().Befriend(kAlice, kCarol).ok());
  ConnectAll({kAlice, kBob, kCarol});
  for (const UserId user : {kAlice, kBob, kCarol}) {
    EXPECT_EQ(Report(user, kHome), ReportOutcome::kAccepted);
  }
  EXPECT_EQ(Take().size(), 4u);
  EXPECT_TRUE(shards_->is_connected(kAlice));
  EXPECT_FALSE(shards_->is_connected(kDave));
}

TEST_P(LockstepTest, ChangesOfTheGraphBehindTheBackReachTheConnectedAtTheirNextConnect) {
  ConnectAll({kAlice, kCarol});
  Report(kAlice, kHome);
  Report(kCarol, kHome);
  ASSERT_TRUE(shards_->graph().Befriend(kAlice, kCarol).ok());
  Report(kCarol, kHome);
  EXPECT_TRUE(Take().empty());
  ConnectAll({kAlice});
  EXPECT_EQ(Take().size(), 2u);
}

TEST_P(LockstepTest, ConnectRefusals) {
  for (const double radius_m : {-1.0, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_EQ(shards_->Connect({kAlice, 0, radius_m}).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_FALSE(shards_->is_connected(kAlice));

  // A list longer than the engine takes ends the session again.
  Lockstep::Options options;
  options.shards = GetParam();
  options.engine.max_friends = 1;
  shards_ = *Lockstep::Create(options);
  ASSERT_TRUE(shards_->graph().Befriend(kAlice, kBob).ok());
  ASSERT_TRUE(shards_->graph().Befriend(kAlice, kCarol).ok());
  EXPECT_EQ(shards_->Connect({kAlice, 0, {}}).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(shards_->is_connected(kAlice));
  EXPECT_TRUE(shards_->Connect({kBob, 0, {}}).ok());
  EXPECT_TRUE(shards_->CheckInvariants().ok()) << shards_->CheckInvariants();
}

TEST_P(LockstepTest, WhoIsNotConnectedCannotBeAskedFor) {
  EXPECT_EQ(shards_->Disconnect(kAlice).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(shards_->Nearby(kAlice, {}, 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Report(kAlice, kHome), ReportOutcome::kUnknownClient);
  ConnectAll({kAlice});
  EXPECT_EQ(shards_->Nearby(kAlice, {}, 0).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(shards_->Nearby(kAlice, {}, 1).ok());
  EXPECT_TRUE(shards_->Disconnect(kAlice).ok());
  EXPECT_EQ(shards_->Disconnect(kAlice).code(), absl::StatusCode::kNotFound);
}

TEST_P(LockstepTest, ChangesRefuseWhatTheGraphRefuses) {
  EngineOptions options;
  options.max_friends = 1;
  Restart(options);
  EXPECT_EQ(shards_->Befriend(kAlice, kAlice).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(shards_->Unfriend(kAlice, kAlice).code(), absl::StatusCode::kInvalidArgument);
  for (const auto change :
       {&Lockstep::Hide, &Lockstep::Share, &Lockstep::Subscribe, &Lockstep::Unsubscribe}) {
    EXPECT_EQ((shards_.get()->*change)({kAlice, kAlice}).code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_TRUE(shards_->Befriend(kAlice, kBob).ok());
  EXPECT_EQ(shards_->Befriend(kCarol, kAlice).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(shards_->graph().Get(kAlice, kCarol).friends);
}

TEST_P(LockstepTest, EveryChangeTakesEffectAtOnceOnEveryShard) {
  ConnectAll({kAlice, kCarol});
  Report(kAlice, kHome);
  Report(kCarol, kNearby);
  const auto event = [](UserId subscriber, UserId friend_id, LeaveReason reason) {
    return Event{kNow, subscriber, friend_id,
                 reason == LeaveReason::kNone ? DeliveryKind::kEnter : DeliveryKind::kLeave,
                 reason};
  };
  using Events = std::vector<Event>;
  const Viewing carol_at_alice{/*viewer=*/kCarol, /*owner=*/kAlice};
  ASSERT_TRUE(shards_->Befriend(kCarol, kAlice).ok());
  EXPECT_EQ(Take(), (Events{event(kAlice, kCarol, LeaveReason::kNone),
                            event(kCarol, kAlice, LeaveReason::kNone)}));
  ASSERT_TRUE(shards_->Hide(carol_at_alice).ok());
  EXPECT_EQ(Take(), (Events{event(kCarol, kAlice, LeaveReason::kHidden)}));
  ASSERT_TRUE(shards_->Share(carol_at_alice).ok());
  EXPECT_EQ(Take(), (Events{event(kCarol, kAlice, LeaveReason::kNone)}));
  ASSERT_TRUE(shards_->Unsubscribe(carol_at_alice).ok());
  EXPECT_EQ(Take(), (Events{event(kCarol, kAlice, LeaveReason::kUnsubscribed)}));
  ASSERT_TRUE(shards_->Subscribe(carol_at_alice).ok());
  EXPECT_EQ(Take(), (Events{event(kCarol, kAlice, LeaveReason::kNone)}));
  ASSERT_TRUE(shards_->Unfriend(kAlice, kCarol).ok());
  EXPECT_EQ(Take(), (Events{event(kAlice, kCarol, LeaveReason::kUnfriended),
                            event(kCarol, kAlice, LeaveReason::kUnfriended)}));
  EXPECT_TRUE(shards_->CheckInvariants().ok()) << shards_->CheckInvariants();
}

TEST_P(LockstepTest, RadiiHoldForSessionsToCome) {
  ASSERT_TRUE(shards_->Befriend(kAlice, kCarol).ok());
  ASSERT_TRUE(shards_->SetRadius(kAlice, 10).ok());
  EXPECT_EQ(shards_->SetRadius(kAlice, -1).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(shards_->SetRadius(kAlice, kMaxRadiusMeters + 1).code(),
            absl::StatusCode::kInvalidArgument);
  ConnectAll({kAlice, kCarol});
  Report(kAlice, kHome);
  Report(kCarol, kNearby);
  EXPECT_EQ(Take(),
            (std::vector<Event>{{kNow, kCarol, kAlice, DeliveryKind::kEnter, LeaveReason::kNone}}));
  ASSERT_TRUE(shards_->SetRadius(kAlice, 1000).ok());
  EXPECT_EQ(Take().size(), 1u);
  // The request's own radius goes before.
  ASSERT_TRUE(shards_->Connect({kAlice, 101, 10.0}).ok());
  EXPECT_TRUE(Take().empty());
}

TEST_P(LockstepTest, PagesListFriendsOfAllShards) {
  for (std::uint64_t id = 2; id <= 30; ++id) {
    ASSERT_TRUE(shards_->Befriend(kAlice, UserId{id}).ok());
  }
  for (std::uint64_t id = 1; id <= 30; ++id) {
    ConnectAll({UserId{id}});
    Report(UserId{id}, {48.137 + 0.0001 * static_cast<double>(id), 11.575});
  }
  std::vector<std::uint64_t> listed;
  PageToken token;
  for (;;) {
    const auto page = shards_->Nearby(kAlice, token, 7);
    ASSERT_TRUE(page.ok());
    EXPECT_EQ(page->in_sight, 29u);
    for (const NearbyFriend& entry : page->friends) listed.push_back(ToInt(entry.friend_id));
    if (!page->next) break;
    EXPECT_EQ(page->friends.size(), 7u);
    token = *page->next;
  }
  std::vector<std::uint64_t> expected;
  for (std::uint64_t id = 2; id <= 30; ++id) expected.push_back(id);
  EXPECT_EQ(listed, expected);
}

TEST_P(LockstepTest, StatsAreSummed) {
  ASSERT_TRUE(shards_->Befriend(kAlice, kCarol).ok());
  ConnectAll({kAlice, kBob, kCarol, kDave});
  Report(kAlice, kHome);
  Report(kCarol, kHome);
  ASSERT_TRUE(shards_->Disconnect(kCarol).ok());
  const EngineStats stats = shards_->stats();
  EXPECT_EQ(stats.connects, 4u);
  EXPECT_EQ(stats.clients, 3u);
  EXPECT_EQ(stats.reports_accepted, 2u);
  EXPECT_EQ(stats.enters, 2u);
  EXPECT_EQ(stats.leaves_for(LeaveReason::kOffline), 1u);
  EXPECT_EQ(stats.messages_dropped, 0u);
}

}  // namespace
}  // namespace nearby

#include "examples/phones/phone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "examples/phones/tally.h"
#include "examples/phones/violations.h"
#include "nearby/client_codec.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/server_codec.h"
#include "nearby/time.h"

namespace phones {
namespace {

using nearby::BatchStart;
using nearby::ClientCall;
using nearby::ClientEvent;
using nearby::ClientUpdate;
using nearby::DeliveryKind;
using nearby::LeaveReason;
using nearby::NearbyFriend;
using nearby::ServerMessage;
using nearby::Time;
using nearby::UserId;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr UserId kOwner{1};
constexpr std::int64_t kMeter = 1000;

// A phone of user 1, whose friends are 2, 3 and 5.
class PhoneTest : public ::testing::Test {
 protected:
  PhoneTest() : phone_(kOwner, std::vector<UserId>{UserId{2}, UserId{3}, UserId{5}}) {}

  static NearbyFriend Listed(std::uint64_t friend_id, std::int64_t distance_mm = kMeter) {
    NearbyFriend listed;
    listed.friend_id = UserId{friend_id};
    listed.position = nearby::Position::FromLatLng({52.5, 13.4});
    listed.distance_mm = distance_mm;
    listed.reported_at = Time::Millis(50);
    return listed;
  }

  static ClientEvent Event(DeliveryKind kind, std::uint64_t friend_id, std::int64_t time_ms) {
    ClientEvent event;
    event.kind = kind;
    event.friend_id = UserId{friend_id};
    event.time = Time::Millis(time_ms);
    if (kind == DeliveryKind::kLeave) {
      event.reason = LeaveReason::kRange;
    } else {
      event.position = nearby::Position::FromLatLng({52.5, 13.4});
      event.distance_mm = 2 * kMeter;
      event.reported_at = Time::Millis(time_ms);
    }
    return event;
  }
  static ClientEvent Enter(std::uint64_t friend_id, std::int64_t time_ms) {
    return Event(DeliveryKind::kEnter, friend_id, time_ms);
  }
  static ClientEvent Move(std::uint64_t friend_id, std::int64_t time_ms) {
    return Event(DeliveryKind::kMove, friend_id, time_ms);
  }
  static ClientEvent Leave(std::uint64_t friend_id, std::int64_t time_ms) {
    return Event(DeliveryKind::kLeave, friend_id, time_ms);
  }

  template <typename Message>
  Phone::Reaction Take(std::uint64_t request_id, const Message& message) {
    return phone_.Take({request_id, message}, Time::Millis(1000), &tally_);
  }

  // Init, and its answer.
  Phone::Reaction GoOnline(const std::vector<NearbyFriend>& friends = {}) {
    const ClientCall init = phone_.Init(std::nullopt);
    nearby::InitAnswer answer;
    answer.page.friends = friends;
    answer.page.in_sight = friends.size();
    return Take(init.request_id, answer);
  }

  void Push(const std::vector<ClientEvent>& events, BatchStart start = BatchStart::kGoesOn) {
    Take(0, ClientUpdate{start, events});
  }

  std::vector<std::uint64_t> InSight() const {
    std::vector<std::uint64_t> friends;
    for (const Sighting& sighting : phone_.friends()) {
      if (sighting.is_in_sight) friends.push_back(nearby::ToInt(sighting.friend_id));
    }
    EXPECT_EQ(friends.size(), phone_.in_sight());
    return friends;
  }

  // Exactly one violation, of this kind and about this friend.
  void ExpectViolation(ViolationKind kind, std::optional<UserId> friend_id) const {
    EXPECT_EQ(tally_.violations.total(), 1);
    EXPECT_EQ(tally_.violations.count(kind), 1);
    ASSERT_TRUE(tally_.violations.first().has_value());
    EXPECT_EQ(tally_.violations.first()->user, kOwner);
    EXPECT_EQ(tally_.violations.first()->friend_id, friend_id);
  }

  Phone phone_;
  Tally tally_;
};

TEST_F(PhoneTest, BeginsWithItsLocation) {
  const ClientCall call = phone_.Init(nearby::ReportCall{{52.5, 13.4}, Time::Millis(70)});
  EXPECT_NE(call.request_id, 0);
  const auto* init = std::get_if<nearby::InitCall>(&call.call);
  ASSERT_NE(init, nullptr);
  ASSERT_TRUE(init->location.has_value());
  EXPECT_EQ(init->location->location.lat, 52.5);
  EXPECT_EQ(init->location->reported_at, Time::Millis(70));
  EXPECT_FALSE(phone_.is_online());
}

TEST_F(PhoneTest, SeesWhomTheAnswerLists) {
  GoOnline({Listed(3), Listed(2)});
  EXPECT_TRUE(phone_.is_online());
  EXPECT_THAT(InSight(), ElementsAre(2, 3));
  EXPECT_EQ(tally_.enters, 2);
  EXPECT_EQ(tally_.violations.total(), 0);
  const Sighting& sighting = phone_.friends()[0];
  EXPECT_EQ(sighting.since, Time::Millis(1000));
  EXPECT_EQ(sighting.reported_at, Time::Millis(50));
  EXPECT_EQ(sighting.distance_mm, kMeter);
}

TEST_F(PhoneTest, FollowsTheEvents) {
  GoOnline({Listed(2)});
  Push({Enter(3, 1100), Move(2, 1100)});
  Push({Leave(2, 1200), Move(3, 1200)});
  EXPECT_THAT(InSight(), ElementsAre(3));
  const Sighting& sighting = phone_.friends()[1];
  EXPECT_EQ(sighting.since, Time::Millis(1100));
  EXPECT_EQ(sighting.updated, Time::Millis(1200));
  EXPECT_EQ(sighting.distance_mm, 2 * kMeter);
  EXPECT_EQ(tally_.enters, 2);
  EXPECT_EQ(tally_.moves, 2);
  EXPECT_EQ(tally_.leaves, 1);
  EXPECT_EQ(tally_.violations.total(), 0);
}

TEST_F(PhoneTest, ForgetsEverybodyOnAReset) {
  GoOnline({Listed(2), Listed(3)});
  Push({}, BatchStart::kReset);
  EXPECT_THAT(InSight(), IsEmpty());
  Push({Enter(3, 2000)});
  EXPECT_THAT(InSight(), ElementsAre(3));
  EXPECT_EQ(tally_.resets, 1);
  EXPECT_EQ(tally_.violations.total(), 0);
}

TEST_F(PhoneTest, TakesAResyncForTheWholeSet) {
  GoOnline({Listed(2), Listed(3)});
  Push({Move(3, 3000)});
  // Those who enter anew may have been in sight since long before.
  Push({Enter(3, 2000), Enter(5, 2000)}, BatchStart::kResync);
  EXPECT_THAT(InSight(), ElementsAre(3, 5));
  EXPECT_EQ(tally_.resyncs, 1);
  EXPECT_EQ(tally_.violations.total(), 0);
}

TEST_F(PhoneTest, AsksForAllPages) {
  const ClientCall init = phone_.Init(std::nullopt);
  nearby::InitAnswer answer;
  answer.page.friends = {Listed(2)};
  answer.page.in_sight = 2;
  answer.page.next = nearby::PageToken{kMeter, UserId{2}};
  const Phone::Reaction first = Take(init.request_id, answer);
  ASSERT_TRUE(first.call.has_value());
  const auto* call = std::get_if<nearby::NearbyCall>(&first.call->call);
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->after.friend_id, UserId{2});

  // The page lists a friend who enters by an event, before the answer or after it.
  nearby::NearbyAnswer page;
  page.page.friends = {Listed(3)};
  const Phone::Reaction second = Take(first.call->request_id, page);
  EXPECT_FALSE(second.call.has_value());
  EXPECT_THAT(InSight(), ElementsAre(2));
  Push({Enter(3, 1000)});
  EXPECT_THAT(InSight(), ElementsAre(2, 3));
  EXPECT_EQ(tally_.violations.total(), 0);
}

TEST_F(PhoneTest, MovesWhenTheServerAsks) {
  GoOnline({Listed(2)});
  const Phone::Reaction reaction = Take(0, nearby::DrainNotice{absl::Seconds(3)});
  EXPECT_EQ(reaction.reconnect_after, absl::Seconds(3));
  EXPECT_FALSE(reaction.hangs_up);
  EXPECT_TRUE(phone_.is_online());
  EXPECT_EQ(tally_.drains, 1);
}

TEST_F(PhoneTest, HangsUpWhenInitIsRefused) {
  const ClientCall init = phone_.Init(std::nullopt);
  const Phone::Reaction reaction =
      Take(init.request_id, nearby::ServerError{absl::UnavailableError("later"), absl::Seconds(2)});
  EXPECT_EQ(reaction.reconnect_after, absl::Seconds(2));
  EXPECT_TRUE(reaction.hangs_up);
  EXPECT_EQ(tally_.refusals, 1);
  EXPECT_EQ(tally_.errors, 0);
  EXPECT_EQ(tally_.violations.total(), 0);
}

TEST_F(PhoneTest, CountsErrors) {
  GoOnline();
  Take(0, nearby::ServerError{absl::ResourceExhaustedError("too many calls"), absl::Seconds(1)});
  Take(0, nearby::ServerError{absl::InvalidArgumentError("stale"), absl::ZeroDuration()});
  EXPECT_EQ(tally_.refusals, 1);
  EXPECT_EQ(tally_.errors, 1);
  EXPECT_EQ(tally_.first_error, "user 1: INVALID_ARGUMENT: stale");
}

TEST_F(PhoneTest, BeginsAfreshWithEachConnection) {
  GoOnline({Listed(2)});
  Push({Move(2, 5000)});
  phone_.Close();
  EXPECT_FALSE(phone_.is_online());
  EXPECT_THAT(InSight(), IsEmpty());
  // Another server's clock may be behind.
  GoOnline({Listed(2)});
  Push({Move(2, 4000)});
  EXPECT_THAT(InSight(), ElementsAre(2));
  EXPECT_EQ(tally_.violations.total(), 0);
}

TEST_F(PhoneTest, LetsALeaveFollowAnUnsubscribe) {
  GoOnline({Listed(2)});
  const ClientCall call = phone_.Unsubscribe(UserId{2});
  // Before the answer, anything may come.
  Push({Move(2, 1100)});
  Take(call.request_id, nearby::UnsubscribeAnswer{});
  Push({Leave(2, 1200)});
  const ClientCall again = phone_.Subscribe(UserId{2});
  Push({Enter(2, 1300)});
  Take(again.request_id, nearby::SubscribeAnswer{Listed(2)});
  EXPECT_THAT(InSight(), ElementsAre(2));
  EXPECT_EQ(tally_.violations.total(), 0);
}

TEST_F(PhoneTest, LetsFriendsReturnWhoWereSubscribedToBeforeTheAnswer) {
  GoOnline();
  const ClientCall off = phone_.Unsubscribe(UserId{2});
  const ClientCall on = phone_.Subscribe(UserId{2});
  Take(off.request_id, nearby::UnsubscribeAnswer{});
  Push({Enter(2, 1100)});
  Take(on.request_id, nearby::SubscribeAnswer{Listed(2)});
  EXPECT_EQ(tally_.violations.total(), 0);
}

// --- what a server must never say ----------------------------------------------------------------

TEST_F(PhoneTest, NoticesAnEnterOfAFriendInSight) {
  GoOnline({Listed(2)});
  Push({Enter(2, 1100)});
  ExpectViolation(ViolationKind::kEnterTwice, UserId{2});
  EXPECT_THAT(InSight(), ElementsAre(2));
}

TEST_F(PhoneTest, NoticesAFriendListedTwice) {
  GoOnline({Listed(2), Listed(2)});
  ExpectViolation(ViolationKind::kEnterTwice, UserId{2});
}

TEST_F(PhoneTest, NoticesAMoveOfAFriendWhoIsNotInSight) {
  GoOnline();
  Push({Move(2, 1100)});
  ExpectViolation(ViolationKind::kMoveUnseen, UserId{2});
  EXPECT_THAT(InSight(), IsEmpty());
}

TEST_F(PhoneTest, NoticesALeaveOfAFriendWhoIsNotInSight) {
  GoOnline();
  Push({Leave(2, 1100)});
  ExpectViolation(ViolationKind::kLeaveUnseen, UserId{2});
}

TEST_F(PhoneTest, NoticesAResyncThatDoesNotEnter) {
  GoOnline({Listed(2)});
  Push({Move(2, 1100)}, BatchStart::kResync);
  ExpectViolation(ViolationKind::kMoveUnseen, UserId{2});
}

TEST_F(PhoneTest, NoticesStrangersInEvents) {
  GoOnline();
  Push({Enter(4, 1100)});
  ExpectViolation(ViolationKind::kNoFriend, UserId{4});
}

TEST_F(PhoneTest, NoticesStrangersInTheAnswerToInit) {
  GoOnline({Listed(4)});
  ExpectViolation(ViolationKind::kNoFriend, UserId{4});
}

TEST_F(PhoneTest, NoticesStrangersInListings) {
  GoOnline();
  const ClientCall call = phone_.Subscribe(UserId{2});
  Take(call.request_id, nearby::SubscribeAnswer{Listed(4)});
  ExpectViolation(ViolationKind::kNoFriend, UserId{4});
}

TEST_F(PhoneTest, NoticesEventsOfAFriendUnsubscribedFrom) {
  GoOnline({Listed(2)});
  const ClientCall call = phone_.Unsubscribe(UserId{2});
  Take(call.request_id, nearby::UnsubscribeAnswer{});
  Push({Move(2, 1100)});
  ExpectViolation(ViolationKind::kUnsubscribed, UserId{2});
}

TEST_F(PhoneTest, NoticesNewsOlderThanTheLast) {
  GoOnline();
  Push({Enter(2, 1100)});
  Push({Leave(2, 1099)});
  ExpectViolation(ViolationKind::kTimeBackward, UserId{2});
}

TEST_F(PhoneTest, NoticesAReportOlderThanTheLast) {
  GoOnline();
  Push({Enter(2, 1100)});
  ClientEvent move = Move(2, 1200);
  move.reported_at = Time::Millis(1099);
  Push({move});
  ExpectViolation(ViolationKind::kTimeBackward, UserId{2});
}

TEST_F(PhoneTest, NoticesTwoEventsAboutOneFriend) {
  GoOnline();
  Push({Enter(2, 1100), Move(2, 1100)});
  ExpectViolation(ViolationKind::kTwiceInUpdate, UserId{2});
}

TEST_F(PhoneTest, NoticesNewsBeforeTheAnswerToInit) {
  phone_.Init(std::nullopt);
  Push({Enter(2, 1100)});
  ExpectViolation(ViolationKind::kBeforeInit, std::nullopt);
  EXPECT_THAT(InSight(), IsEmpty());
}

TEST_F(PhoneTest, NoticesAnswersToNoCall) {
  GoOnline();
  Take(99, nearby::NearbyAnswer{});
  ExpectViolation(ViolationKind::kUnaskedAnswer, std::nullopt);
}

TEST_F(PhoneTest, NoticesAnswersOfTheWrongKind) {
  GoOnline();
  const ClientCall call = phone_.Subscribe(UserId{2});
  Take(call.request_id, nearby::UnsubscribeAnswer{});
  ExpectViolation(ViolationKind::kUnaskedAnswer, std::nullopt);
}

TEST_F(PhoneTest, NoticesASecondAnswer) {
  const ClientCall init = phone_.Init(std::nullopt);
  Take(init.request_id, nearby::InitAnswer{});
  Take(init.request_id, nearby::InitAnswer{});
  ExpectViolation(ViolationKind::kUnaskedAnswer, std::nullopt);
}

TEST(ViolationsTest, KeepsTheFirstOfAll) {
  Violations a;
  a.Add({ViolationKind::kMoveUnseen, UserId{1}, UserId{2}, Time::Millis(20)});
  Violations b;
  b.Add({ViolationKind::kNoFriend, UserId{3}, UserId{4}, Time::Millis(3'661'010)});
  b.Add({ViolationKind::kNoFriend, UserId{5}, UserId{4}, Time::Millis(30'000'000)});
  b.Add(a);
  EXPECT_EQ(b.total(), 3);
  EXPECT_EQ(b.count(ViolationKind::kNoFriend), 2);
  EXPECT_EQ(b.first()->user, UserId{1});
  Violations c;
  c.Add({ViolationKind::kNoFriend, UserId{3}, UserId{4}, Time::Millis(3'661'010)});
  EXPECT_EQ(ToString(*c.first()),
            "01:01:01.010  user 3: news of somebody who is no friend, user 4");
}

}  // namespace
}  // namespace phones

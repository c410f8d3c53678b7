#include "examples/echo_server/client_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/echo_server/echo_world.h"

namespace echo_server {
namespace {

using nearby::BatchStart;
using nearby::ClientUpdate;
using nearby::DeliveryKind;
using nearby::DrainNotice;
using nearby::FriendEdit;
using nearby::InitAnswer;
using nearby::InitCall;
using nearby::LatLng;
using nearby::LeaveReason;
using nearby::NearbyAnswer;
using nearby::NearbyCall;
using nearby::ReportCall;
using nearby::ServerError;
using nearby::ServerMessage;
using nearby::SubscribeAnswer;
using nearby::SubscribeCall;
using nearby::UnsubscribeAnswer;
using nearby::UnsubscribeCall;
using nearby::UserId;
using nearby::WireFormat;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr LatLng kHere{48.137, 11.575};
constexpr LatLng kNear{48.140, 11.580};
constexpr LatLng kFar{52.520, 13.405};

Identity User(std::uint64_t id) { return {UserId{id}}; }

class ClientSessionTest : public ::testing::Test {
 protected:
  EchoWorld world_;
};

TEST_F(ClientSessionTest, TwoFriendsMeetMoveAndPart) {
  world_.Befriend(1, 2);
  Phone a(&world_, User(1));
  Phone b(&world_, User(2));
  a.Init(kHere);
  EXPECT_THAT(a.HearOne<InitAnswer>().page.friends, IsEmpty());

  b.format = WireFormat::kJson;
  b.Init(kNear);
  const ServerMessage answer = b.HearOne();
  EXPECT_EQ(answer.request_id, 1u);
  const auto& page = std::get<InitAnswer>(answer.message).page;
  ASSERT_EQ(page.friends.size(), 1u);
  EXPECT_EQ(page.friends[0].friend_id, UserId{1});
  EXPECT_EQ(page.in_sight, 1u);

  const ClientUpdate enter = a.HearOne<ClientUpdate>();
  ASSERT_EQ(enter.events.size(), 1u);
  EXPECT_EQ(enter.events[0].kind, DeliveryKind::kEnter);
  EXPECT_EQ(enter.events[0].friend_id, UserId{2});
  EXPECT_EQ(a.channel.frames.back().format, WireFormat::kProtobuf);

  world_.Pass(absl::Seconds(1));
  a.Report(kNear);
  const ClientUpdate move = b.HearOne<ClientUpdate>();
  ASSERT_EQ(move.events.size(), 1u);
  EXPECT_EQ(move.events[0].kind, DeliveryKind::kMove);
  EXPECT_EQ(b.channel.frames.back().format, WireFormat::kJson);
  EXPECT_THAT(a.Hear(), IsEmpty()) << "a report is not answered";

  world_.Pass(absl::Seconds(1));
  a.Report(kFar);
  const ClientUpdate leave = b.HearOne<ClientUpdate>();
  ASSERT_EQ(leave.events.size(), 1u);
  EXPECT_EQ(leave.events[0].kind, DeliveryKind::kLeave);
  EXPECT_EQ(leave.events[0].reason, LeaveReason::kRange);
}

TEST_F(ClientSessionTest, ClosingTellsTheFriends) {
  world_.Befriend(1, 2);
  Phone a(&world_, User(1));
  a.Init(kHere);
  {
    Phone b(&world_, User(2));
    b.Init(kNear);
    a.Hear();
    world_.phones.pop_back();
  }
  world_.Settle();
  const ClientUpdate leave = a.HearOne<ClientUpdate>();
  ASSERT_EQ(leave.events.size(), 1u);
  EXPECT_EQ(leave.events[0].reason, LeaveReason::kOffline);
  EXPECT_EQ(world_.stats.websockets.value(), 1u);
}

TEST_F(ClientSessionTest, TheFirstCallIsInit) {
  Phone a(&world_, User(1));
  a.Say({7, SubscribeCall{UserId{2}}});
  const ServerMessage error = a.HearOne();
  EXPECT_EQ(error.request_id, 7u);
  EXPECT_TRUE(absl::IsFailedPrecondition(std::get<ServerError>(error.message).status));
  a.Report(kHere);
  EXPECT_TRUE(absl::IsFailedPrecondition(a.HearOne<ServerError>().status));
  a.Init(kHere);
  a.HearOne<InitAnswer>();
  a.Init(kHere);
  EXPECT_TRUE(absl::IsFailedPrecondition(a.HearOne<ServerError>().status));
}

TEST_F(ClientSessionTest, CallsBeforeTheAnswerToInitAreRefused) {
  world_.store.lists().Hold();
  Phone a(&world_, User(1));
  a.Init(kHere);
  EXPECT_THAT(a.Hear(), IsEmpty());
  a.Report(kHere);
  EXPECT_TRUE(absl::IsFailedPrecondition(a.HearOne<ServerError>().status));
  world_.store.lists().Resume();
  world_.Settle();
  a.HearOne<InitAnswer>();
}

TEST_F(ClientSessionTest, AnInitThatFailedMayBeRepeated) {
  world_.store.lists().Hold();
  Phone a(&world_, User(1));
  a.Init(kHere);
  for (int i = 0; i < 11; ++i) world_.Pass(absl::Seconds(1));
  const ServerMessage error = a.HearOne();
  EXPECT_EQ(error.request_id, 1u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(std::get<ServerError>(error.message).status));
  world_.store.lists().Resume();
  a.Init(kHere);
  a.HearOne<InitAnswer>();
}

TEST_F(ClientSessionTest, ALateInitThatWaitsForTheStoreHasNoDeadlineOfItsOwn) {
  world_.store.lists().Hold();
  Phone a(&world_, User(1));
  world_.Pass(absl::Seconds(29));
  a.Init(kHere);
  // At a deadline that has passed and ends nothing, the loop would spin.
  world_.Pass(absl::Seconds(2));
  EXPECT_EQ(a.channel.deadline, absl::InfiniteDuration());
  EXPECT_FALSE(a.channel.close_code.has_value());
  // One that has failed leaves as much time for the next as there was for the first.
  world_.Pass(absl::Seconds(10));
  EXPECT_TRUE(absl::IsDeadlineExceeded(a.HearOne<ServerError>().status));
  world_.Pass(absl::Seconds(29));
  EXPECT_FALSE(a.channel.close_code.has_value());
  world_.Pass(absl::Seconds(2));
  EXPECT_EQ(a.channel.close_reason, "no init");
}

TEST_F(ClientSessionTest, AClientThatLeavesBeforeTheAnswerLeavesNoSession) {
  world_.store.lists().Hold();
  {
    Phone a(&world_, User(1));
    a.Init(kHere);
    world_.phones.pop_back();
  }
  world_.store.lists().Resume();
  world_.Settle();
  EXPECT_EQ(world_.runtime->stats().sessions, 0u);
  EXPECT_TRUE(world_.runtime->CheckInvariants().ok());
}

TEST_F(ClientSessionTest, SubscribesAndUnsubscribes) {
  world_.Befriend(1, 2);
  Phone a(&world_, User(1));
  Phone b(&world_, User(2));
  a.Init(kHere);
  b.Init(kNear);
  a.Hear();

  a.Say({5, UnsubscribeCall{UserId{2}}});
  std::vector<ServerMessage> heard = a.Hear();
  // A bare leave, and the answer.
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[0].request_id + heard[1].request_id, 5u);
  world_.Pass(absl::Seconds(1));
  b.Report(kHere);
  EXPECT_THAT(a.Hear(), IsEmpty());

  a.Say({6, SubscribeCall{UserId{2}}});
  heard = a.Hear();
  ASSERT_FALSE(heard.empty());
  bool is_answered = false;
  for (const ServerMessage& message : heard) {
    if (const auto* answer = std::get_if<SubscribeAnswer>(&message.message)) {
      is_answered = true;
      EXPECT_EQ(message.request_id, 6u);
      ASSERT_TRUE(answer->in_sight.has_value());
      EXPECT_EQ(answer->in_sight->friend_id, UserId{2});
    }
  }
  EXPECT_TRUE(is_answered);

  a.Say({8, SubscribeCall{UserId{1}}});
  EXPECT_TRUE(absl::IsInvalidArgument(a.HearOne<ServerError>().status));
}

TEST_F(ClientSessionTest, ListsPages) {
  for (std::uint64_t id = 2; id < 32; ++id) world_.Befriend(1, id);
  std::vector<std::unique_ptr<Phone>> others;
  for (std::uint64_t id = 2; id < 32; ++id) {
    others.push_back(std::make_unique<Phone>(&world_, User(id)));
    others.back()->Init({kHere.lat + 0.001 * static_cast<double>(id), kHere.lng});
  }
  Phone a(&world_, User(1));
  a.Init(kHere);
  const InitAnswer first = std::get<InitAnswer>(a.Hear()[0].message);
  ASSERT_EQ(first.page.friends.size(), 20u);
  EXPECT_EQ(first.page.in_sight, 30u);
  ASSERT_TRUE(first.page.next.has_value());

  a.Say({3, NearbyCall{*first.page.next, 20}});
  bool is_answered = false;
  for (const ServerMessage& message : a.Hear()) {
    if (const auto* answer = std::get_if<NearbyAnswer>(&message.message)) {
      is_answered = true;
      EXPECT_EQ(message.request_id, 3u);
      EXPECT_EQ(answer->page.friends.size(), 10u);
    }
  }
  EXPECT_TRUE(is_answered);
}

TEST_F(ClientSessionTest, MalformedFramesAreAnsweredAndAtLastClose) {
  Phone a(&world_, User(1));
  for (int i = 0; i < 15; ++i) a.SayText(R"({"requestId": "9", "init": 7})");
  a.Init(kHere);  // a good one begins the count anew
  EXPECT_EQ(a.Hear().size(), 16u);
  for (int i = 0; i < 15; ++i) a.SayText("{");
  EXPECT_FALSE(a.channel.close_code.has_value());
  a.SayText("{");
  const std::vector<ServerMessage> heard = a.Hear();
  ASSERT_EQ(heard.size(), 16u);
  EXPECT_TRUE(absl::IsInvalidArgument(std::get<ServerError>(heard[0].message).status));
  EXPECT_EQ(a.channel.close_code, CloseCode::kPolicyViolation);
  EXPECT_EQ(world_.runtime->stats().sessions, 0u);
  EXPECT_EQ(world_.stats.frames_malformed.value(), 31u);
}

TEST_F(ClientSessionTest, CallsThatOnlyLaterVersionsKnowDoNotClose) {
  Phone a(&world_, User(1));
  for (int i = 0; i < 40; ++i) a.SayText(R"({"requestId": "4"})");
  EXPECT_FALSE(a.channel.close_code.has_value());
}

TEST_F(ClientSessionTest, ReportsAreAnsweredWhenRefused) {
  Phone a(&world_, User(1));
  a.Init(kHere);
  a.Hear();
  const std::int64_t stale_ms = world_.clock.Now().ms - 5000;
  a.Say({11, ReportCall{kHere, nearby::Time::Millis(stale_ms)}});
  // Several may be under way: the message says which.
  EXPECT_THAT(std::string(a.HearOne<ServerError>().status.message()),
              HasSubstr(absl::StrCat("report of ", stale_ms, " ms")));
  a.Say({12, ReportCall{kHere, nearby::Time::Millis(world_.clock.Now().ms + 3'600'000)}});
  EXPECT_FALSE(a.HearOne<ServerError>().status.ok());
}

TEST_F(ClientSessionTest, AnInitWithAStaleLocationSaysSo) {
  Phone a(&world_, User(1));
  a.Say({1,
         InitCall{ReportCall{kHere, nearby::Time::Millis(world_.clock.Now().ms + 3'600'000)}, {}}});
  const std::vector<ServerMessage> heard = a.Hear();
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[0].request_id, 1u);
  EXPECT_EQ(heard[1].request_id, 0u);
  EXPECT_TRUE(std::holds_alternative<ServerError>(heard[1].message));
}

TEST_F(ClientSessionTest, ThrottlesAFloodAndSaysSoOnce) {
  Phone a(&world_, User(1));
  a.Init(kHere);
  a.Hear();
  for (int i = 0; i < 150; ++i) {
    a.Say({20, NearbyCall{{}, 1}});
  }
  int answers = 0;
  int errors = 0;
  for (const ServerMessage& message : a.Hear()) {
    if (const auto* error = std::get_if<ServerError>(&message.message)) {
      ++errors;
      EXPECT_TRUE(absl::IsResourceExhausted(error->status));
      EXPECT_GT(error->retry_after, absl::ZeroDuration());
      EXPECT_LE(error->retry_after, absl::Milliseconds(50));
    } else {
      ++answers;
    }
  }
  EXPECT_EQ(answers, 99);
  EXPECT_EQ(errors, 1);
  world_.Pass(absl::Seconds(1));
  a.Say({21, NearbyCall{{}, 1}});
  a.HearOne<NearbyAnswer>();
}

TEST_F(ClientSessionTest, TooManyCallsAtOnceAreRefused) {
  Phone a(&world_, User(1));
  a.Init(kHere);
  a.Hear();
  world_.store.edits().Hold();
  for (std::uint64_t id = 100; id < 116; ++id) a.Say({id, SubscribeCall{UserId{id}}});
  EXPECT_THAT(a.Hear(), IsEmpty());
  a.Say({200, SubscribeCall{UserId{200}}});
  EXPECT_TRUE(absl::IsResourceExhausted(a.HearOne<ServerError>().status));
  world_.store.edits().Resume();
  world_.Settle();
  EXPECT_EQ(a.Hear().size(), 16u);
}

TEST_F(ClientSessionTest, OneWhoDoesNotReadHasOneBatchUnderWay) {
  world_.Befriend(1, 2);
  Phone a(&world_, User(1));
  Phone b(&world_, User(2));
  a.Init(kHere);
  a.Hear();
  a.reads = false;
  b.Init(kNear);
  for (int i = 0; i < 10; ++i) {
    world_.Pass(absl::Seconds(1));
    b.Report(i % 2 == 0 ? kHere : kNear);
  }
  EXPECT_EQ(a.Hear().size(), 1u) << "the batch that is being written";
  // Nothing about b goes to a any more, not even what waited.
  world_.Edit(FriendEdit::Kind::kHide, 2, 1);
  a.reads = true;
  world_.Settle();
  const ClientUpdate rest = a.HearOne<ClientUpdate>();
  ASSERT_EQ(rest.events.size(), 1u);
  EXPECT_EQ(rest.events[0].kind, DeliveryKind::kLeave);
  EXPECT_EQ(rest.events[0].reason, LeaveReason::kOffline);
}

TEST_F(ClientSessionTest, OneWhoAsksAndDoesNotReadIsClosed) {
  world_.host.options.outbox.max_answers = 8;
  Phone a(&world_, User(1));
  a.Init(kHere);
  a.reads = false;
  for (std::uint64_t id = 1; id <= 8; ++id) a.Say({id, NearbyCall{{}, 1}});
  EXPECT_FALSE(a.channel.is_aborted);
  a.Say({9, NearbyCall{{}, 1}});
  EXPECT_TRUE(a.channel.is_aborted);
  EXPECT_EQ(world_.runtime->stats().sessions, 0u);
}

TEST_F(ClientSessionTest, ASecondConnectionReplacesTheFirst) {
  Phone a(&world_, User(1));
  a.Init(kHere);
  Phone again(&world_, User(1));
  again.Init(kHere);
  again.HearOne<InitAnswer>();
  EXPECT_EQ(a.channel.close_code, CloseCode::kReplaced);
  EXPECT_FALSE(again.channel.close_code.has_value());
  EXPECT_EQ(world_.runtime->stats().sessions, 1u);
}

TEST_F(ClientSessionTest, AConnectionReplacedBeforeItsAnswerIsClosed) {
  world_.store.lists().Hold();
  Phone a(&world_, User(1));
  a.Init(kHere);
  Phone again(&world_, User(1));
  again.Init(kHere);
  world_.store.lists().Resume();
  world_.Settle();
  again.HearOne<InitAnswer>();
  EXPECT_EQ(a.channel.close_code, CloseCode::kReplaced);
}

TEST_F(ClientSessionTest, ALostNodeSendsItsClientsToAnother) {
  Phone a(&world_, User(1));
  a.Init(kHere);
  // The first cookie is 1.
  world_.connections.Ended({}, 1, nearby::ClientSink::EndReason::kNodeLost);
  world_.Settle();
  EXPECT_EQ(a.channel.close_code, CloseCode::kNodeLost);
  EXPECT_EQ(world_.stats.closed_for_lost_node.value(), 1u);
}

TEST_F(ClientSessionTest, ATokenThatExpiresEndsTheConnection) {
  Identity identity = User(1);
  identity.expires_at = nearby::Time::Millis(world_.clock.Now().ms + 60'000);
  Phone a(&world_, identity);
  a.Init(kHere);
  EXPECT_LE(a.channel.deadline, absl::Minutes(1));
  world_.Pass(absl::Milliseconds(59'999));
  EXPECT_FALSE(a.channel.close_code.has_value());
  world_.Pass(absl::Milliseconds(1));
  EXPECT_EQ(a.channel.close_code, CloseCode::kPolicyViolation);
  EXPECT_EQ(a.channel.close_reason, "token expired");
  EXPECT_EQ(world_.runtime->stats().sessions, 0u);
}

TEST_F(ClientSessionTest, WithoutAnInitTheConnectionIsClosed) {
  Phone a(&world_, User(1));
  world_.Pass(absl::Seconds(31));
  EXPECT_EQ(a.channel.close_code, CloseCode::kPolicyViolation);
  EXPECT_EQ(a.channel.close_reason, "no init");
}

TEST_F(ClientSessionTest, AGoodbyeThatCannotBeWrittenIsGivenUp) {
  Phone a(&world_, User(1));
  a.Init(kHere);
  a.Hear();
  a.reads = false;
  a.Say({1, NearbyCall{{}, 1}});
  Phone again(&world_, User(1));
  again.Init(kHere);
  EXPECT_FALSE(a.channel.close_code.has_value()) << "behind what is being written";
  world_.Pass(absl::Seconds(6));
  EXPECT_TRUE(a.channel.is_aborted);
}

TEST_F(ClientSessionTest, DrainsOneAfterTheOther) {
  Phone a(&world_, User(1));
  Phone b(&world_, User(2));
  a.Init(kHere);
  b.Init(kHere);
  a.Hear();
  b.Hear();
  world_.is_draining = true;
  bool is_empty = false;
  world_.runtime->Drain([&is_empty](const absl::Status&) { is_empty = true; });
  world_.Settle();
  for (int i = 0; i < 3; ++i) world_.Pass(absl::Milliseconds(100));
  const DrainNotice notice = a.HearOne<DrainNotice>();
  b.HearOne<DrainNotice>();
  EXPECT_LE(notice.reconnect_after, absl::Seconds(5));
  EXPECT_FALSE(is_empty);

  Phone late(&world_, User(3));
  late.Init(kHere);
  EXPECT_TRUE(absl::IsUnavailable(late.HearOne<ServerError>().status));
  EXPECT_EQ(late.channel.close_code, CloseCode::kServiceRestart);

  a.session->OnClosed();
  for (int i = 0; i < 10; ++i) world_.Pass(absl::Seconds(1));
  EXPECT_EQ(b.channel.close_code, CloseCode::kServiceRestart);
  EXPECT_TRUE(is_empty);
}

TEST_F(ClientSessionTest, ShutdownClosesEveryone) {
  Phone a(&world_, User(1));
  Phone b(&world_, User(2));
  b.Init(kHere);
  world_.connections.ShutDown();
  world_.Settle();
  EXPECT_EQ(a.channel.close_code, CloseCode::kServiceRestart);
  EXPECT_EQ(b.channel.close_code, CloseCode::kServiceRestart);
}

TEST_F(ClientSessionTest, SaysNothingOfWhatWentWrongInside) {
  world_.store.edits().FailNext(1, absl::InternalError("disk /dev/sda1 is on fire"));
  Phone a(&world_, User(1));
  a.Init(kHere);
  a.Hear();
  a.Say({1, SubscribeCall{UserId{2}}});
  const ServerError error = a.HearOne<ServerError>();
  EXPECT_TRUE(absl::IsInternal(error.status));
  EXPECT_THAT(std::string(error.status.message()), ::testing::Not(HasSubstr("sda1")));
}

}  // namespace
}  // namespace echo_server

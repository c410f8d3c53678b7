#include "src/runtime/mailbox.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/engine.h"
#include "nearby/ids.h"
#include "src/runtime/calls.h"

namespace nearby::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<LocationReport> Reports(std::uint32_t first, std::uint32_t count) {
  std::vector<LocationReport> reports;
  for (std::uint32_t i = 0; i < count; ++i) {
    reports.push_back({{Slot{first + i}, 1}, {0, 0}, Time()});
  }
  return reports;
}

std::vector<std::uint32_t> SlotsOf(const std::vector<LocationReport>& reports) {
  std::vector<std::uint32_t> slots;
  for (const LocationReport& report : reports) slots.push_back(ToInt(report.client.slot));
  return slots;
}

Call Radius(double radius_m) { return RadiusRequested{{}, radius_m, {}}; }
double RadiusOf(const Call& call) { return std::get<RadiusRequested>(call).radius_m; }

using PeerItem = std::variant<PeerMessage, Fence>;

PeerItems Items(const std::vector<PeerItem>& items) {
  PeerItems in_order;
  for (const PeerItem& item : items) {
    std::visit([&in_order](const auto& any) { in_order.Add(any); }, item);
  }
  return in_order;
}

PeerItem Message(PeerMessage::Kind kind, std::uint64_t user) {
  PeerMessage message;
  message.kind = kind;
  message.user = UserId{user};
  return message;
}

// Their users, and 0 for a fence.
std::vector<std::uint64_t> UsersOf(const PeerItems& items) {
  std::vector<std::uint64_t> users;
  std::size_t taken = 0;
  const auto take = [&](std::size_t end) {
    for (; taken < end; ++taken) users.push_back(ToInt(items.messages[taken].user));
  };
  for (const Fence& fence : items.fences) {
    take(fence.behind);
    users.push_back(0);
  }
  take(items.messages.size());
  return users;
}

// A mailbox with room for three of everything.
class MailboxTest : public ::testing::Test {
 protected:
  Mailbox::Contents Take() {
    Mailbox::Contents contents;
    mailbox_.Take(&contents);
    return contents;
  }

  int wakes_ = 0;
  Mailbox mailbox_{{/*max_reports=*/3, /*max_calls=*/3, /*max_messages=*/3}, [this] { ++wakes_; }};
};

TEST_F(MailboxTest, GivesBackEachLaneInOrder) {
  mailbox_.AddReports(Reports(1, 1));
  mailbox_.AddReports(Reports(2, 2));
  Call first = Radius(1);
  EXPECT_TRUE(mailbox_.AddCall(first));
  mailbox_.AddUnrefusable(Radius(2));
  Call third = Radius(3);
  EXPECT_TRUE(mailbox_.AddCall(third));
  std::vector<PeerItem> messages{Message(PeerMessage::Kind::kLocation, 4), Fence{},
                                 Message(PeerMessage::Kind::kOffline, 5)};
  mailbox_.AddMessages(Items(messages));

  const Mailbox::Contents contents = Take();
  EXPECT_THAT(SlotsOf(contents.reports), ElementsAre(1, 2, 3));
  ASSERT_THAT(contents.calls, SizeIs(3));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(RadiusOf(contents.calls[i]), static_cast<double>(i + 1));
  }
  EXPECT_THAT(UsersOf(contents.messages), ElementsAre(4, 0, 5));
  EXPECT_TRUE(Take().empty());
}

// --- limits ---

TEST_F(MailboxTest, TakesAsManyReportsAsThereIsRoomForAndCountsTheRest) {
  EXPECT_EQ(mailbox_.AddReports(Reports(1, 2)), 2u);
  EXPECT_EQ(mailbox_.AddReports(Reports(3, 4)), 1u);
  EXPECT_EQ(mailbox_.AddReports(Reports(7, 1)), 0u);
  EXPECT_EQ(mailbox_.counts().reports_refused, 4u);
  EXPECT_EQ(mailbox_.counts().reports, 3u);
  EXPECT_THAT(SlotsOf(Take().reports), ElementsAre(1, 2, 3));
  EXPECT_EQ(mailbox_.AddReports(Reports(7, 1)), 1u);
}

TEST_F(MailboxTest, ACallCountsUntilItIsFinished) {
  for (int i = 0; i < 3; ++i) {
    Call call = Radius(i);
    EXPECT_TRUE(mailbox_.AddCall(call));
  }
  Call refused = Radius(9);
  EXPECT_FALSE(mailbox_.AddCall(refused));
  EXPECT_EQ(RadiusOf(refused), 9) << "a refused call must be left as it was";
  Take();
  EXPECT_FALSE(mailbox_.AddCall(refused)) << "taken is not finished";
  EXPECT_EQ(mailbox_.counts().calls, 3u);
  EXPECT_EQ(mailbox_.counts().calls_refused, 2u);
  mailbox_.FinishCalls(0);
  EXPECT_FALSE(mailbox_.AddCall(refused));
  mailbox_.FinishCalls(1);
  EXPECT_TRUE(mailbox_.AddCall(refused));
  EXPECT_EQ(mailbox_.counts().calls, 3u);
}

TEST_F(MailboxTest, WhatCannotBeRefusedHasRoomAndTakesNone) {
  for (int i = 0; i < 10; ++i) mailbox_.AddUnrefusable(Radius(i));
  Call call = Radius(10);
  EXPECT_TRUE(mailbox_.AddCall(call));
  EXPECT_EQ(mailbox_.counts().calls, 1u);
  EXPECT_THAT(Take().calls, SizeIs(11));
}

TEST_F(MailboxTest, DropsLocationsFirst) {
  std::vector<PeerItem> messages;
  for (std::uint64_t user = 1; user <= 5; ++user) {
    messages.push_back(Message(PeerMessage::Kind::kLocation, user));
  }
  messages.push_back(Message(PeerMessage::Kind::kAnnounce, 6));
  messages.push_back(Fence{});
  messages.push_back(Message(PeerMessage::Kind::kOffline, 7));
  messages.push_back(Message(PeerMessage::Kind::kLocation, 8));
  mailbox_.AddMessages(Items(messages));
  EXPECT_EQ(mailbox_.counts().locations_dropped, 3u);
  EXPECT_EQ(mailbox_.counts().messages, 6u);
  EXPECT_THAT(UsersOf(Take().messages), ElementsAre(1, 2, 3, 6, 0, 7));
}

TEST_F(MailboxTest, IsBehindWhileMoreMessagesWaitThanThereShould) {
  std::vector<PeerItem> messages(3, Message(PeerMessage::Kind::kAnnounce, 1));
  mailbox_.AddMessages(Items(messages));
  EXPECT_FALSE(mailbox_.is_behind());
  messages.assign(1, Message(PeerMessage::Kind::kAnnounce, 1));
  mailbox_.AddMessages(Items(messages));
  EXPECT_TRUE(mailbox_.is_behind());
  Take();
  EXPECT_FALSE(mailbox_.is_behind());
}

TEST_F(MailboxTest, OneLaneThatIsFullLeavesTheOthersAlone) {
  mailbox_.AddReports(Reports(1, 9));
  Call call = Radius(1);
  EXPECT_TRUE(mailbox_.AddCall(call));
  std::vector<PeerItem> messages{Message(PeerMessage::Kind::kLocation, 1)};
  mailbox_.AddMessages(Items(messages));
  EXPECT_EQ(mailbox_.counts().locations_dropped, 0u);
}

// --- waking ---

TEST_F(MailboxTest, TheFirstToComeWakesAndTheOthersDoNot) {
  mailbox_.AddReports(Reports(1, 1));
  EXPECT_EQ(wakes_, 1);
  mailbox_.AddReports(Reports(2, 1));
  mailbox_.AddUnrefusable(Radius(1));
  EXPECT_EQ(wakes_, 1);
}

TEST_F(MailboxTest, EachLaneWakes) {
  mailbox_.AddReports(Reports(1, 1));
  Take();
  mailbox_.AddUnrefusable(Radius(1));
  EXPECT_EQ(wakes_, 2);
  Take();
  Call call = Radius(1);
  mailbox_.AddCall(call);
  EXPECT_EQ(wakes_, 3);
  Take();
  std::vector<PeerItem> messages{Message(PeerMessage::Kind::kOffline, 1)};
  mailbox_.AddMessages(Items(messages));
  EXPECT_EQ(wakes_, 4);
}

TEST_F(MailboxTest, WhatComesAfterATakeWakesEvenIfTheTakerHasWork) {
  mailbox_.AddReports(Reports(1, 1));
  EXPECT_THAT(Take().reports, SizeIs(1));
  // The taker is at work on that one, and may be about to decide how long to sleep.
  mailbox_.AddReports(Reports(2, 1));
  EXPECT_EQ(wakes_, 2);
}

TEST_F(MailboxTest, WhatIsRefusedDoesNotWake) {
  Mailbox none({0, 0, 0}, [this] { ++wakes_; });
  none.AddReports(Reports(1, 1));
  Call call = Radius(1);
  none.AddCall(call);
  EXPECT_EQ(wakes_, 0);
}

TEST_F(MailboxTest, MayBeUsedFromWithinAWake) {
  Mailbox* inner = nullptr;
  int wakes = 0;
  Mailbox mailbox({3, 3, 3}, [&] {
    ++wakes;
    inner->AddReports(Reports(2, 1));
    EXPECT_FALSE(inner->is_empty());
  });
  inner = &mailbox;
  mailbox.AddReports(Reports(1, 1));
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(mailbox.counts().reports, 2u);
}

TEST_F(MailboxTest, WaitingEndsAtOnceWhereSomethingWaitsOrWhenInterrupted) {
  mailbox_.AddReports(Reports(1, 1));
  mailbox_.Wait(absl::Hours(10));
  Take();
  mailbox_.Interrupt();
  mailbox_.Wait(absl::Hours(10));
  mailbox_.Wait(absl::Hours(10));
}

TEST_F(MailboxTest, WaitingForNoTimeReturns) {
  mailbox_.Wait(absl::ZeroDuration());
  EXPECT_THAT(Take().reports, IsEmpty());
}

TEST_F(MailboxTest, AWaitingTakerMissesNothing) {
  constexpr std::uint32_t kReports = 20'000;
  Mailbox mailbox({kReports, 3, 3}, [] {});
  std::vector<std::uint32_t> taken;
  std::thread taker([&] {
    Mailbox::Contents contents;
    while (taken.size() < kReports) {
      mailbox.Wait(absl::Hours(10));
      mailbox.Take(&contents);
      for (const std::uint32_t slot : SlotsOf(contents.reports)) taken.push_back(slot);
      contents.Clear();
    }
  });
  for (std::uint32_t i = 0; i < kReports; ++i) ASSERT_EQ(mailbox.AddReports(Reports(i, 1)), 1u);
  taker.join();
  for (std::uint32_t i = 0; i < kReports; ++i) ASSERT_EQ(taken[i], i);
}

}  // namespace
}  // namespace nearby::internal

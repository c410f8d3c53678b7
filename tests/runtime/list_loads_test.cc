#include "src/runtime/list_loads.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/runtime/backoff.h"

namespace nearby::internal {
namespace {

constexpr std::int64_t kAttemptMs = 10'000;
constexpr std::int64_t kMinDelayMs = 100;
constexpr Time kNow{1'000'000};

Time After(std::int64_t ms) { return Time{kNow.ms + ms}; }
ClientHandle Client(std::uint32_t number) { return {Slot{number}, number + 10}; }

class ListLoadsTest : public ::testing::Test {
 protected:
  void Add(std::uint32_t number, Time deadline = kNever) {
    loads_.Add(Client(number), UserId{number}, deadline);
  }
  // The user whose load begins now, or -1.
  std::int64_t Begin(Time now = kNow) {
    const std::optional<ListLoads::Load> load = loads_.Begin(now);
    if (!load) return -1;
    last_ = *load;
    EXPECT_EQ(load->client, Client(static_cast<std::uint32_t>(ToInt(load->user))));
    return static_cast<std::int64_t>(ToInt(load->user));
  }

  ListLoads loads_{3, kAttemptMs,
                   Backoff(absl::Milliseconds(kMinDelayMs), absl::Seconds(10), /*seed=*/1)};
  ListLoads::Load last_;
};

TEST_F(ListLoadsTest, HasNothingToDoAtFirst) {
  EXPECT_EQ(Begin(), -1);
  EXPECT_FALSE(loads_.TimeOut(kNow).has_value());
  EXPECT_FALSE(loads_.End(1).has_value());
  EXPECT_EQ(loads_.next_event(), kNever);
  EXPECT_TRUE(loads_.has_room());
}

TEST_F(ListLoadsTest, BeginsInTheOrderOfTheAdds) {
  for (const std::uint32_t number : {5, 4, 6}) Add(number);
  EXPECT_EQ(Begin(), 5);
  EXPECT_EQ(Begin(), 4);
  EXPECT_EQ(Begin(), 6);
  EXPECT_EQ(Begin(), -1);
}

TEST_F(ListLoadsTest, BeginsNoMoreThanAreAllowedUntilOneEnds) {
  for (std::uint32_t number = 1; number <= 4; ++number) Add(number);
  for (int i = 0; i < 3; ++i) EXPECT_NE(Begin(), -1);
  EXPECT_EQ(loads_.in_flight(), 3u);
  EXPECT_EQ(Begin(), -1);
  EXPECT_EQ(loads_.next_event(), After(kAttemptMs)) << "only an end or a time-out can help";
  EXPECT_TRUE(loads_.End(last_.number).has_value());
  EXPECT_EQ(Begin(), 4);
}

TEST_F(ListLoadsTest, HasNoRoomForAnotherConnectWhileAllPlacesAreTakenOrSpokenFor) {
  Add(1);
  Add(2);
  EXPECT_TRUE(loads_.has_room());
  Add(3);
  EXPECT_FALSE(loads_.has_room());
  Begin();
  EXPECT_FALSE(loads_.has_room());
  loads_.End(last_.number);
  EXPECT_TRUE(loads_.has_room());
}

TEST_F(ListLoadsTest, AnAttemptEndsOnce) {
  Add(1);
  Begin();
  const std::optional<ListLoads::Load> ended = loads_.End(last_.number);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->user, UserId{1});
  EXPECT_FALSE(loads_.End(last_.number).has_value());
  EXPECT_FALSE(loads_.TimeOut(After(10 * kAttemptMs)).has_value());
  EXPECT_EQ(loads_.in_flight(), 0u);
}

TEST_F(ListLoadsTest, AnAttemptTimesOutAfterItsTimeAndIsThenNotAnswered) {
  Add(1);
  Begin();
  EXPECT_EQ(loads_.next_event(), After(kAttemptMs));
  EXPECT_FALSE(loads_.TimeOut(After(kAttemptMs - 1)).has_value());
  EXPECT_TRUE(loads_.TimeOut(After(kAttemptMs)).has_value());
  EXPECT_FALSE(loads_.End(last_.number).has_value());
  EXPECT_EQ(loads_.next_event(), kNever);
}

TEST_F(ListLoadsTest, AnAttemptTimesOutAtItsDeadlineAtTheLatest) {
  Add(1, After(300));
  Begin();
  EXPECT_EQ(loads_.next_event(), After(300));
  EXPECT_TRUE(loads_.TimeOut(After(300)).has_value());
}

TEST_F(ListLoadsTest, TheEarliestTimesOutFirst) {
  Add(1, After(500));
  Add(2, After(300));
  Begin();
  Begin();
  EXPECT_EQ(loads_.TimeOut(After(600))->user, UserId{2});
  EXPECT_EQ(loads_.TimeOut(After(600))->user, UserId{1});
}

TEST_F(ListLoadsTest, AClientWhoseListIsToBeLoadedAlreadyIsNotAddedAgain) {
  Add(1);
  Add(1);
  EXPECT_EQ(Begin(), 1);
  EXPECT_EQ(Begin(), -1);
  // That attempt may have read the list before whatever asks for it now.
  Add(1);
  EXPECT_EQ(Begin(), 1);
}

TEST_F(ListLoadsTest, ALaterSessionInTheSameSlotIsAnotherClient) {
  loads_.Add({Slot{1}, 1}, UserId{1}, kNever);
  loads_.Add({Slot{1}, 2}, UserId{1}, kNever);
  EXPECT_EQ(loads_.Begin(kNow)->client.generation, 1u);
  EXPECT_EQ(loads_.Begin(kNow)->client.generation, 2u);
}

// --- retries ---

TEST_F(ListLoadsTest, ARetryWaitsLongerEachTimeAndBearsANewNumber) {
  Add(1);
  Begin();
  Time now = kNow;
  std::uint64_t last_number = last_.number;
  for (std::int64_t least = kMinDelayMs; least <= 6'400; least *= 2) {
    ASSERT_TRUE(loads_.Retry(*loads_.End(last_.number), now));
    const Time next = loads_.next_event();
    EXPECT_GE(next.ms - now.ms, least);
    EXPECT_LE(next.ms - now.ms, least + least / 2);
    EXPECT_EQ(Begin(Time{next.ms - 1}), -1);
    ASSERT_EQ(Begin(next), 1);
    EXPECT_NE(last_.number, last_number);
    last_number = last_.number;
    now = next;
  }
  EXPECT_EQ(last_.failures, 7u);
}

TEST_F(ListLoadsTest, NoRetryBeginsAtOrAfterTheDeadline) {
  Add(1, After(90));
  Begin();
  EXPECT_FALSE(loads_.Retry(*loads_.End(last_.number), kNow));
  EXPECT_EQ(loads_.next_event(), kNever);
  EXPECT_TRUE(loads_.has_room());
}

TEST_F(ListLoadsTest, ALoadWithoutADeadlineIsRetriedForEver) {
  Add(1);
  Time now = kNow;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(Begin(now), 1);
    ASSERT_TRUE(loads_.Retry(*loads_.End(last_.number), now));
    now = loads_.next_event();
  }
}

TEST_F(ListLoadsTest, ARetryGivesWayToALoadThatIsToBeginAnyway) {
  Add(1);
  Begin();
  const ListLoads::Load failed = *loads_.End(last_.number);
  Add(1);
  EXPECT_TRUE(loads_.Retry(failed, kNow));
  EXPECT_EQ(Begin(), 1);
  EXPECT_EQ(Begin(After(60'000)), -1);
}

TEST_F(ListLoadsTest, ALoadThatStandsInForARetryKeepsItsDeadline) {
  // A connect's list fails while a reload of the same client waits. Were the deadline forgotten,
  // the connect might never be answered.
  Add(1, After(5'000));
  Begin();
  const ListLoads::Load connect = *loads_.End(last_.number);
  Add(1);
  ASSERT_TRUE(loads_.Retry(connect, kNow));
  ASSERT_EQ(Begin(), 1);
  EXPECT_EQ(last_.deadline, After(5'000));
  EXPECT_EQ(loads_.next_event(), After(5'000));
}

TEST_F(ListLoadsTest, ALoadThatStandsInForARetryDoesNotBeginLaterThanThatWould) {
  Add(1, After(5'000));
  Begin();
  const std::uint64_t connect = last_.number;
  // A reload has failed so often that it is to be tried again only after the deadline.
  Add(1);
  Begin();
  ListLoads::Load reload = *loads_.End(last_.number);
  reload.failures = 20;
  ASSERT_TRUE(loads_.Retry(reload, kNow));
  ASSERT_TRUE(loads_.Retry(*loads_.End(connect), kNow));
  EXPECT_LE(loads_.next_event(), After(kMinDelayMs + kMinDelayMs / 2));
  EXPECT_EQ(Begin(After(kMinDelayMs + kMinDelayMs / 2)), 1);
  EXPECT_EQ(Begin(After(60'000)), -1);
}

TEST_F(ListLoadsTest, ALoadThatIsToWaitIsNotHurriedByAnotherThatNoConnectWaitsFor) {
  Add(1);
  Begin();
  ASSERT_TRUE(loads_.Retry(*loads_.End(last_.number), kNow));
  Add(1);
  EXPECT_EQ(Begin(), -1) << "the store is to be given time";
  EXPECT_EQ(Begin(After(kMinDelayMs * 2)), 1);
}

TEST_F(ListLoadsTest, ALoadThatStandsInForAnAddKeepsTheEarlierDeadline) {
  Add(1);
  Add(1, After(5'000));
  ASSERT_EQ(Begin(), 1);
  EXPECT_EQ(last_.deadline, After(5'000));
  Add(2, After(5'000));
  Add(2);
  ASSERT_EQ(Begin(), 2);
  EXPECT_EQ(last_.deadline, After(5'000));
}

}  // namespace
}  // namespace nearby::internal

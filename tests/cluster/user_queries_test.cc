#include "src/cluster/user_queries.h"

#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/runtime/backoff.h"

namespace nearby::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kNow{1'000'000};
constexpr UserId kAlice{1};
constexpr UserId kBob{2};
constexpr UserId kCarol{3};

Time After(std::int64_t ms) { return Time{kNow.ms + ms}; }

class UserQueriesTest : public ::testing::Test {
 protected:
  static Backoff MakeBackoff() {
    return Backoff(absl::Milliseconds(100), absl::Milliseconds(400), 1);
  }

  UserQueries queries_{{3, 2, 50}, MakeBackoff()};
};

TEST_F(UserQueriesTest, AsksInBatchesOneAfterAnother) {
  EXPECT_THAT(queries_.Begin(kNow), IsEmpty());
  EXPECT_EQ(queries_.next_event(), kNever);
  for (const UserId user : {kAlice, kBob, kCarol}) EXPECT_TRUE(queries_.Ask(user));
  EXPECT_LE(queries_.next_event(), kNow);
  EXPECT_THAT(queries_.Begin(kNow), ElementsAre(kAlice, kBob));
  EXPECT_THAT(queries_.Begin(kNow), IsEmpty()) << "one is under way";
  EXPECT_EQ(queries_.waiting(), 1u);
  EXPECT_EQ(queries_.next_event(), After(50));
  EXPECT_THAT(queries_.End(), ElementsAre(kAlice, kBob));
  EXPECT_THAT(queries_.Begin(kNow), ElementsAre(kCarol));
}

TEST_F(UserQueriesTest, AsksOnceUntilTheBatchBegins) {
  queries_.Ask(kAlice);
  queries_.Ask(kAlice);
  EXPECT_THAT(queries_.Begin(kNow), ElementsAre(kAlice));
  queries_.Ask(kAlice);
  queries_.Ask(kAlice);
  EXPECT_THAT(queries_.End(), ElementsAre(kAlice));
  EXPECT_THAT(queries_.Begin(kNow), ElementsAre(kAlice)) << "the answer may have been older";
  queries_.End();
  EXPECT_THAT(queries_.Begin(kNow), IsEmpty());
}

TEST_F(UserQueriesTest, RefusesPastItsLimit) {
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(queries_.Ask(UserId{i}));
  EXPECT_FALSE(queries_.Ask(UserId{4}));
  EXPECT_TRUE(queries_.Ask(kAlice)) << "who waits already";
  queries_.AskAnyway(UserId{4});
  EXPECT_EQ(queries_.waiting(), 4u);
  EXPECT_FALSE(queries_.Ask(UserId{5}));
  queries_.Begin(kNow);
  EXPECT_TRUE(queries_.Ask(UserId{5}));
}

TEST_F(UserQueriesTest, TellsItsAnswersApart) {
  queries_.Ask(kAlice);
  EXPECT_FALSE(queries_.IsUnderWay(queries_.number()));
  queries_.Begin(kNow);
  const std::uint64_t first = queries_.number();
  EXPECT_TRUE(queries_.IsUnderWay(first));
  EXPECT_FALSE(queries_.IsLate(After(49)));
  EXPECT_TRUE(queries_.IsLate(After(50)));
  queries_.Fail(After(50));
  EXPECT_FALSE(queries_.IsUnderWay(first));
  EXPECT_FALSE(queries_.IsLate(After(1'000)));
  EXPECT_THAT(queries_.Begin(After(1'000)), ElementsAre(kAlice));
  EXPECT_FALSE(queries_.IsUnderWay(first)) << "too late";
  EXPECT_TRUE(queries_.IsUnderWay(queries_.number()));
}

TEST_F(UserQueriesTest, WaitsLongerAfterEachFailure) {
  Backoff reference = MakeBackoff();
  Time now = kNow;
  queries_.Ask(kAlice);
  for (std::uint32_t failures = 1; failures < 6; ++failures) {
    EXPECT_THAT(queries_.Begin(now), ElementsAre(kAlice));
    queries_.Fail(now);
    const std::int64_t delay_ms = reference.DelayMs(failures);
    EXPECT_EQ(queries_.next_event(), Time{now.ms + delay_ms});
    EXPECT_THAT(queries_.Begin(Time{now.ms + delay_ms - 1}), IsEmpty());
    now = Time{now.ms + delay_ms};
  }
  EXPECT_THAT(queries_.Begin(now), ElementsAre(kAlice));
  queries_.End();
  queries_.Ask(kBob);
  EXPECT_THAT(queries_.Begin(now), ElementsAre(kBob)) << "an answer ends the waiting";
}

TEST_F(UserQueriesTest, ThoseOfAFailedBatchWaitOnce) {
  queries_.Ask(kAlice);
  queries_.Begin(kNow);
  queries_.Ask(kAlice);
  queries_.Ask(kBob);
  queries_.Fail(kNow);
  EXPECT_THAT(queries_.Begin(After(1'000)), ElementsAre(kAlice, kBob));
  EXPECT_EQ(queries_.waiting(), 0u);
}

TEST_F(UserQueriesTest, ClearForgetsAll) {
  queries_.Ask(kAlice);
  queries_.Begin(kNow);
  queries_.Ask(kBob);
  queries_.Clear();
  EXPECT_FALSE(queries_.IsUnderWay(queries_.number()));
  EXPECT_THAT(queries_.Begin(kNow), IsEmpty());
  EXPECT_EQ(queries_.next_event(), kNever);
  EXPECT_TRUE(queries_.Ask(kBob));
  EXPECT_THAT(queries_.Begin(kNow), ElementsAre(kBob));
}

}  // namespace
}  // namespace nearby::internal

#include "src/runtime/edits.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby::internal {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Time kNow{1'000'000};
constexpr std::int64_t kTimeoutMs = 10'000;
constexpr Time kDeadline{kNow.ms + kTimeoutMs};

Edits::Edit About(std::uint64_t user) {
  Edits::Edit edit;
  edit.edit = {FriendEdit::Kind::kHide, UserId{user}, UserId{user + 100}};
  edit.done = [](const auto&) {};
  return edit;
}

TEST(EditsTest, AnEditIsThereUntilItEnds) {
  Edits edits(10, kTimeoutMs);
  Edits::Edit edit = About(1);
  const std::optional<std::uint64_t> number = edits.Begin(edit, kNow);
  ASSERT_TRUE(number.has_value());
  EXPECT_EQ(edits.size(), 1u);
  EXPECT_EQ(edits.End(*number)->edit.user, UserId{1});
  EXPECT_FALSE(edits.End(*number).has_value());
  EXPECT_EQ(edits.size(), 0u);
}

TEST(EditsTest, PastTheLimitAnEditIsLeftAsItWas) {
  Edits edits(2, kTimeoutMs);
  Edits::Edit first = About(1);
  Edits::Edit second = About(2);
  Edits::Edit third = About(3);
  const std::optional<std::uint64_t> number = edits.Begin(first, kNow);
  edits.Begin(second, kNow);
  EXPECT_FALSE(edits.Begin(third, kNow).has_value());
  EXPECT_EQ(third.edit.user, UserId{3});
  EXPECT_TRUE(third.done != nullptr);
  edits.End(*number);
  EXPECT_TRUE(edits.Begin(third, kNow).has_value());
}

TEST(EditsTest, AClockThatSaysWhatItMustNotIsNotListenedTo) {
  Edits edits(10, kTimeoutMs);
  Edits::Edit first = About(1);
  Edits::Edit second = About(2);
  edits.Begin(first, kNow);
  edits.Begin(second, kNever);
  EXPECT_FALSE(edits.TimeOut(kNever).has_value());
  EXPECT_FALSE(edits.TimeOut(Time{kDeadline.ms - 1}).has_value());
  EXPECT_TRUE(edits.TimeOut(kDeadline).has_value());
  EXPECT_TRUE(edits.TimeOut(kDeadline).has_value());
}

TEST(EditsTest, NumbersAreNotUsedAgain) {
  Edits edits(10, kTimeoutMs);
  Edits::Edit first = About(1);
  const std::optional<std::uint64_t> number = edits.Begin(first, kNow);
  edits.End(*number);
  Edits::Edit second = About(2);
  EXPECT_NE(edits.Begin(second, kNow), number);
  EXPECT_FALSE(edits.End(*number).has_value());
}

TEST(EditsTest, AnEditIsAnsweredOnce) {
  Edits edits(10, kTimeoutMs);
  Edits::Edit edit = About(1);
  const std::uint64_t number = edits.Begin(edit, kNow).value();
  EXPECT_TRUE(edits.Answer(number));
  EXPECT_FALSE(edits.Answer(number));
  EXPECT_FALSE(edits.Answer(number + 1));
  EXPECT_FALSE(edits.TimeOut(Time{kDeadline.ms * 2}).has_value()) << "the shards are at it";
  EXPECT_EQ(edits.size(), 1u);
  EXPECT_TRUE(edits.End(number).has_value());
}

TEST(EditsTest, OneThatIsNotAnsweredTimesOutOnceAndIsThereUntilItEnds) {
  Edits edits(10, kTimeoutMs);
  Edits::Edit edit = About(1);
  const std::uint64_t number = edits.Begin(edit, kNow).value();
  EXPECT_FALSE(edits.TimeOut(Time{kDeadline.ms - 1}).has_value());
  const std::optional<Edits::Unanswered> late = edits.TimeOut(kDeadline);
  ASSERT_TRUE(late.has_value());
  EXPECT_EQ(late->number, number);
  EXPECT_EQ(late->edit.user, UserId{1});
  EXPECT_FALSE(edits.TimeOut(kDeadline).has_value());
  EXPECT_FALSE(edits.Answer(number)) << "too late";
  EXPECT_TRUE(edits.End(number).has_value());
}

TEST(EditsTest, EachTimesOutAtItsOwnTimeAndAClockThatGoesBackDelaysNone) {
  Edits edits(10, kTimeoutMs);
  Edits::Edit first = About(1);
  Edits::Edit second = About(2);
  Edits::Edit third = About(3);
  edits.Begin(first, kNow);
  const std::uint64_t ended = edits.Begin(second, Time{kNow.ms + 5}).value();
  edits.Begin(third, Time{kNow.ms - 1'000});
  edits.End(ended);
  EXPECT_EQ(edits.TimeOut(Time{kDeadline.ms + 4})->edit.user, UserId{1});
  EXPECT_FALSE(edits.TimeOut(Time{kDeadline.ms + 4}).has_value());
  EXPECT_EQ(edits.TimeOut(Time{kDeadline.ms + 5})->edit.user, UserId{3});
  EXPECT_FALSE(edits.TimeOut(Time{kDeadline.ms * 2}).has_value());
}

TEST(EditsTest, AllEndInTheOrderOfTheirBeginning) {
  Edits edits(100, kTimeoutMs);
  for (std::uint64_t user = 1; user <= 50; ++user) {
    Edits::Edit edit = About(user);
    edits.Begin(edit, kNow);
  }
  const std::vector<Edits::Edit> ended = edits.EndAll();
  ASSERT_THAT(ended, SizeIs(50));
  for (std::uint64_t i = 0; i < 50; ++i) EXPECT_EQ(ended[i].edit.user, UserId{i + 1});
  EXPECT_THAT(edits.EndAll(), IsEmpty());
  EXPECT_EQ(edits.size(), 0u);
}

}  // namespace
}  // namespace nearby::internal

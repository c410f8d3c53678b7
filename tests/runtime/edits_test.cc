#include "src/runtime/edits.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"

namespace nearby::internal {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

Edits::Edit About(std::uint64_t user) {
  Edits::Edit edit;
  edit.edit = {FriendEdit::Kind::kHide, UserId{user}, UserId{user + 100}};
  edit.done = [](const auto&) {};
  return edit;
}

TEST(EditsTest, AnEditIsFoundUntilItEnds) {
  Edits edits(10);
  Edits::Edit edit = About(1);
  const std::optional<std::uint64_t> number = edits.Begin(edit);
  ASSERT_TRUE(number.has_value());
  EXPECT_EQ(edits.size(), 1u);
  EXPECT_EQ(edits.Find(*number)->user, UserId{1});
  EXPECT_EQ(edits.End(*number)->edit.user, UserId{1});
  EXPECT_FALSE(edits.Find(*number).has_value());
  EXPECT_FALSE(edits.End(*number).has_value());
  EXPECT_EQ(edits.size(), 0u);
}

TEST(EditsTest, PastTheLimitAnEditIsLeftAsItWas) {
  Edits edits(2);
  Edits::Edit first = About(1);
  Edits::Edit second = About(2);
  Edits::Edit third = About(3);
  const std::optional<std::uint64_t> number = edits.Begin(first);
  edits.Begin(second);
  EXPECT_FALSE(edits.Begin(third).has_value());
  EXPECT_EQ(third.edit.user, UserId{3});
  EXPECT_TRUE(third.done != nullptr);
  edits.End(*number);
  EXPECT_TRUE(edits.Begin(third).has_value());
}

TEST(EditsTest, NumbersAreNotUsedAgain) {
  Edits edits(10);
  Edits::Edit first = About(1);
  const std::optional<std::uint64_t> number = edits.Begin(first);
  edits.End(*number);
  Edits::Edit second = About(2);
  EXPECT_NE(edits.Begin(second), number);
  EXPECT_FALSE(edits.End(*number).has_value());
}

TEST(EditsTest, AllEndInTheOrderOfTheirBeginning) {
  Edits edits(100);
  for (std::uint64_t user = 1; user <= 50; ++user) {
    Edits::Edit edit = About(user);
    edits.Begin(edit);
  }
  const std::vector<Edits::Edit> ended = edits.EndAll();
  ASSERT_THAT(ended, SizeIs(50));
  for (std::uint64_t i = 0; i < 50; ++i) EXPECT_EQ(ended[i].edit.user, UserId{i + 1});
  EXPECT_THAT(edits.EndAll(), IsEmpty());
  EXPECT_EQ(edits.size(), 0u);
}

}  // namespace
}  // namespace nearby::internal

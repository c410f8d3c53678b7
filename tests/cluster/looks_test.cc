#include "src/cluster/looks.h"

#include <cstddef>
#include <cstdint>
#include <map>

#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace nearby::internal {
namespace {

TEST(LooksTest, ComeInOrderWhenTheyAreDue) {
  Looks looks;
  EXPECT_EQ(looks.next(), kNever);
  for (const std::int64_t ms : {30, 10, 20, 10}) looks.Add(Time{ms}, UserId{7});
  EXPECT_EQ(looks.next(), Time{10});
  Looks::Look look;
  EXPECT_FALSE(looks.PopDue(Time{9}, &look));
  for (const std::int64_t ms : {10, 10, 20}) {
    ASSERT_TRUE(looks.PopDue(Time{20}, &look));
    EXPECT_EQ(look, Looks::Look(Time{ms}, UserId{7}));
  }
  EXPECT_FALSE(looks.PopDue(Time{20}, &look));
  EXPECT_EQ(looks.size(), 1u);
}

// Guests who come and go, or are parked and found, without end and before any look is due.
TEST(LooksTest, OldOnesDoNotOutgrowTheGuests) {
  constexpr std::size_t kGuests = 100;
  Looks looks;
  std::map<UserId, Time> present;
  for (std::int64_t i = 0; i < 20'000; ++i) {
    const UserId user{static_cast<std::uint64_t>(i) % kGuests};
    present[user] = Time{1'000'000 - i / 2};
    looks.Add(present[user], user);
    looks.DropOld(present.size(),
                  [&](const Looks::Look& look) { return present[look.second] == look.first; });
    ASSERT_LE(looks.size(), Looks::MaxFor(kGuests));
  }
  // None of the present ones has been lost, and they come in order.
  Looks::Look look;
  Time last{0};
  while (looks.PopDue(Time{2'000'000}, &look)) {
    EXPECT_LE(last, look.first);
    last = look.first;
    const auto found = present.find(look.second);
    if (found != present.end() && found->second == look.first) present.erase(found);
  }
  EXPECT_TRUE(present.empty());
}

}  // namespace
}  // namespace nearby::internal

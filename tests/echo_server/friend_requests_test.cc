#include "examples/echo_server/friend_requests.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"

namespace echo_server {
namespace {

using nearby::UserId;
using Outcome = FriendRequests::Outcome;

FriendRequests::Options Limits(std::size_t per_user, std::size_t in_all) {
  FriendRequests::Options options;
  options.max_per_user = per_user;
  options.max_requests = in_all;
  return options;
}

TEST(FriendRequests, MeetWhenBothHaveAsked) {
  FriendRequests requests{FriendRequests::Options()};
  EXPECT_EQ(requests.Add(UserId{1}, UserId{2}).value(), Outcome::kRequested);
  EXPECT_EQ(requests.Add(UserId{1}, UserId{2}).value(), Outcome::kRequested);
  EXPECT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests.Add(UserId{2}, UserId{1}).value(), Outcome::kMutual);
  requests.Finish(UserId{2}, UserId{1}, /*are_friends=*/true);
  EXPECT_EQ(requests.size(), 0u);
  EXPECT_EQ(requests.Add(UserId{2}, UserId{1}).value(), Outcome::kRequested);
}

TEST(FriendRequests, StandStillWhileTwoAreBecomingFriends) {
  FriendRequests requests(Limits(100, 1));
  EXPECT_EQ(requests.Add(UserId{1}, UserId{2}).value(), Outcome::kRequested);
  EXPECT_EQ(requests.Add(UserId{2}, UserId{1}).value(), Outcome::kMutual);
  const std::pair<UserId, UserId> both_ways[] = {{UserId{1}, UserId{2}}, {UserId{2}, UserId{1}}};
  for (const auto& [a, b] : both_ways) {
    EXPECT_TRUE(absl::IsAborted(requests.Add(a, b).status()));
    EXPECT_TRUE(absl::IsAborted(requests.Remove(a, b)));
  }
  // What failed waits as before.
  requests.Finish(UserId{2}, UserId{1}, /*are_friends=*/false);
  EXPECT_EQ(requests.Add(UserId{2}, UserId{1}).value(), Outcome::kMutual);
  // Even if the request has had to make room.
  EXPECT_EQ(requests.Add(UserId{3}, UserId{4}).value(), Outcome::kRequested);
  EXPECT_TRUE(absl::IsAborted(requests.Remove(UserId{1}, UserId{2})));
  requests.Finish(UserId{2}, UserId{1}, /*are_friends=*/true);
  EXPECT_TRUE(requests.Remove(UserId{1}, UserId{2}).ok());
  EXPECT_EQ(requests.size(), 1u);
}

TEST(FriendRequests, CanBeWithdrawnAndTurnedDown) {
  FriendRequests requests{FriendRequests::Options()};
  requests.Add(UserId{1}, UserId{2}).IgnoreError();
  EXPECT_TRUE(requests.Remove(UserId{1}, UserId{2}).ok());
  EXPECT_EQ(requests.Add(UserId{2}, UserId{1}).value(), Outcome::kRequested);
  EXPECT_TRUE(requests.Remove(UserId{3}, UserId{4}).ok());
  EXPECT_EQ(requests.size(), 1u);
}

TEST(FriendRequests, AreLimitedForWhoAsks) {
  FriendRequests requests(Limits(2, 100));
  EXPECT_TRUE(requests.Add(UserId{1}, UserId{2}).ok());
  EXPECT_TRUE(requests.Add(UserId{1}, UserId{3}).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(requests.Add(UserId{1}, UserId{4}).status()));
  EXPECT_TRUE(requests.Add(UserId{1}, UserId{3}).ok()) << "it has been asked already";
  // Being asked costs nothing, and answering is always possible.
  EXPECT_TRUE(requests.Add(UserId{5}, UserId{1}).ok());
  EXPECT_EQ(requests.Add(UserId{1}, UserId{5}).value(), Outcome::kMutual);
  EXPECT_TRUE(requests.Remove(UserId{2}, UserId{1}).ok());
  EXPECT_TRUE(requests.Add(UserId{1}, UserId{4}).ok());
}

TEST(FriendRequests, MakeRoomByForgettingTheOldest) {
  FriendRequests requests(Limits(100, 3));
  for (std::uint64_t to = 2; to <= 5; ++to) EXPECT_TRUE(requests.Add(UserId{1}, UserId{to}).ok());
  EXPECT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests.Add(UserId{3}, UserId{1}).value(), Outcome::kMutual);
  EXPECT_EQ(requests.Add(UserId{2}, UserId{1}).value(), Outcome::kRequested);
}

}  // namespace
}  // namespace echo_server

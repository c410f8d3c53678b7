#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/churn_turns.h"
#include "benchmarks/scenarios/crew.h"
#include "benchmarks/scenarios/flags.h"
#include "benchmarks/scenarios/regions.h"
#include "benchmarks/scenarios/scenarios.h"
#include "benchmarks/scenarios/shard_mail.h"
#include "nearby/effects.h"
#include "nearby/ids.h"

namespace scenarios {
namespace {

using nearby::PeerMessage;
using nearby::ShardId;
using nearby::UserId;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Crew, CallsEachMemberOnceARunAlwaysOnTheSameThread) {
  Crew crew(3);
  std::array<std::thread::id, 3> first;
  std::array<std::thread::id, 3> second;
  crew.Run([&](std::uint32_t member) { first.at(member) = std::this_thread::get_id(); });
  crew.Run([&](std::uint32_t member) { second.at(member) = std::this_thread::get_id(); });
  EXPECT_EQ(first, second);
  EXPECT_NE(first[0], first[1]);
  EXPECT_NE(first[0], std::this_thread::get_id());
}

/// As many messages as `hops` says are left to go, all to one shard.
void Forward(std::uint64_t hops, ShardId to, ShardMail* mail) {
  std::vector<PeerMessage> messages(1);
  messages[0].user = UserId{hops};
  mail->Send(to, &messages);
}

TEST(ShardMail, IsQuietOnlyWhenNothingIsUnderWay) {
  constexpr std::uint32_t kShards = 3;
  constexpr std::uint64_t kSendings = 50;
  constexpr std::uint64_t kHops = 20;
  ShardMail mail(kShards);
  Crew crew(kShards);
  for (int stretch = 0; stretch < 20; ++stretch) {
    std::atomic<std::uint64_t> taken{0};
    mail.Begin();
    crew.Run([&](std::uint32_t shard) {
      const ShardId next{(shard + 1) % kShards};
      std::vector<PeerMessage> mine;
      const auto take = [&] {
        for (const PeerMessage& message : mine) {
          ++taken;
          const std::uint64_t left = ToInt(message.user);
          if (left > 0) Forward(left - 1, next, &mail);
        }
      };
      // One shard has nothing to do but to answer.
      for (std::uint64_t i = 0; shard > 0 && i < kSendings; ++i) {
        Forward(kHops, next, &mail);
        mail.Take(ShardId{shard}, &mine);
        take();
      }
      while (mail.Await(ShardId{shard}, &mine)) take();
    });
    EXPECT_EQ(taken, (kShards - 1) * kSendings * (kHops + 1));
  }
}

TEST(ShardMail, KeepsTheOrderOfEachSender) {
  ShardMail mail(2);
  Crew crew(2);
  std::vector<std::uint64_t> seen;
  mail.Begin();
  crew.Run([&](std::uint32_t shard) {
    std::vector<PeerMessage> mine;
    for (std::uint64_t i = 0; shard == 0 && i < 1'000; ++i) Forward(i, ShardId{1}, &mail);
    while (mail.Await(ShardId{shard}, &mine)) {
      for (const PeerMessage& message : mine) seen.push_back(ToInt(message.user));
    }
  });
  ASSERT_EQ(seen.size(), 1'000u);
  for (std::uint64_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i);
}

TEST(Regions, HaveAsManyUsersEachAndMostFriendsTogether) {
  constexpr std::uint32_t kShards = 4;
  const auto [world, home] = CutIntoRegions(capacity::MakeWorld({2'000, 40, 1}), kShards);
  std::array<std::uint32_t, kShards> users{};
  std::size_t together = 0;
  for (std::uint32_t user = 0; user < world.size(); ++user) {
    const ShardId shard = home(capacity::IdOf(user));
    ++users.at(ToInt(shard));
    for (const std::uint32_t other : world.FriendsOf(user)) {
      together += home(capacity::IdOf(other)) == shard ? 1 : 0;
    }
  }
  for (const std::uint32_t count : users) EXPECT_NEAR(count, 500, 1);
  EXPECT_GT(together, world.friends.size() / 2);
  // Whoever is not of the world has a home as well.
  EXPECT_LT(ToInt(home(UserId{~std::uint64_t{0}})), kShards);
}

TEST(Regions, AreTheSameWorldNumberedRegionByRegion) {
  const capacity::World world = capacity::MakeWorld({2'000, 40, 1});
  const Regions regions = CutIntoRegions(world, 3);
  // Who lives where, and where their friends do, whatever they are called.
  using Place = std::pair<std::int32_t, std::int32_t>;
  const auto places = [](const capacity::World& it) {
    const auto place = [&it](std::uint32_t user) {
      return Place{it.homes[user].lat_units(), it.homes[user].lng_units()};
    };
    std::multiset<std::vector<Place>> users;
    for (std::uint32_t user = 0; user < it.size(); ++user) {
      std::vector<Place> own{place(user)};
      for (const std::uint32_t other : it.FriendsOf(user)) own.push_back(place(other));
      std::sort(own.begin() + 1, own.end());
      users.insert(own);
    }
    return users;
  };
  EXPECT_EQ(places(regions.world), places(world));
  for (std::uint32_t user = 1; user < world.size(); ++user) {
    const auto friends = regions.world.FriendsOf(user);
    ASSERT_TRUE(std::is_sorted(friends.begin(), friends.end()));
    ASSERT_GE(regions.home(capacity::IdOf(user)), regions.home(capacity::IdOf(user - 1)));
  }
}

TEST(Regions, AreApartWithoutTheFriendshipsThatCross) {
  const auto [world, home] = CutIntoRegions(capacity::MakeWorld({2'000, 40, 1}), 2);
  const capacity::World apart = WithoutCrossing(world, home);
  ASSERT_EQ(apart.size(), world.size());
  std::size_t crossing = 0;
  for (std::uint32_t user = 0; user < world.size(); ++user) {
    std::vector<std::uint32_t> here;
    for (const std::uint32_t other : world.FriendsOf(user)) {
      if (home(capacity::IdOf(other)) == home(capacity::IdOf(user))) here.push_back(other);
    }
    crossing += world.FriendsOf(user).size() - here.size();
    EXPECT_THAT(apart.FriendsOf(user), ::testing::ElementsAreArray(here));
    EXPECT_EQ(apart.homes[user], world.homes[user]);
  }
  EXPECT_GT(crossing, 0u);
}

TEST(ChurnTurns, GiveEverybodyATurnBeforeAnybodyASecond) {
  Flags flags;
  flags.users = 1'000;
  ChurnTurns turns(flags, 2.5);
  std::vector<std::uint32_t> times(flags.users);
  for (int i = 0; i < 250; ++i) {
    for (const std::uint32_t user : turns.After(10)) ++times.at(user);
  }
  EXPECT_THAT(times, ::testing::Each(1u));
}

std::string JsonOfTwoShards(const char* placement) {
  const absl::StatusOr<Flags> flags =
      ParseFlags({"--users=1000", "--shards=2", "--repetitions=3", "--warmup-rounds=1",
                  "--chunk=500", "--reports-per-churn=50", "--placement", placement});
  EXPECT_TRUE(flags.ok()) << flags.status();
  const Findings findings = MeasureShards(*flags);
  EXPECT_FALSE(findings.is_void()) << findings.ToTable();
  return findings.ToJson();
}

TEST(Shards, SeeAndDeliverWhatOneEngineDoes) {
  for (const char* const placement : {"region", "hash"}) {
    const std::string json = JsonOfTwoShards(placement);
    EXPECT_THAT(json, HasSubstr("\"reports\": 1500"));
    EXPECT_THAT(json, HasSubstr("\"connects\": 30"));
    EXPECT_THAT(json, Not(HasSubstr("\"messages_per_report\": 0,")));
  }
}

TEST(Shards, HaveNothingToSayToEachOtherWhereFriendsAreApart) {
  const std::string json = JsonOfTwoShards("apart");
  EXPECT_THAT(json, HasSubstr("\"crossing_share\": 0,"));
  EXPECT_THAT(json, HasSubstr("\"messages_per_report\": 0,"));
}

TEST(Shards, ArePlacedInOneOfThreeWays) {
  EXPECT_THAT(std::string(ParseFlags({"--placement", "moon"}).status().message()),
              HasSubstr("--placement \"moon\": \"region\", \"hash\" or \"apart\" expected"));
}

}  // namespace
}  // namespace scenarios

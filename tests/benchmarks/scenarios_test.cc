#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/findings.h"
#include "benchmarks/scenarios/flags.h"
#include "benchmarks/scenarios/pace.h"
#include "benchmarks/scenarios/worlds.h"
#include "nearby/geo.h"

namespace scenarios {
namespace {

using ::testing::HasSubstr;

constexpr capacity::WorldOptions kSmall = {2'000, 40, 1};

TEST(ScenarioWorlds, LetEverybodyOfATownLiveWithinHalfARadius) {
  const capacity::World town = MakeTown(kSmall);
  for (std::uint32_t user = 1; user < town.size(); ++user) {
    EXPECT_LT(nearby::HaversineMeters(town.homes[0].ToLatLng(), town.homes[user].ToLatLng()),
              4'100);
  }
  EXPECT_EQ(town.mix.pairs[0], town.mix.total());
}

TEST(ScenarioWorlds, GiveWhalesMutualFriendsInOrder) {
  const capacity::World without = capacity::MakeWorld(kSmall);
  const capacity::World world = WithWhales(without, 3, 500, 7);
  ASSERT_EQ(world.size(), 2'003u);
  EXPECT_EQ(world.friends.size(), without.friends.size() + 2 * 3 * 500);
  for (std::uint32_t whale = 2'000; whale < world.size(); ++whale) {
    const absl::Span<const std::uint32_t> friends = world.FriendsOf(whale);
    ASSERT_EQ(friends.size(), 500u);
    EXPECT_TRUE(std::is_sorted(friends.begin(), friends.end()));
    EXPECT_EQ(std::adjacent_find(friends.begin(), friends.end()), friends.end());
    for (const std::uint32_t user : friends) {
      const absl::Span<const std::uint32_t> back = world.FriendsOf(user);
      EXPECT_TRUE(std::binary_search(back.begin(), back.end(), whale));
      EXPECT_TRUE(std::is_sorted(back.begin(), back.end()));
    }
  }
}

TEST(ScenarioWorlds, KnowStrangers) {
  const capacity::World world = MakeStrangers(1'000);
  EXPECT_EQ(world.size(), 1'000u);
  EXPECT_TRUE(world.FriendsOf(999).empty());
}

TEST(ScenarioPace, ServesEachReportOnceAndNoneBeforeItIsDue) {
  for (const PaceClock clock : {PaceClock::kWall, PaceClock::kThread}) {
    Pace pace(100'000, clock);
    std::size_t next = 0;
    pace.Start();
    pace.Run(1'000, 7, clock == PaceClock::kWall ? 10'000 : 0,
             [&](std::size_t begin, std::size_t count) {
               EXPECT_EQ(begin, next);
               EXPECT_GE(count, 1u);
               EXPECT_LE(count, 7u);
               next += count;
               EXPECT_GE(pace.ElapsedNs(), pace.DueNs(next - 1));
             });
    EXPECT_EQ(next, 1'000u);
  }
}

TEST(ScenarioFlags, AreTakenAndChecked) {
  const absl::StatusOr<Flags> flags = ParseFlags({"--users=3000", "--rate", "5", "--skipping=off"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->users, 3'000u);
  EXPECT_EQ(flags->rate, 5u);
  EXPECT_FALSE(flags->skipping);
  EXPECT_EQ(flags->whale_friends, 3'000u);
  EXPECT_THAT(std::string(ParseFlags({"--users", "7"}).status().message()),
              HasSubstr("--users \"7\": a whole number from 1000"));
  EXPECT_THAT(std::string(ParseFlags({"--reconnects", "7"}).status().message()),
              HasSubstr("no such flag: --reconnects"));
}

TEST(ScenarioFindings, SayWhatIsVoid) {
  Findings findings;
  findings.AddText("scenario", "none");
  findings.Add("ratio", "a ratio", 1.5);
  EXPECT_EQ(findings.ToJson(), "{\"scenario\": \"none\",\n \"ratio\": 1.5,\n \"void\": false}\n");
  findings.Void("nothing was measured");
  EXPECT_TRUE(findings.is_void());
  EXPECT_THAT(findings.ToJson(), HasSubstr("\"void\": true"));
  EXPECT_THAT(findings.ToTable(), HasSubstr("a ratio"));
  EXPECT_THAT(findings.ToTable(), HasSubstr("VOID: nothing was measured"));
}

}  // namespace
}  // namespace scenarios

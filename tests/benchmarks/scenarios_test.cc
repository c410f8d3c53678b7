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
#include "benchmarks/capacity/trace.h"
#include "benchmarks/capacity/world.h"
#include "benchmarks/scenarios/crossing_walk.h"
#include "benchmarks/scenarios/findings.h"
#include "benchmarks/scenarios/flags.h"
#include "benchmarks/scenarios/listening.h"
#include "benchmarks/scenarios/pace.h"
#include "benchmarks/scenarios/runtime_side.h"
#include "benchmarks/scenarios/sights.h"
#include "benchmarks/scenarios/subscription_watch.h"
#include "benchmarks/scenarios/worlds.h"
#include "nearby/client_sink.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/hash_ring.h"
#include "nearby/ids.h"
#include "nearby/options.h"
#include "nearby/time.h"

namespace scenarios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

TEST(ScenarioWorlds, ListFriendsWhoAreNeverOnline) {
  const capacity::World world = capacity::MakeWorld(kSmall);
  std::vector<nearby::UserId> friends = {nearby::UserId{~std::uint64_t{0}}};
  AppendOfflineFriends(world, 7, 360, &friends);
  EXPECT_EQ(friends[0], nearby::UserId{~std::uint64_t{0}}) << "what was there stays";
  friends.erase(friends.begin());
  // Some are drawn twice.
  EXPECT_GT(friends.size(), 340u);
  EXPECT_LE(friends.size(), 360u);
  EXPECT_TRUE(std::is_sorted(friends.begin(), friends.end()));
  EXPECT_EQ(std::adjacent_find(friends.begin(), friends.end()), friends.end());
  for (const nearby::UserId other : friends) EXPECT_GE(capacity::UserOf(other), world.size());
}

TEST(ScenarioListening, IsCountedOnceForEachChannelAndNode) {
  const capacity::World world = capacity::MakeWorld(kSmall);
  const auto on_one = [](std::uint32_t /*user*/) { return 0u; };
  EXPECT_EQ(CountListening(world, 1, on_one, 0).subscriptions, 0u) << "all are at home";
  const auto each_alone = [](std::uint32_t user) { return user; };
  const Listening alone = CountListening(world, world.size(), each_alone, 0);
  EXPECT_EQ(alone.subscriptions, world.friends.size());
  EXPECT_DOUBLE_EQ(alone.per_client, static_cast<double>(world.friends.size()) / world.size());
  const auto on_two = [](std::uint32_t user) { return user % 2; };
  const Listening two = CountListening(world, 2, on_two, 0);
  EXPECT_GT(two.subscriptions, 0u);
  EXPECT_LE(two.subscriptions, world.size()) << "each channel from the other node at most";
  EXPECT_LT(two.per_client, 1);
}

TEST(ScenarioSights, HoldsWhatIsToldAgainstPositions) {
  const capacity::World world = capacity::MakeWorld(kSmall);
  const std::uint32_t user = 0;
  const std::uint32_t other = world.FriendsOf(user)[0];
  Sights sights(world);
  sights.Report(user, nearby::Position::FromLatLng({48, 9}));
  sights.Report(other, nearby::Position::FromLatLng({48.01, 9}));
  EXPECT_EQ(sights.Count().in_sight, 2u);
  EXPECT_EQ(sights.Count().wrong, 2u);
  EXPECT_EQ(sights.changes(), 2u);

  nearby::ClientEvent event;
  event.friend_id = capacity::IdOf(other);
  event.reported_at = nearby::Time{5};
  const auto tell = [&](nearby::DeliveryKind kind) {
    event.kind = kind;
    nearby::ClientBatch batch;
    batch.user = capacity::IdOf(user);
    batch.events = {&event, 1};
    sights.Deliver(batch);
  };
  tell(nearby::DeliveryKind::kEnter);
  EXPECT_EQ(sights.Count().wrong, 1u);
  EXPECT_EQ(sights.out_of_turn() + sights.repeated(), 0u);
  tell(nearby::DeliveryKind::kMove);
  EXPECT_EQ(sights.repeated(), 1u) << "a move without a newer report";
  tell(nearby::DeliveryKind::kEnter);
  EXPECT_EQ(sights.out_of_turn(), 1u) << "entered already";
  tell(nearby::DeliveryKind::kLeave);
  EXPECT_EQ(sights.out_of_turn(), 1u);
  EXPECT_EQ(sights.Count().wrong, 2u);
  tell(nearby::DeliveryKind::kLeave);
  EXPECT_EQ(sights.out_of_turn(), 2u);
  tell(nearby::DeliveryKind::kEnter);
  EXPECT_EQ(sights.repeated(), 1u) << "who comes back need not have reported";

  sights.Report(other, nearby::Position::FromLatLng({49, 9}));
  EXPECT_EQ(sights.Count().in_sight, 0u);
  EXPECT_EQ(sights.Count().wrong, 1u);
}

TEST(ScenarioSights, MeasuresForHowLongClientsHaveNoNews) {
  const capacity::World world = capacity::MakeWorld(kSmall);
  const std::uint32_t user = 0;
  const std::uint32_t other = world.FriendsOf(user)[0];
  Sights sights(world);
  const auto silences = [&] {
    return sights.SilencesMs(
        [&](std::uint32_t to, std::uint32_t of) { return to == user && of == other; });
  };
  const auto at = [&sights](std::int64_t ms) { sights.SetTime(nearby::Time{ms}); };
  const auto be = [&](std::uint32_t who, double lat) {
    sights.Report(who, nearby::Position::FromLatLng({lat, 9}));
  };
  nearby::ClientEvent event;
  event.friend_id = capacity::IdOf(other);
  const auto tell = [&](nearby::DeliveryKind kind) {
    event.kind = kind;
    ++event.reported_at.ms;
    nearby::ClientBatch batch;
    batch.user = capacity::IdOf(user);
    batch.events = {&event, 1};
    sights.Deliver(batch);
  };
  be(user, 48);
  EXPECT_THAT(silences(), IsEmpty()) << "nobody is in sight";
  at(1'000);
  be(other, 48.01);
  at(4'000);
  EXPECT_THAT(silences(), ElementsAre(3'000)) << "in sight, and untold";
  tell(nearby::DeliveryKind::kEnter);
  at(9'000);
  tell(nearby::DeliveryKind::kMove);
  at(10'000);
  EXPECT_THAT(silences(), ElementsAre(5'000));
  sights.RestartSilences();
  EXPECT_THAT(silences(), ElementsAre(1'000)) << "it goes on";
  be(other, 49);
  at(12'000);
  EXPECT_THAT(silences(), ElementsAre(3'000)) << "taken to be in sight";
  tell(nearby::DeliveryKind::kLeave);
  at(99'000);
  be(other, 48.01);
  at(103'000);
  be(other, 49);
  at(200'000);
  EXPECT_THAT(silences(), ElementsAre(4'000)) << "came and went, and nobody was told";
}

TEST(ScenarioSubscriptionWatch, CountsWhatIsSubscribedToAgainInAnySecond) {
  SubscriptionWatch watch(2);
  const auto subscribe = [&watch](std::uint64_t user, const char* server, std::int64_t at_ms) {
    watch.OnSubscribed(1, server, nearby::UserId{user}, nearby::Time{at_ms});
  };
  for (std::uint64_t user = 0; user < 10; ++user) subscribe(user, "a", 0);
  EXPECT_EQ(watch.channels(), 10u);
  EXPECT_EQ(watch.storm(1).resubscriptions, 0u) << "those are the first";
  for (std::uint64_t user = 0; user < 6; ++user) {
    subscribe(user, "b", 1'500 + static_cast<std::int64_t>(user) * 250);
  }
  EXPECT_EQ(watch.storm(1).resubscriptions, 6u);
  EXPECT_EQ(watch.storm(1).most_in_a_second, 4u);
  EXPECT_EQ(watch.storm(1).first, nearby::Time{1'500});
  EXPECT_EQ(watch.storm(1).last, nearby::Time{2'750});
  EXPECT_EQ(watch.storm(0).resubscriptions, 0u);
  EXPECT_EQ(watch.channels(1), 10u);
  EXPECT_EQ(watch.subscriptions(), 16u);
  watch.OnUnsubscribed(1, "a", nearby::UserId{0});
  watch.OnUnsubscribed(1, "a", nearby::UserId{9});
  EXPECT_EQ(watch.channels(), 9u);
  EXPECT_EQ(watch.subscriptions(), 14u);
  subscribe(9, "b", 3'000);
  EXPECT_EQ(watch.storm(1).resubscriptions, 6u) << "it had been given up";
  watch.OnLinkLost(1, "b");
  EXPECT_EQ(watch.links_lost(), 1u);
  EXPECT_EQ(watch.subscriptions(), 8u);
}

TEST(ScenarioSubscriptionWatch, CountsWhatIsListenedToWhereTheRingHasIt) {
  SubscriptionWatch watch(1);
  const nearby::HashRing ring =
      *nearby::HashRing::Create(nearby::RingVersion{1}, {{"seat", 100, "a"}}).value();
  watch.OnSubscribed(0, "a", nearby::UserId{1}, nearby::Time{0});
  watch.OnSubscribed(0, "b", nearby::UserId{2}, nearby::Time{0});
  EXPECT_EQ(watch.CountAtOwners(ring), 1u);
  watch.OnSubscribed(0, "a", nearby::UserId{2}, nearby::Time{0});
  EXPECT_EQ(watch.CountAtOwners(ring), 2u);
}

TEST(ScenarioCrossingWalk, LetsEverybodyReportOnceInARoundAndCross) {
  constexpr std::uint32_t kUsers = 1'000;
  CrossingWalk walk(kUsers, 1);
  std::vector<capacity::TracedReport> reports;
  walk.Next({capacity::kTraceStart.ms + capacity::kReportIntervalMs}, &reports);
  ASSERT_EQ(reports.size(), kUsers);
  std::vector<bool> has_reported(kUsers);
  for (const capacity::TracedReport& report : reports) has_reported[report.user] = true;
  EXPECT_EQ(std::count(has_reported.begin(), has_reported.end(), true), kUsers);
  std::uint32_t crossed = 0;
  const double radius_m = nearby::EngineOptions().radius_m;
  for (std::uint32_t user = 1; user < kUsers; ++user) {
    const auto is_near = [&](std::int64_t at_ms) {
      return nearby::HaversineMeters(walk.LocationAt(user, at_ms),
                                     walk.LocationAt(user - 1, at_ms)) <= radius_m;
    };
    crossed += is_near(60'000) != is_near(90'000) ? 1 : 0;
    const double moved_m =
        nearby::HaversineMeters(walk.LocationAt(user, 60'000), walk.LocationAt(user, 61'000));
    EXPECT_LT(moved_m, 25) << "what is believed of those of whom nothing is known";
  }
  EXPECT_GT(crossed, kUsers / 50);
  EXPECT_LT(crossed, kUsers / 15);
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

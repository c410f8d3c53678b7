// Reports of a batch are looked through in groups before the first of them is handled: which pairs
// are due is found then. What a report of the group takes the ground from meanwhile must be looked
// at all the same. Jumps here stay below 300 m/s, for whoever is faster has no bound, and looks at
// everybody.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "tests/engine/twin_engines.h"

namespace nearby::test {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};

// Alice at 0 and Bob 12 km to the north, who need not look at each other for a minute.
class FarPairsBatchTest : public ::testing::Test {
 protected:
  FarPairsBatchTest() {
    twins_.Join(kAlice, {kBob});
    twins_.Join(kBob, {kAlice});
    twins_.Report(kAlice, 0);
    twins_.Report(kBob, kApart);
    twins_.Report(kAlice, 0);
    twins_.AdvanceBy(20'000);
    for (const UserId user : {kAlice, kBob}) {
      twins_.ReportAgain(user);
      EXPECT_TRUE(twins_.was_passed_by()) << "user " << ToInt(user);
    }
    twins_.AdvanceBy(20'000);
  }

  static constexpr double kApart = 12'000;
  Twins twins_;
};

TEST_F(FarPairsBatchTest, WhoeverBreaksTheirOwnBoundLooksAtOnce) {
  twins_.ReportAll({kAlice}, {Twins::PointAt(5'500)});
  EXPECT_EQ(twins_.stats().bound_breaks, 1u);
  EXPECT_THAT(twins_.deliveries(), UnorderedElementsAre("enter 1 2", "enter 2 1"));
}

TEST_F(FarPairsBatchTest, WhoeverComesBehindABreakInTheSameGroupLooksAgain) {
  twins_.ReportAll({kAlice}, {Twins::PointAt(0)});
  EXPECT_THAT(twins_.deliveries(), IsEmpty());
  // Alice jumps to 8.4 km from Bob, just out of sight; Bob then walks the rest.
  twins_.ReportAll({kAlice, kBob}, {Twins::PointAt(3'600), Twins::PointAt(kApart - 450)});
  EXPECT_EQ(twins_.stats().bound_breaks, 1u);
  EXPECT_THAT(twins_.deliveries(), UnorderedElementsAre("enter 1 2", "enter 2 1"));
}

TEST_F(FarPairsBatchTest, TheSecondReportOfOneGroupGoesByWhatTheFirstOneLeft) {
  twins_.ReportAll({kBob, kAlice, kBob, kAlice},
                   {Twins::PointAt(kApart - 450), Twins::PointAt(3'000),
                    Twins::PointAt(kApart - 3'000), Twins::PointAt(2'999)});
  EXPECT_THAT(twins_.deliveries(), ::testing::IsSupersetOf({"enter 1 2", "enter 2 1"}));
}

TEST(FarPairsBatchesTest, RegularBatchesGiveWhatCheckingEveryPairGives) {
  Twins twins;
  std::vector<UserId> users;
  for (std::uint64_t id = 1; id <= 60; ++id) {
    twins.Join(UserId{id}, users);  // Friends of all who came before.
    users.push_back(UserId{id});
  }
  for (int round = 0; round < 60; ++round) {
    std::vector<LatLng> points;
    for (const UserId user : users) {
      const auto id = static_cast<double>(ToInt(user));
      // Each to the south and back at a pace of their own, from a place 3 km from the next. Every
      // fifth jumps now and then.
      const double way = (round < 30 ? round : 60 - round) * 8 * id;
      const bool jumps = ToInt(user) % 5 == 0 && round % 20 == static_cast<int>(ToInt(user) % 20);
      points.push_back(Twins::PointAt(jumps ? 0 : id * 3'000 - way));
    }
    twins.AdvanceBy(20'000);
    twins.ReportAll(users, points);
  }
  EXPECT_GT(twins.stats().enters, 100u);
  EXPECT_GT(twins.stats().skipped, 10'000u);
  EXPECT_GT(twins.stats().bound_breaks, 10u);
}

// Users along 60 km of a road; one in ten steps is a jump, and some report twice in a batch.
TEST(FarPairsBatchesTest, RandomBatchesGiveWhatCheckingEveryPairGives) {
  constexpr std::uint64_t kUsers = 50;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto between = [&random](double low, double high) {
      return low + (high - low) * (static_cast<double>(random() >> 11) * 0x1p-53);
    };
    Twins twins;
    std::vector<UserId> all;
    std::vector<double> places;
    for (std::uint64_t id = 1; id <= kUsers; ++id) {
      twins.Join(UserId{id}, all);
      all.push_back(UserId{id});
      places.push_back(between(0, 60'000));
    }
    for (int round = 0; round < 40; ++round) {
      std::vector<UserId> users;
      std::vector<LatLng> points;
      for (std::uint64_t i = 0; i < kUsers; ++i) {
        const std::uint64_t user = random() % kUsers;
        const double way = random() % 10 == 0 ? between(500, 5'900) : between(0, 400);
        places[user] += random() % 2 == 0 ? way : -way;
        users.push_back(all[user]);
        points.push_back(Twins::PointAt(places[user]));
      }
      twins.AdvanceBy(20'000);
      twins.ReportAll(users, points);
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_GT(twins.stats().skipped, 1'000u);
    EXPECT_GT(twins.stats().bound_breaks, 50u);
  }
}

}  // namespace
}  // namespace nearby::test

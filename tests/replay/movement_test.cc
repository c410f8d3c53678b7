#include "examples/replay/movement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "examples/replay/great_circle.h"
#include "examples/replay/population.h"
#include "examples/replay/random.h"
#include "examples/replay/trace_writer.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "tests/replay/files.h"

namespace replay {
namespace {

using nearby::LatLng;

UnitVector At(double lat, double lng) { return ToUnitVector({lat, lng}); }

TEST(RandomTest, DrawsWhatItSays) {
  Random random(42);
  double sum = 0;
  double squares = 0;
  double exponential = 0;
  std::set<std::int64_t> drawn;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const double uniform = random.Uniform();
    ASSERT_GE(uniform, 0);
    ASSERT_LT(uniform, 1);
    const double normal = random.Normal();
    sum += normal;
    squares += normal * normal;
    exponential += random.Exponential(7);
    drawn.insert(random.Between(-2, 3));
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1, 0.03);
  EXPECT_NEAR(exponential / kDraws, 7, 0.15);
  EXPECT_THAT(drawn, ::testing::ElementsAre(-2, -1, 0, 1, 2, 3));
}

TEST(GreatCircleTest, DistancesAreHaversine) {
  const std::vector<LatLng> points = {{0, 0},    {52.5, 13.4},  {-33.9, 151.2}, {90, 0},
                                      {-90, 77}, {10, 179.999}, {10, -179.999}};
  for (const LatLng a : points) {
    for (const LatLng b : points) {
      EXPECT_NEAR(DistanceMeters(ToUnitVector(a), ToUnitVector(b)), nearby::HaversineMeters(a, b),
                  0.01)
          << a << b;
    }
  }
}

TEST(GreatCircleTest, LeadsFromOneEndToTheOther) {
  const std::vector<UnitVector> points = {At(52.5, 13.4), At(-33.9, 151.2), At(90, 0),
                                          At(0, 179.9),   At(0, -179.9),    At(-52.5, -166.6)};
  for (const UnitVector& from : points) {
    for (const UnitVector& to : points) {
      const GreatCircle way(from, to);
      EXPECT_NEAR(way.length_m(), DistanceMeters(from, to), 1e-3);
      EXPECT_LT(DistanceMeters(way.At(0), from), 1e-3);
      // Between antipodes any way is a shortest one, and its end is only as good as its length.
      EXPECT_LT(DistanceMeters(way.At(way.length_m()), to), 0.5);
      const UnitVector half = way.At(way.length_m() / 2);
      EXPECT_NEAR(DistanceMeters(from, half), way.length_m() / 2, 1e-3);
    }
  }
}

TEST(GreatCircleTest, DisplacesByTheDistanceGiven) {
  for (const UnitVector& point : {At(0, 0), At(89.9999, 10), At(-90, 0), At(45, 180)}) {
    for (const double meters : {0.0, 1.0, 27'480.0}) {
      EXPECT_NEAR(DistanceMeters(point, Displaced(point, meters * 0.6, -meters * 0.8)), meters,
                  1e-3);
    }
  }
}

TEST(ChooseModeTest, FitsTheDistance) {
  MovementModel model;
  Random random(1);
  const auto modes_at = [&](double meters) {
    std::set<Mode> modes;
    for (int i = 0; i < 200; ++i) modes.insert(ChooseMode(meters, model, &random));
    return modes;
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(modes_at(1'900), ElementsAre(Mode::kWalk));
  EXPECT_THAT(modes_at(5'000), ElementsAre(Mode::kDrive));
  EXPECT_THAT(modes_at(299'000), ElementsAre(Mode::kDrive));
  EXPECT_THAT(modes_at(301'000), ElementsAre(Mode::kFly));
  model.speeds[static_cast<std::size_t>(Mode::kRide)] = {5};
  model.speeds[static_cast<std::size_t>(Mode::kRail)] = {20};
  EXPECT_THAT(modes_at(500), ElementsAre(Mode::kWalk, Mode::kRide));
  EXPECT_THAT(modes_at(5'000), ElementsAre(Mode::kRide, Mode::kDrive, Mode::kRail));
  EXPECT_THAT(modes_at(50'000), ElementsAre(Mode::kDrive, Mode::kRail));
  EXPECT_THAT(modes_at(500'000), ElementsAre(Mode::kFly));
}

MovementModel PlainModel() {
  MovementModel model;
  model.speeds[static_cast<std::size_t>(Mode::kWalk)] = {1, 2};
  model.speeds[static_cast<std::size_t>(Mode::kDrive)] = {0, 30};
  model.speeds[static_cast<std::size_t>(Mode::kFly)] = {230};
  model.mean_stay_s = 120;
  model.far_trips = 0.5;
  return model;
}

TEST(TravellerTest, IsAtAPlaceOrBetweenTwoAndNoFasterThanItsMode) {
  const std::vector<Place> places = {
      {At(10, 179.99), 3}, {At(10, -179.99), 2}, {At(10.01, 179.99), 1}, {At(13, -179), 1}};
  const std::map<Mode, double> fastest = {
      {Mode::kStill, 0}, {Mode::kWalk, 2}, {Mode::kDrive, 30}, {Mode::kFly, 230}};
  const MovementModel model = PlainModel();
  Random random(3);
  Traveller traveller(places, 0, model, &random);
  std::set<Mode> modes;
  std::set<bool> sides;
  UnitVector last = traveller.position();
  Mode last_mode = traveller.mode();
  for (std::int64_t now_ms = 700; now_ms < 48 * 3'600'000; now_ms += 700) {
    traveller.AdvanceTo(now_ms, model, &random);
    const UnitVector here = traveller.position();
    const double limit = std::max(fastest.at(traveller.mode()), fastest.at(last_mode));
    // Arriving cuts a step short of the place by what is less than a step.
    ASSERT_LE(DistanceMeters(last, here), limit * 0.7 + 1e-3) << now_ms;
    if (traveller.mode() == Mode::kStill) {
      ASSERT_TRUE(std::any_of(places.begin(), places.end(), [&](const Place& place) {
        return DistanceMeters(place.point, here) < 1e-6;
      }));
    }
    modes.insert(traveller.mode());
    sides.insert(ToLatLng(here).lng > 0);
    last = here;
    last_mode = traveller.mode();
  }
  EXPECT_THAT(modes, ::testing::ElementsAre(Mode::kStill, Mode::kWalk, Mode::kDrive, Mode::kFly));
  EXPECT_EQ(sides.size(), 2u) << "never crossed the antimeridian";
}

TEST(TravellerTest, PrefersWhatIsOftenVisitedAndNear) {
  // A kilometre, a kilometre and a hundred away from each other.
  const std::vector<Place> places = {{At(0, 0), 1}, {At(0.009, 0), 8}, {At(0, 0.9), 8}};
  MovementModel model = PlainModel();
  model.far_trips = 0;
  Random random(4);
  Traveller traveller(places, 0, model, &random);
  std::vector<int> seconds(places.size());
  for (std::int64_t now_ms = 0; now_ms < 100 * 3'600'000; now_ms += 1000) {
    traveller.AdvanceTo(now_ms, model, &random);
    if (traveller.mode() != Mode::kStill) continue;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (DistanceMeters(traveller.position(), places[i].point) < 1) ++seconds[i];
    }
  }
  EXPECT_GT(seconds[1], 2 * seconds[2]);
  EXPECT_GT(seconds[0], seconds[2]) << "nearness did not count";
  EXPECT_GT(seconds[2], 0);
}

TEST(TravellerTest, WithOnePlaceStaysThere) {
  const std::vector<Place> places = {{At(48, 11), 1}};
  const MovementModel model = PlainModel();
  Random random(5);
  Traveller traveller(places, 0, model, &random);
  traveller.AdvanceTo(10 * 3'600'000, model, &random);
  EXPECT_EQ(traveller.mode(), Mode::kStill);
  EXPECT_LT(DistanceMeters(traveller.position(), places[0].point), 1e-6);
}

TEST(TraceWriterTest, RoundsCoordinatesIntoRange) {
  const TempDirectory directory;
  const std::string path = directory.Path("trace");
  auto output = TextOutput::Create(path);
  ASSERT_TRUE(output.ok()) << output.status();
  TraceWriter writer(output->get(), TraceWriter::TimeFormat::kSeconds);
  const auto time = nearby::Time::Millis(7);
  writer.Report(nearby::UserId{~std::uint64_t{0}}, time, {-90, 180});
  writer.Report(nearby::UserId{0}, time, {-0.00000004, 179.99999996});
  writer.Report(nearby::UserId{1}, nearby::Time::Millis(-1500), {0.5, -0.0000001});
  writer.Disconnect(nearby::UserId{1}, time);
  writer.Pair("hide", nearby::UserId{1}, nearby::UserId{2}, time);
  writer.Radius(nearby::UserId{2}, 8046.72, time);
  EXPECT_EQ(writer.lines(), 6u);
  ASSERT_TRUE((*output)->Commit().ok());
  EXPECT_EQ(ReadFile(path),
            "18446744073709551615\t0.007\t-90.0000000\t-180.0000000\n"
            "0\t0.007\t0.0000000\t-180.0000000\n"
            "1\t-1.500\t0.5000000\t-0.0000001\n"
            "!disconnect\t1\t0.007\n"
            "!hide\t1\t2\t0.007\n"
            "!radius\t2\t8046.720\t0.007\n");
}

}  // namespace
}  // namespace replay

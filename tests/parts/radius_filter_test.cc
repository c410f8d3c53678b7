#include "nearby/radius_filter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/vectors.h"
#include "src/parts/box_kernel.h"
#include "tests/base/sphere_reference.h"

namespace nearby {
namespace {

using testing::Destination;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::PairKind;
using testing::PointPair;
using testing::PointSource;
using testing::ReferenceMeters;
using testing::TrueMeters;

constexpr double kQuarterMeters = kMaxDistanceMeters / 2;
constexpr double kToleranceMeters = 0.02;

// From nothing to everything, thickly where the arithmetic changes.
constexpr std::array<double, 16> kRadii = {0,
                                           1,
                                           100,
                                           8046.72,
                                           100'000,
                                           1'000'000,
                                           5'000'000,
                                           kQuarterMeters - 0.01,
                                           kQuarterMeters,
                                           kQuarterMeters + 0.01,
                                           15'000'000,
                                           19'000'000,
                                           kMaxDistanceMeters - 100,
                                           kMaxDistanceMeters - 0.05,
                                           kMaxDistanceMeters,
                                           kMaxRadiusMeters};

Position ToPosition(LatLng point) { return Position::FromLatLng(point); }

bool InBox(Position center, FixedPointBox box, Position position) {
  const std::uint32_t entry = 0;
  std::uint32_t selected = 0;
  return SelectInBoxPlain(center, box, &position, {{&entry, 1}}, &selected) == 1;
}

TEST(RadiusTest, AcceptsTheWholeRange) {
  for (const double radius : kRadii) {
    EXPECT_TRUE(ValidateRadius(radius).ok()) << radius;
    ASSERT_TRUE(RadiusFilter::Create(radius).ok()) << radius;
    EXPECT_EQ(RadiusFilter::Create(radius)->radius_m(), radius);
  }
}

TEST(RadiusTest, RefusesWhatLiesOutside) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double radius :
       {-1.0, -1e-300, kMaxRadiusMeters + 0.001, 1e300, kInfinity, -kInfinity, std::nan("")}) {
    EXPECT_EQ(ValidateRadius(radius).code(), absl::StatusCode::kInvalidArgument) << radius;
    const absl::Status status = RadiusFilter::Create(radius).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << radius;
    EXPECT_THAT(std::string(status.message()), HasSubstr("radius")) << radius;
  }
}

class RadiusPairTest : public ::testing::TestWithParam<PairKind> {
 protected:
  // Other points for every kind and every test.
  static PointSource Source(std::uint64_t test) {
    return PointSource(100 * test + static_cast<std::uint64_t>(GetParam()));
  }
};

TEST_P(RadiusPairTest, AgreesWithTheDistance) {
  PointSource source = Source(31);
  for (int i = 0; i < 60'000; ++i) {
    const PointPair pair = source.Pair(GetParam());
    const double distance = TrueMeters(pair.a, pair.b);
    const Position a = ToPosition(pair.a);
    const Position b = ToPosition(pair.b);
    for (const double radius : kRadii) {
      const bool admits = RadiusLimit::FromMeters(radius).Admits(a, b);
      ASSERT_EQ(admits, RadiusLimit::FromMeters(radius).Admits(b, a)) << pair << ", " << radius;
      if (std::abs(distance - radius) <= kToleranceMeters) continue;
      ASSERT_EQ(admits, distance <= radius) << pair << ", radius " << radius;
    }
  }
}

TEST_P(RadiusPairTest, AgreesForTheRadiusThatIsAlmostTheDistance) {
  PointSource source = Source(32);
  for (int i = 0; i < 100'000; ++i) {
    const PointPair pair = source.Pair(GetParam());
    const double distance = TrueMeters(pair.a, pair.b);
    const Position a = ToPosition(pair.a);
    const Position b = ToPosition(pair.b);
    for (const double offset : {0.0201, 0.03, 1.0}) {
      ASSERT_TRUE(
          RadiusLimit::FromMeters(std::min(distance + offset, kMaxRadiusMeters)).Admits(a, b))
          << pair << ", distance " << distance << " + " << offset;
      if (distance < offset) continue;
      ASSERT_FALSE(RadiusLimit::FromMeters(distance - offset).Admits(a, b))
          << pair << ", distance " << distance << " - " << offset;
    }
  }
}

TEST_P(RadiusPairTest, AgreesForPointsBesideTheCircle) {
  PointSource source = Source(33);
  std::array<int, 2> seen = {0, 0};
  for (int i = 0; i < 3'000; ++i) {
    const LatLng center = source.Pair(GetParam()).a;
    for (const double radius : kRadii) {
      for (const double offset : {-0.03, -0.021, 0.021, 0.03}) {
        const LatLng point = Destination(center, source.Bearing(), radius + offset);
        // Not simply radius + offset: there is nothing on the far side of 0 and of the antipode.
        const auto distance = static_cast<double>(ReferenceMeters(center, point));
        if (std::abs(distance - radius) <= kToleranceMeters) continue;
        const bool admits =
            RadiusLimit::FromMeters(radius).Admits(ToPosition(center), ToPosition(point));
        ASSERT_EQ(admits, distance <= radius) << PointPair{center, point} << ", radius " << radius;
        ++seen[static_cast<std::size_t>(admits)];
      }
    }
  }
  EXPECT_GT(seen[0], 40'000);
  EXPECT_GT(seen[1], 40'000);
}

// What the box leaves out, Admits refuses: the points on the circle's rim, above all those where a
// meridian touches it, and those of every kind of pair.
TEST_P(RadiusPairTest, BoxHoldsWhatIsAdmitted) {
  PointSource source = Source(34);
  int admitted = 0;
  for (int i = 0; i < 20'000; ++i) {
    const PointPair pair = source.Pair(GetParam());
    const Position center = ToPosition(pair.a);
    const double radius =
        i % 4 == 0 ? kRadii[source.random()() % kRadii.size()] : source.LogBetween(0.01, 2e7);
    const FixedPointBox box = FixedPointBox::Around(center, radius);
    const RadiusLimit limit = RadiusLimit::FromMeters(radius);
    // The bearing of the rim's easternmost point: cos(bearing) = tan(radius) tan(latitude), by
    // Napier's rules.
    const double touching = std::tan(radius / kEarthRadiusMeters) *
                            std::tan(pair.a.lat * static_cast<double>(testing::kPi) / 180);
    const double bearing = std::abs(touching) <= 1 ? std::acos(touching) : source.Bearing();
    const double inside = radius - source.LogBetween(1e-4, 1) * source.Between(-0.1, 1);
    for (const LatLng point :
         {pair.b, Destination(pair.a, bearing, inside), Destination(pair.a, -bearing, inside),
          Destination(pair.a, bearing + source.Between(-0.01, 0.01), inside),
          Destination(pair.a, 0, inside), Destination(pair.a, testing::kPi, inside),
          Destination(pair.a, source.Bearing(), inside)}) {
      if (!limit.Admits(center, ToPosition(point))) continue;
      ++admitted;
      ASSERT_TRUE(InBox(center, box, ToPosition(point)))
          << PointPair{pair.a, point} << ", radius " << radius;
    }
  }
  EXPECT_GT(admitted, 40'000);
}

INSTANTIATE_TEST_SUITE_P(, RadiusPairTest, ::testing::ValuesIn(testing::kAllPairKinds),
                         [](const auto& kind) { return std::string(ToString(kind.param)); });

TEST(RadiusLimitTest, BoundaryIsInclusive) {
  PointSource source(41);
  const RadiusLimit nothing = RadiusLimit::FromMeters(0);
  const RadiusLimit everything = RadiusLimit::FromMeters(kMaxRadiusMeters);
  const RadiusLimit half = RadiusLimit::FromMeters(kMaxDistanceMeters);
  for (int i = 0; i < 100'000; ++i) {
    const Position a = ToPosition(i % 2 == 0 ? source.Anywhere() : source.Corner());
    ASSERT_TRUE(nothing.Admits(a, a)) << a;
    const auto opposite = static_cast<std::uint32_t>(a.lng_units()) + (1u << 31);
    const Position antipode =
        Position::FromUnits(-a.lat_units(), static_cast<std::int32_t>(opposite));
    ASSERT_TRUE(everything.Admits(a, antipode)) << a;
    ASSERT_TRUE(half.Admits(a, antipode)) << a;
    ASSERT_FALSE(RadiusLimit::FromMeters(kMaxDistanceMeters - 0.02).Admits(a, antipode)) << a;
  }
}

TEST(RadiusLimitTest, RadiusZeroTellsNeighbouringUnitsApart) {
  const RadiusLimit nothing = RadiusLimit::FromMeters(0);
  const Position a = Position::FromUnits(123'456'789, -5);
  EXPECT_FALSE(nothing.Admits(a, Position::FromUnits(123'456'790, -5)));
  EXPECT_FALSE(nothing.Admits(a, Position::FromUnits(123'456'789, -6)));
}

TEST(RadiusLimitTest, EveryLongitudeOfAPoleIsThePole) {
  const RadiusLimit nothing = RadiusLimit::FromMeters(0);
  for (const double lat : {-90.0, 90.0}) {
    EXPECT_TRUE(nothing.Admits(ToPosition({lat, -180}), ToPosition({lat, 57})));
    EXPECT_TRUE(RadiusFilter::Create(0)->Contains(ToPosition({lat, 0}), ToPosition({lat, 180})));
  }
}

TEST(RadiusLimitTest, GrowsWithTheRadius) {
  PointSource source(42);
  for (int i = 0; i < 20'000; ++i) {
    const PointPair pair = source.Pair(PairKind::kUniform);
    const Position a = ToPosition(pair.a);
    const Position b = ToPosition(pair.b);
    bool before = false;
    for (const double radius : kRadii) {
      const bool now = RadiusLimit::FromMeters(radius).Admits(a, b);
      ASSERT_TRUE(now || !before) << pair << ", radius " << radius;
      before = now;
    }
    ASSERT_TRUE(before) << pair;
  }
}

class SelectInBoxTest : public ::testing::Test {
 protected:
  Position RandomPosition() {
    switch (source_.random()() % 8) {
      case 0:
        return Position::Nowhere();
      case 1:
        return ToPosition(source_.NearPole());
      case 2:
        return ToPosition(source_.Corner());
      case 3:
        return ToPosition(source_.Pair(PairKind::kAntimeridian).b);
      default:
        return ToPosition(source_.Anywhere());
    }
  }

  Position RandomCenter() {
    const Position position = RandomPosition();
    return position.is_somewhere() ? position : ToPosition({0, 0});
  }

  FixedPointBox RandomBox(Position center) {
    constexpr std::array<std::uint32_t, 6> kEdges = {
        0, 1, (1u << 30) - 1, 1u << 30, (1u << 31) - 1, 1u << 31};
    switch (source_.random()() % 3) {
      case 0:
        return {kEdges[source_.random()() % kEdges.size()],
                kEdges[source_.random()() % kEdges.size()]};
      case 1:
        return {static_cast<std::uint32_t>(source_.random()() % (1u << 31)),
                static_cast<std::uint32_t>(source_.random()() % (1u << 31))};
      default:
        return FixedPointBox::Around(center, source_.LogBetween(0.01, 2e7));
    }
  }

  // Of every kernel that this processor can run, with exactly as much room as promised to be
  // enough, so that a sanitizer sees a write beyond it.
  static void ExpectOfAll(Position center, FixedPointBox box, PositionTable table,
                          const IndexedRow& row, const std::vector<std::uint32_t>& expected) {
    for (const auto vectors :
         {internal::Vectors::kPlain, internal::Vectors::kAvx2, internal::Vectors::kAvx512}) {
      if (vectors > internal::WidestVectors()) continue;
      std::vector<std::uint32_t> selected(row.entries.size());
      selected.resize(internal::SelectInBoxBy(vectors, center, box, table, row, selected.data()));
      EXPECT_EQ(selected, expected) << "vectors " << static_cast<int>(vectors) << ", center "
                                    << center << ", shift " << row.index_shift;
    }
    std::vector<std::uint32_t> selected(row.entries.size());
    selected.resize(SelectInBox(center, box, table, row, selected.data()));
    EXPECT_EQ(selected, expected) << "center " << center;
  }

  PointSource source_{51};
};

TEST_F(SelectInBoxTest, AgreesWithThePlainVersion) {
  std::size_t selected_in_all = 0;
  for (int round = 0; round < 20'000; ++round) {
    IndexedRow row;
    row.index_shift = static_cast<int>(source_.random()() % 9);
    const std::uint32_t spare = (1u << row.index_shift) - 1;
    // Mostly few entries are always selected, now and then none or many.
    if (source_.Coin()) row.always_mask = spare & static_cast<std::uint32_t>(source_.random()());
    const std::size_t size = source_.random()() % 150;
    std::vector<Position> table(1 + source_.random()() % 64);
    std::generate(table.begin(), table.end(), [this] { return RandomPosition(); });
    std::vector<std::uint32_t> entries(size);
    for (std::uint32_t& entry : entries) {
      const auto index = static_cast<std::uint32_t>(source_.random()() % table.size());
      const auto bits = static_cast<std::uint32_t>(source_.random()() & source_.random()());
      entry = index << row.index_shift | (bits & spare);
    }
    row.entries = entries;
    row.is_cached = source_.Coin();
    const Position center = RandomCenter();
    const FixedPointBox box = RandomBox(center);
    std::vector<std::uint32_t> plain(size);
    plain.resize(SelectInBoxPlain(center, box, table.data(), row, plain.data()));
    ExpectOfAll(center, box, table.data(), row, plain);
    selected_in_all += plain.size();

    // The same positions, each in something larger.
    struct Place {
      std::array<char, 16> name;
      Position position;
    };
    std::vector<Place> places(table.size());
    for (std::size_t i = 0; i < table.size(); ++i) places[i].position = table[i];
    const PositionTable among_others(&places[0].position, sizeof(Place));
    ExpectOfAll(center, box, among_others, row, plain);
    std::vector<std::uint32_t> again(size);
    again.resize(SelectInBoxPlain(center, box, among_others, row, again.data()));
    ASSERT_EQ(again, plain) << "round " << round << ", center " << center;
    if (HasFailure()) return;
  }
  EXPECT_GT(selected_in_all, 100'000u);
}

TEST_F(SelectInBoxTest, EmptyRowSelectsNothing) {
  EXPECT_EQ(SelectInBox(ToPosition({0, 0}), {1, 1}, nullptr, IndexedRow(), nullptr), 0u);
  EXPECT_EQ(SelectInBoxPlain(ToPosition({0, 0}), {1, 1}, nullptr, IndexedRow(), nullptr), 0u);
}

TEST_F(SelectInBoxTest, BoxUnderAQuarterTurnNeverSelectsNowhere) {
  const std::uint32_t entry = 0;
  const Position nowhere = Position::Nowhere();
  std::uint32_t selected = 0;
  for (int i = 0; i < 50'000; ++i) {
    const Position center = RandomCenter();
    const FixedPointBox box = FixedPointBox::Around(center, source_.LogBetween(0.01, 1e7));
    ASSERT_EQ(SelectInBox(center, box, &nowhere, {{&entry, 1}}, &selected), 0u) << center;
  }
}

TEST_F(SelectInBoxTest, AlwaysMaskSelectsUntested) {
  const std::vector<Position> table = {Position::Nowhere(), ToPosition({50, 50}),
                                       ToPosition({0, 0})};
  const std::vector<std::uint32_t> entries = {0 << 2 | 1, 1 << 2 | 2, 1 << 2 | 3, 2 << 2 | 0,
                                              0 << 2 | 2};
  IndexedRow row;
  row.entries = entries;
  row.index_shift = 2;
  row.always_mask = 1;
  std::vector<std::uint32_t> selected(entries.size());
  selected.resize(SelectInBox(ToPosition({0, 0}), {10, 10}, table.data(), row, selected.data()));
  EXPECT_THAT(selected, ElementsAre(0, 2, 3));
}

TEST(FixedPointBoxTest, IsSmallWhereItCanBe) {
  // A box as large as the earth would pass every other test here.
  constexpr double kMetersPerUnit = 2 * kMaxDistanceMeters / 4294967296.0;
  for (const double lat : {-80.0, -45.0, 0.0, 60.0}) {
    const FixedPointBox box = FixedPointBox::Around(ToPosition({lat, 179.99}), 8046.72);
    EXPECT_NEAR(box.lat_units * kMetersPerUnit, 8046.72, 1);
    const double parallel = std::cos(lat * static_cast<double>(testing::kPi) / 180);
    EXPECT_NEAR(box.lng_units * kMetersPerUnit * parallel, 8046.72, 1);
  }
}

TEST(RadiusFilterTest, SelectsWhatContainsAccepts) {
  PointSource source(61);
  std::size_t selected_in_all = 0;
  for (int round = 0; round < 4'000; ++round) {
    const LatLng center = source.Pair(testing::kAllPairKinds[source.random()() % 8]).a;
    const double radius =
        round % 4 == 0 ? kRadii[source.random()() % kRadii.size()] : source.LogBetween(0.01, 2e7);
    const RadiusFilter filter = RadiusFilter::Create(radius).value();
    std::vector<Position> positions(source.random()() % 60);
    for (Position& position : positions) {
      const double reach = radius * source.Between(0.5, 1.5);
      if (source.random()() % 8 != 0) {
        position = ToPosition(Destination(center, source.Bearing(), reach));
      }
    }
    std::vector<std::uint32_t> expected;
    for (std::uint32_t i = 0; i < positions.size(); ++i) {
      if (!positions[i].is_somewhere()) {
        ASSERT_FALSE(filter.Contains(ToPosition(center), positions[i]));
      } else if (RadiusLimit::FromMeters(radius).Admits(ToPosition(center), positions[i])) {
        ASSERT_TRUE(filter.Contains(ToPosition(center), positions[i]));
        expected.push_back(i);
      }
    }
    std::vector<std::uint32_t> selected(positions.size());
    selected.resize(filter.Select(ToPosition(center), positions, selected.data()));
    ASSERT_EQ(selected, expected) << "round " << round << ", " << center << ", radius " << radius;
    selected_in_all += selected.size();
  }
  EXPECT_GT(selected_in_all, 20'000u);
}

TEST(RadiusFilterTest, EmptyInputAndNowhere) {
  const RadiusFilter filter = RadiusFilter::Create(kMaxRadiusMeters).value();
  EXPECT_EQ(filter.Select(ToPosition({1, 2}), {}, nullptr), 0u);
  const std::vector<Position> nobody(5);
  std::vector<std::uint32_t> selected(5);
  selected.resize(filter.Select(ToPosition({90, 2}), nobody, selected.data()));
  EXPECT_THAT(selected, IsEmpty());
}

// A digest of decisions and distances, drawn with integer arithmetic alone. It is the same with
// every compiler, at every optimisation level and for every processor (invariant I1). If a
// deliberate change of the arithmetic moves it, every recorded replay moves with it.
class GoldenDigest {
 public:
  void Add(std::uint64_t value) {
    // FNV-1a, a byte at a time (Fowler, Noll and Vo).
    for (int byte = 0; byte < 8; ++byte) {
      digest_ = (digest_ ^ ((value >> (8 * byte)) & 0xFF)) * 0x100000001B3u;
    }
  }
  std::uint64_t value() const { return digest_; }

 private:
  std::uint64_t digest_ = 0xCBF29CE484222325u;
};

Position DrawPosition(std::mt19937_64* random) {
  const auto lat = static_cast<std::int64_t>((*random)() % ((std::uint64_t{1} << 31) + 1));
  return Position::FromUnits(static_cast<std::int32_t>(lat - (std::int64_t{1} << 30)),
                             static_cast<std::int32_t>((*random)()));
}

// Up to `reach` units beside `position`, in both directions.
Position DrawBeside(Position position, std::int64_t reach, std::mt19937_64* random) {
  const auto draw = [&] {
    return static_cast<std::int64_t>((*random)() % static_cast<std::uint64_t>(2 * reach + 1)) -
           reach;
  };
  const std::int64_t lat =
      std::clamp<std::int64_t>(position.lat_units() + draw(), -(1 << 30), 1 << 30);
  const auto lng = static_cast<std::uint32_t>(position.lng_units() + draw());
  return Position::FromUnits(static_cast<std::int32_t>(lat), static_cast<std::int32_t>(lng));
}

// The bits of the smallest radius that admits the pair, by bisection: it moves with the last bit of
// the arithmetic on either side of the comparison. Positive doubles are ordered as their bits are.
std::uint64_t SmallestRadiusBits(Position a, Position b) {
  std::uint64_t refused = 0;
  std::uint64_t admitted = 0;
  std::memcpy(&admitted, &kMaxRadiusMeters, sizeof(admitted));
  while (admitted - refused > 1) {
    const std::uint64_t middle = refused + (admitted - refused) / 2;
    double radius = 0;
    std::memcpy(&radius, &middle, sizeof(radius));
    (RadiusLimit::FromMeters(radius).Admits(a, b) ? admitted : refused) = middle;
  }
  return admitted;
}

TEST(RadiusFilterTest, I1DecisionsAreTheSameInEveryBuild) {
  std::mt19937_64 random(20'260'101);
  GoldenDigest decisions;
  GoldenDigest distances;
  for (int i = 0; i < 200'000; ++i) {
    const Position a = DrawPosition(&random);
    // From 4 units to a quarter of a turn.
    const Position b = i % 2 == 0 ? DrawPosition(&random)
                                  : DrawBeside(a, std::int64_t{1} << (2 + i / 2 % 29), &random);
    const std::int64_t millimeters = DistanceMillimeters(a, b);
    distances.Add(static_cast<std::uint64_t>(millimeters));
    std::uint64_t bits = 0;
    for (const double radius : kRadii) {
      bits = bits << 1 | static_cast<std::uint64_t>(RadiusLimit::FromMeters(radius).Admits(a, b));
    }
    decisions.Add(bits);
    if (i % 8 < 2) decisions.Add(SmallestRadiusBits(a, b));
  }
  EXPECT_EQ(decisions.value(), 0xD8E4575F2476885u);
  EXPECT_EQ(distances.value(), 0x8BAFD5ECE3BEB151u);
}

}  // namespace
}  // namespace nearby

// The separations of many at once against those of one at a time, bit for bit, and the bounds of a
// distance against the distance.

#include "src/parts/separations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nearby/radius_filter.h"
#include "tests/base/sphere_reference.h"

namespace nearby {
namespace {

using testing::PairKind;
using testing::PointSource;

std::uint64_t Bits(double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

std::string Text(Position position) {
  return absl::StrCat("(", position.lat_units(), ", ", position.lng_units(), ")");
}

// The distance of two positions by vectors, which share nothing with the formula under test.
double TrueMeters(Position a, Position b) {
  const auto degrees = [](Position position) {
    constexpr double kDegreesPerUnit = 360.0 / 4294967296.0;  // Exact, and so are the products.
    return LatLng{position.lat_units() * kDegreesPerUnit, position.lng_units() * kDegreesPerUnit};
  };
  return static_cast<double>(testing::ReferenceMeters(degrees(a), degrees(b)));
}

// The haversine of their distance by its formula in long double: unlike a chord it loses nothing
// where it is small, so that it shows how many bits of a double are right.
long double TrueHaversine(Position a, Position b) {
  constexpr long double kRadiansPerUnit = 2 * testing::kPi / 4294967296.0L;
  const auto half_sine = [](std::int64_t units) {
    return std::sin(kRadiansPerUnit * static_cast<long double>(units) / 2);
  };
  // Of the complement, which is exact: the cosine of a latitude near the pole is no less so.
  const auto cosine = [](Position position) {
    constexpr std::int64_t kQuarterTurn = 1 << 30;
    const std::int64_t units = kQuarterTurn - std::abs(std::int64_t{position.lat_units()});
    return std::sin(kRadiansPerUnit * static_cast<long double>(units));
  };
  const long double lat = half_sine(std::int64_t{a.lat_units()} - b.lat_units());
  const long double lng = half_sine(internal::WrappingDifference(a.lng_units(), b.lng_units()));
  return lat * lat + cosine(a) * cosine(b) * (lng * lng);
}

// What the vectors may be wrong by: a long double's rounding of coordinates, and of the distance.
double ToleranceMeters(double meters) { return 1e-9 + meters * 1e-12; }

void Compute(const std::vector<Position>& positions, SeparationBlock* block) {
  for (const Position position : positions) block->Add(position);
  block->Compute();
}

class SeparationsTest : public ::testing::TestWithParam<PairKind> {};

TEST_P(SeparationsTest, ABlockGivesTheSameBitsAsOneAtATime) {
  PointSource source(11);
  for (int round = 0; round < 3000; ++round) {
    const Position center = Position::FromLatLng(source.Pair(GetParam()).a);
    // No longer than what is asked for, so that a sanitizer sees a read beyond.
    std::vector<Position> positions(1 + static_cast<std::size_t>(round) % SeparationBlock::kSize);
    for (Position& position : positions) {
      const testing::PointPair pair = source.Pair(GetParam());
      switch (source.random()() % 16) {
        case 0:
          position = Position::Nowhere();
          break;
        case 1:
          position = center;
          break;
        case 2:
          position = Position::FromLatLng(testing::Antipode(pair.a));
          break;
        default:
          position = Position::FromLatLng(pair.b);
      }
    }
    SeparationBlock block(center);
    Compute(positions, &block);
    std::vector<SeparationBlock> others;
    for (const auto vectors :
         {internal::Vectors::kPlain, internal::Vectors::kAvx2, internal::Vectors::kAvx512}) {
      if (vectors > internal::WidestVectors()) continue;
      others.push_back(block);
      others.back().ComputeBy(vectors);
    }
    for (std::size_t i = 0; i < positions.size(); ++i) {
      const Separation one = Separation::Between(center, positions[i]);
      const Separation many = block[i];
      ASSERT_EQ(many.is_somewhere, positions[i].is_somewhere());
      ASSERT_EQ(one.is_somewhere, many.is_somewhere);
      if (!many.is_somewhere) continue;
      const std::string trace =
          absl::StrCat(Text(center), " to ", Text(positions[i]), ", ", i, " of ", positions.size());
      ASSERT_EQ(Bits(many.haversine), Bits(one.haversine)) << trace;
      ASSERT_EQ(many.DistanceMm(), one.DistanceMm()) << trace;
      ASSERT_EQ(one.DistanceMm(), DistanceMillimeters(center, positions[i])) << trace;
      ASSERT_EQ(Bits(one.haversine), Bits(Separation::Between(positions[i], center).haversine));
      // By whatever vectors.
      for (const SeparationBlock& other : others) {
        ASSERT_EQ(Bits(other[i].haversine), Bits(one.haversine)) << trace;
        ASSERT_EQ(Bits(other[i].meters), Bits(many.meters)) << trace;
      }
    }
  }
}

TEST_P(SeparationsTest, ABlockIsAsGoodAgainForOtherPositions) {
  PointSource source(12);
  const Position center = Position::FromLatLng(source.Pair(GetParam()).a);
  SeparationBlock block(center);
  for (int round = 0; round < 300; ++round) {
    // Fewer than before leave nothing of those before behind.
    for (const std::size_t count : {SeparationBlock::kSize, std::size_t{3}, std::size_t{1}}) {
      std::vector<Position> positions(count);
      for (Position& position : positions) {
        position =
            source.Coin() ? Position::Nowhere() : Position::FromLatLng(source.Pair(GetParam()).b);
      }
      block.Clear();
      Compute(positions, &block);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(block[i].is_somewhere, positions[i].is_somewhere());
        if (!block[i].is_somewhere) continue;
        ASSERT_EQ(block[i].DistanceMm(), DistanceMillimeters(center, positions[i]));
      }
    }
  }
}

TEST_P(SeparationsTest, RadiiAdmitByTheHaversineWhatTheyAdmitByThePositions) {
  PointSource source(13);
  for (int round = 0; round < 5000; ++round) {
    const testing::PointPair pair = source.Pair(GetParam());
    const Position a = Position::FromLatLng(pair.a);
    const Position b = Position::FromLatLng(pair.b);
    const Separation apart = Separation::Between(a, b);
    // As near to the boundary as a radius can be given.
    const double meters = std::min(TrueMeters(a, b), kMaxDistanceMeters);
    for (const double radius : {meters, std::nextafter(meters, 0.0), meters * (1 - 1e-15)}) {
      const RadiusLimit limit = RadiusLimit::FromMeters(radius);
      if (!limit.compares_haversines()) continue;
      ASSERT_EQ(apart.haversine <= limit.haversine(), limit.Admits(a, b))
          << Text(a) << " to " << Text(b);
    }
  }
}

TEST_P(SeparationsTest, TheBoundsHoldTheDistanceBetweenThem) {
  PointSource source(14);
  for (int round = 0; round < 10'000; ++round) {
    const testing::PointPair pair = source.Pair(GetParam());
    const Position a = Position::FromLatLng(pair.a);
    const Position b = Position::FromLatLng(pair.b);
    const double meters = TrueMeters(a, b);
    const double min = Separation::Between(a, b).MinMeters();
    const double max = MaxMetersBetween(a, b);
    const std::string trace = absl::StrCat(Text(a), " to ", Text(b));
    ASSERT_LE(min, meters + ToleranceMeters(meters)) << trace;
    ASSERT_GE(max, meters - ToleranceMeters(meters)) << trace;
    if (a == b) {
      ASSERT_EQ(max, 0) << trace;
    }
    // Tight enough to be of use: a chord of up to a tenth of the way round, and the promised 1 %.
    if (meters < 4e6) {
      ASSERT_GE(min, meters * 0.98 - 1e-6) << trace;
    }
    constexpr std::int32_t kSixtyFiveDegrees = (1 << 30) / 18 * 13;
    const bool is_polar =
        std::max(std::abs(a.lat_units()), std::abs(b.lat_units())) > kSixtyFiveDegrees;
    if (meters < 1e5 && !is_polar) {
      ASSERT_LE(max, meters * 1.01 + 1e-6) << trace;
    }
    ASSERT_EQ(Bits(max), Bits(MaxMetersBetween(b, a))) << trace;
  }
}

TEST_P(SeparationsTest, NothingButRoundingIsLeft) {
  // Of the ten or so of 1.1e-16 each, all of which never go one way.
  constexpr double kRounding = 1.1e-15;
  PointSource source(16);
  for (int round = 0; round < 2000; ++round) {
    const Position center = Position::FromLatLng(source.Pair(GetParam()).a);
    std::vector<Position> positions(SeparationBlock::kSize);
    for (std::size_t i = 0; i < positions.size(); ++i) {
      // Every second one beside the centre, 2 to 2^30 units away: on both sides of what is near.
      const std::int64_t reach = std::int64_t{2} << (source.random()() % 30);
      const auto step = [&] {
        return static_cast<std::int64_t>(source.Between(-1, 1) * static_cast<double>(reach));
      };
      const std::int64_t lat =
          std::clamp<std::int64_t>(center.lat_units() + step(), -(1 << 30), 1 << 30);
      const std::int64_t lng = center.lng_units() + step();
      positions[i] = i % 2 == 0 ? Position::FromLatLng(source.Pair(GetParam()).b)
                                : Position::FromUnits(
                                      static_cast<std::int32_t>(lat),
                                      static_cast<std::int32_t>(static_cast<std::uint32_t>(lng)));
    }
    SeparationBlock block(center);
    Compute(positions, &block);
    for (std::size_t i = 0; i < positions.size(); ++i) {
      const std::string trace = absl::StrCat(Text(center), " to ", Text(positions[i]));
      const long double haversine = TrueHaversine(center, positions[i]);
      const auto difference = static_cast<double>(std::abs(block[i].haversine - haversine));
      ASSERT_LE(difference, kRounding * static_cast<double>(haversine)) << trace;
      if (block[i].meters < 0) continue;
      const long double meters =
          2 * testing::kReferenceRadiusMeters * std::asin(std::sqrt(haversine));
      ASSERT_LE(std::abs(static_cast<double>(block[i].meters - meters)),
                kRounding * static_cast<double>(meters))
          << trace;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, SeparationsTest, ::testing::ValuesIn(testing::kAllPairKinds),
                         [](const auto& kind) { return std::string(ToString(kind.param)); });

// From one pair to the next across the end of what is near, the haversine grows as it does
// elsewhere.
TEST(SeparationTest, NoStepShowsWhereFewerTermsServe) {
  constexpr std::int32_t kNear = 1 << 24;
  for (const double lat : {0.0, 48.0, -89.9}) {
    const Position center = Position::FromLatLng({lat, 179.9});
    for (const bool is_lng : {false, true}) {
      double before = 0;
      for (std::int32_t units = kNear - 50; units < kNear + 50; ++units) {
        const Position there =
            is_lng ? Position::FromUnits(center.lat_units(),
                                         internal::WrappingDifference(center.lng_units(), -units))
                   : Position::FromUnits(center.lat_units() + units, center.lng_units());
        const double haversine = Separation::Between(center, there).haversine;
        EXPECT_GT(haversine, before);
        EXPECT_NEAR(haversine / static_cast<double>(TrueHaversine(center, there)), 1, 1e-15);
        before = haversine;
      }
    }
  }
}

TEST(SeparationTest, FromOrToNowhereIsNoSeparation) {
  const Position here = Position::FromLatLng({48, 11});
  EXPECT_FALSE(Separation::Between(Position::Nowhere(), here).is_somewhere);
  EXPECT_FALSE(Separation::Between(here, Position::Nowhere()).is_somewhere);
  EXPECT_FALSE(Separation::Between(Position::Nowhere(), Position::Nowhere()).is_somewhere);
  SeparationBlock block(Position::Nowhere());
  Compute({here}, &block);
  EXPECT_FALSE(block[0].is_somewhere);
}

TEST(SeparationTest, NoWayIsExactlyNone) {
  PointSource source(15);
  for (int i = 0; i < 2000; ++i) {
    const Position position =
        Position::FromLatLng(i % 2 == 0 ? source.Anywhere() : source.Corner());
    EXPECT_EQ(MaxMetersBetween(position, position), 0);
    EXPECT_EQ(Separation::Between(position, position).MinMeters(), 0);
    EXPECT_EQ(Separation::Between(position, position).DistanceMm(), 0);
  }
}

TEST(SeparationTest, TheLeastStepIsMoreThanNone) {
  for (const double lat : {0.0, 48.0, 89.0}) {
    const Position from = Position::FromLatLng({lat, 11});
    const Position east = Position::FromUnits(from.lat_units(), from.lng_units() + 1);
    const Position north = Position::FromUnits(from.lat_units() + 1, from.lng_units());
    EXPECT_GT(MaxMetersBetween(from, east), 0);
    EXPECT_GT(MaxMetersBetween(from, north), 0);
  }
}

}  // namespace
}  // namespace nearby

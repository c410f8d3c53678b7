// Two users who come towards each other exactly as fast as they are trusted to go: the hardest case
// for a time before which they cannot meet. They must enter at the very report at which checking
// every pair has them enter.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "nearby/geo.h"
#include "src/parts/separations.h"
#include "src/parts/speed_bound.h"
#include "tests/engine/seeds.h"
#include "tests/engine/twin_engines.h"

namespace nearby::test {
namespace {

using ::testing::UnorderedElementsAre;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};
constexpr double kRadius = 8046.72;

// Units of a position to the north.
LatLng AtUnits(std::int64_t units) {
  constexpr double kDegreesPerUnit = 360.0 / 4294967296.0;  // Exact, and so are the products.
  return {static_cast<double>(units) * kDegreesPerUnit, 10};
}

std::int64_t Units(double meters) {
  return std::llround(meters / (2 * kMaxDistanceMeters) * 4294967296.0);
}

double MetersOfStep(std::int64_t units) {
  return MaxMetersBetween(Position::FromUnits(0, 0),
                          Position::FromUnits(static_cast<std::int32_t>(units), 0));
}

// The longest step, in units, that a class admits in so long.
std::int64_t LongestStep(std::uint32_t speed_class, std::int64_t ms) {
  const double limit = SpeedBound::kMetersPerMs[speed_class] * static_cast<double>(ms);
  std::int64_t units = Units(limit) + 1;
  while (units > 0 && MetersOfStep(units) > limit) --units;
  return units;
}

struct Walker {
  UserId user;
  std::int64_t units;  // where
  int direction;       // +1: north
  std::uint32_t speed_class;
  std::int64_t period_ms;  // a report in each
  std::int64_t next_ms;
  std::int64_t last_ms = 0;
};

class Approach {
 public:
  // Each of a class; `still`: the second stays where they are, and is trusted to.
  Approach(std::uint64_t seed, std::uint32_t class_a, std::uint32_t class_b, bool still)
      : random_(seed), twins_(Options()), is_still_(still) {
    twins_.AdvanceBy(Below(20'000));
    const double speed = 1000 * (SpeedBound::kMetersPerMs[class_a] +
                                 (still ? 0 : SpeedBound::kMetersPerMs[class_b]));
    // From twenty seconds to half an hour: farther than ticks reach.
    const double seconds = std::exp(3 + 4.5 * static_cast<double>(random_() >> 11) * 0x1p-53);
    const std::int64_t between = Units(kRadius + speed * seconds);
    a_ = Walker{kAlice, 0, 1, class_a, Period(class_a), 0};
    b_ = Walker{kBob, between, -1, class_b, Period(class_b), 0};
    twins_.Join(kAlice, {kBob});
    twins_.Join(kBob, {kAlice});
    TeachClass(a_);
    TeachClass(b_);
    // Before Bob was somewhere, Alice had nobody to look at.
    twins_.ReportAt(kAlice, AtUnits(a_.units));
    for (Walker* walker : {&a_, &b_}) {
      walker->last_ms = twins_.now_ms();
      walker->next_ms = twins_.now_ms() + 1 + Below(walker->period_ms);
    }
    breaks_ = twins_.stats().bound_breaks;
  }

  void Run() {
    for (int reports = 0; reports < 20'000; ++reports) {
      Walker& walker = a_.next_ms <= b_.next_ms ? a_ : b_;
      twins_.Advance(walker.next_ms);
      if (!(is_still_ && walker.user == kBob)) {
        walker.units +=
            walker.direction * LongestStep(walker.speed_class, twins_.now_ms() - walker.last_ms);
      }
      walker.last_ms = twins_.now_ms();
      walker.next_ms += walker.period_ms;
      twins_.ReportAt(walker.user, AtUnits(walker.units));
      if (!twins_.deliveries().empty() || ::testing::Test::HasFailure()) break;
    }
    EXPECT_THAT(twins_.deliveries(), UnorderedElementsAre("enter 1 2", "enter 2 1"));
    EXPECT_EQ(twins_.stats().bound_breaks, breaks_) << "they kept to their bounds";
  }

  std::uint64_t skipped() const { return twins_.stats().skipped; }

 private:
  static EngineOptions Options() {
    EngineOptions options;
    options.ttl = absl::Hours(24);
    return options;
  }
  std::int64_t Below(std::int64_t limit) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
  }
  // Never so long that one could pass the other by between two reports.
  std::int64_t Period(std::uint32_t speed_class) {
    constexpr std::int64_t kPeriods[] = {1'000, 1'024, 4'000, 8'192, 8'191, 20'000, 100'000};
    return kPeriods[Below(speed_class == 3 ? 6 : 7)];
  }

  // Reports by which the engine trusts the walker with just their class, and ends where they are.
  void TeachClass(const Walker& walker) {
    if (walker.speed_class > 1) {
      const std::int64_t step = LongestStep(walker.speed_class, 10'000) * 9 / 10;
      twins_.ReportAt(walker.user, AtUnits(walker.units - step * walker.direction));
      twins_.AdvanceBy(10'000);
    }
    twins_.ReportAt(walker.user, AtUnits(walker.units));
    for (int report = 0; walker.speed_class == 0 && report < 8; ++report) {
      twins_.AdvanceBy(1'000);
      twins_.ReportAt(walker.user, AtUnits(walker.units));
    }
  }

  std::mt19937_64 random_;
  Twins twins_;
  bool is_still_;
  Walker a_{};
  Walker b_{};
  std::uint64_t breaks_ = 0;
};

constexpr std::uint32_t kBounded = SpeedBound::kClasses - 1;

TEST(FarPairsApproachTest, TwoAtTheirBoundsEnterWhenCheckingEveryPairHasThemEnter) {
  std::uint64_t skipped = 0;
  std::uint64_t ran = 0;
  for (std::uint32_t a = 0; a < kBounded; ++a) {
    for (std::uint32_t b = 0; b < kBounded; ++b) {
      SCOPED_TRACE(absl::StrCat("classes ", a, " and ", b));
      ran += ForSeeds(20, [&](std::uint64_t seed) {
        Approach approach(seed * 16 + a * 4 + b, a, b, /*still=*/false);
        approach.Run();
        skipped += approach.skipped();
      });
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(skipped, ran * 10);
}

TEST(FarPairsApproachTest, OneAtTheirBoundEntersTheSightOfOneWhoSitsStill) {
  std::uint64_t skipped = 0;
  std::uint64_t ran = 0;
  for (std::uint32_t a = 0; a < kBounded; ++a) {
    SCOPED_TRACE(absl::StrCat("class ", a));
    ran += ForSeeds(20, [&](std::uint64_t seed) {
      Approach approach(seed * 4 + a, a, 0, /*still=*/true);
      approach.Run();
      skipped += approach.skipped();
    });
    if (HasFailure()) return;
  }
  EXPECT_GT(skipped, ran * 10);
}

}  // namespace
}  // namespace nearby::test

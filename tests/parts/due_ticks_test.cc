#include "src/parts/due_ticks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nearby {
namespace {

using ::testing::ElementsAreArray;

constexpr std::uint32_t kUntouched = 0xDEADBEEF;

// Ticks that may be read beyond their end, as those of a row may, with something there that would
// be selected.
class PaddedTicks {
 public:
  PaddedTicks(std::vector<std::uint8_t> ticks, std::size_t offset, std::uint8_t padding)
      : size_(ticks.size()), offset_(offset), memory_(offset, padding) {
    memory_.insert(memory_.end(), ticks.begin(), ticks.end());
    const std::size_t blocks = (size_ + DueTicks::kBlock - 1) / DueTicks::kBlock;
    memory_.resize(offset + blocks * DueTicks::kBlock, padding);
  }

  const std::uint8_t* data() const { return memory_.data() + offset_; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  std::size_t offset_;
  std::vector<std::uint8_t> memory_;
};

// What is due, by the meaning of a tick: 127 of the 256 lie ahead.
std::vector<std::uint32_t> Due(const PaddedTicks& ticks, std::uint8_t now) {
  std::vector<std::uint32_t> due;
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    const int ahead = (ticks.data()[i] - now + 256) % 256;
    if (ahead == 0 || ahead >= 128) due.push_back(static_cast<std::uint32_t>(i));
  }
  return due;
}

void ExpectSelected(const PaddedTicks& ticks, std::uint8_t now) {
  const std::vector<std::uint32_t> due = Due(ticks, now);
  for (const auto select : {&DueTicks::Select, &DueTicks::SelectPlain}) {
    std::vector<std::uint32_t> out(ticks.size() + 1, kUntouched);
    const std::size_t selected = select(ticks.data(), ticks.size(), now, out.data());
    ASSERT_EQ(selected, due.size());
    ASSERT_EQ(out[ticks.size()], kUntouched) << "wrote more than there are ticks";
    out.resize(selected);
    ASSERT_THAT(out, ElementsAreArray(due));
  }
}

TEST(DueTicksTest, SelectKnowsEveryTickAtEveryPresent) {
  std::vector<std::uint8_t> all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  for (int now = 0; now < 256; ++now) {
    SCOPED_TRACE(absl::StrCat("now ", now));
    // By and by each tick stands in each lane of a block.
    std::rotate(all.begin(), all.begin() + 1, all.end());
    ExpectSelected(PaddedTicks(all, 0, static_cast<std::uint8_t>(now)),
                   static_cast<std::uint8_t>(now));
    if (HasFatalFailure()) return;
  }
}

TEST(DueTicksTest, SelectAgreesWithThePlainOneAtEverySize) {
  std::mt19937_64 random(1);
  const auto any_tick = [&random] { return static_cast<std::uint8_t>(random()); };
  for (std::size_t size = 0; size <= 70; ++size) {
    for (int round = 0; round < 24; ++round) {
      const std::uint8_t now = any_tick();
      const std::array<std::uint8_t, 5> borders = {
          now, static_cast<std::uint8_t>(now + 1), static_cast<std::uint8_t>(now + 127),
          static_cast<std::uint8_t>(now + 128), static_cast<std::uint8_t>(now + 255)};
      std::vector<std::uint8_t> ticks(size);
      for (std::uint8_t& tick : ticks) {
        switch (round % 4) {
          case 0:
            tick = any_tick();
            break;
          case 1:
            tick = borders[random() % borders.size()];
            break;
          case 2:  // All due.
            tick = static_cast<std::uint8_t>(now - random() % 129);
            break;
          default:  // None.
            tick = static_cast<std::uint8_t>(now + 1 + random() % 127);
        }
      }
      SCOPED_TRACE(absl::StrCat("size ", size, ", round ", round));
      ExpectSelected(PaddedTicks(ticks, random() % DueTicks::kBlock, now), now);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(DueTicksTest, ATickHasEightSecondsBeforeAndAfterTheEpoch) {
  EXPECT_EQ(DueTicks::At(Time{0}), 0);
  EXPECT_EQ(DueTicks::At(Time{8191}), 0);
  EXPECT_EQ(DueTicks::At(Time{8192}), 1);
  EXPECT_EQ(DueTicks::At(Time{-1}), 255);
  EXPECT_EQ(DueTicks::At(Time{-8192}), 255);
  EXPECT_EQ(DueTicks::At(Time{-8193}), 254);
  EXPECT_EQ(DueTicks::At(Time{256 * 8192 - 1}), 255);
  EXPECT_EQ(DueTicks::At(Time{256 * 8192}), 0);
  EXPECT_EQ(DueTicks::At(Time{kMaxTimeMs}), 0);
  EXPECT_EQ(DueTicks::At(Time{-kMaxTimeMs}), 0);
}

TEST(DueTicksTest, AheadCountsFromThePresentInBothDirections) {
  for (int now = 0; now < 256; ++now) {
    for (int ahead = -128; ahead <= 127; ++ahead) {
      ASSERT_EQ(
          DueTicks::Ahead(static_cast<std::uint8_t>(now + ahead), static_cast<std::uint8_t>(now)),
          ahead);
    }
  }
}

// The instant at which a tick begins that was made at `now`.
std::int64_t BeginsMs(std::uint8_t tick, Time now) {
  const std::int64_t into_tick = ((now.ms % 8192) + 8192) % 8192;
  return now.ms - into_tick + DueTicks::Ahead(tick, DueTicks::At(now)) * std::int64_t{8192};
}

void ExpectJustBefore(Time now, double after_ms) {
  SCOPED_TRACE(absl::StrCat("now ", now.ms, ", after ", after_ms));
  const std::uint8_t tick = DueTicks::NotBefore(now, after_ms);
  const int ahead = DueTicks::Ahead(tick, DueTicks::At(now));
  ASSERT_GE(ahead, 0);
  const auto begins_after_ms = static_cast<double>(BeginsMs(tick, now) - now.ms);
  ASSERT_LE(begins_after_ms, after_ms) << "later than the instant asked for";
  if (ahead < DueTicks::kMaxAhead) {
    ASSERT_GT(begins_after_ms + 8192, std::floor(after_ms)) << "a later tick would have served";
  }
}

TEST(DueTicksTest, NotBeforeIsTheLastTickThatIsNotTooLate) {
  std::mt19937_64 random(2);
  for (const std::int64_t around :
       {std::int64_t{0}, std::int64_t{-5'000'000}, std::int64_t{1'700'000'000'000},
        std::int64_t{256 * 8192}, kMaxTimeMs, -kMaxTimeMs + 100'000}) {
    for (int i = 0; i < 4000; ++i) {
      const Time now{around - static_cast<std::int64_t>(random() % 50'000)};
      const double draw = static_cast<double>(random() >> 11) * 0x1p-53;
      // A tenth of a millisecond to a few weeks, every order of magnitude alike.
      ExpectJustBefore(now, std::exp(draw * 30 - 2));
      // To the beginning of a tick, and a hair to either side.
      const std::int64_t to_tick =
          BeginsMs(static_cast<std::uint8_t>(DueTicks::At(now) + random() % 128), now) - now.ms;
      for (const double off : {-1.0, -0.5, 0.0, 0.5, 1.0}) {
        if (static_cast<double>(to_tick) + off >= 0) {
          ExpectJustBefore(now, static_cast<double>(to_tick) + off);
        }
      }
      if (HasFatalFailure()) return;
    }
  }
}

TEST(DueTicksTest, NotBeforeAtTheVeryBeginningOfATick) {
  for (const std::int64_t begin :
       {std::int64_t{-8192}, std::int64_t{0}, std::int64_t{8192 * 255}}) {
    const auto ahead = [begin](std::int64_t into_tick, double after_ms) {
      const Time now{begin + into_tick};
      return DueTicks::Ahead(DueTicks::NotBefore(now, after_ms), DueTicks::At(now));
    };
    EXPECT_EQ(ahead(0, 0), 0);
    EXPECT_EQ(ahead(0, 8191.999), 0);
    EXPECT_EQ(ahead(0, 8192), 1);
    EXPECT_EQ(ahead(8191, 0), 0);
    EXPECT_EQ(ahead(8191, 0.999), 0);
    EXPECT_EQ(ahead(8191, 1), 1);
    EXPECT_EQ(ahead(8191, 8192), 1);
    EXPECT_EQ(ahead(8191, 8193), 2);
  }
}

TEST(DueTicksTest, NotBeforeReachesNoFartherThanATickCanLie) {
  for (const std::int64_t now : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{8191},
                                 std::int64_t{1'700'000'000'123}, kMaxTimeMs, -kMaxTimeMs}) {
    for (const double after_ms : {127 * 8192.0, 127 * 8192.0 + 1, 128 * 8192.0, 256 * 8192.0, 1e12,
                                  1e300, std::numeric_limits<double>::infinity()}) {
      SCOPED_TRACE(absl::StrCat("now ", now, ", after ", after_ms));
      const std::uint8_t tick = DueTicks::NotBefore(Time{now}, after_ms);
      EXPECT_EQ(DueTicks::Ahead(tick, DueTicks::At(Time{now})), DueTicks::kMaxAhead);
    }
  }
}

TEST(DueTicksTest, WhatIsWrittenKeepsItsMeaningForTheSafeTime) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const Time now{static_cast<std::int64_t>(random() % 10'000'000) - 5'000'000};
    const auto after_ms = static_cast<std::int64_t>(random() % (140 * 8192));
    const std::uint8_t tick = DueTicks::NotBefore(now, static_cast<double>(after_ms));
    const std::int64_t begins_ms = BeginsMs(tick, now);
    // A minute beyond as well.
    for (const std::int64_t later_ms :
         {std::int64_t{0}, after_ms, DueTicks::kSafeMs, DueTicks::kSafeMs + 60'000,
          static_cast<std::int64_t>(random() % (DueTicks::kSafeMs + 60'000))}) {
      const Time later{now.ms + later_ms};
      ASSERT_EQ(DueTicks::Ahead(tick, DueTicks::At(later)) <= 0, begins_ms <= later.ms)
          << "now " << now.ms << ", after " << after_ms << ", later by " << later_ms;
      ASSERT_EQ(DueTicks::MsUntil(tick, later), begins_ms - later.ms)
          << "now " << now.ms << ", after " << after_ms << ", later by " << later_ms;
    }
  }
}

}  // namespace
}  // namespace nearby

#include "examples/replay/live_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "nearby/effects.h"
#include "nearby/ids.h"
#include "nearby/time.h"

namespace replay {
namespace {

using nearby::Delivery;
using nearby::DeliveryKind;
using nearby::LeaveReason;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::int64_t kMile = 1'609'344;

// A table that writes to memory, under a clock that only sleeping moves.
class LiveTableTest : public ::testing::Test {
 protected:
  LiveTableTest() : out_(open_memstream(&buffer_, &size_)) {}
  ~LiveTableTest() override {
    std::fclose(out_);
    std::free(buffer_);
  }

  LiveTable MakeTable(const LiveTable::Options& options, bool is_terminal = false) {
    LiveTable::Environment environment;
    environment.now = [this] { return wall_; };
    environment.sleep = [this](absl::Duration duration) {
      wall_ += duration;
      ++sleeps_;
    };
    environment.is_terminal = is_terminal;
    environment.height = [this] { return height_; };
    environment.width = [this] { return width_; };
    return LiveTable(options, out_, environment);
  }

  static Delivery Event(std::int64_t time_s, std::uint64_t subscriber, std::uint64_t friend_id,
                        DeliveryKind kind, std::int64_t distance_mm = 0,
                        LeaveReason reason = LeaveReason::kNone) {
    Delivery delivery;
    delivery.time = nearby::Time::Millis(time_s * 1000);
    delivery.subscriber = nearby::UserId{subscriber};
    delivery.friend_id = nearby::UserId{friend_id};
    delivery.kind = kind;
    delivery.distance_mm = distance_mm;
    delivery.reason = reason;
    return delivery;
  }

  static void Feed(const std::vector<Delivery>& deliveries, LiveTable* table) {
    for (const Delivery& delivery : deliveries) {
      table->OnTime(delivery.time);
      table->OnDelivery(delivery);
    }
  }

  std::string Output() {
    std::fflush(out_);
    return std::string(buffer_, size_);
  }

  absl::Time wall_ = absl::UnixEpoch();
  int sleeps_ = 0;
  int height_ = 24;
  int width_ = 80;

 private:
  char* buffer_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* out_;
};

TEST_F(LiveTableTest, ShowsWhoIsNearWhom) {
  LiveTable table = MakeTable({/*pace=*/1e6, /*watch=*/2});
  Feed({Event(10, 1, 2, DeliveryKind::kEnter, 2 * kMile),
        Event(10, 2, 1, DeliveryKind::kEnter, 2 * kMile),
        Event(20, 1, 3, DeliveryKind::kEnter, kMile / 2),
        Event(30, 4, 5, DeliveryKind::kEnter, 3 * kMile),
        Event(90, 1, 2, DeliveryKind::kMove, 3 * kMile),
        Event(140, 4, 5, DeliveryKind::kLeave, 5 * kMile, LeaveReason::kRange)},
       &table);
  table.Finish();
  EXPECT_EQ(Output(),
            "nearby  00:02:20  1e+06x  2 users see 3 friends\n"
            "a second: 0.0 enter, 0.0 move, 0.0 leave\n"
            "USER                 NEAREST FRIENDS      DISTANCE           IN SIGHT   UPDATED\n"
            "1                    3                     0.50 mi  0.80 km    2m 00s    2m ago\n"
            "  sees 2             2                     3.00 mi  4.83 km    2m 10s   50s ago\n"
            "2                    1                     2.00 mi  3.22 km    2m 10s    2m ago\n"
            "LATEST\n"
            "00:02:20  4 lost sight of 5: out of range\n"
            "00:00:30  4 sees 5, 3.00 mi away\n"
            "00:00:20  1 sees 3, 0.50 mi away\n"
            "00:00:10  1 and 2 see each other, 2.00 mi apart\n"
            "\n");
}

TEST_F(LiveTableTest, ForgetsThoseOutOfSight) {
  LiveTable table = MakeTable({1e6, 5});
  Feed({Event(0, 1, 2, DeliveryKind::kEnter, 1), Event(0, 2, 1, DeliveryKind::kEnter, 1),
        Event(0, 1, 3, DeliveryKind::kEnter, 1), Event(0, 4, 3, DeliveryKind::kEnter, 1),
        Event(1, 1, 2, DeliveryKind::kLeave, 0, LeaveReason::kOffline),
        Event(2, 4, 4, DeliveryKind::kReset)},
       &table);
  table.Finish();
  EXPECT_THAT(Output(), HasSubstr("2 users see 2 friends\n"));
  EXPECT_THAT(Output(), HasSubstr("00:00:01  1 lost sight of 2: offline\n"));
  EXPECT_THAT(Output(), HasSubstr("\n1                    3 "));
  EXPECT_THAT(Output(), Not(HasSubstr("\n4  ")));
}

TEST_F(LiveTableTest, TellsEveryReason) {
  LiveTable table = MakeTable({1e6, 5});
  Feed({Event(0, 1, 2, DeliveryKind::kLeave, 0, LeaveReason::kExpired),
        Event(0, 1, 3, DeliveryKind::kLeave, 0, LeaveReason::kUnfriended),
        Event(0, 3, 1, DeliveryKind::kLeave, 0, LeaveReason::kUnfriended),
        Event(0, 1, 4, DeliveryKind::kLeave, 0, LeaveReason::kHidden),
        Event(0, 1, 5, DeliveryKind::kLeave, 0, LeaveReason::kUnsubscribed)},
       &table);
  table.Finish();
  EXPECT_THAT(Output(), HasSubstr("00:00:00  1 lost sight of 5: unsubscribed\n"
                                  "00:00:00  1 lost sight of 4: hidden\n"
                                  "00:00:00  1 and 3 lost sight of each other: friends no more\n"
                                  "00:00:00  1 lost sight of 2: no report for too long\n"));
}

TEST_F(LiveTableTest, KeepsItsPace) {
  LiveTable table = MakeTable({/*pace=*/60, 5});
  const absl::Time start = wall_;
  for (int s = 1'287'532'800; s <= 1'287'532'800 + 600; ++s) {
    table.OnTime(nearby::Time::Millis(std::int64_t{s} * 1000));
  }
  EXPECT_EQ(wall_ - start, absl::Seconds(10));
  // A block every 3 seconds.
  EXPECT_THAT(Output(), HasSubstr("nearby  2010-10-20 00:09:00  60x  0 users see 0 friends\n"));
  const std::vector<std::string> blocks = absl::StrSplit(Output(), "\n\n", absl::SkipEmpty());
  EXPECT_EQ(blocks.size(), 3u);
}

TEST_F(LiveTableTest, DoesNotRushToCatchUp) {
  LiveTable table = MakeTable({/*pace=*/10, 5});
  table.OnTime(nearby::Time::Millis(0));
  wall_ += absl::Minutes(5);  // Suspended.
  table.OnTime(nearby::Time::Millis(10'000));
  EXPECT_EQ(sleeps_, 0);
  const absl::Time resumed = wall_;
  table.OnTime(nearby::Time::Millis(20'000));
  EXPECT_EQ(wall_ - resumed, absl::Seconds(1));
}

TEST_F(LiveTableTest, CountsRatesInSecondsOfTheReplay) {
  LiveTable table = MakeTable({/*pace=*/10, 5});
  for (int s = 0; s <= 40; ++s) {
    Feed({Event(s, 1, 2, DeliveryKind::kEnter, kMile), Event(s, 1, 2, DeliveryKind::kMove, kMile),
          Event(s, 1, 2, DeliveryKind::kMove, kMile),
          Event(s, 1, 2, DeliveryKind::kLeave, 0, LeaveReason::kOffline)},
         &table);
  }
  table.Finish();
  EXPECT_THAT(Output(), HasSubstr("a second: 1.0 enter, 2.0 move, 1.0 leave\n"));
}

TEST_F(LiveTableTest, WatchesTheSameUsersForAsLongAsTheySeeAnyone) {
  LiveTable table = MakeTable({/*pace=*/1e6, /*watch=*/1});
  Feed({Event(0, 7, 8, DeliveryKind::kEnter, kMile), Event(70, 7, 8, DeliveryKind::kMove, kMile)},
       &table);
  table.Finish();
  Feed({Event(80, 1, 2, DeliveryKind::kEnter, kMile), Event(80, 1, 3, DeliveryKind::kEnter, kMile)},
       &table);
  table.Finish();
  Feed({Event(90, 7, 8, DeliveryKind::kLeave, 0, LeaveReason::kRange)}, &table);
  table.Finish();
  const std::vector<std::string> blocks = absl::StrSplit(Output(), "\n\n", absl::SkipEmpty());
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_THAT(blocks[0], HasSubstr("\n7  "));
  EXPECT_THAT(blocks[1], HasSubstr("\n7  "));
  EXPECT_THAT(blocks[1], Not(HasSubstr("\n1  ")));
  EXPECT_THAT(blocks[2], HasSubstr("\n1  "));
}

TEST_F(LiveTableTest, RedrawsInPlaceOnATerminalAndFitsIt) {
  LiveTable table = MakeTable({/*pace=*/1e6, /*watch=*/5}, /*is_terminal=*/true);
  constexpr std::uint64_t kLongest = ~std::uint64_t{0};
  for (std::uint64_t user = 0; user < 6; ++user) {
    for (std::uint64_t i = 0; i < 9; ++i) {
      Feed({Event(0, kLongest - user, 10'000'000'000'000'000'000u + i, DeliveryKind::kEnter,
                  20'015'000'000)},
           &table);
    }
  }
  table.Finish();
  const std::size_t first_size = Output().size();
  EXPECT_THAT(Output(), StartsWith("\x1b[2J\x1b[H"));
  table.OnTime(nearby::Time::Millis(86'399'000));
  table.Finish();
  const std::string second = Output().substr(first_size);
  EXPECT_THAT(second, StartsWith("\x1b[H\x1b[1;36mnearby  23:59:59"));
  EXPECT_THAT(second, Not(HasSubstr("\x1b[2J")));
  int lines = 0;
  for (absl::string_view line : absl::StrSplit(second, '\n')) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '\x1b')
        i = line.find_first_of("HJKm", i);
      else
        text.push_back(line[i]);
    }
    EXPECT_LE(text.size(), 80u) << text;
    ++lines;
  }
  EXPECT_LE(lines, 24);
  EXPECT_THAT(second, HasSubstr("18446744073709551614 10000000000000000000 12437 mi 20015 km"));
}

}  // namespace
}  // namespace replay

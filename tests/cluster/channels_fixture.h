#ifndef NEARBY_TESTS_CLUSTER_CHANNELS_FIXTURE_H_
#define NEARBY_TESTS_CLUSTER_CHANNELS_FIXTURE_H_

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/cluster_stats.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/cluster/channels.h"
#include "src/runtime/backoff.h"
#include "tests/cluster/made_rings.h"

namespace nearby::internal {

inline constexpr UserId kAlice{1};
inline constexpr UserId kBob{2};
inline constexpr std::int64_t kSettleMs = 1'000;
inline constexpr std::int64_t kTimeoutMs = 500;
inline constexpr double kPerSecond = 100;

struct Asked {
  std::string server;
  Channel channel;
  std::uint64_t number = 0;
};

// Channels whose calls are answered when the test says so.
class ChannelsTest : public ::testing::Test {
 protected:
  ChannelsTest() { channels_.SetRing(test::RingOf({"a"})); }

  Channels::Actions Actions() {
    return {[this](absl::string_view server, Channel channel, std::uint64_t number) {
              asked_.push_back({std::string(server), channel, number});
            },
            [this](absl::string_view server, Channel channel) {
              unsubscribed_.emplace_back(std::string(server), channel);
            },
            [this](Channel channel) { return urgent_.count(channel) > 0; }};
  }

  void Poll() { channels_.Poll(now_); }
  void Pass(std::int64_t ms) {
    now_ = Time{now_.ms + ms};
    Poll();
  }
  // Until it asks, event by event. An event may be a timeout of what has been answered since.
  void PassUntilAsked() {
    while (asked_.empty()) {
      ASSERT_NE(channels_.next_event(), kNever);
      Pass(channels_.next_event().ms - now_.ms);
    }
  }
  std::vector<Asked> Take() { return std::exchange(asked_, {}); }
  // The same, held against the pace: in no second may it be exceeded.
  std::vector<Asked> TakePaced() {
    last_second_.insert(last_second_.end(), asked_.size(), now_);
    while (!last_second_.empty() && last_second_.front().ms <= now_.ms - 1'000) {
      last_second_.pop_front();
    }
    EXPECT_LE(static_cast<double>(last_second_.size()), kPerSecond);
    return Take();
  }
  void Answer(const std::vector<Asked>& asked, const absl::Status& status = absl::OkStatus()) {
    for (const Asked& one : asked) channels_.OnSubscribed(one.number, status, now_);
    Poll();
  }
  void Want(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t i = first; i < last; ++i) channels_.Want(UserId{i});
  }
  // Wanted, and acknowledged.
  void WantLive(std::uint64_t first, std::uint64_t last) {
    Want(first, last);
    Poll();
    while (!asked_.empty()) Answer(Take());
    EXPECT_EQ(stats().channels_live, stats().channels);
    channels_.TakeAnswered();
  }
  ClusterStats stats() const {
    ClusterStats stats;
    channels_.AddTo(&stats);
    return stats;
  }

  Time now_{1'000'000};
  std::vector<Asked> asked_;
  std::vector<std::pair<std::string, Channel>> unsubscribed_;
  std::set<Channel> urgent_;
  std::deque<Time> last_second_;
  Channels channels_{{kPerSecond, 50, kTimeoutMs, kSettleMs},
                     Backoff(absl::Milliseconds(100), absl::Milliseconds(1'000), 1),
                     Actions()};
};

}  // namespace nearby::internal

#endif  // NEARBY_TESTS_CLUSTER_CHANNELS_FIXTURE_H_

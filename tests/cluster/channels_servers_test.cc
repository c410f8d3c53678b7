// Channels over servers that go and come back: whatever happens, what is subscribed to anew keeps
// to the pace, and once all is well again every channel is heard.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/cluster_stats.h"
#include "nearby/hash_ring.h"
#include "nearby/ids.h"
#include "nearby/ring_source.h"
#include "nearby/time.h"
#include "src/cluster/channels.h"
#include "src/runtime/backoff.h"
#include "tests/cluster/made_rings.h"

namespace nearby::internal {
namespace {

using test::RingOf;

constexpr std::int64_t kTimeoutMs = 500;
constexpr std::int64_t kSettleMs = 1'000;
constexpr std::size_t kPerSecond = 100;

class ChannelsServersTest : public ::testing::Test {
 protected:
  struct Server {
    bool is_down = false;
    bool is_failing = false;  // what it answered last
    std::set<Channel> subscribed;
  };

  struct Call {
    std::string server;
    Channel channel;
    std::uint64_t number = 0;
  };

  Channels::Actions Actions() {
    return {[this](absl::string_view server, Channel channel, std::uint64_t number) {
              OnAsked({std::string(server), channel, number});
            },
            [this](absl::string_view server, Channel channel) {
              servers_[std::string(server)].subscribed.erase(channel);
            },
            [this](Channel channel) { return urgent_.count(channel) > 0; }};
  }

  void OnAsked(Call call) {
    const bool is_first = known_.insert(call.channel).second;
    if (!is_first || servers_[call.server].is_failing) CountPaced();
    asked_.push_back(call.channel);
    calls_.push_back(std::move(call));
  }
  // In no second more than may be.
  void CountPaced() {
    last_second_.push_back(now_);
    while (last_second_.front().ms <= now_.ms - 1'000) last_second_.pop_front();
    most_in_a_second_ = std::max(most_in_a_second_, last_second_.size());
    ASSERT_LE(last_second_.size(), kPerSecond);
  }

  void SetRing(const std::vector<std::string>& servers) {
    ring_ = RingOf(servers);
    channels_.SetRing(ring_);
  }
  void Want(std::uint64_t user) {
    if (wanted_.insert(UserId{user}).second) known_.erase(UserId{user});
    channels_.Want(UserId{user});
  }
  void WantAll(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t user = first; user < last; ++user) Want(user);
  }
  void Unwant(std::uint64_t user) {
    wanted_.erase(UserId{user});
    channels_.Unwant(UserId{user});
  }

  void Poll() { channels_.Poll(now_); }
  void Answer(const Call& call) {
    Server& server = servers_[call.server];
    server.is_failing = server.is_down;
    if (!server.is_down) server.subscribed.insert(call.channel);
    channels_.OnSubscribed(
        call.number, server.is_down ? absl::UnavailableError("down") : absl::OkStatus(), now_);
  }
  void AnswerNext() {
    const Call call = calls_.front();
    calls_.pop_front();
    Answer(call);
  }
  void AnswerAll() {
    while (!calls_.empty()) AnswerNext();
  }
  // Does and answers what there is to be done at once.
  void Settle() {
    Poll();
    while (!calls_.empty()) {
      AnswerAll();
      Poll();
    }
  }
  // Settles whenever it asks to be polled.
  void PassUntil(Time until) {
    Settle();
    while (now_ < until) {
      ASSERT_GT(channels_.next_event(), now_);
      now_ = std::min(until, channels_.next_event());
      Settle();
    }
  }
  void Pass(std::int64_t ms) { PassUntil(Time{now_.ms + ms}); }

  void Break(const std::string& name) {
    Server& server = servers_[name];
    server.is_down = true;
    server.subscribed.clear();
    channels_.OnLinkLost(name);
  }
  void Mend(const std::string& name) { servers_[name].is_down = false; }

  ClusterStats stats() const {
    ClusterStats stats;
    channels_.AddTo(&stats);
    return stats;
  }
  std::size_t CountOn(const std::string& server) const {
    return static_cast<std::size_t>(std::count_if(
        wanted_.begin(), wanted_.end(),
        [this, &server](Channel channel) { return ring_->Owner(channel)->server == server; }));
  }
  // All that is wanted is subscribed to at its owner, is known to be, and nothing else is.
  void ExpectConverged() {
    EXPECT_EQ(stats().channels_live, wanted_.size());
    EXPECT_EQ(stats().channels_to_move, 0u);
    for (const Channel channel : wanted_) {
      EXPECT_TRUE(channels_.IsLive(channel));
      EXPECT_EQ(servers_[ring_->Owner(channel)->server].subscribed.count(channel), 1u);
    }
    std::size_t subscribed = 0;
    for (const auto& [name, server] : servers_) subscribed += server.subscribed.size();
    EXPECT_EQ(subscribed, wanted_.size());
  }

  Time now_{1'000'000};
  RingSource::Ring ring_;
  std::map<std::string, Server> servers_;
  std::set<Channel> wanted_;
  std::set<Channel> urgent_;
  std::set<Channel> known_;       // asked for since they are wanted
  std::vector<Channel> asked_;    // in order
  std::deque<Call> calls_;        // not answered
  std::deque<Time> last_second_;  // when those that are paced were asked for
  std::size_t most_in_a_second_ = 0;
  Channels channels_{{kPerSecond, 50, kTimeoutMs, kSettleMs},
                     Backoff(absl::Milliseconds(100), absl::Milliseconds(1'000), 1),
                     Actions()};
};

TEST_F(ChannelsServersTest, AServerThatIsBackIsSubscribedToAtThePaceThoseInSightFirst) {
  SetRing({"a"});
  WantAll(1, 501);
  Settle();
  Break("a");
  Pass(10'000);
  EXPECT_EQ(stats().channels_live, 0u);
  for (const std::uint64_t user : {7, 250, 499}) urgent_.insert(UserId{user});
  Mend("a");
  asked_.clear();
  while (stats().channels_live == 0) PassUntil(channels_.next_event());
  const Time back_at = now_;
  // The first of all is the one by which it was found to be back.
  ASSERT_GE(asked_.size(), 4u);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(urgent_.count(asked_[i]), 1u);
  while (stats().channels_live < 500) PassUntil(channels_.next_event());
  EXPECT_LE(now_.ms - back_at.ms, 6'000) << "and not far below it";
  ExpectConverged();
}

// Such as a node has that is started while a server is down.
TEST_F(ChannelsServersTest, ChannelsThatAreNewKeepToThePaceWhereTheirServerWasDown) {
  SetRing({"a", "b"});
  Break("a");
  WantAll(1, 1'001);
  Settle();
  EXPECT_EQ(stats().channels_live, CountOn("b")) << "those of the other wait for nothing";
  Pass(10'000);
  // Each has waited by now, be it that it has never been asked for.
  known_.insert(wanted_.begin(), wanted_.end());
  Mend("a");
  Pass(10'000);
  EXPECT_EQ(most_in_a_second_, kPerSecond) << "it is made use of";
  ExpectConverged();
}

TEST_F(ChannelsServersTest, ProbesKeepToThePaceOfARingChangeUnderWay) {
  SetRing({"a", "b", "c", "d"});
  WantAll(1, 3'001);
  Settle();
  for (const char* server : {"b", "c", "d"}) Break(server);
  SetRing({"a", "b", "c", "d", "e"});
  const std::size_t moved = CountOn("e");
  Pass(10'000);
  EXPECT_EQ(most_in_a_second_, kPerSecond) << "it is made use of";
  EXPECT_EQ(servers_["e"].subscribed.size(), moved) << "and they get on";
  for (const char* server : {"b", "c", "d"}) Mend(server);
  Pass(30'000 + 2 * kSettleMs);
  ExpectConverged();
}

TEST_F(ChannelsServersTest, AServerThatComesBackDuringARingChangeSharesItsPace) {
  SetRing({"a", "b"});
  WantAll(1, 1'001);
  Settle();
  Break("a");
  Pass(5'000);
  SetRing({"a", "b", "c"});
  Pass(500);
  Mend("a");
  Pass(20'000);
  ExpectConverged();
}

TEST_F(ChannelsServersTest, AServerThatFailsAgainMeanwhileLosesNothing) {
  SetRing({"a"});
  WantAll(1, 501);
  Settle();
  for (int time = 0; time < 4; ++time) {
    Break("a");
    Pass(3'000);
    EXPECT_EQ(stats().channels_live, 0u);
    Mend("a");
    Pass(3'000);
    EXPECT_GT(stats().channels_live, 0u);
    EXPECT_LT(stats().channels_live, 500u) << "it is to fail before they are all there";
  }
  Pass(6'000);
  ExpectConverged();
}

// What the ring moves while there is no room stands in the queue of the new ones twice: a second
// time when it has been asked for already, and is new no more.
TEST_F(ChannelsServersTest, WhatIsQueuedTwiceKeepsToThePace) {
  SetRing({"a"});
  WantAll(1, 51);
  Poll();
  ASSERT_EQ(calls_.size(), 50u) << "there is no room for more";
  WantAll(51, 251);
  SetRing({"b"});
  Poll();
  AnswerAll();
  Poll();
  for (int batch = 0; batch < 4; ++batch) {
    servers_["b"].is_down = true;
    while (calls_.size() > 1) AnswerNext();
    servers_["b"].is_down = false;
    AnswerNext();
    Poll();
  }
  Pass(10'000);
  ExpectConverged();
}

// It is a former owner again, though it was an owner meanwhile, to which the call failed.
TEST_F(ChannelsServersTest, AFormerOwnerIsListenedToThoughTheReturnToItHasFailed) {
  SetRing({"a"});
  Want(1);
  Settle();
  SetRing({"b"});
  Poll();
  ASSERT_EQ(calls_.size(), 1u);
  calls_.clear();  // b does not answer
  SetRing({"a"});
  Poll();
  while (calls_.empty()) now_ = channels_.next_event(), Poll();
  const Call to_a = calls_.front();
  calls_.clear();
  ASSERT_EQ(to_a.server, "a");
  channels_.OnSubscribed(to_a.number, absl::UnavailableError("busy"), now_);
  SetRing({"b"});
  Poll();
  EXPECT_FALSE(channels_.IsLive(UserId{1}));
  EXPECT_EQ(servers_["a"].subscribed.count(UserId{1}), 1u) << "b has not acknowledged yet";
  Pass(10'000);
  ExpectConverged();
}

TEST_F(ChannelsServersTest, WhatComesFromAnUnknownServerBeforeThereIsARingChangesNothing) {
  Want(1);
  Poll();
  channels_.OnStray("never heard of", UserId{1});
  SetRing({"a"});
  Settle();
  ExpectConverged();
}

// At a pace that probes of a dead server alone would use up.
TEST_F(ChannelsServersTest, ServersThatStayDeadLeaveSomethingToOthers) {
  Channels slow{{0.5, 50, kTimeoutMs, kSettleMs},
                Backoff(absl::Milliseconds(100), absl::Milliseconds(1'000), 1),
                Actions()};
  ring_ = RingOf({"a", "b"});
  slow.SetRing(ring_);
  const auto settle = [&] {
    slow.Poll(now_);
    for (; !calls_.empty(); calls_.pop_front()) {
      const Server& server = servers_[calls_.front().server];
      slow.OnSubscribed(calls_.front().number,
                        server.is_down ? absl::UnavailableError("down") : absl::OkStatus(), now_);
    }
    slow.Poll(now_);
  };
  for (std::uint64_t user = 1; user < 41; ++user) {
    wanted_.insert(UserId{user});
    slow.Want(UserId{user});
  }
  settle();
  servers_["a"].is_down = true;
  slow.OnLinkLost("a");
  slow.OnLinkLost("b");
  for (const Time end{now_.ms + 600'000}; now_ < end;) {
    settle();
    last_second_.clear();
    now_ = std::max(Time{now_.ms + 1}, slow.next_event());
  }
  for (const Channel channel : wanted_) {
    EXPECT_EQ(slow.IsLive(channel), ring_->Owner(channel)->server == "b");
  }
}

class ChannelsServersRandomTest : public ChannelsServersTest,
                                  public ::testing::WithParamInterface<std::uint32_t> {
 protected:
  bool OneIn(std::uint32_t n) { return random_() % n == 0; }
  void DoSomething() {
    static const auto* const rings = new std::vector<std::vector<std::string>>{
        {"a", "b", "c"}, {"a", "b", "d"}, {"a", "b", "c", "e"}, {"b", "c"}};
    const std::string server(1, static_cast<char>('a' + random_() % 5));
    if (OneIn(100)) Break(server);
    if (OneIn(50)) Mend(server);
    if (OneIn(200) || ring_ == nullptr) SetRing((*rings)[random_() % rings->size()]);
    if (OneIn(5)) Want(1 + random_() % 1'500);
    if (OneIn(5)) Unwant(1 + random_() % 1'500);
    if (OneIn(10)) urgent_.insert(UserId{1 + random_() % 1'500});
  }
  // Some are carried out and the answer is lost, some are lost themselves, some take time.
  void AnswerSome() {
    for (std::size_t i = calls_.size(); i > 0; --i) {
      const Call call = calls_.front();
      calls_.pop_front();
      if (OneIn(3)) {
        calls_.push_back(call);
      } else if (!OneIn(20)) {
        Answer(call);
      } else if (OneIn(2) && !servers_[call.server].is_down) {
        servers_[call.server].subscribed.insert(call.channel);
      }
    }
  }
  // Whatever is published to where it should not be subscribed to finds that out.
  void PublishToAll() {
    for (const auto& [name, server] : servers_) {
      for (const Channel channel : std::set<Channel>(server.subscribed)) {
        channels_.OnStray(name, channel);
      }
    }
  }

  std::minstd_rand random_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Seeds, ChannelsServersRandomTest, ::testing::Range(1U, 21U));

// Everything at once: servers go and come back, calls are lost, the ring changes, guests come and
// go, and polls are late.
TEST_P(ChannelsServersRandomTest, InNoSecondMoreThanThePace) {
  WantAll(1, 1'001);
  for (int step = 0; step < 2'000; ++step) {
    DoSomething();
    Poll();
    AnswerSome();
    Poll();
    const std::uint32_t most_ms = OneIn(20) ? 300 : 20;
    now_ = Time{now_.ms + static_cast<std::int64_t>(random_() % most_ms)};
  }
  EXPECT_GE(most_in_a_second_, kPerSecond * 9 / 10) << "it is made use of";
  for (auto& [name, server] : servers_) server.is_down = false;
  AnswerAll();
  Pass(30'000);
  PublishToAll();
  ExpectConverged();
}

}  // namespace
}  // namespace nearby::internal

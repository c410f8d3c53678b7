#include "src/cluster/courier.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/node_batch.h"
#include "nearby/session_directory.h"
#include "nearby/time.h"
#include "src/runtime/backoff.h"

namespace nearby::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::size_t kMaxUnacknowledged = 8;

NodeEvent Letter(std::uint64_t user, NodeEvent::Kind kind = NodeEvent::Kind::kAnnounce) {
  NodeEvent event;
  event.kind = kind;
  event.user = UserId{user};
  event.position = Position::FromLatLng({48, 11});  // which only some kinds have
  return event;
}

// A node's courier, with all that it has published and received.
class Post {
 public:
  explicit Post(const NodeLease& self, std::size_t max_payload = 64 << 10)
      : self_(self),
        courier_(
            {kMaxUnacknowledged, max_payload},
            Backoff(absl::Milliseconds(100), absl::Milliseconds(800), 1),
            {[this](NodeId /*to*/, absl::string_view payload) { published.emplace_back(payload); },
             [this](const NodeLease& from, const NodeEvent& event) {
               senders.push_back(from);
               received.push_back(ToInt(event.user));
             }}) {
    courier_.Begin(self);
  }

  Courier& courier() { return courier_; }
  const NodeLease& self() const { return self_; }
  bool Send(const Post& to, std::uint64_t user, NodeEvent::Kind kind = NodeEvent::Kind::kAnnounce) {
    return courier_.Send(to.self(), Letter(user, kind));
  }
  void Begin(const NodeLease& self) {
    self_ = self;
    courier_.Begin(self);
  }
  // What it publishes meanwhile goes to the other.
  void PollTo(Post* other, Time now) {
    courier_.Poll(now);
    for (const std::string& payload : std::exchange(published, {})) {
      other->courier().OnPayload(payload);
    }
  }
  ClusterStats stats() const {
    ClusterStats stats;
    courier_.AddTo(&stats);
    return stats;
  }

  std::vector<std::string> published;
  std::vector<NodeLease> senders;
  std::vector<std::uint64_t> received;

 private:
  NodeLease self_;
  Courier courier_;
};

class CourierTest : public ::testing::Test {
 protected:
  void Exchange(int rounds = 4) {
    for (int i = 0; i < rounds; ++i) {
      first_.PollTo(&second_, now_);
      second_.PollTo(&first_, now_);
    }
  }
  void Pass(std::int64_t ms) { now_ = Time{now_.ms + ms}; }
  // A batch each, of a kind of which there may be any number; until the first is to be repeated.
  void SendAndLose(std::uint64_t letters) {
    for (std::uint64_t user = 1; user <= letters; ++user) {
      first_.Send(second_, user, NodeEvent::Kind::kChange);
      first_.courier().Poll(now_);
    }
    first_.published.clear();
    now_ = first_.courier().next_event();
  }

  Time now_{1'000'000};
  Post first_{{NodeId{1}, Epoch{11}}};
  Post second_{{NodeId{2}, Epoch{22}}};
};

TEST_F(CourierTest, CarriesLettersInOrder) {
  for (std::uint64_t user : {1, 2, 3}) first_.Send(second_, user);
  Exchange();
  first_.Send(second_, 4);
  second_.Send(first_, 5);
  Exchange();
  EXPECT_THAT(second_.received, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(first_.received, ElementsAre(5));
  EXPECT_EQ(second_.senders[0], first_.self());
  EXPECT_EQ(first_.courier().next_event(), kNever) << "all has been acknowledged";
  EXPECT_EQ(first_.stats().letters_sent, 4u);
  EXPECT_EQ(second_.stats().letters_received, 4u);
  first_.courier().Poll(now_);
  EXPECT_THAT(first_.published, IsEmpty()) << "nobody answers an answer";
}

TEST_F(CourierTest, RepeatsWhatIsNotAcknowledged) {
  first_.Send(second_, 1);
  first_.courier().Poll(now_);
  first_.published.clear();
  const Time due = first_.courier().next_event();
  EXPECT_GE(due.ms, now_.ms + 100);
  first_.courier().Poll(Time{due.ms - 1});
  EXPECT_THAT(first_.published, IsEmpty());
  now_ = due;
  Exchange();
  EXPECT_THAT(second_.received, ElementsAre(1));
  EXPECT_EQ(first_.stats().letters_resent, 1u);
}

TEST_F(CourierTest, RepeatsAtGrowingIntervals) {
  first_.Send(second_, 1);
  std::int64_t last_ms = 0;
  for (int i = 0; i < 3; ++i) {
    first_.courier().Poll(now_);
    const std::int64_t wait_ms = first_.courier().next_event().ms - now_.ms;
    EXPECT_GT(wait_ms, last_ms);
    last_ms = wait_ms;
    now_ = first_.courier().next_event();
  }
}

TEST_F(CourierTest, ALostAnswerDoublesNothing) {
  first_.Send(second_, 1);
  first_.PollTo(&second_, now_);
  second_.courier().Poll(now_);
  second_.published.clear();
  Pass(10'000);
  Exchange();
  EXPECT_THAT(second_.received, ElementsAre(1));
  EXPECT_EQ(second_.stats().batches_repeated, 1u);
  EXPECT_EQ(first_.courier().next_event(), kNever);
}

TEST_F(CourierTest, NothingOvertakesWhatWasLost) {
  first_.Send(second_, 1);
  first_.courier().Poll(now_);
  first_.published.clear();
  first_.Send(second_, 2);
  first_.PollTo(&second_, now_);
  EXPECT_THAT(second_.received, IsEmpty());
  for (int i = 0; i < 3; ++i) {
    Pass(10'000);
    Exchange();
  }
  EXPECT_THAT(second_.received, ElementsAre(1, 2));
}

// Or whoever has been cut off for a while would be behind for ever, where letters come faster than
// one goes to and fro.
TEST_F(CourierTest, CatchesUpInFewRounds) {
  constexpr std::uint64_t kLetters = 100;
  SendAndLose(kLetters);
  Exchange(/*rounds=*/9);
  EXPECT_EQ(second_.received.size(), kLetters);
  EXPECT_TRUE(std::is_sorted(second_.received.begin(), second_.received.end()));
  EXPECT_EQ(first_.stats().letters_resent, kLetters) << "each once";
  EXPECT_EQ(first_.courier().next_event(), kNever);
}

// Each batch that is taken may be answered by itself, and some of the answers arrive together.
TEST_F(CourierTest, CatchesUpWhereAnswersComeTogether) {
  constexpr std::uint64_t kLetters = 100;
  SendAndLose(kLetters);
  for (int round = 0; round < 9; ++round) {
    first_.courier().Poll(now_);
    for (const std::string& payload : std::exchange(first_.published, {})) {
      second_.courier().OnPayload(payload);
      second_.courier().Poll(now_);
    }
    for (const std::string& answer : std::exchange(second_.published, {})) {
      first_.courier().OnPayload(answer);
    }
  }
  EXPECT_EQ(second_.received.size(), kLetters);
  EXPECT_EQ(first_.courier().next_event(), kNever);
}

TEST_F(CourierTest, DividesWhatIsTooMuchForOnePayload) {
  Post small(NodeLease{NodeId{3}, Epoch{33}}, kMaxNodeBatchHeaderBytes + 2 * kMaxNodeEventBytes);
  for (std::uint64_t user : {1, 2, 3, 4, 5}) small.Send(second_, user);
  small.courier().Poll(now_);
  EXPECT_EQ(small.published.size(), 3u);
  for (const std::string& payload : small.published) {
    EXPECT_LE(payload.size(), kMaxNodeBatchHeaderBytes + 2 * kMaxNodeEventBytes);
    second_.courier().OnPayload(payload);
  }
  EXPECT_THAT(second_.received, ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(CourierTest, RefusesPastItsLimitWhatCanBeMadeUpFor) {
  using Kind = NodeEvent::Kind;
  for (std::uint64_t user = 1; user <= kMaxUnacknowledged; ++user) {
    EXPECT_TRUE(first_.Send(second_, user));
  }
  for (const Kind kind : {Kind::kAnnounce, Kind::kAnnounceBack, Kind::kLocation}) {
    EXPECT_FALSE(first_.Send(second_, 90, kind));
  }
  EXPECT_TRUE(first_.Send(second_, 91, Kind::kChange));
  EXPECT_TRUE(first_.Send(second_, 0, Kind::kChanged));
  EXPECT_EQ(first_.stats().letters_refused, 3u);
  Exchange();
  EXPECT_TRUE(first_.Send(second_, 92)) << "there is room again";
  Exchange();
  EXPECT_THAT(second_.received, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 91, 0, 92));
}

TEST_F(CourierTest, OneOfAUserWaitsPastItsLimitWhereNoneMayBeLost) {
  using Kind = NodeEvent::Kind;
  for (std::uint64_t user = 1; user <= kMaxUnacknowledged; ++user) first_.Send(second_, user);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(first_.Send(second_, 91, Kind::kTaken));
    EXPECT_TRUE(first_.Send(second_, 91, Kind::kReload));
    EXPECT_TRUE(first_.Send(second_, 92, Kind::kTaken));
    NodeEvent jump = Letter(93, Kind::kLocation);
    jump.jumps = 1;
    EXPECT_TRUE(first_.courier().Send(second_.self(), jump));
  }
  EXPECT_EQ(first_.stats().letters_sent, kMaxUnacknowledged);
  EXPECT_FALSE(first_.courier().is_idle());
  Exchange();
  EXPECT_THAT(second_.received, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 91, 91, 92, 93));
  EXPECT_TRUE(first_.courier().is_idle());

  for (std::uint64_t user = 1; user <= kMaxUnacknowledged; ++user) first_.Send(second_, user);
  first_.Send(second_, 91, Kind::kTaken);
  first_.courier().OnEnded({second_.self()});
  EXPECT_EQ(first_.stats().letters_returned, kMaxUnacknowledged + 1);
}

TEST_F(CourierTest, GivesBackWhatIsForALifeThatHasEnded) {
  first_.Send(second_, 1);
  first_.courier().Poll(now_);
  first_.Send(second_, 2);
  std::vector<NodeLease> peers;
  first_.courier().AppendPeers(&peers);
  EXPECT_THAT(peers, ElementsAre(second_.self()));
  first_.courier().OnEnded({second_.self(), {NodeId{9}, Epoch{9}}});
  EXPECT_EQ(first_.stats().letters_returned, 2u);
  peers.clear();
  first_.courier().AppendPeers(&peers);
  EXPECT_THAT(peers, IsEmpty());
  first_.published.clear();
  first_.courier().Poll(Time{now_.ms + 10'000});
  EXPECT_THAT(first_.published, IsEmpty());
}

TEST_F(CourierTest, ALaterLifeIsAnother) {
  first_.Send(second_, 1);
  first_.courier().Poll(now_);
  const std::vector<std::string> late = std::exchange(first_.published, {});
  second_.Begin({NodeId{2}, Epoch{23}});
  for (const std::string& payload : late) second_.courier().OnPayload(payload);
  EXPECT_THAT(second_.received, IsEmpty()) << "it is for the life before";
  first_.Send(second_, 2);
  Exchange();
  EXPECT_THAT(second_.received, ElementsAre(2));

  // And a later life of the sender begins anew.
  first_.Begin({NodeId{1}, Epoch{12}});
  first_.Send(second_, 3);
  Exchange();
  EXPECT_THAT(second_.received, ElementsAre(2, 3));
  EXPECT_EQ(second_.senders.back(), first_.self());
}

TEST_F(CourierTest, MakesNothingOfNonsense) {
  second_.courier().OnPayload("nonsense of some kind");
  EXPECT_EQ(second_.stats().batches_malformed, 1u);
  first_.Send(second_, 1);
  first_.courier().Poll(now_);
  std::string cut = first_.published[0].substr(0, first_.published[0].size() - 1);
  second_.courier().OnPayload(cut);
  EXPECT_THAT(second_.received, IsEmpty());
}

// Lost, doubled and late at random, both ways: each letter arrives once, in order.
TEST_F(CourierTest, OutlivesWhateverTheNetworkDoes) {
  constexpr std::uint64_t kLetters = 400;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Post a(NodeLease{NodeId{1}, Epoch{seed}});
    Post b(NodeLease{NodeId{2}, Epoch{seed}});
    std::vector<std::pair<Post*, std::string>> under_way;
    std::uint64_t sent = 0;
    Time now{1'000};
    for (int step = 0; step < 50'000 && std::min(a.received.size(), b.received.size()) < kLetters;
         ++step) {
      if (sent < kLetters && random() % 2 == 0) {
        ++sent;
        a.Send(b, sent, NodeEvent::Kind::kChange);
        b.Send(a, sent, NodeEvent::Kind::kChange);
      }
      for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
        from->courier().Poll(now);
        for (const std::string& payload : std::exchange(from->published, {})) {
          for (std::uint64_t copies = random() % 3; copies > 0; --copies) {
            under_way.emplace_back(to, payload);
          }
        }
      }
      if (!under_way.empty()) {
        const std::size_t i = random() % under_way.size();
        std::swap(under_way[i], under_way.back());
        auto [to, payload] = std::move(under_way.back());
        under_way.pop_back();
        to->courier().OnPayload(payload);
      }
      now = Time{now.ms + static_cast<std::int64_t>(random() % 50)};
    }
    std::vector<std::uint64_t> expected(kLetters);
    for (std::uint64_t i = 0; i < kLetters; ++i) expected[i] = i + 1;
    EXPECT_EQ(a.received, expected);
    EXPECT_EQ(b.received, expected);
  }
}

}  // namespace
}  // namespace nearby::internal

// Messages between shards that nobody sent: whatever arrives, the invariants hold.

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <random>

#include "nearby/engine.h"

namespace nearby::test {
namespace {

class RandomMessages {
 public:
  explicit RandomMessages(std::uint64_t seed) : random_(seed) {}

  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }
  // Of three shards, 3, 10 and 11 are at home on the first, 1 and 2 on the second, 0 and 6 on the
  // third.
  UserId User() {
    constexpr std::uint64_t kUsers[] = {3, 10, 11, 1, 2, 0, 6};
    return UserId{kUsers[Below(7)]};
  }

  PeerMessage Next(Time now) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    constexpr std::int32_t kQuarterTurn = 1 << 30;
    PeerMessage message;
    message.user = User();
    message.from = HomeShard(message.user, 3);
    if (Below(10) == 0) message.from = ShardId{static_cast<std::uint32_t>(Below(4))};
    if (Below(50) == 0) message.from = ShardId{0xFFFFFFFFu};
    message.to = ShardId{Below(30) == 0 ? 3u : 0u};
    // Mostly announcements and locations.
    message.kind = static_cast<PeerMessage::Kind>(Below(4) == 0 ? Below(8) : Below(2) * 4);
    message.friend_id = User();
    message.friendship = {Below(8) > 0, Below(8) == 0, Below(8) == 0, Below(8) == 0, Below(8) == 0};
    message.version = FriendVersion{Below(3) == 0 ? random_() : Below(20)};
    if (Below(10) > 0) {
      const auto lat = static_cast<std::int32_t>(Below(2'000'000));
      message.position = Position::FromUnits(Below(9) == 0 ? kQuarterTurn : lat,
                                             static_cast<std::int32_t>(random_()) % 2'000'000);
    }
    const std::int64_t odd[] = {kMost, -kMost - 1, kMaxTimeMs, -kMaxTimeMs};
    message.accepted_at = Below(20) == 0 ? Time{odd[Below(4)]}
                                         : Time{now.ms - static_cast<std::int64_t>(Below(20'000))};
    message.sequence = static_cast<std::uint32_t>(Below(4));
    constexpr float kSpeeds[] = {0,
                                 0.003F,
                                 0.025F,
                                 -1,
                                 1e30F,
                                 std::numeric_limits<float>::infinity(),
                                 std::numeric_limits<float>::quiet_NaN()};
    message.speed_bound = kSpeeds[Below(7)];
    message.until = Below(4) == 0 ? Time{odd[Below(4)]}
                                  : Time{now.ms + static_cast<std::int64_t>(Below(100'000))};
    message.reported_at = Below(20) == 0 ? Time{odd[Below(4)]} : message.accepted_at;
    return message;
  }

 private:
  std::mt19937_64 random_;
};

TEST(EnginePeersFuzzTest, InvariantsHoldWhateverArrives) {
  EngineStats total;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    RandomMessages messages(seed);
    EngineOptions options;
    options.shard_count = 3;
    options.ttl = absl::Seconds(20);
    options.unsubscribe_delay = absl::Seconds(3);
    options.max_entities = 5;
    options.max_friends = 2;
    const std::unique_ptr<Engine> engine = Engine::Create(options).value();
    Effects effects;
    Time now{0};
    for (int step = 0; step < 1000; ++step) {
      effects.Clear();
      const UserId user = messages.User();
      const std::optional<ClientHandle> client = engine->Find(user);
      switch (messages.Below(12)) {
        case 0:
          now.ms += static_cast<std::int64_t>(messages.Below(3000));
          ASSERT_EQ(engine->Advance(now, &effects), absl::OkStatus());
          break;
        case 1:
          if (HomeShard(user, 3) == options.shard && (!client || messages.Below(6) == 0) &&
              engine->Connect({user, 1, {}}, &effects).ok()) {
            const FriendEntry entry{UserId{ToInt(user) + 1}, {true}};
            engine->FriendsLoaded(*engine->Find(user), FriendVersion{5}, {&entry, 1}, &effects)
                .IgnoreError();
          }
          break;
        case 2:
          if (client && messages.Below(4) == 0) engine->Disconnect(*client, &effects).IgnoreError();
          break;
        case 3:
          if (client) engine->Report({*client, {0.01, 0.01}, now}, &effects);
          break;
        default: {
          const PeerMessage message = messages.Next(now);
          engine->Receive({&message, 1}, &effects);
        }
      }
      ASSERT_EQ(engine->CheckInvariants(), absl::OkStatus()) << "step " << step;
    }
    total += engine->stats();
  }
  EXPECT_GT(total.messages_dropped, 100u);
  EXPECT_GT(total.links_refused, 100u);
  EXPECT_GT(total.enters, 100u);
  EXPECT_GT(total.moves, 100u);
}

}  // namespace
}  // namespace nearby::test

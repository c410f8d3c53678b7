// A test for each numbered invariant of docs/architecture.md that the engine alone can keep, over
// random sequences of operations. A failure names the seed; the sequence is a pure function of it.
// (I7 is the ring's.)

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "nearby/engine.h"
#include "nearby/radius_filter.h"
#include "tests/engine/stream_checker.h"
#include "tests/fuzz/engine_ops.h"

namespace nearby::test {
namespace {

constexpr std::uint64_t kSeeds = 60;
constexpr std::size_t kOpsARun = 500;

std::vector<std::uint8_t> RandomBytes(std::uint64_t seed, std::size_t size) {
  std::mt19937_64 random(seed);  // its numbers are specified, unlike those of the distributions
  std::vector<std::uint8_t> bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random() >> 56);
  return bytes;
}

/// Runs each seed's operations in the world that `shape` makes of the random one, and fails for
/// every broken promise of this number. `inspect` sees each run.
void RunSeeds(int invariant, const std::function<void(World&)>& shape,
              const std::function<void(const EngineOps&)>& inspect) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    const std::vector<std::uint8_t> bytes = RandomBytes(seed, kWorldBytes + kOpsARun * kOpBytes);
    World world = EngineOps::DecodeWorld(bytes);
    shape(world);
    EngineOps ops(world);
    ops.Run(absl::MakeConstSpan(bytes).subspan(kWorldBytes));
    for (const Violation& violation : ops.violations()) {
      EXPECT_NE(violation.invariant, invariant) << violation.what;
    }
    inspect(ops);
  }
}

void AnyWorld(World&) {}

/// One line each, in an order that does not depend on which shard spoke first.
std::vector<std::string> Sorted(const std::vector<Delivery>& transcript) {
  std::vector<Delivery> sorted = transcript;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Delivery& a, const Delivery& b) {
    return std::tie(a.time, a.subscriber, a.friend_id) <
           std::tie(b.time, b.subscriber, b.friend_id);
  });
  std::vector<std::string> lines;
  lines.reserve(sorted.size());
  for (const Delivery& delivery : sorted) lines.push_back(ToString(delivery));
  return lines;
}

std::vector<std::string> InOrder(const std::vector<Delivery>& transcript) {
  std::vector<std::string> lines;
  lines.reserve(transcript.size());
  for (const Delivery& delivery : transcript) lines.push_back(ToString(delivery));
  return lines;
}

EngineOps RunOnce(const World& world, absl::Span<const std::uint8_t> bytes) {
  EngineOps ops(world);
  ops.Run(bytes.subspan(kWorldBytes));
  return ops;
}

TEST(Invariants, I1_TheSameCallsGiveByteIdenticalEffects) {
  std::size_t lines = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    const std::vector<std::uint8_t> bytes = RandomBytes(seed, kWorldBytes + kOpsARun * kOpBytes);
    const World world = EngineOps::DecodeWorld(bytes);
    const std::vector<std::string> once = InOrder(RunOnce(world, bytes).transcript());
    ASSERT_EQ(once, InOrder(RunOnce(world, bytes).transcript()));
    lines += once.size();
  }
  EXPECT_GT(lines, 1000u);
}

TEST(Invariants, I1_TheNumberOfShardsDoesNotMatter) {
  std::size_t lines = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::vector<std::uint8_t> bytes = RandomBytes(seed, kWorldBytes + kOpsARun * kOpBytes);
    World world = EngineOps::DecodeWorld(bytes);
    world.driving = Driving::kLockstep;
    world.options.min_report_interval = absl::ZeroDuration();
    world.options.max_entities = 1000;
    // Friends on other shards are found after the answer to a connect, so they are not paged.
    world.options.connect_page_size = 0;
    world.shards = 1;
    const std::vector<std::string> of_one = Sorted(RunOnce(world, bytes).transcript());
    lines += of_one.size();
    for (const std::uint32_t shards : {2u, 4u, 7u}) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ", ", shards, " shards"));
      world.shards = shards;
      ASSERT_EQ(of_one, Sorted(RunOnce(world, bytes).transcript()));
    }
  }
  EXPECT_GT(lines, 1000u);
}

TEST(Invariants, I1_EveryCompilerGivesTheSameEffects) {
  // FNV-1a over all lines. Another number means that engines of two builds differ, or that what
  // engines deliver, or how EngineOps reads its bytes, was changed on purpose: then take the new
  // one over.
  std::uint64_t digest = 0xCBF29CE484222325u;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::vector<std::uint8_t> bytes = RandomBytes(seed, kWorldBytes + kOpsARun * kOpBytes);
    World world = EngineOps::DecodeWorld(bytes);
    world.driving = Driving::kLockstep;
    world.options.min_report_interval = absl::ZeroDuration();
    world.options.connect_page_size = 0;
    world.options.max_entities = 1000;
    for (const std::string& line : Sorted(RunOnce(world, bytes).transcript())) {
      for (const char c : line) {
        digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
      }
    }
  }
  EXPECT_EQ(digest, 15415480672188501528u);
}

TEST(Invariants, I1_ADecisionIsAPureFunctionOfTwoRecordsAndARadius) {
  // Each enter, and each leave for range, is what RadiusLimit says of the two positions, and the
  // distance what DistanceMillimeters says: nothing else may decide.
  std::size_t enters = 0;
  std::size_t leaves = 0;
  std::mt19937_64 random(1);
  std::unique_ptr<Engine> engine = *Engine::Create(EngineOptions());
  Effects effects;
  ASSERT_TRUE(engine->Advance({1000}, &effects).ok());
  Friendship friends;
  friends.friends = true;
  const ClientHandle a = *engine->Connect({UserId{1}, 0, {}}, &effects);
  const ClientHandle b = *engine->Connect({UserId{2}, 0, {}}, &effects);
  ASSERT_TRUE(engine->FriendsLoaded(a, {}, {{{UserId{2}, friends}}}, &effects).ok());
  ASSERT_TRUE(engine->FriendsLoaded(b, {}, {{{UserId{1}, friends}}}, &effects).ok());
  Position of_a = Position::FromLatLng({60, 20});
  ASSERT_EQ(engine->Report({a, {60, 20}, {0}}, &effects), ReportOutcome::kAccepted);
  const RadiusLimit limit = RadiusLimit::FromMeters(EngineOptions().radius_m);
  bool sees = false;
  for (int i = 0; i < 20'000; ++i) {
    // About the boundary, some 8 km to every side.
    const double north = 0.08 * (static_cast<double>(random() >> 11) * 0x1p-52 - 1);
    const double east = 0.16 * (static_cast<double>(random() >> 11) * 0x1p-52 - 1);
    const LatLng at{60 + north, 20 + east};
    const Position of_b = Position::FromLatLng(at);
    effects.Clear();
    ASSERT_EQ(engine->Report({b, at, {0}}, &effects), ReportOutcome::kAccepted);
    const bool admits = limit.Admits(of_a, of_b);
    ASSERT_EQ(admits, limit.Admits(of_b, of_a));
    for (const Delivery& delivery : effects.deliveries) {
      EXPECT_EQ(delivery.kind == DeliveryKind::kLeave, !admits);
      EXPECT_EQ(delivery.distance_mm, DistanceMillimeters(of_a, of_b));
      enters += delivery.kind == DeliveryKind::kEnter ? 1 : 0;
      leaves += delivery.kind == DeliveryKind::kLeave ? 1 : 0;
    }
    // One word to `a` whenever there is something to say; to `b`, which moved, only of changes.
    EXPECT_EQ(effects.deliveries.size(), (admits || sees ? 1u : 0u) + (admits != sees ? 1u : 0u));
    sees = admits;
  }
  EXPECT_GT(enters, 1000u);
  EXPECT_GT(leaves, 1000u);
}

// Two classes of users who are friends among themselves, all in one place, who come, report and go
// at random: whatever still refers to an earlier occupant of a slot shows as a word about the other
// class.
class SlotTraffic {
 public:
  explicit SlotTraffic(std::uint64_t seed) : random_(seed) {
    EngineOptions options;
    options.min_move_interval = absl::Seconds(2);  // both kinds of timers name slots
    options.min_report_interval = absl::Seconds(1);
    engine_ = *Engine::Create(options);
  }

  void Step() {
    effects_.Clear();
    now_.ms += static_cast<std::int64_t>(random_() % 700);
    ASSERT_TRUE(engine_->Advance(now_, &effects_).ok());
    const UserId user{random_() % kUsers};
    if (online_.count(user) == 0) {
      Connect(user);
    } else if (random_() % 4 == 0) {
      ASSERT_TRUE(engine_->Disconnect(online_[user], &effects_).ok());
      ended_.push_back(online_[user]);
      online_.erase(user);
    } else {
      engine_->Report({online_[user], {10, 10}, now_}, &effects_);
    }
    Check();
  }

  std::size_t reuses() const { return reuses_; }  ///< Of slots of the other class.
  std::size_t deliveries() const { return deliveries_; }

 private:
  static constexpr std::uint64_t kUsers = 12;

  static bool SameClass(UserId a, UserId b) { return ToInt(a) % 2 == ToInt(b) % 2; }

  void Connect(UserId user) {
    const ClientHandle client = *engine_->Connect({user, ToInt(user), {}}, &effects_);
    for (const ClientHandle& old : ended_) ASSERT_NE(old, client);
    const auto occupant = last_occupant_.emplace(client.slot, user).first;
    if (!SameClass(occupant->second, user)) ++reuses_;
    occupant->second = user;
    online_[user] = client;
    std::vector<FriendEntry> friends;
    for (std::uint64_t id = 0; id < kUsers; ++id) {
      if (UserId{id} == user || !SameClass(user, UserId{id})) continue;
      friends.push_back({UserId{id}, Friendship{/*friends=*/true}});
    }
    ASSERT_TRUE(engine_->FriendsLoaded(client, {}, friends, &effects_).ok());
  }

  void Check() {
    if (!ended_.empty()) {
      const ClientHandle old = ended_[random_() % ended_.size()];
      ASSERT_EQ(engine_->Report({old, {10, 10}, now_}, &effects_), ReportOutcome::kUnknownClient);
    }
    ASSERT_TRUE(engine_->CheckInvariants().ok()) << engine_->CheckInvariants();
    for (const Delivery& delivery : effects_.deliveries) {
      ASSERT_TRUE(SameClass(delivery.subscriber, delivery.friend_id)) << ToString(delivery);
      ASSERT_EQ(delivery.cookie, ToInt(delivery.subscriber));
    }
    deliveries_ += effects_.deliveries.size();
  }

  std::mt19937_64 random_;
  std::unique_ptr<Engine> engine_;
  Effects effects_;
  Time now_{1000};
  std::map<UserId, ClientHandle> online_;
  std::map<Slot, UserId> last_occupant_;
  std::vector<ClientHandle> ended_;
  std::size_t reuses_ = 0;
  std::size_t deliveries_ = 0;
};

TEST(Invariants, I2_ASlotIsReusedOnlyAfterEveryRowHasDroppedIt) {
  std::size_t reuses = 0;
  std::size_t deliveries = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    SlotTraffic traffic(seed);
    for (int i = 0; i < 1500 && !::testing::Test::HasFatalFailure(); ++i) traffic.Step();
    reuses += traffic.reuses();
    deliveries += traffic.deliveries();
  }
  EXPECT_GT(reuses, 100u);
  EXPECT_GT(deliveries, 1000u);
}

TEST(Invariants, I3_NothingIsDeliveredAboutAnExpiredUser) {
  std::size_t expired = 0;
  std::size_t resets = 0;
  RunSeeds(
      3, [](World& world) { world.options.ttl = std::min(world.options.ttl, absl::Seconds(30)); },
      [&](const EngineOps& ops) {
        expired += ops.checker().seen(LeaveReason::kExpired);
        resets += ops.checker().seen(DeliveryKind::kReset);
      });
  EXPECT_GT(expired, 100u);
  EXPECT_GT(resets, 100u);
}

TEST(Invariants, I4_NothingGoesToANonFriendAnUnsubscribedOrAHiddenFromViewer) {
  std::map<LeaveReason, std::size_t> leaves;
  RunSeeds(4, AnyWorld, [&](const EngineOps& ops) {
    for (const LeaveReason reason :
         {LeaveReason::kUnfriended, LeaveReason::kUnsubscribed, LeaveReason::kHidden}) {
      leaves[reason] += ops.checker().seen(reason);
    }
  });
  for (const auto& [reason, count] : leaves) EXPECT_GT(count, 10u) << ToString(reason);
}

TEST(Invariants, I5_AUsersTimeNeverGoesBackward) {
  std::size_t refused = 0;
  std::size_t moves = 0;
  RunSeeds(5, AnyWorld, [&](const EngineOps& ops) {
    refused += ops.stats().reports_stale;
    moves += ops.checker().seen(DeliveryKind::kMove);
  });
  EXPECT_GT(refused, 100u);
  EXPECT_GT(moves, 100u);
}

TEST(Invariants, I6_EveryContainerStaysWithinItsLimit) {
  std::size_t limits_met = 0;
  std::size_t forgotten = 0;
  RunSeeds(
      6,
      [](World& world) {
        world.options.max_entities = 9;
        world.options.max_friends = 3;
        world.options.max_remembered_changes = 4;
        world.options.max_page_size = 3;
      },
      [&](const EngineOps& ops) {
        limits_met += ops.limits_met();
        forgotten += ops.stats().changes_forgotten;
      });
  EXPECT_GT(limits_met, 100u);
  EXPECT_GT(forgotten, 100u);
}

TEST(Invariants, I8_EnterAndLeaveAlternateForEachSessionAndFriend) {
  std::size_t enters = 0;
  std::size_t leaves = 0;
  std::size_t replaced = 0;
  RunSeeds(8, AnyWorld, [&](const EngineOps& ops) {
    enters += ops.checker().seen(DeliveryKind::kEnter);
    leaves += ops.checker().seen(DeliveryKind::kLeave);
    replaced += ops.stats().replacements;
  });
  EXPECT_GT(enters, 1000u);
  EXPECT_GT(leaves, 1000u);
  EXPECT_GT(replaced, 100u);
}

TEST(Invariants, I9_BothRowsOfAPairAgree) {
  // From inside by CheckInvariants after each operation; from outside by reading pages, which come
  // from the rows, against what was delivered, which came from both ends of each pair.
  std::size_t pages = 0;
  RunSeeds(9, AnyWorld, [&](const EngineOps& ops) { pages += ops.pages_read(); });
  EXPECT_GT(pages, 100u);
}

TEST(Invariants, I10_AfterFaultsStopEverySetIsTheOraclesWithinOneReport) {
  std::size_t in_sight = 0;
  RunSeeds(
      10,
      [](World& world) {
        world.driving = Driving::kDelayed;
        world.shards = std::max(world.shards, 2u);
        world.options.max_entities = 1000;
        world.options.max_remembered_changes = 65536;
      },
      [&](const EngineOps& ops) { in_sight += ops.checker().seen(DeliveryKind::kEnter); });
  EXPECT_GT(in_sight, 1000u);
}

}  // namespace
}  // namespace nearby::test

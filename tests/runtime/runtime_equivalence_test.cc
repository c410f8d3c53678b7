// A runtime tells what its engines deliver, no more and no less. Held, operation by operation, with
// one shard against a Lockstep beside its oracle, and with several against one.
// NEARBY_RANDOM_SEEDS, NEARBY_RANDOM_FIRST_SEED and NEARBY_RANDOM_STEPS as elsewhere.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/lockstep_subject.h"
#include "tests/engine/random_ops.h"
#include "tests/engine/seeds.h"
#include "tests/runtime/runtime_subject.h"

namespace nearby::test {
namespace {

using ::testing::IsEmpty;

std::uint64_t Steps() { return FromEnvironment("NEARBY_RANDOM_STEPS", 400); }

std::string Describe(const NearbyFriend& one) {
  return absl::StrCat(ToInt(one.friend_id), " d=", one.distance_mm, " r=", one.reported_at.ms,
                      " at ", one.position.lat_units(), ",", one.position.lng_units());
}

std::vector<std::string> Describe(const std::vector<NearbyFriend>& friends) {
  std::vector<std::string> lines;
  for (const NearbyFriend& one : friends) lines.push_back(Describe(one));
  return lines;
}

// What the deliveries of an operation must come to, but for the enters of a connect's answer, which
// go to `answer`.
std::map<std::uint64_t, std::string> Expected(const std::vector<Delivery>& deliveries,
                                              std::optional<std::uint64_t> connecting,
                                              std::set<std::string>* answer) {
  std::map<std::uint64_t, Told> told;
  for (const Delivery& delivery : deliveries) {
    if (delivery.cookie == connecting) {
      answer->insert(Describe(NearbyFriend{delivery.friend_id, delivery.position,
                                           delivery.distance_mm, delivery.reported_at}));
    } else {
      told[delivery.cookie].Add(delivery);
    }
  }
  std::map<std::uint64_t, std::string> lines;
  for (const auto& [cookie, one] : told) {
    if (!one.empty()) lines[cookie] = one.Describe();
  }
  return lines;
}

void RunAgainstLockstep(std::uint64_t seed) {
  RandomOps ops(seed);
  LockstepSubject lockstep(ops.options(), 1);
  RuntimeSubject runtime(ops.options(), 1);
  for (std::uint64_t step = 0; step < Steps(); ++step) {
    const Op op = ops.Next(/*with_lists=*/false);
    SCOPED_TRACE(absl::StrCat("step ", step, ": ", ToString(op)));
    ASSERT_THAT(lockstep.Do(op), IsEmpty());
    runtime.Do(op);
    if (op.kind == Op::Kind::kConnect) {
      std::set<std::string> answer;
      const auto expected =
          Expected(lockstep.lockstep().deliveries(), runtime.cookie(op.user), &answer);
      const std::vector<std::string> listed = Describe(runtime.listed());
      ASSERT_EQ(std::set<std::string>(listed.begin(), listed.end()), answer);
      ASSERT_EQ(runtime.told(), expected);
    } else if (op.kind != Op::Kind::kNearby) {  // which comes in pages: the sets below tell
      std::set<std::string> no_answer;
      ASSERT_EQ(runtime.told(),
                Expected(lockstep.lockstep().deliveries(), std::nullopt, &no_answer));
    }
    for (const UserId user : ops.users()) {
      std::set<UserId> in_sight;
      for (const UserId other : ops.users()) {
        if (lockstep.oracle().Sees(user, other)) in_sight.insert(other);
      }
      ASSERT_EQ(runtime.InSight(user), in_sight) << "what user " << ToInt(user) << " sees";
    }
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
}

void RunAgainstOneShard(std::uint64_t seed) {
  RandomOps ops(seed);
  EngineOptions options = ops.options();
  // Reports that are held back reach other shards after their time, which several shards do not
  // make up for.
  options.min_report_interval = absl::ZeroDuration();
  RuntimeSubject one(options, 1);
  RuntimeSubject several(options, 2 + static_cast<std::uint32_t>(seed % 3));
  for (std::uint64_t step = 0; step < Steps(); ++step) {
    const Op op = ops.Next(/*with_lists=*/false);
    SCOPED_TRACE(absl::StrCat("step ", step, ": ", ToString(op)));
    one.Do(op);
    several.Do(op);
    ASSERT_EQ(Describe(several.listed()), Describe(one.listed()));
    ASSERT_EQ(several.told(), one.told());
    for (const UserId user : ops.users()) {
      ASSERT_EQ(several.InSight(user), one.InSight(user)) << "what user " << ToInt(user) << " sees";
    }
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
  EXPECT_EQ(several.world().sink().counts().enters, one.world().sink().counts().enters);
  EXPECT_EQ(several.world().sink().counts().moves, one.world().sink().counts().moves);
  EXPECT_EQ(several.world().sink().counts().leaves, one.world().sink().counts().leaves);
  EXPECT_EQ(several.world().sink().counts().resets, one.world().sink().counts().resets);
}

TEST(RuntimeEquivalenceTest, OneShardTellsWhatALockstepDelivers) {
  ForSeeds(60, RunAgainstLockstep);
}

TEST(RuntimeEquivalenceTest, SeveralShardsTellWhatOneTells) { ForSeeds(60, RunAgainstOneShard); }

}  // namespace
}  // namespace nearby::test

// Long random sequences of everything that a host may do, in small crowded worlds, held against the
// oracle after every call. NEARBY_RANDOM_SEEDS, NEARBY_RANDOM_FIRST_SEED and NEARBY_RANDOM_STEPS
// make the runs longer, or repeat one (seeds.h); NEARBY_RANDOM_LOG is how many operations a failure
// shows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/engine/engine_subject.h"
#include "tests/engine/lockstep_subject.h"
#include "tests/engine/random_ops.h"
#include "tests/engine/seeds.h"

namespace nearby::test {
namespace {

std::uint64_t Steps() { return FromEnvironment("NEARBY_RANDOM_STEPS", 600); }

// What led to a failure, as far as one can take it in.
class RecentOps {
 public:
  void Add(const Op& op) {
    ops_.push_back(ToString(op));
    if (ops_.size() > FromEnvironment("NEARBY_RANDOM_LOG", 40)) ops_.pop_front();
  }
  friend std::ostream& operator<<(std::ostream& out, const RecentOps& recent) {
    out << "after, at the end of:\n";
    for (const std::string& op : recent.ops_) out << "  " << op << "\n";
    return out;
  }

 private:
  std::deque<std::string> ops_;
};

std::string Lines(const std::vector<std::string>& faults) {
  std::string text;
  for (const std::string& fault : faults) absl::StrAppend(&text, fault, "\n");
  return text;
}

std::vector<std::string> Described(const std::vector<Delivery>& deliveries) {
  std::vector<std::string> lines;
  for (const Delivery& delivery : deliveries) {
    lines.push_back(absl::StrCat(Describe(delivery), " ", delivery.position.lat_units(), " ",
                                 delivery.position.lng_units()));
  }
  return lines;
}

EngineOracle::Counts Sum(EngineOracle::Counts a, const EngineOracle::Counts& b) {
  a.events += b.events;
  a.enters += b.enters;
  a.moves += b.moves;
  a.resets += b.resets;
  a.held_back += b.held_back;
  a.withheld += b.withheld;
  a.adopted += b.adopted;
  for (std::size_t i = 0; i < a.leaves.size(); ++i) a.leaves[i] += b.leaves[i];
  return a;
}

// What came of all seeds.
struct Totals {
  EngineOracle::Counts counts;
  std::uint64_t skipped = 0;
  std::uint64_t bound_breaks = 0;
  std::uint64_t locations_parked = 0;
  std::uint64_t locations_asked = 0;

  void Add(const EngineOracle::Counts& more, const EngineStats& stats) {
    counts = Sum(counts, more);
    skipped += stats.skipped;
    bound_breaks += stats.bound_breaks;
  }
};

// A world in which nothing happened proves nothing.
void ExpectVaried(const EngineOracle::Counts& counts) {
  EXPECT_GT(counts.enters, 1000u);
  EXPECT_GT(counts.moves, 1000u);
  EXPECT_GT(counts.resets, 100u);
  EXPECT_GT(counts.withheld, 100u);
  EXPECT_GT(counts.adopted, 10u);
  for (std::size_t reason = 1; reason < counts.leaves.size(); ++reason) {
    EXPECT_GT(counts.leaves[reason], 10u) << ToString(static_cast<LeaveReason>(reason));
  }
}

// Every other pair are friends from the start.
std::vector<Op> Friendships(const std::vector<UserId>& users) {
  std::vector<Op> ops;
  for (std::size_t a = 0; a < users.size(); ++a) {
    for (std::size_t b = a % 2 + a + 1; b < users.size(); b += 2) {
      Op op;
      op.kind = Op::Kind::kBefriend;
      op.user = users[a];
      op.other = users[b];
      ops.push_back(op);
    }
  }
  return ops;
}

void RunInLockstep(std::uint64_t seed, Totals* totals) {
  RandomOps ops(seed);
  RecentOps recent;
  std::vector<std::unique_ptr<LockstepSubject>> subjects;
  // Pages are of one shard's friends, and reports held back until one millisecond are applied shard
  // by shard; the test of one engine has both.
  EngineOptions options = ops.options();
  options.connect_page_size = 0;
  options.min_report_interval = absl::ZeroDuration();
  if (seed % 3 == 0) {
    options.home_shard = [](UserId user) {
      return ShardId{static_cast<std::uint32_t>(ToInt(user) / 4)};
    };
  }
  for (const std::uint32_t shards : {1, 2, 4, 7}) {
    // Some skip far pairs and some do not: both must deliver the same.
    options.skip_far_pairs = (seed + subjects.size()) % 2 == 0;
    subjects.push_back(std::make_unique<LockstepSubject>(options, shards));
  }
  const std::vector<Op> first_ops = Friendships(ops.users());
  for (std::uint64_t step = 0; step < Steps() + first_ops.size(); ++step) {
    const Op op = step < first_ops.size() ? first_ops[step] : ops.Next(/*with_lists=*/false);
    recent.Add(op);
    std::vector<Delivery> first;
    for (const auto& subject : subjects) {
      const std::vector<std::string> faults = subject->Do(op);
      ASSERT_TRUE(faults.empty()) << "step " << step << ", shards " << subject->shards() << "\n"
                                  << Lines(faults) << recent;
      const std::vector<Delivery> sorted = subject->SortedDeliveries();
      if (subject == subjects.front()) first = sorted;
      ASSERT_THAT(Described(sorted), ::testing::ElementsAreArray(Described(first)))
          << "step " << step << "\n"
          << recent;
      const absl::Status invariants = subject->lockstep().CheckInvariants();
      ASSERT_TRUE(invariants.ok()) << "step " << step << "\n" << invariants << "\n" << recent;
    }
  }
  for (const auto& subject : subjects) EXPECT_EQ(Lines(subject->CheckStats()), "");
  for (const auto& subject : subjects) {
    totals->locations_parked += subject->lockstep().stats().locations_parked;
    totals->locations_asked += subject->lockstep().stats().locations_asked;
  }
  totals->Add(subjects.front()->oracle().counts(), subjects[seed % 2]->lockstep().stats());
}

void RunEngine(std::uint64_t seed, Totals* totals) {
  RandomOps ops(seed);
  RecentOps recent;
  EngineOptions options = ops.options();
  if (seed % 4 == 0) options.max_remembered_changes = 3;
  EngineSubject subject(options);
  for (const Op& op : Friendships(ops.users())) subject.Befriend(op.user, op.other);
  for (std::uint64_t step = 0; step < Steps(); ++step) {
    const Op op = ops.Next(/*with_lists=*/true);
    recent.Add(op);
    const std::vector<std::string> faults = subject.Do(op);
    ASSERT_TRUE(faults.empty()) << "step " << step << "\n" << Lines(faults) << recent;
    const absl::Status invariants = subject.engine().CheckInvariants();
    ASSERT_TRUE(invariants.ok()) << "step " << step << "\n" << invariants << "\n" << recent;
  }
  EXPECT_EQ(Lines(subject.CheckStats()), "");
  totals->Add(subject.oracle().counts(), subject.engine().stats());
}

void RunSeeds(std::uint64_t seeds, void (*run)(std::uint64_t, Totals*)) {
  Totals totals;
  const std::uint64_t ran = ForSeeds(seeds, [&](std::uint64_t seed) { run(seed, &totals); });
  if (ran < 100) return;
  ExpectVaried(totals.counts);
  EXPECT_GT(totals.skipped, ran * 15);
  EXPECT_GT(totals.bound_breaks, ran * 3);
  if (run == RunEngine) {
    EXPECT_GT(totals.counts.held_back, 10u);
  } else {
    EXPECT_GT(totals.locations_parked, ran * 3);
    EXPECT_GT(totals.locations_asked, ran * 3);
  }
}

TEST(EngineRandomTest, AnyNumberOfShardsDeliversWhatTheOracleDoes) { RunSeeds(180, RunInLockstep); }

TEST(EngineRandomTest, ListsThatArriveLateDeliverWhatTheOracleDoes) { RunSeeds(800, RunEngine); }

}  // namespace
}  // namespace nearby::test

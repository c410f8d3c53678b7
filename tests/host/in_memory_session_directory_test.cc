#include "nearby/in_memory_session_directory.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/session_directory.h"
#include "nearby/testing/conformance_gtest.h"
#include "nearby/testing/session_directory_conformance.h"
#include "nearby/testing/simulated_clock.h"
#include "nearby/time.h"
#include "tests/host/answer.h"

namespace nearby {
namespace {

using Claims = std::vector<SessionDirectory::Claimed>;
using Holders = std::vector<SessionHolder>;
using Leases = std::vector<NodeLease>;
using Users = std::vector<UserId>;
using ::testing::IsEmpty;

const NodeId kNode{1};
const NodeId kOther{2};
const UserId kAlice{1};
const UserId kBob{2};
const absl::Duration kLease = absl::Seconds(10);

const bool kConformance =
    RegisterConformance("InMemorySessionDirectoryConformance", SessionDirectoryConformance([] {
                          const auto clock = std::make_shared<SimulatedClock>(Time::Millis(1'000));
                          SessionDirectoryUnderTest test;
                          test.keeps = clock;
                          test.adapter = std::make_unique<InMemorySessionDirectory>(clock.get());
                          test.pass = [clock](absl::Duration by) { clock->Advance(by); };
                          // It waits for nothing.
                          test.stall = [](bool) {};
                          return test;
                        }));

InMemorySessionDirectory::Options Limits(std::size_t max_holders, std::size_t max_users,
                                         std::size_t max_leases) {
  InMemorySessionDirectory::Options options;
  options.max_holders = max_holders;
  options.max_users = max_users;
  options.max_leases = max_leases;
  return options;
}

absl::StatusOr<Epoch> TryBegin(SessionDirectory& directory, NodeId node,
                               absl::Duration duration = kLease) {
  test::Answer<absl::StatusOr<Epoch>> life;
  directory.BeginLease(node, duration, life.Done());
  return life.Get();
}

NodeLease Begin(SessionDirectory& directory, NodeId node, absl::Duration duration = kLease) {
  const absl::StatusOr<Epoch> life = TryBegin(directory, node, duration);
  EXPECT_TRUE(life.ok()) << life.status();
  return {node, life.value_or(Epoch{})};
}

absl::Status Renew(SessionDirectory& directory, const NodeLease& lease,
                   absl::Duration duration = kLease) {
  test::Answer<absl::Status> renewed;
  directory.RenewLease(lease, duration, renewed.Done());
  return renewed.Get();
}

void End(SessionDirectory& directory, const NodeLease& lease) {
  test::Answer<absl::Status> ended;
  directory.EndLease(lease, ended.Done());
  EXPECT_TRUE(ended.Get().ok());
}

absl::StatusOr<Claims> Claim(SessionDirectory& directory, const NodeLease& lease,
                             const Users& users) {
  test::Answer<absl::StatusOr<Claims>> claimed;
  directory.Claim(lease, users, claimed.Done());
  return claimed.Get();
}

void Release(SessionDirectory& directory, const NodeLease& lease, UserId user, Epoch epoch) {
  test::Answer<absl::Status> released;
  directory.Release(lease, {{user, epoch}}, released.Done());
  EXPECT_TRUE(released.Get().ok());
}

Holders Lookup(SessionDirectory& directory, UserId user) {
  test::Answer<absl::StatusOr<std::vector<Holders>>> found;
  directory.Lookup({user}, found.Done());
  return found.Get()->front();
}

TEST(InMemorySessionDirectoryTest, CompletesBeforeItReturns) {
  SimulatedClock clock;
  InMemorySessionDirectory directory(&clock);
  test::Answer<absl::StatusOr<Epoch>> life;
  directory.BeginLease(kNode, kLease, life.Done());
  EXPECT_EQ(life.times(), 1u);
}

TEST(InMemorySessionDirectoryTest, LeasesEndToTheMillisecond) {
  SimulatedClock clock(Time::Millis(0));
  InMemorySessionDirectory directory(&clock);
  // Rounded up: a node that counts from before it asked is never later than the directory.
  const NodeLease lease = Begin(directory, kNode, absl::Milliseconds(5) + absl::Nanoseconds(1));
  clock.Set(Time::Millis(5));
  EXPECT_TRUE(Renew(directory, lease, absl::Milliseconds(5)).ok());
  clock.Set(Time::Millis(10));
  EXPECT_TRUE(absl::IsNotFound(Renew(directory, lease)));
}

TEST(InMemorySessionDirectoryTest, ARenewalMayShortenALease) {
  SimulatedClock clock(Time::Millis(0));
  InMemorySessionDirectory directory(&clock);
  const NodeLease lease = Begin(directory, kNode, absl::Hours(1));
  EXPECT_TRUE(Renew(directory, lease, absl::Seconds(1)).ok());
  clock.Advance(absl::Seconds(1));
  EXPECT_TRUE(absl::IsNotFound(Renew(directory, lease)));
}

TEST(InMemorySessionDirectoryTest, LeasesMayLastForEver) {
  SimulatedClock clock(Time::Millis(0));
  InMemorySessionDirectory directory(&clock);
  const NodeLease first = Begin(directory, kNode, absl::InfiniteDuration());
  clock.Set(Time::Millis(kMaxTimeMs - 1));
  EXPECT_TRUE(Renew(directory, first, absl::InfiniteDuration()).ok());
  EXPECT_TRUE(Renew(directory, first, absl::Hours(1)).ok());
}

TEST(InMemorySessionDirectoryTest, AClockThatGoesBackStandsStill) {
  SimulatedClock clock(Time::Millis(10'000));
  InMemorySessionDirectory directory(&clock);
  const NodeLease lease = Begin(directory, kNode);
  clock.Set(Time::Millis(0));
  const NodeLease later = Begin(directory, kOther, absl::Seconds(1));
  clock.Set(Time::Millis(10'999));
  EXPECT_TRUE(Renew(directory, later, absl::Seconds(1)).ok()) << "it began at 10,000";
  clock.Set(Time::Millis(0));
  EXPECT_TRUE(Renew(directory, lease).ok());
  clock.Set(Time::Millis(11'999));
  EXPECT_TRUE(absl::IsNotFound(Renew(directory, later)));
  clock.Set(Time::Millis(20'998));
  EXPECT_TRUE(Renew(directory, lease).ok()) << "renewed at 10,999, which had been reached";
}

TEST(InMemorySessionDirectoryTest, NoMoreThanTheLimits) {
  SimulatedClock clock(Time::Millis(0));
  InMemorySessionDirectory directory(&clock, Limits(4, 2, 5));
  Leases leases;
  for (std::uint64_t i = 0; i < 5; ++i) leases.push_back(Begin(directory, NodeId{i}));
  EXPECT_TRUE(absl::IsResourceExhausted(TryBegin(directory, kNode).status()));
  EXPECT_EQ(directory.max_holders(), 4u);
  for (std::size_t i = 0; i < 4; ++i) ASSERT_TRUE(Claim(directory, leases[i], {kAlice}).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(Claim(directory, leases[4], {kAlice}).status()));
  EXPECT_TRUE(absl::IsResourceExhausted(Claim(directory, leases[4], {kBob, UserId{3}}).status()));
  EXPECT_THAT(Lookup(directory, kBob), IsEmpty()) << "nothing of a batch that does not fit";
  EXPECT_TRUE(Claim(directory, leases[4], {kBob}).ok());
  EXPECT_TRUE(Claim(directory, leases[4], {kBob}).ok()) << "again is not more";
  EXPECT_EQ(directory.size(), 2u);
}

TEST(InMemorySessionDirectoryTest, WhatHasEndedMakesRoom) {
  constexpr std::uint64_t kUsers = 100;
  SimulatedClock clock(Time::Millis(0));
  InMemorySessionDirectory directory(&clock, Limits(4, kUsers, 2));
  const NodeLease first = Begin(directory, kNode);
  Users users;
  for (std::uint64_t user = 0; user < kUsers; ++user) users.push_back(UserId{user});
  ASSERT_TRUE(Claim(directory, first, users).ok());
  clock.Advance(kLease);
  // Fewer are swept by one call than have ended; yet none may be refused for their sake.
  const NodeLease second = Begin(directory, kOther);
  EXPECT_TRUE(Claim(directory, second, {UserId{1'000}}).ok());
  for (std::uint64_t user = 0; user < kUsers - 1; ++user) {
    ASSERT_TRUE(Claim(directory, second, {UserId{2'000 + user}}).ok()) << user;
  }
  EXPECT_EQ(directory.size(), kUsers);
  End(directory, second);
  EXPECT_TRUE(TryBegin(directory, kNode).ok());
}

TEST(InMemorySessionDirectoryTest, WhatHasEndedMakesRoomHoweverMuchStandsInItsWay) {
  constexpr std::uint64_t kUsers = 100;
  SimulatedClock clock(Time::Millis(0));
  InMemorySessionDirectory directory(&clock, Limits(8, kUsers, 10));
  Users users;
  for (std::uint64_t user = 0; user < kUsers; ++user) users.push_back(UserId{user});
  Leases ending;
  for (std::uint64_t i = 0; i < 4; ++i) {
    ending.push_back(Begin(directory, NodeId{i}));
    ASSERT_TRUE(Claim(directory, ending.back(), users).ok());
  }
  const NodeLease staying = Begin(directory, NodeId{9});
  for (const NodeLease& lease : ending) End(directory, lease);
  // Each of the old has four holders that are to go before there is room for one who is new.
  Users others;
  for (std::uint64_t user = 0; user < kUsers; ++user) others.push_back(UserId{1'000 + user});
  EXPECT_TRUE(Claim(directory, staying, others).ok());
  EXPECT_EQ(directory.size(), kUsers);
}

TEST(InMemorySessionDirectoryTest, MaxHoldersAreAtLeastWhatTheContractAsksFor) {
  SimulatedClock clock;
  EXPECT_EQ(InMemorySessionDirectory(&clock, Limits(0, 1, 1)).max_holders(), 4u);
  EXPECT_EQ(InMemorySessionDirectory(&clock, Limits(1'000, 1, 1)).max_holders(), 64u);
}

TEST(InMemorySessionDirectoryTest, NoCallPaysForAllThatHasEnded) {
  constexpr std::uint64_t kUsers = 1'000;
  SimulatedClock clock(Time::Millis(0));
  InMemorySessionDirectory directory(&clock);
  const NodeLease lease = Begin(directory, kNode);
  Users users;
  for (std::uint64_t user = 0; user < kUsers; ++user) users.push_back(UserId{user});
  ASSERT_TRUE(Claim(directory, lease, users).ok());
  End(directory, lease);
  std::size_t calls = 0;
  for (std::size_t before = directory.size(); before > 0; before = directory.size()) {
    EXPECT_THAT(Lookup(directory, UserId{5'000}), IsEmpty());
    EXPECT_LE(before - directory.size(), 32u);
    ASSERT_LE(++calls, kUsers) << "and yet they go";
  }
}

TEST(InMemorySessionDirectoryTest, AUserMayComeBackBeforeTheyAreSwept) {
  SimulatedClock clock(Time::Millis(0));
  InMemorySessionDirectory directory(&clock);
  const NodeLease first = Begin(directory, kNode);
  Users users;
  for (std::uint64_t user = 0; user < 200; ++user) users.push_back(UserId{user});
  ASSERT_TRUE(Claim(directory, first, users).ok());
  End(directory, first);
  const NodeLease second = Begin(directory, kNode);
  const auto claimed = Claim(directory, second, {UserId{0}, UserId{199}});
  ASSERT_TRUE(claimed.ok());
  for (int i = 0; i < 50; ++i) (void)Lookup(directory, kAlice);
  EXPECT_EQ(directory.size(), 2u);
  EXPECT_EQ(Lookup(directory, UserId{0}), Holders({{second, (*claimed)[0].epoch}}));
  EXPECT_EQ(Lookup(directory, UserId{199}), Holders({{second, (*claimed)[1].epoch}}));
}

// The oracle: every lease with its deadline, every holder, looked through at each question.
class Model {
 public:
  void Begin(const NodeLease& lease, Time deadline) { deadlines_[Key(lease)] = deadline; }
  bool Renew(const NodeLease& lease, Time now, Time deadline) {
    if (!IsLive(lease, now)) return false;
    deadlines_[Key(lease)] = deadline;
    return true;
  }
  void End(const NodeLease& lease) { deadlines_.erase(Key(lease)); }
  bool IsLive(const NodeLease& lease, Time now) const {
    const auto it = deadlines_.find(Key(lease));
    return it != deadlines_.end() && it->second > now;
  }
  void Claim(const NodeLease& lease, UserId user, Epoch epoch) {
    Holders& held = holders_[user];
    held.erase(std::remove_if(held.begin(), held.end(),
                              [&](const SessionHolder& holder) { return holder.lease == lease; }),
               held.end());
    held.push_back({lease, epoch});
  }
  void Release(const NodeLease& lease, UserId user, Epoch epoch) {
    Holders& held = holders_[user];
    held.erase(std::remove(held.begin(), held.end(), SessionHolder{lease, epoch}), held.end());
  }
  Holders Lookup(UserId user, Time now) const {
    Holders live;
    const auto it = holders_.find(user);
    if (it == holders_.end()) return live;
    std::copy_if(it->second.begin(), it->second.end(), std::back_inserter(live),
                 [&](const SessionHolder& holder) { return IsLive(holder.lease, now); });
    return live;
  }

 private:
  static std::pair<NodeId, Epoch> Key(const NodeLease& lease) { return {lease.node, lease.life}; }

  std::map<std::pair<NodeId, Epoch>, Time> deadlines_;
  std::map<UserId, Holders> holders_;
};

class RandomDirectory {
 public:
  static constexpr std::uint64_t kUsers = 12;

  explicit RandomDirectory(std::uint64_t seed) : random_(seed) {}

  void Step() {
    const NodeLease lease = AnyLease();
    const UserId user{random_() % kUsers};
    const absl::Duration duration = absl::Milliseconds(1 + static_cast<int>(random_() % 400));
    const Time deadline{Now().ms + absl::ToInt64Milliseconds(duration)};
    switch (random_() % 12) {
      case 0:
        MoveClock();
        break;
      case 1: {
        leases_.push_back(Begin(directory_, NodeId{random_() % 4}, duration));
        model_.Begin(leases_.back(), deadline);
        break;
      }
      case 2:
      case 3:
        ASSERT_EQ(Renew(directory_, lease, duration).ok(), model_.Renew(lease, Now(), deadline));
        break;
      case 4:
        if (random_() % 4 != 0) break;
        End(directory_, lease);
        model_.End(lease);
        break;
      case 5:
      case 6:
        ReleaseSome(lease, user);
        break;
      default:
        ClaimSome(lease, user);
    }
    for (std::uint64_t any = 0; any < kUsers; ++any) {
      ASSERT_EQ(Lookup(directory_, UserId{any}), model_.Lookup(UserId{any}, Now()));
    }
    ASSERT_LE(directory_.size(), kUsers);
  }

  std::size_t claims() const { return claims_; }
  std::size_t refusals() const { return refusals_; }

  // Once everything has ended, and calls have swept, nothing is left.
  void ExpectEmptyInTheEnd() {
    for (const NodeLease& lease : leases_) End(directory_, lease);
    for (std::uint64_t i = 0; i < kUsers; ++i) (void)Lookup(directory_, UserId{i});
    EXPECT_EQ(directory_.size(), 0u);
  }

 private:
  Time Now() const { return now_; }
  NodeLease AnyLease() {
    if (leases_.empty() || random_() % 10 == 0) return {NodeId{9}, Epoch{random_() % 9}};
    // The later the likelier to be live.
    const std::size_t back = random_() % std::min<std::size_t>(leases_.size(), 6);
    return leases_[leases_.size() - 1 - back];
  }
  void MoveClock() {
    const auto by = static_cast<std::int64_t>(random_() % 300);
    clock_.Advance(absl::Milliseconds(random_() % 4 == 0 ? -by : by));
    now_ = std::max(now_, clock_.Now());
  }
  void ReleaseSome(const NodeLease& lease, UserId user) {
    Holders held = model_.Lookup(user, Now());
    held.push_back({lease, Epoch{random_() % 50}});
    const SessionHolder& holder = held[random_() % held.size()];
    Release(directory_, holder.lease, user, holder.epoch);
    model_.Release(holder.lease, user, holder.epoch);
  }
  void ClaimSome(const NodeLease& lease, UserId user) {
    const Users users = {user, UserId{(ToInt(user) + 1) % kUsers}};
    const auto claimed = Claim(directory_, lease, users);
    if (!claimed.ok()) {
      ++refusals_;
      if (absl::IsResourceExhausted(claimed.status())) return;
      ASSERT_TRUE(absl::IsFailedPrecondition(claimed.status())) << claimed.status();
      ASSERT_FALSE(model_.IsLive(lease, Now()));
      return;
    }
    ASSERT_TRUE(model_.IsLive(lease, Now()));
    for (std::size_t i = 0; i < users.size(); ++i) {
      const Epoch epoch = (*claimed)[i].epoch;
      ASSERT_GT(epoch, latest_);
      latest_ = epoch;
      model_.Claim(lease, users[i], epoch);
      Holders others = model_.Lookup(users[i], Now());
      others.pop_back();
      ASSERT_EQ((*claimed)[i].others, others);
      ++claims_;
    }
  }

  std::mt19937_64 random_;
  SimulatedClock clock_{Time::Millis(0)};
  Time now_ = clock_.Now();
  InMemorySessionDirectory directory_{&clock_, Limits(4, kUsers, 1'000)};
  Model model_;
  Leases leases_;
  Epoch latest_{};
  std::size_t claims_ = 0;
  std::size_t refusals_ = 0;
};

TEST(InMemorySessionDirectoryTest, RandomOperationsAgreeWithTheModel) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    RandomDirectory directory(seed);
    for (int step = 0; step < 1'000; ++step) {
      directory.Step();
      if (::testing::Test::HasFatalFailure()) return;
    }
    EXPECT_GT(directory.claims(), 100u);
    EXPECT_GT(directory.refusals(), 20u);
    directory.ExpectEmptyInTheEnd();
  }
}

}  // namespace
}  // namespace nearby

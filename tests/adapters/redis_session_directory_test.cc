#include "examples/adapters/redis_session_directory.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/ids.h"
#include "nearby/session_directory.h"
#include "tests/adapters/redis_server.h"
#include "tests/host/answer.h"
#include "tests/host/patience.h"

namespace adapters {
namespace {

using nearby::Epoch;
using nearby::NodeId;
using nearby::NodeLease;
using nearby::SessionDirectory;
using nearby::SessionHolder;
using nearby::ToInt;
using nearby::UserId;
using nearby::test::Answer;
using nearby::test::Eventually;
using test::RedisServer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Claimed = SessionDirectory::Claimed;
using Holders = std::vector<SessionHolder>;

const UserId kAlice{1};
const UserId kBob{~std::uint64_t{0}};
const NodeId kNode{7};
const NodeId kOther{~std::uint64_t{0} - 1};
const absl::Duration kLong = absl::Hours(1);

NodeLease Begin(SessionDirectory& directory, NodeId node, absl::Duration duration = kLong) {
  Answer<absl::StatusOr<Epoch>> answer;
  directory.BeginLease(node, duration, answer.Done());
  return {node, answer.Get().value()};
}

absl::Status Renew(SessionDirectory& directory, const NodeLease& lease,
                   absl::Duration duration = kLong) {
  Answer<absl::Status> answer;
  directory.RenewLease(lease, duration, answer.Done());
  return answer.Get();
}

absl::Status End(SessionDirectory& directory, const NodeLease& lease) {
  Answer<absl::Status> answer;
  directory.EndLease(lease, answer.Done());
  return answer.Get();
}

absl::StatusOr<std::vector<Claimed>> ClaimAll(SessionDirectory& directory, const NodeLease& lease,
                                              const std::vector<UserId>& users) {
  Answer<absl::StatusOr<std::vector<Claimed>>> answer;
  directory.Claim(lease, users, answer.Done());
  return answer.Get();
}

Claimed Claim(SessionDirectory& directory, const NodeLease& lease, UserId user) {
  return ClaimAll(directory, lease, {user}).value().at(0);
}

absl::Status Release(SessionDirectory& directory, const NodeLease& lease, UserId user,
                     Epoch epoch) {
  Answer<absl::Status> answer;
  directory.Release(lease, {{user, epoch}}, answer.Done());
  return answer.Get();
}

absl::StatusOr<std::vector<Holders>> LookupAll(SessionDirectory& directory,
                                               const std::vector<UserId>& users) {
  Answer<absl::StatusOr<std::vector<Holders>>> answer;
  directory.Lookup(users, answer.Done());
  return answer.Get();
}

Holders Lookup(SessionDirectory& directory, UserId user) {
  return LookupAll(directory, {user}).value().at(0);
}

std::vector<NodeLease> FindEnded(SessionDirectory& directory,
                                 const std::vector<NodeLease>& leases) {
  Answer<absl::StatusOr<std::vector<NodeLease>>> answer;
  directory.FindEnded(leases, answer.Done());
  return answer.Get().value();
}

// A server, and a directory on it. Skips where there is no redis-server.
class RedisSessionDirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    server_ = std::make_unique<RedisServer>();
    made_ = Make();
  }

  std::unique_ptr<RedisSessionDirectory> Make(const RedisSessionDirectory::Options& options = {}) {
    return RedisSessionDirectory::Create(server_->name(), options).value();
  }
  RedisSessionDirectory& directory() { return *made_; }

  std::unique_ptr<RedisServer> server_;
  std::unique_ptr<RedisSessionDirectory> made_;
};

TEST_F(RedisSessionDirectoryTest, Clauses3And5EachClaimIsOnePlaceInALine) {
  constexpr int kThreads = 4;
  constexpr int kClaims = 200;
  std::vector<NodeLease> leases;
  for (std::uint64_t t = 0; t < kThreads; ++t) leases.push_back(Begin(directory(), NodeId{t}));
  std::vector<std::vector<Claimed>> claimed(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kClaims; ++i) claimed[t].push_back(Claim(directory(), leases[t], kAlice));
    });
  }
  for (std::thread& thread : threads) thread.join();
  // In the order of their epochs, each knows the last epochs of the others before it.
  std::vector<std::pair<std::size_t, Claimed>> line;
  for (std::size_t t = 0; t < kThreads; ++t) {
    for (const Claimed& one : claimed[t]) line.push_back({t, one});
  }
  std::sort(line.begin(), line.end(),
            [](const auto& a, const auto& b) { return a.second.epoch < b.second.epoch; });
  std::vector<SessionHolder> held;
  for (const auto& [t, one] : line) {
    const NodeLease lease = leases[t];
    held.erase(std::remove_if(held.begin(), held.end(),
                              [&](const SessionHolder& holder) { return holder.lease == lease; }),
               held.end());
    ASSERT_EQ(one.others, held);
    held.push_back({lease, one.epoch});
  }
  EXPECT_EQ(Lookup(directory(), kAlice), held);
}

TEST_F(RedisSessionDirectoryTest, Clause4DestructionWithCallsUnderWay) {
  const NodeLease lease = Begin(directory(), kNode);
  auto alive = std::make_shared<std::atomic<int>>(0);
  for (int i = 0; i < 10; ++i) {
    const std::unique_ptr<RedisSessionDirectory> brief = Make();
    for (std::uint64_t k = 0; k < 50; ++k) {
      brief->Claim(lease, {UserId{k}}, [alive](const auto&) { ++*alive; });
      brief->Lookup({UserId{k}}, [alive](const auto&) { ++*alive; });
      brief->FindEnded({lease}, [alive](const auto&) { ++*alive; });
    }
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(RedisSessionDirectoryTest, Clause6LeasesEnd) {
  const NodeLease first = Begin(directory(), kNode);
  const NodeLease second = Begin(directory(), kNode);
  EXPECT_GT(second.life, first.life);
  EXPECT_TRUE(Renew(directory(), first).ok()) << "which runs on";
  EXPECT_TRUE(End(directory(), first).ok());
  EXPECT_TRUE(End(directory(), first).ok()) << "once more";
  EXPECT_TRUE(absl::IsNotFound(Renew(directory(), first)));
  EXPECT_TRUE(Renew(directory(), second).ok());
  EXPECT_TRUE(absl::IsNotFound(Renew(directory(), {kNode, Epoch{1}})));
  const NodeLease brief = Begin(directory(), kNode, absl::Nanoseconds(1));
  EXPECT_TRUE(Eventually([&] { return FindEnded(directory(), {brief}).size() == 1; }));
  EXPECT_TRUE(absl::IsNotFound(Renew(directory(), brief))) << "and is not brought back";
  EXPECT_TRUE(Renew(directory(), second, absl::Milliseconds(1)).ok()) << "shortened";
  EXPECT_TRUE(Eventually([&] { return FindEnded(directory(), {second}).size() == 1; }));
  const NodeLease endless = Begin(directory(), kNode, absl::InfiniteDuration());
  EXPECT_THAT(FindEnded(directory(), {endless}), IsEmpty());
}

TEST_F(RedisSessionDirectoryTest, Clause6DurationsArePositive) {
  for (const absl::Duration duration : {absl::ZeroDuration(), -absl::Seconds(1)}) {
    Answer<absl::StatusOr<Epoch>> answer;
    directory().BeginLease(kNode, duration, answer.Done());
    EXPECT_TRUE(absl::IsInvalidArgument(answer.Get().status()));
    EXPECT_TRUE(absl::IsInvalidArgument(Renew(directory(), {kNode, Epoch{1}}, duration)));
  }
}

TEST_F(RedisSessionDirectoryTest, Clause6LeasesAreBounded) {
  RedisSessionDirectory::Options options;
  options.max_leases = 2;
  const auto small = Make(options);
  const NodeLease first = Begin(*small, kNode);
  Begin(*small, kNode);
  Answer<absl::StatusOr<Epoch>> answer;
  small->BeginLease(kNode, kLong, answer.Done());
  EXPECT_TRUE(absl::IsResourceExhausted(answer.Get().status()));
  EXPECT_TRUE(End(*small, first).ok());
  Begin(*small, kNode);
}

TEST_F(RedisSessionDirectoryTest, Clause7ClaimTakesThePlaceOfItsOwn) {
  const NodeLease a = Begin(directory(), kNode);
  const NodeLease b = Begin(directory(), kOther);
  const Claimed first = Claim(directory(), a, kBob);
  EXPECT_THAT(first.others, IsEmpty());
  const Claimed second = Claim(directory(), b, kBob);
  EXPECT_GT(second.epoch, first.epoch);
  EXPECT_THAT(second.others, ElementsAre(SessionHolder{a, first.epoch}));
  const Claimed third = Claim(directory(), a, kBob);
  EXPECT_GT(third.epoch, second.epoch);
  EXPECT_THAT(third.others, ElementsAre(SessionHolder{b, second.epoch}));
  EXPECT_THAT(Lookup(directory(), kBob),
              ElementsAre(SessionHolder{b, second.epoch}, SessionHolder{a, third.epoch}));
}

TEST_F(RedisSessionDirectoryTest, Clause7NothingIsAddedUnderALeaseThatHasEnded) {
  const NodeLease lease = Begin(directory(), kNode);
  Claim(directory(), lease, kBob);
  EXPECT_TRUE(End(directory(), lease).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(ClaimAll(directory(), lease, {kAlice}).status()));
  EXPECT_TRUE(
      absl::IsFailedPrecondition(ClaimAll(directory(), {kNode, Epoch{12345}}, {kAlice}).status()));
  EXPECT_THAT(Lookup(directory(), kAlice), IsEmpty());
  EXPECT_THAT(Lookup(directory(), kBob), IsEmpty()) << "clause 9";
}

TEST_F(RedisSessionDirectoryTest, Clause8ReleaseIsExact) {
  const NodeLease a = Begin(directory(), kNode);
  const NodeLease b = Begin(directory(), kOther);
  const Epoch old = Claim(directory(), a, kAlice).epoch;
  const Epoch held = Claim(directory(), a, kAlice).epoch;
  const Epoch others = Claim(directory(), b, kAlice).epoch;
  EXPECT_TRUE(Release(directory(), a, kAlice, old).ok());
  EXPECT_TRUE(Release(directory(), b, kAlice, held).ok());
  EXPECT_TRUE(Release(directory(), a, kBob, held).ok());
  EXPECT_EQ(Lookup(directory(), kAlice).size(), 2u);
  EXPECT_TRUE(Release(directory(), a, kAlice, held).ok());
  EXPECT_THAT(Lookup(directory(), kAlice), ElementsAre(SessionHolder{b, others}));
  EXPECT_TRUE(Release(directory(), b, kAlice, others).ok());
  EXPECT_THAT(Lookup(directory(), kAlice), IsEmpty());
  EXPECT_GT(Claim(directory(), a, kAlice).epoch, others) << "clause 7: higher than any before";
}

TEST_F(RedisSessionDirectoryTest, Clause9AnswersInOrder) {
  constexpr std::uint64_t kUsers = 3'000;  // more than one command
  const NodeLease lease = Begin(directory(), kNode);
  std::vector<UserId> users;
  for (std::uint64_t i = 0; i < kUsers; ++i) users.push_back(UserId{i * 0x9E3779B97F4A7C15u});
  const std::vector<Claimed> claimed = ClaimAll(directory(), lease, users).value();
  ASSERT_EQ(claimed.size(), kUsers);
  users.insert(users.begin() + 1'000, UserId{5});
  const std::vector<Holders> found = LookupAll(directory(), users).value();
  ASSERT_EQ(found.size(), kUsers + 1);
  EXPECT_THAT(found[1'000], IsEmpty());
  std::set<Epoch> epochs;
  for (std::size_t i = 0; i < kUsers; ++i) {
    ASSERT_THAT(found[i < 1'000 ? i : i + 1], ElementsAre(SessionHolder{lease, claimed[i].epoch}));
    epochs.insert(claimed[i].epoch);
  }
  EXPECT_EQ(epochs.size(), kUsers);
  EXPECT_THAT(ClaimAll(directory(), lease, {}).value(), IsEmpty());
  EXPECT_THAT(LookupAll(directory(), {}).value(), IsEmpty());
  users.resize(4'096, UserId{6});
  EXPECT_TRUE(ClaimAll(directory(), lease, users).ok());
  users.push_back(UserId{7});
  EXPECT_TRUE(absl::IsInvalidArgument(ClaimAll(directory(), lease, users).status()));
}

TEST_F(RedisSessionDirectoryTest, Clause10FindEndedNamesThoseThatHave) {
  std::vector<NodeLease> leases;
  std::vector<NodeLease> ended;
  for (std::uint64_t i = 0; i < 600; ++i) {  // more than one command
    leases.push_back(i % 100 == 0 ? Begin(directory(), NodeId{i}) : NodeLease{NodeId{i}, Epoch{1}});
    if (i % 100 != 0) ended.push_back(leases.back());
  }
  EXPECT_TRUE(End(directory(), leases[100]).ok());
  ended.insert(ended.begin() + 99, leases[100]);
  EXPECT_EQ(FindEnded(directory(), leases), ended);
  EXPECT_THAT(FindEnded(directory(), {}), IsEmpty());
}

TEST_F(RedisSessionDirectoryTest, Clause11NobodyHasMoreHoldersThanAllowed) {
  RedisSessionDirectory::Options options;
  options.max_holders = 4;
  const auto small = Make(options);
  std::vector<NodeLease> leases;
  for (std::uint64_t i = 0; i < 5; ++i) leases.push_back(Begin(*small, NodeId{i}));
  for (std::size_t i = 0; i < 4; ++i) Claim(*small, leases[i], kAlice);
  EXPECT_TRUE(absl::IsResourceExhausted(ClaimAll(*small, leases[4], {kBob, kAlice}).status()));
  EXPECT_THAT(Lookup(*small, kBob), IsEmpty()) << "before any was added";
  Claim(*small, leases[0], kAlice);
  EXPECT_TRUE(End(*small, leases[1]).ok());
  EXPECT_EQ(Claim(*small, leases[4], kAlice).others.size(), 3u);
  options.max_holders = 3;
  EXPECT_TRUE(
      absl::IsInvalidArgument(RedisSessionDirectory::Create(server_->name(), options).status()));
}

TEST_F(RedisSessionDirectoryTest, SessionsOfEndedLeasesAreSwept) {
  const NodeLease lease = Begin(directory(), kNode);
  std::vector<UserId> users;
  for (std::uint64_t i = 0; i < 100; ++i) users.push_back(UserId{i});
  ASSERT_TRUE(ClaimAll(directory(), lease, users).ok());
  const NodeLease other = Begin(directory(), kOther);
  const Epoch held = Claim(directory(), other, UserId{3}).epoch;
  EXPECT_TRUE(End(directory(), lease).ok());
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Renew(directory(), other).ok());
  // The epoch, the leases, and the other lease's user, twice.
  EXPECT_EQ(server_->CallForInteger({"DBSIZE"}), 4);
  EXPECT_THAT(Lookup(directory(), UserId{3}), ElementsAre(SessionHolder{other, held}));
}

TEST_F(RedisSessionDirectoryTest, AServerThatHasForgottenEverythingHasEndedAllLeases) {
  const NodeLease before = Begin(directory(), kNode);
  const Epoch epoch = Claim(directory(), before, kAlice).epoch;
  server_->Kill();
  EXPECT_TRUE(absl::IsUnavailable(LookupAll(directory(), {kAlice}).status()));
  server_->Start();
  absl::Status renewed;
  EXPECT_TRUE(Eventually([&] {
    renewed = Renew(directory(), before);
    return !absl::IsUnavailable(renewed);
  }));
  EXPECT_TRUE(absl::IsNotFound(renewed)) << renewed;
  const NodeLease after = Begin(directory(), kNode);
  EXPECT_GT(after.life, before.life);
  EXPECT_GT(Claim(directory(), after, kAlice).epoch, epoch);
}

}  // namespace
}  // namespace adapters

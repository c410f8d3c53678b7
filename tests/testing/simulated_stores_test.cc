// That the simulated stores do what those behind them do, later, and fail as they are told to.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nearby/effects.h"
#include "nearby/friendship.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/in_memory_history_store.h"
#include "nearby/in_memory_session_directory.h"
#include "nearby/testing/simulated_backend.h"
#include "nearby/testing/simulated_faults.h"
#include "nearby/testing/simulated_friend_store.h"
#include "nearby/testing/simulated_history_store.h"
#include "nearby/testing/simulated_location_store.h"
#include "nearby/testing/simulated_node_clock.h"
#include "nearby/testing/simulated_session_directory.h"
#include "nearby/testing/simulation.h"
#include "nearby/time.h"
#include "tests/host/answer.h"

namespace nearby {
namespace {

using ::testing::AnyOf;
using Cut = SimulatedBackend::Cut;
using Fault = SimulatedStoreFault;

const UserId kAlice{1};
const UserId kBob{2};
const NodeId kNode{7};
const FriendEdit kBefriend{FriendEdit::Kind::kBefriend, kAlice, kBob};

constexpr absl::StatusCode kOk = absl::StatusCode::kOk;
constexpr absl::StatusCode kUnavailable = absl::StatusCode::kUnavailable;
constexpr absl::StatusCode kDeadlineExceeded = absl::StatusCode::kDeadlineExceeded;

AcceptedLocation At(UserId user, std::int64_t ms) {
  return {user, Position::FromLatLng({1, 2}), Time::Millis(ms), Time::Millis(ms)};
}

auto Parts(const AcceptedLocation& location) {
  return std::make_tuple(location.user, location.position.lat_units(),
                         location.position.lng_units(), location.accepted_at, location.reported_at,
                         location.session, location.speed_bound_mm_s);
}

// A friend store stands for all: what goes wrong is the same code for each.
class SimulatedStoresTest : public ::testing::Test {
 protected:
  void Set(const SimulatedFaultOptions::Store& store) {
    SimulatedFaultOptions options;
    options.friends = store;
    faults_.SetOptions(options);
  }
  std::uint64_t count(Fault fault) const {
    return faults_.counts().of(SimulatedStore::kFriends, fault);
  }
  absl::StatusCode Befriend() {
    test::Answer<absl::StatusOr<FriendshipOutcome>> answer;
    store_->Edit(kBefriend, answer.Done());
    simulation_.RunFor(100'000);
    return answer.Get().status().code();
  }
  bool are_friends() { return friends_.graph().friendship_count() > 0; }

  Simulation simulation_{1};
  SimulatedFaults faults_{&simulation_};
  InMemoryFriendStore friends_;
  SimulatedBackend backend_{&faults_, SimulatedStore::kFriends};
  std::unique_ptr<SimulatedFriendStore> store_ =
      std::make_unique<SimulatedFriendStore>(&backend_, &friends_, kNode);
};

TEST_F(SimulatedStoresTest, AnswersLater) {
  test::Answer<absl::StatusOr<FriendshipOutcome>> edit;
  store_->Edit(kBefriend, edit.Done());
  EXPECT_EQ(edit.times(), 0u);
  EXPECT_EQ(backend_.calls_under_way(), 1u);
  simulation_.RunFor(20);
  ASSERT_TRUE(edit.Get().ok());
  EXPECT_TRUE(edit.Get()->changed);
  EXPECT_EQ(backend_.calls_under_way(), 0u);
  test::Answer<absl::StatusOr<FriendList>> list;
  store_->List(kAlice, list.Done());
  simulation_.RunFor(20);
  ASSERT_TRUE(list.Get().ok());
  EXPECT_EQ(list.Get()->friends.size(), 1u);
}

TEST_F(SimulatedStoresTest, TakesEffectSomewhereBetween) {
  SimulatedFaultOptions::Store slow;
  slow.latency = {100, 100};
  Set(slow);
  bool was_early = false;
  bool was_late = false;
  for (int i = 0; i < 100; ++i) {
    const FriendEdit edit{i % 2 == 0 ? FriendEdit::Kind::kBefriend : FriendEdit::Kind::kUnfriend,
                          kAlice, kBob};
    test::Answer<absl::StatusOr<FriendshipOutcome>> answer;
    store_->Edit(edit, answer.Done());
    simulation_.RunFor(50);
    EXPECT_EQ(answer.times(), 0u);
    (are_friends() == (i % 2 == 0) ? was_early : was_late) = true;
    simulation_.RunFor(50);
    EXPECT_TRUE(answer.Get().ok());
  }
  EXPECT_TRUE(was_early);
  EXPECT_TRUE(was_late);
}

TEST_F(SimulatedStoresTest, CompletesInlineIfAskedTo) {
  SimulatedFaultOptions::Store store;
  store.complete_inline = 1;
  Set(store);
  test::Answer<absl::StatusOr<FriendshipOutcome>> edit;
  store_->Edit(kBefriend, edit.Done());
  EXPECT_TRUE(edit.Get().ok());
  EXPECT_EQ(count(Fault::kInlineCompletion), 1u);
}

TEST_F(SimulatedStoresTest, FailsWithoutEffectOrWithIt) {
  SimulatedFaultOptions::Store store;
  store.fail = 1;
  Set(store);
  EXPECT_NE(Befriend(), kOk);
  EXPECT_FALSE(are_friends());
  EXPECT_EQ(count(Fault::kCallFailed), 1u);
  store = {};
  store.unknown = 1;
  Set(store);
  EXPECT_THAT(Befriend(), AnyOf(kUnavailable, kDeadlineExceeded));
  EXPECT_TRUE(are_friends());
  EXPECT_EQ(count(Fault::kCallUnknown), 1u);
}

TEST_F(SimulatedStoresTest, LosesAnswersUntilItIsDestroyed) {
  SimulatedFaultOptions::Store store;
  store.lose_answer = 1;
  Set(store);
  const auto held = std::make_shared<int>(0);
  store_->List(kAlice, [held](absl::StatusOr<FriendList>) { ADD_FAILURE(); });
  simulation_.RunFor(1'000'000);
  EXPECT_EQ(held.use_count(), 2);
  EXPECT_EQ(count(Fault::kAnswerLost), 1u);
  store_.reset();
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(SimulatedStoresTest, DelaysAnswers) {
  SimulatedFaultOptions::Store store;
  store.delay_answer = 1;
  store.answer_delay = {5'000, 5'000};
  Set(store);
  test::Answer<absl::StatusOr<FriendshipOutcome>> edit;
  store_->Edit(kBefriend, edit.Done());
  simulation_.RunFor(5'000);
  EXPECT_EQ(edit.times(), 0u);
  simulation_.RunFor(20);
  EXPECT_TRUE(edit.Get().ok());
  EXPECT_EQ(count(Fault::kAnswerDelayed), 1u);
}

TEST_F(SimulatedStoresTest, IsDownForAWhile) {
  backend_.TakeDown();
  EXPECT_FALSE(backend_.is_up());
  EXPECT_EQ(Befriend(), kUnavailable);
  EXPECT_FALSE(are_friends());
  backend_.BringUp();
  EXPECT_EQ(Befriend(), kOk);
  EXPECT_EQ(count(Fault::kOutage), 1u);
  EXPECT_EQ(count(Fault::kCallUnreachable), 1u);
}

TEST_F(SimulatedStoresTest, IsOutOfReachForOneNode) {
  SimulatedFriendStore of_another(&backend_, &friends_, NodeId{8});
  backend_.SetPartition(kNode, Cut::kToStore);
  EXPECT_EQ(Befriend(), kDeadlineExceeded);
  EXPECT_FALSE(are_friends());
  test::Answer<absl::StatusOr<FriendList>> list;
  of_another.List(kAlice, list.Done());
  simulation_.RunFor(100);
  EXPECT_TRUE(list.Get().ok());
  backend_.SetPartition(kNode, Cut::kFromStore);
  EXPECT_EQ(Befriend(), kDeadlineExceeded);
  EXPECT_TRUE(are_friends()) << "it got there";
  EXPECT_EQ(count(Fault::kAnswerCutOff), 1u);
  EXPECT_EQ(count(Fault::kPartitionOneWay), 2u);
  backend_.SetPartition(kNode, Cut::kBoth);
  EXPECT_EQ(Befriend(), kDeadlineExceeded);
  EXPECT_EQ(count(Fault::kPartition), 1u);
  faults_.Quiet();
  EXPECT_EQ(backend_.partition(kNode), Cut::kNone);
  EXPECT_EQ(Befriend(), kOk);
}

TEST_F(SimulatedStoresTest, ANodeThatCrashesIsNotAnswered) {
  bool was_carried_out = false;
  bool was_not = false;
  for (int i = 0; i < 100; ++i) {
    InMemoryFriendStore friends;
    SimulatedFriendStore store(&backend_, &friends, kNode);
    const auto held = std::make_shared<int>(0);
    const auto done = [held](absl::StatusOr<FriendshipOutcome>) { ADD_FAILURE(); };
    store.Edit(kBefriend, done);
    store.Crash();
    store.Edit(kBefriend, done);
    simulation_.RunFor(1'000);
    EXPECT_EQ(held.use_count(), 4) << "kept until the store goes";
    (friends.graph().friendship_count() > 0 ? was_carried_out : was_not) = true;
  }
  EXPECT_TRUE(was_carried_out);
  EXPECT_TRUE(was_not);
  EXPECT_EQ(backend_.calls_under_way(), 0u);
  EXPECT_EQ(count(Fault::kNodeCrashed), 100u);
}

TEST_F(SimulatedStoresTest, OneThatIsDestroyedMayStillBeHeard) {
  const auto held = std::make_shared<int>(0);
  for (int i = 0; i < 10; ++i) {
    store_->Edit(kBefriend, [held](absl::StatusOr<FriendshipOutcome>) { ADD_FAILURE(); });
  }
  store_.reset();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(backend_.calls_under_way(), 0u);
  simulation_.RunFor(1'000);
  EXPECT_TRUE(are_friends());
}

TEST_F(SimulatedStoresTest, StaysWithinItsLimits) {
  SimulatedBackend::Options options;
  options.max_calls = 1;
  SimulatedBackend backend(&faults_, SimulatedStore::kFriends, options);
  SimulatedFriendStore store(&backend, &friends_, kNode);
  test::Answer<absl::StatusOr<FriendList>> first;
  test::Answer<absl::StatusOr<FriendList>> second;
  store.List(kAlice, first.Done());
  store.List(kAlice, second.Done());
  EXPECT_EQ(second.Get().status().code(), absl::StatusCode::kResourceExhausted);
  simulation_.RunFor(100);
  EXPECT_TRUE(first.Get().ok());
}

TEST(SimulatedLocationStoreTest, ReadsWhatWasWritten) {
  Simulation simulation(1);
  SimulatedFaults faults(&simulation);
  SimulatedNodeClock clock(&simulation);
  SimulatedLocations behind(&clock);
  SimulatedBackend backend(&faults, SimulatedStore::kLocations);
  SimulatedLocationStore store(&backend, &behind, kNode);
  test::Answer<absl::Status> write;
  store.Write({At(kAlice, 0), At(kBob, 0)}, absl::Seconds(1), write.Done());
  simulation.RunFor(50);
  EXPECT_TRUE(write.Get().ok());
  test::Answer<absl::Status> erase;
  store.Erase({{kBob, Time::Millis(0)}}, erase.Done());
  simulation.RunFor(50);
  EXPECT_TRUE(erase.Get().ok());
  test::Answer<absl::StatusOr<std::vector<std::optional<AcceptedLocation>>>> read;
  store.Read({kAlice, kBob}, read.Done());
  simulation.RunFor(50);
  ASSERT_TRUE(read.Get().ok());
  EXPECT_TRUE(read.Get()->at(0).has_value());
  EXPECT_FALSE(read.Get()->at(1).has_value());
  EXPECT_EQ(faults.counts().of(SimulatedStore::kLocations, Fault::kReadStale), 0u);
}

TEST(SimulatedLocationStoreTest, ReadsWhatWasThereAWhileAgo) {
  Simulation simulation(1);
  SimulatedFaultOptions options;
  options.locations.stale_read = 1;
  options.locations.staleness = {150, 150};
  options.locations.latency = {0, 0};
  SimulatedFaults faults(&simulation, options);
  SimulatedNodeClock clock(&simulation);
  SimulatedLocations behind(&clock);
  SimulatedBackend backend(&faults, SimulatedStore::kLocations);
  SimulatedLocationStore store(&backend, &behind, kNode);
  const auto read = [&] {
    test::Answer<absl::StatusOr<std::vector<std::optional<AcceptedLocation>>>> answer;
    store.Read({kAlice}, answer.Done());
    simulation.RunFor(0);
    const auto& location = answer.Get()->at(0);
    return location.has_value() ? location->accepted_at.ms : -1;
  };
  for (int i = 0; i < 30; ++i) {
    const std::int64_t now_ms = simulation.now().ms;
    store.Write({At(kAlice, now_ms)}, absl::Minutes(10), [](absl::Status) {});
    simulation.RunFor(0);
    EXPECT_EQ(read(), now_ms >= 200 ? now_ms - 200 : -1);
    simulation.RunFor(100);
  }
  // Beyond what is remembered: the oldest that is.
  EXPECT_EQ(behind.AsOf(kAlice, Time::Millis(0))->accepted_at, Time::Millis(1'400));
  EXPECT_FALSE(behind.AsOf(kBob, Time::Millis(0)).has_value());
  EXPECT_EQ(faults.counts().of(SimulatedStore::kLocations, Fault::kReadStale), 30u);
}

// A location is all that a reader can tell apart: if it changes in one part alone, what was there
// before is remembered.
TEST(SimulatedLocationStoreTest, RemembersWhatDiffersInOnePart) {
  AcceptedLocation first = At(kAlice, 0);
  first.session = Epoch{1};
  first.speed_bound_mm_s = 3'000;
  const auto changed = [&first](auto change) {
    AcceptedLocation second = first;
    change(&second);
    return second;
  };
  const std::vector<AcceptedLocation> others = {
      changed([](AcceptedLocation* other) {
        other->position = Position::FromLatLng({3, 4});
      }),
      changed([](AcceptedLocation* other) { other->accepted_at = Time::Millis(1); }),
      changed([](AcceptedLocation* other) { other->reported_at = Time::Millis(1); }),
      changed([](AcceptedLocation* other) { other->session = Epoch{2}; }),
      changed([](AcceptedLocation* other) { other->speed_bound_mm_s = 70'000; }),
  };
  for (std::size_t part = 0; part < others.size(); ++part) {
    Simulation simulation(1);
    SimulatedNodeClock clock(&simulation);
    SimulatedLocations locations(&clock);
    locations.Write({first}, absl::Minutes(10), [](absl::Status) {});
    simulation.RunFor(100);
    locations.Write({others[part]}, absl::Minutes(10), [](absl::Status) {});
    const std::optional<AcceptedLocation> before = locations.AsOf(kAlice, Time::Millis(50));
    const std::optional<AcceptedLocation> now = locations.AsOf(kAlice, simulation.now());
    ASSERT_TRUE(before.has_value() && now.has_value()) << part;
    EXPECT_EQ(Parts(*before), Parts(first)) << part;
    EXPECT_EQ(Parts(*now), Parts(others[part])) << part;
  }
}

TEST(SimulatedHistoryStoreTest, CarriesABatchOutInPartsAndInPart) {
  Simulation simulation(1);
  SimulatedFaultOptions options;
  options.history.split_batch = 1;
  options.history.latency = {1'000, 1'000};
  SimulatedFaults faults(&simulation, options);
  SimulatedBackend backend(&faults, SimulatedStore::kHistory);
  bool was_between = false;
  bool was_partial = false;
  for (int i = 0; i < 50; ++i) {
    // Every other one is cut off at some time.
    InMemoryHistoryStore behind;
    SimulatedHistoryStore store(&backend, &behind, kNode);
    test::Answer<absl::Status> append;
    store.Append({At(kAlice, 0), At(kBob, 0), At(kAlice, 1)}, append.Done());
    simulation.RunFor(500);
    was_between = was_between || (behind.size() > 0 && behind.size() < 3);
    if (i % 2 == 1) backend.TakeDown();
    simulation.RunFor(10'000);
    if (append.Get().ok()) {
      EXPECT_EQ(behind.size(), 3u);
    } else {
      was_partial = was_partial || (behind.size() > 0 && behind.size() < 3);
    }
    backend.BringUp();
  }
  EXPECT_TRUE(was_between);
  EXPECT_TRUE(was_partial);
  EXPECT_GE(faults.counts().of(SimulatedStore::kHistory, Fault::kBatchSplit), 25u);
}

TEST(SimulatedHistoryStoreTest, AppendsAndReads) {
  Simulation simulation(1);
  SimulatedFaults faults(&simulation);
  InMemoryHistoryStore behind;
  SimulatedBackend backend(&faults, SimulatedStore::kHistory);
  SimulatedHistoryStore store(&backend, &behind, kNode);
  test::Answer<absl::Status> append;
  store.Append({At(kAlice, 0), At(kBob, 0)}, append.Done());
  simulation.RunFor(50);
  EXPECT_TRUE(append.Get().ok());
  test::Answer<absl::StatusOr<std::vector<AcceptedLocation>>> read;
  store.Read({kAlice, Time::Millis(0), Time::Millis(1)}, read.Done());
  simulation.RunFor(50);
  ASSERT_TRUE(read.Get().ok());
  EXPECT_EQ(read.Get()->size(), 1u);
  store.Crash();
}

TEST(SimulatedSessionDirectoryTest, HandsEveryCallOn) {
  Simulation simulation(1);
  SimulatedFaults faults(&simulation);
  SimulatedNodeClock clock(&simulation);
  InMemorySessionDirectory behind(&clock);
  SimulatedBackend backend(&faults, SimulatedStore::kSessions);
  SimulatedSessionDirectory directory(&backend, &behind, kNode);
  EXPECT_EQ(directory.max_holders(), behind.max_holders());
  test::Answer<absl::StatusOr<Epoch>> begin;
  directory.BeginLease(kNode, absl::Seconds(10), begin.Done());
  simulation.RunFor(50);
  const NodeLease lease{kNode, *begin.Get()};
  test::Answer<absl::Status> renew;
  directory.RenewLease(lease, absl::Seconds(10), renew.Done());
  test::Answer<absl::StatusOr<std::vector<SessionDirectory::Claimed>>> claim;
  directory.Claim(lease, {kAlice, kBob}, claim.Done());
  simulation.RunFor(50);
  EXPECT_TRUE(renew.Get().ok());
  ASSERT_TRUE(claim.Get().ok());
  test::Answer<absl::Status> release;
  directory.Release(lease, {{kAlice, claim.Get()->at(0).epoch}}, release.Done());
  simulation.RunFor(50);
  EXPECT_TRUE(release.Get().ok());
  test::Answer<absl::StatusOr<std::vector<std::vector<SessionHolder>>>> lookup;
  directory.Lookup({kAlice, kBob}, lookup.Done());
  simulation.RunFor(50);
  EXPECT_TRUE(lookup.Get()->at(0).empty());
  EXPECT_EQ(lookup.Get()->at(1).size(), 1u);
  test::Answer<absl::Status> end;
  directory.EndLease(lease, end.Done());
  simulation.RunFor(50);
  EXPECT_TRUE(end.Get().ok());
  test::Answer<absl::StatusOr<std::vector<NodeLease>>> ended;
  directory.FindEnded({lease}, ended.Done());
  simulation.RunFor(50);
  EXPECT_EQ(ended.Get()->size(), 1u);
  directory.Crash();
}

}  // namespace
}  // namespace nearby

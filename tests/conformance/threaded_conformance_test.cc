// Adapters that complete on a thread of their own, as those of real services do, hold the contracts
// as well as those that complete before a call returns.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nearby/friend_graph.h"
#include "nearby/in_memory_friend_store.h"
#include "nearby/in_memory_history_store.h"
#include "nearby/in_memory_location_store.h"
#include "nearby/testing/conformance_gtest.h"
#include "nearby/testing/friend_store_conformance.h"
#include "nearby/testing/history_store_conformance.h"
#include "nearby/testing/location_store_conformance.h"
#include "nearby/testing/scripted_friend_store.h"
#include "nearby/testing/scripted_history_store.h"
#include "nearby/testing/scripted_location_store.h"
#include "nearby/testing/simulated_clock.h"
#include "nearby/time.h"

namespace nearby {
namespace {

constexpr std::uint32_t kMaxFriends = 50;
constexpr std::size_t kMaxUsers = 100;

FriendGraph::Options FewFriends() {
  FriendGraph::Options options;
  options.max_friends = kMaxFriends;
  return options;
}

InMemoryLocationStore::Options FewUsers() {
  InMemoryLocationStore::Options options;
  options.max_users = kMaxUsers;
  return options;
}

const bool kFriendStores =
    RegisterConformance("ThreadedFriendStoreConformance", FriendStoreConformance([] {
                          const auto friends = std::make_shared<InMemoryFriendStore>(FewFriends());
                          auto store = std::make_unique<ScriptedFriendStore>(friends.get());
                          store->lists().AnswerOnOwnThread(true);
                          store->edits().AnswerOnOwnThread(true);
                          FriendStoreUnderTest test;
                          test.max_friends = kMaxFriends;
                          test.keeps = friends;
                          test.adapter = std::move(store);
                          // It waits for nothing.
                          test.stall = [](bool) {};
                          return test;
                        }));

const bool kHistoryStores =
    RegisterConformance("ThreadedHistoryStoreConformance", HistoryStoreConformance([] {
                          const auto history = std::make_shared<InMemoryHistoryStore>();
                          auto store = std::make_unique<ScriptedHistoryStore>(history.get());
                          store->appends().AnswerOnOwnThread(true);
                          store->reads().AnswerOnOwnThread(true);
                          HistoryStoreUnderTest test;
                          test.keeps = history;
                          test.adapter = std::move(store);
                          // It waits for nothing.
                          test.stall = [](bool) {};
                          return test;
                        }));

struct Locations {
  SimulatedClock clock{Time::Millis(1'000)};
  InMemoryLocationStore store{&clock, FewUsers()};
};

const bool kLocationStores = RegisterConformance(
    "ThreadedLocationStoreConformance", LocationStoreConformance([] {
      const auto locations = std::make_shared<Locations>();
      auto store = std::make_unique<ScriptedLocationStore>(&locations->store);
      store->writes().AnswerOnOwnThread(true);
      store->reads().AnswerOnOwnThread(true);
      store->erasures().AnswerOnOwnThread(true);
      LocationStoreUnderTest test;
      test.max_users = kMaxUsers;
      test.keeps = locations;
      test.adapter = std::move(store);
      // It waits for nothing.
      test.stall = [](bool) {};
      test.clock = &locations->clock;
      test.pass = [locations](absl::Duration by) { locations->clock.Advance(by); };
      return test;
    }));

}  // namespace
}  // namespace nearby

// The friend graph beside the plain way: a hash map from user to a hash set of friends, which knows
// nothing of hides, subscriptions, limits or versions.

#include "nearby/friend_graph.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"

namespace nearby {
namespace {

constexpr std::uint64_t kUsers = 5'000;
constexpr std::size_t kFriendsPerUser = 400;

UserId Scattered(std::uint64_t n) { return UserId{n * 0x9E3779B97F4A7C15u}; }

class Graph {
 public:
  void Befriend(UserId a, UserId b) { benchmark::DoNotOptimize(graph_.Befriend(a, b)); }
  void Unfriend(UserId a, UserId b) { benchmark::DoNotOptimize(graph_.Unfriend(a, b)); }
  bool AreFriends(UserId a, UserId b) const { return graph_.Get(a, b).friends; }
  // The friends in ascending order, as an engine is handed them.
  std::size_t List(UserId user) {
    entries_.clear();
    graph_.List(user, &entries_);
    return entries_.size();
  }
  std::size_t Mutual(UserId a, UserId b) {
    users_.clear();
    graph_.Mutual(a, b, &users_);
    return users_.size();
  }

 private:
  FriendGraph graph_;
  std::vector<FriendEntry> entries_;
  std::vector<UserId> users_;
};

class MapOfSets {
 public:
  void Befriend(UserId a, UserId b) {
    friends_[a].insert(b);
    friends_[b].insert(a);
  }
  void Unfriend(UserId a, UserId b) {
    friends_[a].erase(b);
    friends_[b].erase(a);
  }
  bool AreFriends(UserId a, UserId b) const {
    const auto it = friends_.find(a);
    return it != friends_.end() && it->second.count(b) > 0;
  }
  std::size_t List(UserId user) {
    const auto& friends = friends_.at(user);
    users_.assign(friends.begin(), friends.end());
    std::sort(users_.begin(), users_.end());
    return users_.size();
  }
  std::size_t Mutual(UserId a, UserId b) {
    users_.clear();
    const auto& of_b = friends_.at(b);
    for (const UserId user : friends_.at(a)) {
      if (of_b.count(user) > 0) users_.push_back(user);
    }
    std::sort(users_.begin(), users_.end());
    return users_.size();
  }

 private:
  std::unordered_map<UserId, std::unordered_set<UserId>> friends_;
  std::vector<UserId> users_;
};

using Pairs = std::vector<std::pair<UserId, UserId>>;

// About 400 friends each, at random, in random order.
const Pairs& AllPairs() {
  static const Pairs* const kPairs = [] {
    std::mt19937_64 random(5);
    auto* pairs = new Pairs;
    for (std::size_t i = 0; i < kUsers * kFriendsPerUser / 2; ++i) {
      const std::uint64_t a = random() % kUsers;
      const std::uint64_t b = (a + 1 + random() % (kUsers - 1)) % kUsers;
      pairs->emplace_back(Scattered(a), Scattered(b));
    }
    return pairs;
  }();
  return *kPairs;
}

template <typename FriendStore>
std::unique_ptr<FriendStore> MakeStore() {
  auto store = std::make_unique<FriendStore>();
  for (const auto& [a, b] : AllPairs()) store->Befriend(a, b);
  return store;
}

// An item is a pair.
template <typename FriendStore>
void BM_Build(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(MakeStore<FriendStore>());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(AllPairs().size()));
}
BENCHMARK_TEMPLATE(BM_Build, Graph)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(BM_Build, MapOfSets)->Unit(benchmark::kMillisecond);

// An item is an end of a friendship and its renewal.
template <typename FriendStore>
void BM_UnfriendAndBefriend(benchmark::State& state) {
  const auto store = MakeStore<FriendStore>();
  std::mt19937_64 random(6);
  for (auto _ : state) {
    const auto& [a, b] = AllPairs()[random() % AllPairs().size()];
    store->Unfriend(a, b);
    store->Befriend(a, b);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_TEMPLATE(BM_UnfriendAndBefriend, Graph);
BENCHMARK_TEMPLATE(BM_UnfriendAndBefriend, MapOfSets);

template <typename FriendStore>
void BM_AreFriends(benchmark::State& state) {
  const auto store = MakeStore<FriendStore>();
  std::mt19937_64 random(7);
  for (auto _ : state) {
    const auto& [a, b] = AllPairs()[random() % AllPairs().size()];
    benchmark::DoNotOptimize(store->AreFriends(a, b));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_TEMPLATE(BM_AreFriends, Graph);
BENCHMARK_TEMPLATE(BM_AreFriends, MapOfSets);

// A connect: all friends of one user. An item is a friend.
template <typename FriendStore>
void BM_List(benchmark::State& state) {
  const auto store = MakeStore<FriendStore>();
  std::mt19937_64 random(8);
  std::size_t listed = 0;
  for (auto _ : state) listed += store->List(Scattered(random() % kUsers));
  state.SetItemsProcessed(static_cast<std::int64_t>(listed));
}
BENCHMARK_TEMPLATE(BM_List, Graph);
BENCHMARK_TEMPLATE(BM_List, MapOfSets);

// An item is a pair of users.
template <typename FriendStore>
void BM_Mutual(benchmark::State& state) {
  const auto store = MakeStore<FriendStore>();
  std::mt19937_64 random(9);
  std::size_t mutual = 0;
  for (auto _ : state) {
    const UserId a = Scattered(random() % kUsers);
    const UserId b = Scattered(random() % kUsers);
    mutual += store->Mutual(a, b);
  }
  benchmark::DoNotOptimize(mutual);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_TEMPLATE(BM_Mutual, Graph);
BENCHMARK_TEMPLATE(BM_Mutual, MapOfSets);

}  // namespace
}  // namespace nearby

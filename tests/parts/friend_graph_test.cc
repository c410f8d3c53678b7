#include "nearby/friend_graph.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nearby {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const UserId kAlice{1};
const UserId kBob{2};
const UserId kCarol{3};

FriendGraph::Options Limits(std::uint32_t max_friends, std::uint32_t max_settings) {
  FriendGraph::Options options;
  options.max_friends = max_friends;
  options.max_settings = max_settings;
  return options;
}

std::vector<std::uint64_t> FriendIds(const FriendGraph& graph, UserId user) {
  std::vector<FriendEntry> entries;
  graph.List(user, &entries);
  std::vector<std::uint64_t> ids;
  for (const FriendEntry& entry : entries) ids.push_back(ToInt(entry.friend_id));
  return ids;
}

std::vector<std::uint64_t> MutualIds(const FriendGraph& graph, UserId a, UserId b) {
  std::vector<UserId> users;
  graph.Mutual(a, b, &users);
  std::vector<std::uint64_t> ids;
  for (const UserId user : users) ids.push_back(ToInt(user));
  return ids;
}

TEST(FriendGraphTest, EmptyGraphKnowsNobody) {
  const FriendGraph graph;
  EXPECT_EQ(graph.Get(kAlice, kBob), Friendship());
  EXPECT_THAT(FriendIds(graph, kAlice), IsEmpty());
  EXPECT_THAT(MutualIds(graph, kAlice, kBob), IsEmpty());
  EXPECT_EQ(graph.friend_count(kAlice), 0u);
  EXPECT_EQ(graph.user_count(), 0u);
  EXPECT_EQ(graph.friendship_count(), 0u);
  EXPECT_EQ(graph.version(), FriendVersion{0});
  EXPECT_TRUE(graph.CheckInvariants().ok());
}

TEST(FriendGraphTest, FriendshipIsMutual) {
  FriendGraph graph;
  const auto outcome = graph.Befriend(kAlice, kBob);
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(outcome->changed);
  EXPECT_EQ(outcome->change.user, kAlice);
  EXPECT_EQ(outcome->change.friend_id, kBob);
  EXPECT_TRUE(outcome->change.friendship.friends);
  EXPECT_EQ(outcome->change.version, FriendVersion{1});
  EXPECT_TRUE(graph.Get(kBob, kAlice).friends);
  EXPECT_THAT(FriendIds(graph, kAlice), ElementsAre(2));
  EXPECT_THAT(FriendIds(graph, kBob), ElementsAre(1));
  EXPECT_EQ(graph.friendship_count(), 1u);
  EXPECT_EQ(graph.user_count(), 2u);

  ASSERT_TRUE(graph.Unfriend(kBob, kAlice).ok());
  EXPECT_EQ(graph.Get(kAlice, kBob), Friendship());
  EXPECT_EQ(graph.friendship_count(), 0u);
  EXPECT_EQ(graph.user_count(), 0u);
}

TEST(FriendGraphTest, SettingsAreSeenFromTheRightEnd) {
  FriendGraph graph;
  const Viewing viewing{/*viewer=*/kAlice, /*owner=*/kBob};
  ASSERT_TRUE(graph.Befriend(kAlice, kBob).ok());

  const auto hidden = graph.Hide(viewing);
  ASSERT_TRUE(hidden.ok());
  EXPECT_EQ(hidden->change.user, kAlice) << "seen from the viewer";
  EXPECT_TRUE(hidden->change.friendship.friend_hides);
  EXPECT_FALSE(graph.Get(kAlice, kBob).i_may_see());
  EXPECT_TRUE(graph.Get(kAlice, kBob).friend_may_see());
  EXPECT_TRUE(graph.Get(kBob, kAlice).i_hide);
  ASSERT_TRUE(graph.Share(viewing).ok());
  EXPECT_TRUE(graph.Get(kAlice, kBob).i_may_see());

  const auto unsubscribed = graph.Unsubscribe(viewing);
  ASSERT_TRUE(unsubscribed.ok());
  EXPECT_EQ(unsubscribed->change.user, kAlice);
  EXPECT_TRUE(unsubscribed->change.friendship.i_unsubscribed);
  EXPECT_TRUE(graph.Get(kBob, kAlice).friend_unsubscribed);
  EXPECT_FALSE(graph.Get(kAlice, kBob).i_may_see());
  ASSERT_TRUE(graph.Subscribe(viewing).ok());
  EXPECT_TRUE(graph.Get(kAlice, kBob).i_may_see());
}

TEST(FriendGraphTest, SettingsOutliveFriendshipAndPrecedeIt) {
  FriendGraph graph;
  const Viewing viewing{/*viewer=*/kAlice, /*owner=*/kBob};
  ASSERT_TRUE(graph.Hide(viewing).ok());
  EXPECT_THAT(FriendIds(graph, kAlice), IsEmpty()) << "a stranger is not listed";
  EXPECT_EQ(graph.user_count(), 2u);
  EXPECT_EQ(graph.friend_count(kAlice), 0u);

  ASSERT_TRUE(graph.Befriend(kAlice, kBob).ok());
  EXPECT_TRUE(graph.Get(kAlice, kBob).friend_hides);
  ASSERT_TRUE(graph.Unfriend(kAlice, kBob).ok());
  EXPECT_TRUE(graph.Get(kAlice, kBob).friend_hides);
  EXPECT_THAT(FriendIds(graph, kBob), IsEmpty());

  ASSERT_TRUE(graph.Share(viewing).ok());
  EXPECT_EQ(graph.user_count(), 0u) << "nothing is left to remember";
}

TEST(FriendGraphTest, RepetitionsChangeNothing) {
  FriendGraph graph;
  const Viewing viewing{/*viewer=*/kAlice, /*owner=*/kBob};
  ASSERT_TRUE(graph.Befriend(kAlice, kBob).ok());
  ASSERT_TRUE(graph.Hide(viewing).ok());
  const auto befriended = graph.Befriend(kBob, kAlice);
  const auto hidden = graph.Hide(viewing);
  const auto subscribed = graph.Subscribe(viewing);
  const auto unfriended = graph.Unfriend(kAlice, kCarol);
  for (const auto* outcome : {&befriended, &hidden, &subscribed, &unfriended}) {
    ASSERT_TRUE(outcome->ok());
    EXPECT_FALSE((*outcome)->changed);
    EXPECT_EQ((*outcome)->change.version, FriendVersion{2});
  }
  EXPECT_TRUE(befriended->change.friendship.friends);
  EXPECT_TRUE(befriended->change.friendship.i_hide) << "the pair as it stands, seen from Bob";
  EXPECT_EQ(graph.user_count(), 2u);
}

TEST(FriendGraphTest, NobodyIsPairedWithThemselves) {
  FriendGraph graph;
  const Viewing viewing{kAlice, kAlice};
  for (const auto& outcome :
       {graph.Befriend(kAlice, kAlice), graph.Unfriend(kAlice, kAlice), graph.Hide(viewing),
        graph.Share(viewing), graph.Subscribe(viewing), graph.Unsubscribe(viewing)}) {
    EXPECT_EQ(outcome.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(outcome.status().message()),
                HasSubstr("user 1 cannot be paired with themselves"));
  }
  EXPECT_EQ(graph.user_count(), 0u);
}

TEST(FriendGraphTest, FriendsLimitHoldsForBothSides) {
  FriendGraph graph(Limits(2, 10));
  ASSERT_TRUE(graph.Befriend(kAlice, UserId{10}).ok());
  ASSERT_TRUE(graph.Befriend(kAlice, UserId{11}).ok());
  for (const auto& [a, b] : {std::pair(kAlice, kBob), std::pair(kBob, kAlice)}) {
    const auto outcome = graph.Befriend(a, b);
    EXPECT_EQ(outcome.status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(std::string(outcome.status().message()),
                HasSubstr("user 1 has the maximum of 2 friends"));
  }
  EXPECT_EQ(graph.user_count(), 3u) << "a refusal leaves no trace of the other side";
  EXPECT_EQ(graph.version(), FriendVersion{2});
  ASSERT_TRUE(graph.Unfriend(kAlice, UserId{10}).ok());
  EXPECT_TRUE(graph.Befriend(kBob, kAlice).ok());
}

TEST(FriendGraphTest, SettingsLimitHoldsForTheirAuthor) {
  FriendGraph graph(Limits(10, 2));
  ASSERT_TRUE(graph.Hide({/*viewer=*/UserId{10}, /*owner=*/kAlice}).ok());
  ASSERT_TRUE(graph.Unsubscribe({/*viewer=*/kAlice, /*owner=*/UserId{11}}).ok());
  EXPECT_TRUE(graph.Hide({/*viewer=*/UserId{11}, /*owner=*/kAlice}).ok()) << "known already";
  const auto outcome = graph.Hide({kBob, kAlice});
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(outcome.status().message()), HasSubstr("user 1 hides from"));
  EXPECT_EQ(graph.user_count(), 3u);
  ASSERT_TRUE(graph.Share({UserId{10}, kAlice}).ok());
  EXPECT_TRUE(graph.Hide({kBob, kAlice}).ok()) << "a setting taken back makes room";
  EXPECT_TRUE(graph.CheckInvariants().ok()) << graph.CheckInvariants();
}

TEST(FriendGraphTest, OthersSettingsNeverStandInTheWay) {
  FriendGraph graph(Limits(10, 2));
  for (std::uint64_t other = 10; other < 40; ++other) {
    ASSERT_TRUE(graph.Hide({/*viewer=*/kAlice, /*owner=*/UserId{other}}).ok());
  }
  EXPECT_TRUE(graph.Hide({/*viewer=*/UserId{10}, /*owner=*/kAlice}).ok());
  ASSERT_TRUE(graph.Befriend(kAlice, kBob).ok());
  ASSERT_TRUE(graph.Hide({/*viewer=*/kBob, /*owner=*/kAlice}).ok());
  EXPECT_TRUE(graph.Unfriend(kAlice, kBob).ok()) << "ending a friendship needs no room";
  EXPECT_TRUE(graph.Get(kAlice, kBob).i_hide);
  EXPECT_TRUE(graph.CheckInvariants().ok()) << graph.CheckInvariants();
}

TEST(FriendGraphTest, ListsAscendOverAllIds) {
  FriendGraph graph;
  const UserId last{std::numeric_limits<std::uint64_t>::max()};
  for (const UserId other : {last, UserId{0}, kCarol, UserId{std::uint64_t{1} << 63}}) {
    ASSERT_TRUE(graph.Befriend(kAlice, other).ok());
  }
  ASSERT_TRUE(graph.Hide({kAlice, kBob}).ok());
  EXPECT_THAT(FriendIds(graph, kAlice), ElementsAre(0, 3, std::uint64_t{1} << 63, ToInt(last)));
  std::vector<FriendEntry> appended(1);
  graph.List(kAlice, &appended);
  EXPECT_EQ(appended.size(), 5u) << "List appends";
}

TEST(FriendGraphTest, MutualFriendsAreFriendsOfBoth) {
  FriendGraph graph;
  for (const std::uint64_t id : {10u, 11u, 12u, 13u}) {
    ASSERT_TRUE(graph.Befriend(kAlice, UserId{id}).ok());
  }
  for (const std::uint64_t id : {9u, 11u, 13u, 14u}) {
    ASSERT_TRUE(graph.Befriend(kBob, UserId{id}).ok());
  }
  ASSERT_TRUE(graph.Hide({kBob, UserId{10}}).ok());
  EXPECT_THAT(MutualIds(graph, kAlice, kBob), ElementsAre(11, 13)) << "strangers do not count";
  EXPECT_THAT(MutualIds(graph, kBob, kAlice), ElementsAre(11, 13));
  EXPECT_THAT(MutualIds(graph, kAlice, kCarol), IsEmpty());
  EXPECT_THAT(MutualIds(graph, UserId{11}, UserId{13}), ElementsAre(1, 2));
}

TEST(FriendGraphTest, WhaleOfFiveThousand) {
  constexpr std::uint32_t kFriends = 5'000;
  FriendGraph graph;
  std::vector<std::uint64_t> ids;
  for (std::uint64_t id = 100; id < 100 + kFriends; ++id) ids.push_back(id);
  const std::vector<std::uint64_t> ascending = ids;
  std::mt19937_64 random(3);
  std::shuffle(ids.begin(), ids.end(), random);
  for (const std::uint64_t id : ids) ASSERT_TRUE(graph.Befriend(UserId{id}, kAlice).ok());
  EXPECT_EQ(FriendIds(graph, kAlice), ascending);
  EXPECT_EQ(graph.Befriend(kAlice, kBob).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(graph.CheckInvariants().ok()) << graph.CheckInvariants();
  for (const std::uint64_t id : ids) ASSERT_TRUE(graph.Unfriend(kAlice, UserId{id}).ok());
  EXPECT_EQ(graph.user_count(), 0u);
}

// --- long random sequences ---

// The oracle: three sets of pairs, and limits that count.
class Model {
 public:
  explicit Model(const FriendGraph::Options& options) : options_(options) {}

  enum class Fact { kFriends, kHides, kUnsubscribed };

  Friendship Get(UserId a, UserId b) const {
    return Friendship{Holds(Fact::kFriends, a, b), Holds(Fact::kHides, a, b),
                      Holds(Fact::kHides, b, a), Holds(Fact::kUnsubscribed, a, b),
                      Holds(Fact::kUnsubscribed, b, a)};
  }

  // `from` hides from `to`, or has unsubscribed from it. False if a limit forbids it.
  bool Set(Fact fact, UserId from, UserId to, bool value) {
    const Model before = *this;
    Write(fact, from, to, value);
    if (fact == Fact::kFriends) Write(fact, to, from, value);
    if (WithinLimits(from) && WithinLimits(to)) return true;
    *this = before;
    return false;
  }

  std::vector<UserId> Friends(UserId user) const {
    std::vector<UserId> friends;
    for (const auto& [a, b] : facts(Fact::kFriends)) {
      if (a == user) friends.push_back(b);
    }
    return friends;
  }

  std::size_t friendship_count() const { return facts(Fact::kFriends).size() / 2; }

  std::size_t user_count() const {
    std::set<UserId> users;
    for (const auto& pairs : facts_) {
      for (const auto& [a, b] : pairs) users.insert({a, b});
    }
    return users.size();
  }

 private:
  using Pairs = std::set<std::pair<UserId, UserId>>;

  const Pairs& facts(Fact fact) const { return facts_[static_cast<std::size_t>(fact)]; }
  bool Holds(Fact fact, UserId a, UserId b) const { return facts(fact).count({a, b}) > 0; }
  void Write(Fact fact, UserId a, UserId b, bool value) {
    Pairs& pairs = facts_[static_cast<std::size_t>(fact)];
    if (value) {
      pairs.insert({a, b});
    } else {
      pairs.erase({a, b});
    }
  }

  bool WithinLimits(UserId user) const {
    std::set<UserId> set_for;
    for (const Fact fact : {Fact::kHides, Fact::kUnsubscribed}) {
      for (const auto& [a, b] : facts(fact)) {
        if (a == user) set_for.insert(b);
      }
    }
    return Friends(user).size() <= options_.max_friends && set_for.size() <= options_.max_settings;
  }

  FriendGraph::Options options_;
  std::array<Pairs, 3> facts_;
};

class RandomGraph {
 public:
  RandomGraph(std::uint64_t seed, const FriendGraph::Options& options)
      : random_(seed), graph_(options), model_(options) {}

  void Step() {
    const UserId a = AnyUser();
    const UserId b = AnyUser();
    if (a == b) return;
    const bool value = random_() % 8 < 5;
    const Friendship before = model_.Get(a, b);
    const std::uint64_t kind = random_() % 4;
    // Seen from a: a is the viewer of b.
    const Viewing viewing{a, b};
    const auto outcome = kind < 2 ? (value ? graph_.Befriend(a, b) : graph_.Unfriend(a, b))
                         : kind == 2
                             ? (value ? graph_.Hide(viewing) : graph_.Share(viewing))
                             : (value ? graph_.Unsubscribe(viewing) : graph_.Subscribe(viewing));
    const bool allowed = kind < 2    ? model_.Set(Model::Fact::kFriends, a, b, value)
                         : kind == 2 ? model_.Set(Model::Fact::kHides, b, a, value)
                                     : model_.Set(Model::Fact::kUnsubscribed, a, b, value);
    const Friendship after = model_.Get(a, b);
    if (after != before) ++version_;
    if (!allowed) {
      ++refused_;
      ASSERT_EQ(outcome.status().code(), absl::StatusCode::kResourceExhausted);
    } else {
      ASSERT_TRUE(outcome.ok()) << outcome.status();
      ASSERT_EQ(outcome->changed, after != before);
      ASSERT_EQ(outcome->change.user, a);
      ASSERT_EQ(outcome->change.friend_id, b);
      ASSERT_EQ(outcome->change.friendship, after);
      ASSERT_EQ(ToInt(outcome->change.version), version_);
    }
    ASSERT_EQ(graph_.Get(a, b), after);
    ASSERT_EQ(graph_.Get(b, a), after.Flipped());
  }

  void ExpectAgreement() const {
    ASSERT_TRUE(graph_.CheckInvariants().ok()) << graph_.CheckInvariants();
    ASSERT_EQ(ToInt(graph_.version()), version_);
    ASSERT_EQ(graph_.friendship_count(), model_.friendship_count());
    ASSERT_EQ(graph_.user_count(), model_.user_count());
    for (std::uint64_t a = 0; a < kUsers; ++a) ExpectSameLists(UserId{a});
  }

  std::size_t refused() const { return refused_; }

 private:
  static constexpr std::uint64_t kUsers = 14;

  UserId AnyUser() { return UserId{random_() % (random_() % 4 == 0 ? 2 : kUsers)}; }

  void ExpectSameLists(UserId a) const {
    const std::vector<UserId> expected = model_.Friends(a);
    ASSERT_EQ(graph_.friend_count(a), expected.size());
    std::vector<FriendEntry> entries;
    graph_.List(a, &entries);
    ASSERT_EQ(entries.size(), expected.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      ASSERT_EQ(entries[i].friend_id, expected[i]);
      ASSERT_EQ(entries[i].friendship, model_.Get(a, expected[i]));
    }
    for (std::uint64_t b = 0; b < kUsers; ++b) {
      ASSERT_EQ(graph_.Get(a, UserId{b}), model_.Get(a, UserId{b}));
      std::vector<UserId> mutual;
      graph_.Mutual(a, UserId{b}, &mutual);
      std::vector<UserId> expected_mutual;
      const std::vector<UserId> of_b = model_.Friends(UserId{b});
      std::set_intersection(expected.begin(), expected.end(), of_b.begin(), of_b.end(),
                            std::back_inserter(expected_mutual));
      ASSERT_EQ(mutual, expected_mutual);
    }
  }

  std::mt19937_64 random_;
  FriendGraph graph_;
  Model model_;
  std::uint64_t version_ = 0;
  std::size_t refused_ = 0;
};

TEST(FriendGraphTest, TakesInNobodyNewBeyondMaxUsers) {
  FriendGraph::Options options;
  options.max_users = 3;
  FriendGraph graph(options);
  ASSERT_TRUE(graph.Befriend(kAlice, kBob).ok());
  const FriendVersion version = graph.version();
  // There is room for one, and these are two.
  EXPECT_EQ(graph.Befriend(UserId{4}, UserId{5}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(graph.Hide({UserId{4}, UserId{5}}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(graph.version(), version);
  EXPECT_EQ(graph.user_count(), 2u);
  ASSERT_TRUE(graph.Befriend(kAlice, kCarol).ok());
  EXPECT_EQ(graph.Unsubscribe({kAlice, UserId{4}}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(graph.Befriend(kBob, kCarol).ok()) << "both are held already";
  // Whoever has nothing left makes room.
  ASSERT_TRUE(graph.Unfriend(kAlice, kBob).ok());
  ASSERT_TRUE(graph.Unfriend(kBob, kCarol).ok());
  EXPECT_TRUE(graph.Befriend(kAlice, UserId{4}).ok());
  EXPECT_TRUE(graph.CheckInvariants().ok());
}

TEST(FriendGraphTest, RandomOperationsAgreeWithTheModel) {
  for (const FriendGraph::Options& options :
       {Limits(5'000, 5'000), Limits(4, 3), Limits(6, 0), Limits(0, 2)}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE(absl::StrCat("max_friends ", options.max_friends, ", max_settings ",
                                options.max_settings, ", seed ", seed));
      RandomGraph graph(seed, options);
      for (int step = 0; step < 2'500; ++step) {
        graph.Step();
        if (step % 50 == 0) graph.ExpectAgreement();
        if (::testing::Test::HasFatalFailure()) return;
      }
      EXPECT_EQ(graph.refused() > 0, options.max_friends < 10);
    }
  }
}

}  // namespace
}  // namespace nearby

#include "examples/replay/city_friends.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "examples/replay/random.h"

namespace replay {
namespace {

constexpr double kMeanFriends = 18;
// The spread of the logarithm of how sociable people are: the best known of 2,000 has some 300
// friends.
constexpr double kSociabilitySpread = 1.1;
// Where a friend comes from; whoever is left comes from anywhere.
constexpr double kFromHome = 0.45;
constexpr double kFromWork = 0.25;
constexpr double kFromFriends = 0.15;

using Index = std::uint32_t;
using IndexPair = std::pair<Index, Index>;

std::vector<std::vector<Index>> MembersOf(const Circles& circles) {
  std::vector<std::vector<Index>> members;
  for (std::size_t person = 0; person < circles.size(); ++person) {
    if (members.size() <= circles[person]) members.resize(circles[person] + std::size_t{1});
    members[circles[person]].push_back(static_cast<Index>(person));
  }
  return members;
}

// Gathers friendships one by one.
class Matchmaker {
 public:
  Matchmaker(const Circles& home, const Circles& work, Random* random);

  void Match(std::size_t count);
  std::vector<IndexPair> Finish() &&;

 private:
  Index DrawAnyone();
  Index DrawFriendFor(Index person);
  // The more sociable of two members, mostly.
  Index DrawMember(const std::vector<Index>& members);
  Index DrawFriendOfFriend(Index person);

  const Circles* home_;
  const Circles* work_;
  Random* random_;
  std::vector<std::vector<Index>> neighbours_;
  std::vector<std::vector<Index>> colleagues_;
  std::vector<double> sociability_;
  std::vector<double> sums_;  // Of sociability, up to and with each person.
  std::vector<std::vector<Index>> friends_;
  absl::flat_hash_set<IndexPair> pairs_;
};

Matchmaker::Matchmaker(const Circles& home, const Circles& work, Random* random)
    : home_(&home),
      work_(&work),
      random_(random),
      neighbours_(MembersOf(home)),
      colleagues_(MembersOf(work)),
      friends_(home.size()) {
  double sum = 0;
  for (std::size_t i = 0; i < home.size(); ++i) {
    sociability_.push_back(std::exp(kSociabilitySpread * random->Normal()));
    sum += sociability_.back();
    sums_.push_back(sum);
  }
}

void Matchmaker::Match(std::size_t count) {
  // Pairs that are friends already are drawn again, but not for ever: a small town may run out.
  const std::size_t most_draws = 1000 + 50 * count;
  pairs_.reserve(count);
  for (std::size_t draws = 0; pairs_.size() < count && draws < most_draws; ++draws) {
    const Index person = DrawAnyone();
    const Index other = DrawFriendFor(person);
    if (other == person || !pairs_.insert(std::minmax(person, other)).second) continue;
    friends_[person].push_back(other);
    friends_[other].push_back(person);
  }
}

std::vector<IndexPair> Matchmaker::Finish() && {
  std::vector<IndexPair> sorted(pairs_.begin(), pairs_.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

Index Matchmaker::DrawAnyone() {
  const double at = sums_.back() * random_->Uniform();
  const auto found = std::upper_bound(sums_.begin(), sums_.end() - 1, at);
  return static_cast<Index>(found - sums_.begin());
}

Index Matchmaker::DrawFriendFor(Index person) {
  const double from = random_->Uniform();
  if (from < kFromHome) return DrawMember(neighbours_[(*home_)[person]]);
  if (from < kFromHome + kFromWork) return DrawMember(colleagues_[(*work_)[person]]);
  if (from < kFromHome + kFromWork + kFromFriends) return DrawFriendOfFriend(person);
  return DrawAnyone();
}

Index Matchmaker::DrawMember(const std::vector<Index>& members) {
  const Index a = members[random_->Below(members.size())];
  const Index b = members[random_->Below(members.size())];
  return random_->Chance(sociability_[a] / (sociability_[a] + sociability_[b])) ? a : b;
}

Index Matchmaker::DrawFriendOfFriend(Index person) {
  const std::vector<Index>& own = friends_[person];
  if (own.empty()) return DrawAnyone();
  const std::vector<Index>& theirs = friends_[own[random_->Below(own.size())]];
  return theirs[random_->Below(theirs.size())];
}

}  // namespace

std::vector<IndexPair> InventFriendships(const Circles& home, const Circles& work, Random* random) {
  const std::size_t people = home.size();
  if (people < 2) return {};
  // In a hamlet not everyone knows everyone.
  const double most = static_cast<double>(people) * static_cast<double>(people - 1) / 4;
  const double wanted = static_cast<double>(people) * kMeanFriends / 2;
  Matchmaker matchmaker(home, work, random);
  matchmaker.Match(static_cast<std::size_t>(std::ceil(std::min(most, wanted))));
  return std::move(matchmaker).Finish();
}

}  // namespace replay

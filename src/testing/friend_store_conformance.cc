#include "nearby/testing/friend_store_conformance.h"

#include <cstdint>
#include <map>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "nearby/friend_graph.h"
#include "nearby/friendship.h"
#include "nearby/ids.h"
#include "src/testing/awaited.h"
#include "src/testing/trial.h"

namespace nearby {
namespace {

using Kind = FriendEdit::Kind;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};
// So that no list is empty but where that is what is tested.
constexpr UserId kEverybodysFriend{3};
constexpr Kind kAllKinds[] = {Kind::kBefriend, Kind::kHide,      Kind::kUnsubscribe,
                              Kind::kShare,    Kind::kSubscribe, Kind::kUnfriend};

// What one thread did and saw.
struct Log {
  std::vector<std::pair<FriendEdit, FriendshipOutcome>> edits;
  std::vector<std::pair<UserId, FriendList>> lists;
};

class FriendStoreTrial : public internal::Trial<FriendStoreUnderTest> {
 public:
  using Trial::Trial;

  void Completion();
  void Blocking() { CheckBlocking(Calls()); }
  void CallsFromWithinDone() { CheckCallsFromWithinDone(Calls()); }
  void Threads();
  void Destruction() { CheckDestruction(Calls()); }
  void Versions();
  void VersionsAmongThreads();
  void Symmetry();
  void EditAnswersThePair();
  void FailedEditsChangeNothing();
  void FullListsChangeNothing();
  void ListsOfStrangersAreEmpty();

 private:
  std::vector<internal::TrialCall> Calls();
  absl::StatusOr<FriendshipOutcome> Edit(const FriendEdit& edit);
  // One that must succeed.
  FriendshipOutcome MustEdit(const FriendEdit& edit);
  FriendList List(UserId user);
  // One that takes account of the version.
  FriendList ListFrom(UserId user, FriendVersion version);
  std::map<UserId, Friendship> ById(const FriendList& list);
  Log EditAtRandom(std::uint64_t seed, int steps);
  void ExpectOneOrder(const std::vector<Log>& logs);
  void ExpectUnchangedBy(const FriendEdit& edit, absl::StatusCode code);
};

std::vector<internal::TrialCall> FriendStoreTrial::Calls() {
  return {
      {"Edit",
       [this](internal::Completion& completion, auto then) {
         adapter().Edit({Kind::kBefriend, kAlice, kBob}, completion.AnyDone(std::move(then)));
       }},
      {"List", [this](internal::Completion& completion,
                      auto then) { adapter().List(kAlice, completion.AnyDone(std::move(then))); }},
      {"Edit",
       [this](internal::Completion& completion, auto then) {
         adapter().Edit({Kind::kHide, kAlice, kBob}, completion.AnyDone(std::move(then)));
       }},
      {"List", [this](internal::Completion& completion, auto then) {
         adapter().List(kBob, completion.AnyDone(std::move(then)));
       }}};
}

absl::StatusOr<FriendshipOutcome> FriendStoreTrial::Edit(const FriendEdit& edit) {
  internal::Awaited<absl::StatusOr<FriendshipOutcome>> outcome;
  adapter().Edit(edit, outcome.Done());
  return Get(outcome);
}

FriendshipOutcome FriendStoreTrial::MustEdit(const FriendEdit& edit) {
  const absl::StatusOr<FriendshipOutcome> outcome = Edit(edit);
  return report().ExpectOk(outcome.status(), "Edit") ? *outcome : FriendshipOutcome();
}

FriendList FriendStoreTrial::List(UserId user) {
  internal::Awaited<absl::StatusOr<FriendList>> list;
  adapter().List(user, list.Done());
  const absl::StatusOr<FriendList> answer = Get(list);
  return report().ExpectOk(answer.status(), "List") ? *answer : FriendList();
}

FriendList FriendStoreTrial::ListFrom(UserId user, FriendVersion version) {
  FriendList list;
  report().Expect(Eventually([&] { return (list = List(user)).version >= version; }),
                  "no list takes account of an edit that has completed");
  return list;
}

std::map<UserId, Friendship> FriendStoreTrial::ById(const FriendList& list) {
  std::map<UserId, Friendship> by_id;
  for (const FriendEntry& entry : list.friends) {
    report().Expect(by_id.try_emplace(entry.friend_id, entry.friendship).second,
                    "a list names a friend twice");
  }
  return by_id;
}

void FriendStoreTrial::Completion() {
  internal::Completion refused;
  adapter().Edit({Kind::kBefriend, kAlice, kAlice}, refused.AnyDone());
  (void)Get(refused);
  CheckCompletion(Calls());
  report().Expect(refused.times() == 1, "an Edit that failed did not call its done once");
}

void FriendStoreTrial::Threads() {
  internal::InThreads(4, [this](std::size_t thread) {
    // Pairs of its own, so that the thread knows what it must see.
    const UserId user{100 + thread};
    FriendVersion version{};
    for (std::uint64_t i = 0; i < 50; ++i) {
      version = MustEdit({Kind::kBefriend, user, UserId{1000 + i % 25}}).change.version;
      MustEdit({i % 2 == 0 ? Kind::kHide : Kind::kShare, user, UserId{1000}});
    }
    report().Expect(ById(ListFrom(user, version)).size() == 25,
                    "edits of several threads at once got lost");
  });
}

void FriendStoreTrial::Versions() {
  const FriendVersion first = MustEdit({Kind::kBefriend, kAlice, kEverybodysFriend}).change.version;
  const FriendVersion second = MustEdit({Kind::kBefriend, kAlice, kBob}).change.version;
  report().Expect(first < second, "a later change has no higher version");
  const FriendList before = ListFrom(kAlice, second);
  // One of others alters nothing about Alice, and yet has a version of its own.
  const FriendVersion others = MustEdit({Kind::kBefriend, UserId{8}, UserId{9}}).change.version;
  report().Expect(second < others, "versions do not ascend over all users");
  const FriendVersion last = MustEdit({Kind::kUnfriend, kAlice, kBob}).change.version;
  report().Expect(before.version < last,
                  "a list's version is that of a change of which it does not take account");
  report().Expect(ById(before).count(kBob) == 1, "a list misses a change before its version");
  report().Expect(ById(ListFrom(kAlice, last)).count(kBob) == 0,
                  "a list misses a change before its version");
}

// Only these are listed here, and only they edit: what the other side sees is another clause's.
Log FriendStoreTrial::EditAtRandom(std::uint64_t seed, int steps) {
  Log log;
  std::mt19937_64 random(seed);
  FriendVersion latest{};
  for (int step = 0; step < steps; ++step) {
    const UserId author{100 + random() % 3};
    if (random() % 3 == 0) {
      log.lists.emplace_back(author, List(author));
      continue;
    }
    const FriendEdit edit{static_cast<Kind>(random() % 6), author, UserId{200 + random() % 3}};
    const absl::StatusOr<FriendshipOutcome> outcome = Edit(edit);
    if (!report().ExpectOk(outcome.status(), "Edit") || !outcome->changed) continue;
    report().Expect(outcome->change.version > latest, "a later change has no higher version");
    latest = outcome->change.version;
    log.edits.emplace_back(edit, *outcome);
  }
  return log;
}

// Makes the changes of all threads again in the order of their versions, and holds against that
// every list: whatever the threads did, it must be as if one had done it.
void FriendStoreTrial::ExpectOneOrder(const std::vector<Log>& logs) {
  std::map<FriendVersion, FriendEdit> changes;
  std::multimap<FriendVersion, std::pair<UserId, FriendList>> lists;
  for (const Log& log : logs) {
    for (const auto& [edit, outcome] : log.edits) {
      report().Expect(changes.emplace(outcome.change.version, edit).second,
                      "two changes have the same version");
    }
    for (const auto& list : log.lists) lists.emplace(list.second.version, list);
  }
  FriendGraph graph;
  auto next = changes.begin();
  for (const auto& [version, of_user] : lists) {
    for (; next != changes.end() && next->first <= version; ++next) (void)graph.Edit(next->second);
    FriendList expected;
    graph.List(of_user.first, &expected.friends);
    report().Expect(ById(of_user.second) == ById(expected),
                    absl::StrCat("the list of version ", ToInt(version),
                                 " is not what the changes up to it make"));
  }
}

void FriendStoreTrial::VersionsAmongThreads() {
  std::vector<Log> logs(5);
  for (std::uint64_t author = 100; author < 103; ++author) {
    const FriendEdit edit{Kind::kBefriend, UserId{author}, kEverybodysFriend};
    logs[4].edits.emplace_back(edit, MustEdit(edit));
  }
  internal::InThreads(4, [&](std::size_t i) { logs[i] = EditAtRandom(i + 1, 80); });
  ExpectOneOrder(logs);
}

void FriendStoreTrial::Symmetry() {
  for (const UserId user : {kAlice, kBob}) MustEdit({Kind::kBefriend, user, kEverybodysFriend});
  FriendGraph graph;
  for (const Kind kind : kAllKinds) {
    const FriendEdit edit{kind, kAlice, kBob};
    (void)graph.Edit(edit);
    const FriendVersion version = MustEdit(edit).change.version;
    const Friendship expected = graph.Get(kAlice, kBob);
    const std::string which = absl::StrCat(" after edit ", static_cast<int>(kind), " of the pair");
    for (const auto& [user, other, seen] :
         {std::tuple(kAlice, kBob, expected), std::tuple(kBob, kAlice, expected.Flipped())}) {
      const std::map<UserId, Friendship> list = ById(ListFrom(user, version));
      const auto entry = list.find(other);
      report().Expect((entry != list.end()) == expected.friends,
                      absl::StrCat("one list is wrong about whether they are friends", which));
      report().Expect(entry == list.end() || entry->second == seen,
                      absl::StrCat("one list is wrong about the friendship", which));
    }
  }
}

void FriendStoreTrial::EditAnswersThePair() {
  FriendGraph graph;
  FriendVersion latest{};
  for (const Kind kind : kAllKinds) {
    const FriendEdit edit{kind, kBob, kAlice};
    (void)graph.Edit(edit);
    FriendVersion version{};
    for (const bool is_new : {true, false}) {
      const FriendshipOutcome outcome = MustEdit(edit);
      const std::string which =
          absl::StrCat(": edit ", static_cast<int>(kind), is_new ? "" : ", made again");
      report().Expect(outcome.changed == is_new, absl::StrCat("changed is wrong", which));
      report().Expect(outcome.change.user == kBob && outcome.change.friend_id == kAlice,
                      absl::StrCat("the outcome is of another pair", which));
      report().Expect(outcome.change.friendship == graph.Get(kBob, kAlice),
                      absl::StrCat("the outcome is not what holds for edit.user", which));
      report().Expect(is_new ? outcome.change.version > latest : outcome.change.version >= version,
                      absl::StrCat("the outcome did not hold at its version", which));
      version = outcome.change.version;
    }
    latest = version;
  }
}

void FriendStoreTrial::ExpectUnchangedBy(const FriendEdit& edit, absl::StatusCode code) {
  const std::map<UserId, Friendship> before = ById(List(kAlice));
  report().ExpectCode(Edit(edit).status(), code,
                      absl::StrCat("edit ", static_cast<int>(edit.kind), " of ", ToInt(edit.user),
                                   " and ", ToInt(edit.friend_id)));
  report().Expect(ById(List(kAlice)) == before, "a failed edit has changed something");
}

void FriendStoreTrial::FailedEditsChangeNothing() {
  const FriendVersion version = MustEdit({Kind::kBefriend, kAlice, kBob}).change.version;
  (void)ListFrom(kAlice, version);
  for (const Kind kind : kAllKinds) {
    ExpectUnchangedBy({kind, kAlice, kAlice}, absl::StatusCode::kInvalidArgument);
  }
}

void FriendStoreTrial::FullListsChangeNothing() {
  if (!subject().max_friends.has_value()) return report().Skip("needs max_friends");
  FriendVersion version{};
  for (std::uint64_t i = 0; i < *subject().max_friends; ++i) {
    version = MustEdit({Kind::kBefriend, kAlice, UserId{1000 + i}}).change.version;
  }
  version = MustEdit({Kind::kBefriend, kBob, kEverybodysFriend}).change.version;
  (void)ListFrom(kAlice, version);
  ExpectUnchangedBy({Kind::kBefriend, kAlice, kBob}, absl::StatusCode::kResourceExhausted);
  ExpectUnchangedBy({Kind::kBefriend, kBob, kAlice}, absl::StatusCode::kResourceExhausted);
  report().Expect(ListFrom(kBob, version).friends.size() == 1,
                  "one side has a friend who does not have them");
}

void FriendStoreTrial::ListsOfStrangersAreEmpty() {
  report().Expect(List(kAlice).friends.empty(), "the list of a user never heard of");
  const FriendVersion hidden = MustEdit({Kind::kHide, kAlice, kBob}).change.version;
  report().Expect(ListFrom(kAlice, hidden).friends.empty(), "hiding makes no friends");
  report().Expect(ListFrom(kBob, hidden).friends.empty(), "hiding makes no friends");
  MustEdit({Kind::kBefriend, kAlice, kBob});
  const FriendVersion unfriended = MustEdit({Kind::kUnfriend, kBob, kAlice}).change.version;
  report().Expect(ListFrom(kAlice, unfriended).friends.empty(), "the last friend has gone");
}

}  // namespace

std::vector<ConformanceCase> FriendStoreConformance(
    const std::function<FriendStoreUnderTest()>& make) {
  using T = FriendStoreTrial;
  return internal::MakeCases<T>({{1, "Completion", &T::Completion},
                                 {2, "Blocking", &T::Blocking},
                                 {3, "CallsFromWithinDone", &T::CallsFromWithinDone},
                                 {3, "Threads", &T::Threads},
                                 {4, "Destruction", &T::Destruction},
                                 {5, "Versions", &T::Versions},
                                 {5, "VersionsAmongThreads", &T::VersionsAmongThreads},
                                 {6, "Symmetry", &T::Symmetry},
                                 {7, "EditAnswersThePair", &T::EditAnswersThePair},
                                 {8, "FailedEditsChangeNothing", &T::FailedEditsChangeNothing},
                                 {8, "FullListsChangeNothing", &T::FullListsChangeNothing},
                                 {9, "ListsOfStrangersAreEmpty", &T::ListsOfStrangersAreEmpty}},
                                make);
}

}  // namespace nearby

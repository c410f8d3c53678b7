#include "nearby/testing/session_directory_conformance.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "nearby/ids.h"
#include "src/testing/awaited.h"
#include "src/testing/trial.h"

namespace nearby {
namespace {

using Claimed = SessionDirectory::Claimed;
using Holders = std::vector<SessionHolder>;
using Leases = std::vector<NodeLease>;
using Session = SessionDirectory::Session;
using Users = std::vector<UserId>;

constexpr NodeId kNode{11};
constexpr NodeId kOtherNode{12};
constexpr UserId kAlice{1};
constexpr UserId kBob{2};
// Longer than any test.
constexpr absl::Duration kLong = absl::Hours(1);

bool ByEpoch(const SessionHolder& a, const SessionHolder& b) { return a.epoch < b.epoch; }

// For tests to which the order of holders does not matter.
Holders Sorted(Holders holders) {
  std::sort(holders.begin(), holders.end(), ByEpoch);
  return holders;
}

class SessionDirectoryTrial : public internal::Trial<SessionDirectoryUnderTest> {
 public:
  using Trial::Trial;

  void Completion() { CheckCompletion(Calls()); }
  void Blocking() { CheckBlocking(Calls()); }
  void CallsFromWithinDone() { CheckCallsFromWithinDone(Calls()); }
  void Threads();
  void Destruction() { CheckDestruction(Calls()); }
  void Spans();
  void ClaimsOfOneUserAreOrdered();
  void Lives();
  void LeasesRunOut();
  void EndedLeasesStayEnded();
  void ClaimsReplaceAndAscend();
  void ClaimsNeedALease();
  void ReleasesExactly();
  void AnswersInOrder();
  void FindsEnded();
  void TooManyHolders();
  void TooManyUsers();

 private:
  std::vector<internal::TrialCall> Calls();
  void AppendLeaseCalls(const NodeLease& lease, std::vector<internal::TrialCall>* calls);
  NodeLease Begin(NodeId node, absl::Duration duration = kLong);
  absl::Status Renew(const NodeLease& lease, absl::Duration duration = kLong);
  void End(const NodeLease& lease);
  absl::StatusOr<std::vector<Claimed>> Claim(const NodeLease& lease, const Users& users);
  // Of one user; must succeed.
  Claimed MustClaim(const NodeLease& lease, UserId user);
  void Release(const NodeLease& lease, const std::vector<Session>& sessions);
  std::vector<Holders> Lookup(const Users& users);
  Holders HoldersOf(UserId user) { return Lookup({user}).front(); }
  Leases FindEnded(const Leases& leases);
  void ExpectHolders(UserId user, Holders expected, absl::string_view when);
  void ClaimAtOnce(const Leases& leases, UserId user);
};

void SessionDirectoryTrial::AppendLeaseCalls(const NodeLease& lease,
                                             std::vector<internal::TrialCall>* calls) {
  calls->push_back({"BeginLease", [this](internal::Completion& completion, auto then) {
                      adapter().BeginLease(kOtherNode, kLong, completion.AnyDone(std::move(then)));
                    }});
  calls->push_back({"RenewLease", [this, lease](internal::Completion& completion, auto then) {
                      adapter().RenewLease(lease, kLong, completion.AnyDone(std::move(then)));
                    }});
  calls->push_back(
      {"FindEnded", [this, leases = Leases{lease}](internal::Completion& completion, auto then) {
         adapter().FindEnded(leases, completion.AnyDone(std::move(then)));
       }});
  calls->push_back({"EndLease", [this, lease](internal::Completion& completion, auto then) {
                      adapter().EndLease(lease, completion.AnyDone(std::move(then)));
                    }});
}

// Their spans live as long as they do: an adapter that keeps one too long is another test's affair.
std::vector<internal::TrialCall> SessionDirectoryTrial::Calls() {
  const NodeLease lease = Begin(kNode);
  std::vector<internal::TrialCall> calls = {
      {"Claim",
       [this, lease, users = Users{kAlice}](internal::Completion& completion, auto then) {
         adapter().Claim(lease, users, completion.AnyDone(std::move(then)));
       }},
      {"Lookup",
       [this, users = Users{kAlice}](internal::Completion& completion, auto then) {
         adapter().Lookup(users, completion.AnyDone(std::move(then)));
       }},
      {"Release", [this, lease, sessions = std::vector<Session>{{kAlice, Epoch{1}}}](
                      internal::Completion& completion, auto then) {
         adapter().Release(lease, sessions, completion.AnyDone(std::move(then)));
       }}};
  AppendLeaseCalls(lease, &calls);
  return calls;
}

NodeLease SessionDirectoryTrial::Begin(NodeId node, absl::Duration duration) {
  internal::Awaited<absl::StatusOr<Epoch>> life;
  adapter().BeginLease(node, duration, life.Done());
  const absl::StatusOr<Epoch> answer = Get(life);
  return {node, report().ExpectOk(answer.status(), "BeginLease") ? *answer : Epoch{}};
}

absl::Status SessionDirectoryTrial::Renew(const NodeLease& lease, absl::Duration duration) {
  internal::Completion renewed;
  adapter().RenewLease(lease, duration, renewed.Done());
  return Get(renewed);
}

void SessionDirectoryTrial::End(const NodeLease& lease) {
  internal::Completion ended;
  adapter().EndLease(lease, ended.Done());
  report().ExpectOk(Get(ended), "EndLease");
}

absl::StatusOr<std::vector<Claimed>> SessionDirectoryTrial::Claim(const NodeLease& lease,
                                                                  const Users& users) {
  internal::Awaited<absl::StatusOr<std::vector<Claimed>>> claimed;
  adapter().Claim(lease, users, claimed.Done());
  return Get(claimed);
}

Claimed SessionDirectoryTrial::MustClaim(const NodeLease& lease, UserId user) {
  const absl::StatusOr<std::vector<Claimed>> claimed = Claim(lease, {user});
  if (!report().ExpectOk(claimed.status(), "Claim")) return Claimed();
  if (!report().Expect(claimed->size() == 1, "Claim answers not one element for one user")) {
    return Claimed();
  }
  return claimed->front();
}

void SessionDirectoryTrial::Release(const NodeLease& lease, const std::vector<Session>& sessions) {
  internal::Completion released;
  adapter().Release(lease, sessions, released.Done());
  report().ExpectOk(Get(released), "Release");
}

std::vector<Holders> SessionDirectoryTrial::Lookup(const Users& users) {
  internal::Awaited<absl::StatusOr<std::vector<Holders>>> found;
  adapter().Lookup(users, found.Done());
  const absl::StatusOr<std::vector<Holders>> answer = Get(found);
  if (!report().ExpectOk(answer.status(), "Lookup") ||
      !report().Expect(answer->size() == users.size(),
                       "Lookup answers not one element for each user")) {
    return std::vector<Holders>(users.size());
  }
  return *answer;
}

Leases SessionDirectoryTrial::FindEnded(const Leases& leases) {
  internal::Awaited<absl::StatusOr<Leases>> ended;
  adapter().FindEnded(leases, ended.Done());
  const absl::StatusOr<Leases> answer = Get(ended);
  return report().ExpectOk(answer.status(), "FindEnded") ? *answer : Leases();
}

void SessionDirectoryTrial::ExpectHolders(UserId user, Holders expected, absl::string_view when) {
  report().Expect(Sorted(HoldersOf(user)) == Sorted(std::move(expected)),
                  absl::StrCat("Lookup answers other holders than there are: ", when));
}

void SessionDirectoryTrial::Threads() {
  internal::InThreads(4, [this](std::size_t thread) {
    const NodeLease lease = Begin(NodeId{100 + thread});
    for (std::uint64_t i = 0; i < 25; ++i) {
      // Users of its own, so that the thread knows what it must see.
      const UserId user{1000 * (thread + 1) + i};
      const Claimed claimed = MustClaim(lease, user);
      ExpectHolders(user, {{lease, claimed.epoch}}, "among threads");
      report().ExpectOk(Renew(lease), "RenewLease");
      if (i % 2 == 0) Release(lease, {{user, claimed.epoch}});
    }
  });
}

void SessionDirectoryTrial::Spans() {
  const NodeLease lease = Begin(kNode);
  const NodeLease unknown{NodeId{99}, Epoch{1}};
  Users users = {kAlice};
  Leases leases = {unknown};
  internal::Awaited<absl::StatusOr<std::vector<Claimed>>> claimed;
  internal::Awaited<absl::StatusOr<std::vector<Holders>>> found;
  internal::Awaited<absl::StatusOr<Leases>> ended;
  WhileStalled([&] {
    adapter().Claim(lease, users, claimed.Done());
    adapter().Lookup(users, found.Done());
    adapter().FindEnded(leases, ended.Done());
    // What they were given is worth nothing after they have returned.
    users[0] = kBob;
    leases[0] = lease;
  });
  const auto claims = Get(claimed);
  (void)Get(found);
  const absl::StatusOr<Leases> found_ended = Get(ended);
  report().Expect(found_ended.ok() && *found_ended == Leases({unknown}),
                  "FindEnded reads its span after it has returned");
  report().Expect(HoldersOf(kBob).empty(), "Claim reads its span after it has returned");
  if (!claims.ok() || claims->size() != 1) return report().Fail("Claim did not answer");

  std::vector<Session> sessions = {{kAlice, claims->front().epoch}};
  internal::Completion released;
  WhileStalled([&] {
    adapter().Release(lease, sessions, released.Done());
    sessions[0].user = kBob;
  });
  (void)Get(released);
  report().Expect(HoldersOf(kAlice).empty(), "Release reads its span after it has returned");
}

// Epochs tell in which order the claims took effect: each must have seen those before it.
void SessionDirectoryTrial::ClaimAtOnce(const Leases& leases, UserId user) {
  std::vector<Claimed> claimed(leases.size());
  internal::InThreads(leases.size(),
                      [&](std::size_t i) { claimed[i] = MustClaim(leases[i], user); });
  Holders all;
  for (std::size_t i = 0; i < leases.size(); ++i) all.push_back({leases[i], claimed[i].epoch});
  for (const Claimed& claim : claimed) {
    Holders before;
    std::copy_if(all.begin(), all.end(), std::back_inserter(before),
                 [&](const SessionHolder& holder) { return holder.epoch < claim.epoch; });
    report().Expect(Sorted(claim.others) == Sorted(before),
                    "a claim did not see those that took effect before it, and only those");
  }
  ExpectHolders(user, all, "after claims by several threads");
}

void SessionDirectoryTrial::ClaimsOfOneUserAreOrdered() {
  Leases leases;
  for (std::uint64_t i = 0; i < 4; ++i) leases.push_back(Begin(NodeId{100 + i}));
  for (std::uint64_t round = 0; round < 10; ++round) ClaimAtOnce(leases, UserId{1000 + round});
}

void SessionDirectoryTrial::Lives() {
  const NodeLease first = Begin(kNode);
  const NodeLease second = Begin(kNode);
  report().Expect(first.life < second.life, "a later life has no higher epoch");
  report().ExpectOk(Renew(first), "renewing a life that another has followed");
  End(second);
  report().ExpectOk(Renew(first), "renewing a life after the next has ended");
  report().ExpectCode(Renew(second), absl::StatusCode::kNotFound, "renewing one that has ended");
  End(second);
  End({kOtherNode, Epoch{77}});
  report().Expect(Begin(kNode).life > second.life, "a life has the epoch of one that has ended");
  for (const absl::Duration nothing : {absl::ZeroDuration(), absl::Seconds(-1)}) {
    internal::Completion begun;
    adapter().BeginLease(kNode, nothing, begun.AnyDone());
    report().ExpectCode(Get(begun), absl::StatusCode::kInvalidArgument,
                        "a lease that does not last");
  }
}

void SessionDirectoryTrial::LeasesRunOut() {
  const auto& pass = subject().pass;
  if (!pass) return report().Skip("needs the hook pass");
  const absl::Duration duration = subject().lease;
  const NodeLease renewed = Begin(kNode, duration);
  const NodeLease lapsed = Begin(kOtherNode, duration);
  const Claimed by_renewed = MustClaim(renewed, kAlice);
  MustClaim(lapsed, kBob);
  pass(duration * 0.6);
  report().ExpectOk(Renew(renewed, duration), "renewing a lease before its end");
  pass(duration * 0.6);
  report().ExpectCode(Renew(lapsed, duration), absl::StatusCode::kNotFound,
                      "renewing a lease after its end");
  ExpectHolders(kBob, {}, "after their lease has run out");
  ExpectHolders(kAlice, {{renewed, by_renewed.epoch}}, "under a lease that was renewed");
  pass(duration);
  ExpectHolders(kAlice, {}, "after their renewed lease has run out");
  report().ExpectCode(Renew(renewed, duration), absl::StatusCode::kNotFound,
                      "renewing a lease after its end");
  ExpectHolders(kAlice, {}, "after an attempt to renew their lease");
}

void SessionDirectoryTrial::EndedLeasesStayEnded() {
  const NodeLease ending = Begin(kNode);
  const NodeLease staying = Begin(kOtherNode);
  MustClaim(ending, kAlice);
  const Claimed stays = MustClaim(staying, kAlice);
  End(ending);
  ExpectHolders(kAlice, {{staying, stays.epoch}}, "after one of two leases has ended");
  report().ExpectCode(Renew(ending), absl::StatusCode::kNotFound, "renewing one that has ended");
  ExpectHolders(kAlice, {{staying, stays.epoch}}, "after an attempt to renew the other");
  report().ExpectOk(Renew(staying), "renewing another than the one that has ended");
}

void SessionDirectoryTrial::ClaimsReplaceAndAscend() {
  const NodeLease lease = Begin(kNode);
  const NodeLease other = Begin(kOtherNode);
  const Claimed first = MustClaim(lease, kAlice);
  const Claimed second = MustClaim(other, kAlice);
  const Claimed third = MustClaim(lease, kAlice);
  report().Expect(first.epoch < second.epoch && second.epoch < third.epoch,
                  "a later claim has no higher epoch");
  report().Expect(first.others.empty(), "the first claim has others beside it");
  report().Expect(second.others == Holders({{lease, first.epoch}}),
                  "a claim does not answer with the other holder");
  report().Expect(third.others == Holders({{other, second.epoch}}),
                  "a claim answers with the one that it replaces, or not with the other");
  ExpectHolders(kAlice, {{other, second.epoch}, {lease, third.epoch}}, "after a second claim");
  Release(lease, {{kAlice, third.epoch}});
  Release(other, {{kAlice, second.epoch}});
  const Claimed fourth = MustClaim(lease, kAlice);
  report().Expect(fourth.epoch > third.epoch,
                  "a user who had no holder any more is given an epoch that they had before");
}

void SessionDirectoryTrial::ClaimsNeedALease() {
  const NodeLease ended = Begin(kNode);
  const NodeLease next = Begin(kNode);
  End(ended);
  for (const NodeLease& lease : {ended, NodeLease{NodeId{99}, Epoch{1}}}) {
    report().ExpectCode(Claim(lease, {kAlice, kBob}).status(),
                        absl::StatusCode::kFailedPrecondition, "a claim without a lease");
  }
  report().Expect(HoldersOf(kAlice).empty() && HoldersOf(kBob).empty(),
                  "a claim without a lease has added a holder");
  ExpectHolders(kAlice, {}, "claimed under a lease that had ended");
  MustClaim(next, kAlice);
}

void SessionDirectoryTrial::ReleasesExactly() {
  const NodeLease lease = Begin(kNode);
  const NodeLease other = Begin(kOtherNode);
  const SessionHolder before{lease, MustClaim(lease, kAlice).epoch};
  const SessionHolder held{lease, MustClaim(lease, kAlice).epoch};
  const SessionHolder others{other, MustClaim(other, kAlice).epoch};
  Release(lease, {{kAlice, before.epoch}});
  ExpectHolders(kAlice, {held, others}, "after the release of one that was replaced");
  Release(other, {{kAlice, held.epoch}});
  ExpectHolders(kAlice, {held, others}, "after a release under another's lease");
  Release(lease, {{kBob, held.epoch}, {UserId{77}, Epoch{77}}});
  ExpectHolders(kAlice, {held, others}, "after the release of another user");
  Release(lease, {{kAlice, held.epoch}});
  ExpectHolders(kAlice, {others}, "after a release");
  Release(lease, {{kAlice, held.epoch}});
  ExpectHolders(kAlice, {others}, "after a release of what is not there");
}

void SessionDirectoryTrial::AnswersInOrder() {
  Leases leases;
  Holders expected;
  for (std::uint64_t i = 0; i < 4; ++i) {
    // Lower nodes later, so that neither nodes nor lives order them as epochs do.
    leases.insert(leases.begin(), Begin(NodeId{100 - i}));
  }
  for (const NodeLease& lease : leases) {
    const Claimed claimed = MustClaim(lease, kAlice);
    report().Expect(claimed.others == expected, "Claim's others are not in order of their epochs");
    expected.push_back({lease, claimed.epoch});
  }
  const SessionHolder bobs{leases[0], MustClaim(leases[0], kBob).epoch};
  const std::vector<Holders> found = Lookup({kBob, UserId{9}, kAlice, kBob});
  report().Expect(found[0] == Holders({bobs}) && found[3] == Holders({bobs}),
                  "Lookup does not answer in the order asked");
  report().Expect(found[1].empty(), "Lookup finds a holder of a user never heard of");
  report().Expect(found[2] == expected, "Lookup's holders are not in order of their epochs");
  const auto batch = Claim(leases[1], {UserId{9}, kBob});
  report().Expect(batch.ok() && batch->size() == 2 && (*batch)[0].others.empty() &&
                      (*batch)[1].others == Holders({bobs}),
                  "Claim does not answer in the order asked");
  (void)Lookup({});
}

void SessionDirectoryTrial::FindsEnded() {
  const NodeLease live = Begin(kNode);
  const NodeLease ended = Begin(kOtherNode);
  const NodeLease unknown{NodeId{99}, Epoch{1}};
  const NodeLease unborn{kNode, Epoch{ToInt(ended.life) + 1'000'000}};
  End(ended);
  const Leases found = FindEnded({live, ended, unknown, unborn});
  const auto has = [&](const NodeLease& lease) {
    return std::find(found.begin(), found.end(), lease) != found.end();
  };
  report().Expect(!has(live), "FindEnded answers one that has not ended");
  report().Expect(has(ended), "FindEnded does not answer one that has ended");
  report().Expect(has(unknown) && has(unborn), "FindEnded does not answer one never heard of");
  report().Expect(FindEnded({live}).empty(), "FindEnded answers what it was not asked");
}

void SessionDirectoryTrial::TooManyHolders() {
  const std::size_t max_holders = adapter().max_holders();
  report().Expect(max_holders >= 4, "max_holders() is less than 4");
  Holders held;
  for (std::uint64_t i = 0; i < max_holders; ++i) {
    const NodeLease lease = Begin(NodeId{100 + i});
    held.push_back({lease, MustClaim(lease, kAlice).epoch});
  }
  const NodeLease one_more = Begin(kNode);
  report().ExpectCode(Claim(one_more, {kBob, kAlice}).status(),
                      absl::StatusCode::kResourceExhausted, "one holder too many");
  ExpectHolders(kAlice, held, "after a claim of one holder too many");
  ExpectHolders(kBob, {}, "of a batch that failed for another of its users");
  held[0].epoch = MustClaim(held[0].lease, kAlice).epoch;
  ExpectHolders(kAlice, held, "after a claim that replaces one of the most there may be");
}

void SessionDirectoryTrial::TooManyUsers() {
  const NodeLease lease = Begin(kNode);
  const Claimed claimed = MustClaim(lease, kAlice);
  Users users;
  std::vector<Session> sessions;
  for (std::uint64_t i = 0; i < SessionDirectory::kMaxBatch; ++i) {
    users.push_back(UserId{1'000 + i});
    sessions.push_back({UserId{1'000 + i}, Epoch{1}});
  }
  const auto most = Claim(lease, users);
  report().Expect(most.ok() && most->size() == users.size(), "Claim refuses what is not too much");
  users.push_back(kBob);
  sessions.push_back({kAlice, claimed.epoch});
  constexpr auto kCode = absl::StatusCode::kInvalidArgument;
  report().ExpectCode(Claim(lease, users).status(), kCode, "Claim of too many users");
  internal::Completion looked_up;
  adapter().Lookup(users, looked_up.AnyDone());
  report().ExpectCode(Get(looked_up), kCode, "Lookup of too many users");
  internal::Completion released;
  adapter().Release(lease, sessions, released.AnyDone());
  report().ExpectCode(Get(released), kCode, "Release of too many users");
  ExpectHolders(kAlice, {{lease, claimed.epoch}}, "after a release of too many users");
  ExpectHolders(kBob, {}, "after a claim of too many users");
}

}  // namespace

std::vector<ConformanceCase> SessionDirectoryConformance(
    const std::function<SessionDirectoryUnderTest()>& make) {
  using T = SessionDirectoryTrial;
  return internal::MakeCases<T>({{1, "Completion", &T::Completion},
                                 {2, "Blocking", &T::Blocking},
                                 {3, "CallsFromWithinDone", &T::CallsFromWithinDone},
                                 {3, "Threads", &T::Threads},
                                 {4, "Destruction", &T::Destruction},
                                 {4, "Spans", &T::Spans},
                                 {5, "ClaimsOfOneUserAreOrdered", &T::ClaimsOfOneUserAreOrdered},
                                 {6, "Lives", &T::Lives},
                                 {6, "LeasesRunOut", &T::LeasesRunOut},
                                 {6, "EndedLeasesStayEnded", &T::EndedLeasesStayEnded},
                                 {7, "ClaimsReplaceAndAscend", &T::ClaimsReplaceAndAscend},
                                 {7, "ClaimsNeedALease", &T::ClaimsNeedALease},
                                 {8, "ReleasesExactly", &T::ReleasesExactly},
                                 {9, "AnswersInOrder", &T::AnswersInOrder},
                                 {10, "FindsEnded", &T::FindsEnded},
                                 {11, "TooManyHolders", &T::TooManyHolders},
                                 {12, "TooManyUsers", &T::TooManyUsers}},
                                make);
}

}  // namespace nearby

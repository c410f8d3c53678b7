#include "nearby/testing/history_store_conformance.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "nearby/effects.h"
#include "nearby/geo.h"
#include "nearby/ids.h"
#include "nearby/time.h"
#include "src/testing/awaited.h"
#include "src/testing/trial.h"

namespace nearby {
namespace {

using Locations = std::vector<AcceptedLocation>;
using Query = HistoryStore::Query;
using Numbers = std::vector<std::int64_t>;

constexpr UserId kAlice{1};
constexpr UserId kBob{2};

// Told apart by reported_at.
AcceptedLocation At(UserId user, std::int64_t accepted_at_ms, std::int64_t reported_at_ms) {
  return {user, Position::FromLatLng({1, 2}), Time::Millis(accepted_at_ms),
          Time::Millis(reported_at_ms)};
}

Query Between(UserId user, std::int64_t from_ms, std::int64_t until_ms, std::size_t limit = 1000) {
  return {user, Time::Millis(from_ms), Time::Millis(until_ms), limit};
}

// Wider than the times of all tests.
Query All(UserId user) { return Between(user, -1'000'000, 1'000'000); }

class HistoryStoreTrial : public internal::Trial<HistoryStoreUnderTest> {
 public:
  using Trial::Trial;

  void Completion() { CheckCompletion(Calls()); }
  void Blocking() { CheckBlocking(Calls()); }
  void CallsFromWithinDone() { CheckCallsFromWithinDone(Calls()); }
  void Threads();
  void Destruction() { CheckDestruction(Calls()); }
  void Spans();
  void AppendsAtLeastOnce();
  void ReadsAHalfOpenRangeInOrder();

 private:
  std::vector<internal::TrialCall> Calls();
  void Append(const Locations& locations);
  Locations Read(const Query& query);
  // Expects those reported at these times, in this order.
  void ExpectRead(const Query& query, const Numbers& reported_ms, absl::string_view what);
};

std::vector<internal::TrialCall> HistoryStoreTrial::Calls() {
  const auto append = [this](Locations locations) {
    return [this, locations = std::move(locations)](internal::Completion& completion, auto then) {
      adapter().Append(locations, completion.AnyDone(std::move(then)));
    };
  };
  const auto read = [this](UserId user) {
    return [this, user](internal::Completion& completion, auto then) {
      adapter().Read(All(user), completion.AnyDone(std::move(then)));
    };
  };
  return {{"Append", append({At(kAlice, 1, 1)})},
          {"Read", read(kAlice)},
          {"Append of nothing", append({})},
          {"Read of a user never heard of", read(UserId{77})}};
}

void HistoryStoreTrial::Append(const Locations& locations) {
  internal::Completion appended;
  adapter().Append(locations, appended.Done());
  report().ExpectOk(Get(appended), "Append");
}

Locations HistoryStoreTrial::Read(const Query& query) {
  internal::Awaited<absl::StatusOr<Locations>> found;
  adapter().Read(query, found.Done());
  const absl::StatusOr<Locations> answer = Get(found);
  return report().ExpectOk(answer.status(), "Read") ? *answer : Locations();
}

void HistoryStoreTrial::ExpectRead(const Query& query, const Numbers& reported_ms,
                                   absl::string_view what) {
  Numbers found;
  for (const AcceptedLocation& location : Read(query)) found.push_back(location.reported_at.ms);
  report().Expect(found == reported_ms,
                  absl::StrCat(what, ": found ", absl::StrJoin(found, ", "), " instead of ",
                               absl::StrJoin(reported_ms, ", ")));
}

void HistoryStoreTrial::Threads() {
  constexpr std::int64_t kEach = 10;
  internal::InThreads(4, [this](std::size_t thread) {
    const UserId own{100 + thread};
    for (std::int64_t i = 0; i < kEach; ++i) {
      const std::int64_t mark = kEach * static_cast<std::int64_t>(thread) + i;
      Append({At(own, i, i), At(kAlice, i, mark)});
      report().Expect(Read(All(own)).size() == static_cast<std::size_t>(i + 1),
                      "an append of one's own among threads got lost");
    }
  });
  report().Expect(Read(All(kAlice)).size() == 4 * kEach, "appends of several threads got lost");
}

void HistoryStoreTrial::Spans() {
  Locations locations = {At(kAlice, 1, 1)};
  internal::Completion appended;
  WhileStalled([&] {
    adapter().Append(locations, appended.Done());
    // What it was given is worth nothing after it has returned.
    locations[0] = At(kBob, 9, 9);
  });
  (void)Get(appended);
  ExpectRead(All(kAlice), {1}, "a span that ends with the call");
}

void HistoryStoreTrial::AppendsAtLeastOnce() {
  const Locations batch = {At(kAlice, 1, 7), At(kAlice, 2, 8)};
  Append(batch);
  Append({At(kAlice, 3, 9)});
  Append(batch);
  Numbers found;
  for (const AcceptedLocation& location : Read(All(kAlice))) {
    found.push_back(location.reported_at.ms);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  report().Expect(found == Numbers({7, 8, 9}),
                  absl::StrCat("appended twice, and then found: ", absl::StrJoin(found, ", ")));
}

void HistoryStoreTrial::ReadsAHalfOpenRangeInOrder() {
  Append({At(kAlice, 10, 1), At(kAlice, 30, 3), At(kBob, 15, 5), At(kAlice, 20, 2)});
  Append({At(kAlice, 40, 4)});
  ExpectRead(All(kAlice), {1, 2, 3, 4}, "all");
  ExpectRead(Between(kAlice, 20, 40), {2, 3}, "from 20 until 40");
  ExpectRead(Between(kAlice, 20, 41), {2, 3, 4}, "from 20 until 41");
  ExpectRead(Between(kAlice, 0, 100, 2), {1, 2}, "at most 2");
  ExpectRead(Between(kAlice, 0, 100, 0), {}, "at most 0");
  ExpectRead(Between(kAlice, 20, 20), {}, "an empty range");
  ExpectRead(Between(kAlice, 40, 20), {}, "a range from its end to its beginning");
  ExpectRead(All(UserId{9}), {}, "a user never heard of");
  const Locations bobs = Read(All(kBob));
  report().Expect(bobs.size() == 1 && bobs[0].user == kBob &&
                      bobs[0].position == At(kBob, 15, 5).position &&
                      bobs[0].accepted_at == Time::Millis(15),
                  "a location is not found as it was appended");
  constexpr UserId kCarol{3};
  Append({At(kCarol, 10, 5), At(kCarol, 20, 1), At(kCarol, 10, 3)});
  Append({At(kCarol, 10, 4)});
  ExpectRead(All(kCarol), {5, 3, 4, 1}, "of equal times");
}

}  // namespace

std::vector<ConformanceCase> HistoryStoreConformance(
    const std::function<HistoryStoreUnderTest()>& make) {
  using T = HistoryStoreTrial;
  return internal::MakeCases<T>({{1, "Completion", &T::Completion},
                                 {2, "Blocking", &T::Blocking},
                                 {3, "CallsFromWithinDone", &T::CallsFromWithinDone},
                                 {3, "Threads", &T::Threads},
                                 {4, "Destruction", &T::Destruction},
                                 {4, "Spans", &T::Spans},
                                 {5, "AppendsAtLeastOnce", &T::AppendsAtLeastOnce},
                                 {6, "ReadsAHalfOpenRangeInOrder", &T::ReadsAHalfOpenRangeInOrder}},
                                make);
}

}  // namespace nearby
